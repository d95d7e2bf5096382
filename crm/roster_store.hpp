// Our tables of operators, services and seats. Blocking; on a connection of the caller.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "crm/mysql.hpp"
#include "crm/roster.hpp"
#include "crm/sql_files.hpp"

namespace crm {

class RosterStore {
 public:
    // Throws std::runtime_error when files of sql/ctibridge/roster are missing.
    explicit RosterStore(const std::filesystem::path& sql_dir);

    Sql<Roster> read(Mysql& link) const;
    // The tables hold `to` afterwards, or what they held before: one transaction. Who sits on a seat that
    // stays goes on sitting there.
    Sql<void> replace(Mysql& link, const Roster& to) const;

 private:
    Sql<void> change(Mysql& link, const Roster& to) const;

    std::map<std::string, Statement> reads_, puts_;         // by kind
    std::map<std::string, std::vector<Statement>> erases_;  // by kind, with its lists
    Statement occupants_, sit_down_;
};

}  // namespace crm
