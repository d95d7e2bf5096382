// What is known of people and records, kept in the state folder (people.sqlite, 0600), so that callers are
// known while the CRM's database is away. Losing the file costs one full read. Blocking; belongs to one
// thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crm/index.hpp"
#include "crm/mysql.hpp"
#include "crm/types.hpp"

namespace crm {

// Answers of may_see by (CRM user, owner or record).
using Visibility = std::map<std::pair<std::string, std::string>, bool>;

struct CachedPeople {
    std::vector<IndexedRecord> records;
    std::vector<Operator> operators;  // of the CRM and our table together
    Roster own;                       // our tables as they were read last
    Visibility visibility;
    bool complete = false;  // a full read was once finished
};

class PeopleCache {
 public:
    // `origin` says what the content depends on (adapter, database, reading of numbers): other content is
    // thrown away. A damaged file is set aside as people.sqlite.damaged and begun anew. Throws
    // std::runtime_error when the folder cannot be used.
    PeopleCache(const std::filesystem::path& state, const std::filesystem::path& sql_dir, std::string origin);
    ~PeopleCache();

    Sql<CachedPeople> load();
    Sql<void> replace(const std::vector<IndexedRecord>& records);
    Sql<void> apply(const std::vector<Index::Change>& changes);
    Sql<void> put_operators(const std::vector<Operator>& operators);
    Sql<void> put_own(const Roster& own);
    Sql<void> put_visibility(const Visibility& visibility);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
