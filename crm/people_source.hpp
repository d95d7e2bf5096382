// The CRM's database as the adapter's files see it: people, records, numbers, changes. Blocking; belongs to
// one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crm/adapter.hpp"
#include "crm/config.hpp"
#include "crm/index.hpp"
#include "crm/mysql.hpp"
#include "crm/numbers.hpp"
#include "crm/roster_store.hpp"
#include "crm/types.hpp"

namespace crm {

class PeopleSource {
 public:
    using Log = std::function<void(int priority, std::string_view line)>;

    // `adapter` and `numbers` outlive it. Throws std::runtime_error when SQL files are missing.
    PeopleSource(const Config& config, const Adapter& adapter, const Numbers& numbers, MysqlOptions options,
                 Log log);
    ~PeopleSource();

    // Connects and reads which phone fields there are. Fields that cannot be read are named in the log.
    Sql<void> connect();
    [[nodiscard]] bool connected() const;
    [[nodiscard]] std::string description() const;  // "MariaDB 10.11 at user@host/db", for the log

    // Our own tables. While they cannot be read: what they said last.
    void remember(Roster own) { own_known_ = std::move(own); }
    [[nodiscard]] const Roster& own() const { return own_known_; }
    // Users of the CRM, with what our own operator table says of them (own() is read anew). Without that
    // table: users alone.
    Sql<std::vector<Operator>> operators();
    // Every live record that has a number.
    Sql<std::vector<IndexedRecord>> all(const std::function<bool()>& stopped);
    // Absent: deleted, converted, or never there. `numbers` is empty when it has none any more.
    Sql<std::optional<IndexedRecord>> record(std::string_view id);
    // Ids of records that may hold this number.
    Sql<std::vector<std::string>> find_exact(const Number& number);
    Sql<bool> may_see(std::string_view crm_user, std::string_view id);
    // All users who may; only where the adapter has `viewers`.
    Sql<std::set<std::string, std::less<>>> viewers(std::string_view id);

    // The change feed. Columns and their meaning are the adapter's; absent: it has none.
    Sql<std::optional<SqlParams>> position();
    struct Changed {
        std::string id, stamp;
    };
    // By the statement `which` of changes.sql; `full` is set when there are more than it may return.
    Sql<std::vector<Changed>> changes(std::size_t which, const SqlParams& since, bool& full);

 private:
    Sql<void> read_own();
    [[nodiscard]] std::vector<Operator> joined(const Rows& users) const;
    [[nodiscard]] Operator user(const Rows& users, std::size_t row) const;
    void place(Operator one, std::vector<Operator>& out) const;
    IndexedRecord read_record(const Rows& rows, std::size_t row) const;

    const Config config_;
    const Adapter& adapter_;
    const Numbers& numbers_;
    Log log_;
    Mysql crm_, own_;
    RosterStore store_;
    Roster own_known_;
    std::vector<PhoneColumn> columns_;
    std::string last_own_error_, last_columns_warning_;
};

// "{user_name}@{user_domain}" filled from a row of operators.sql, as a bare JID in lower case; empty when a
// value is missing.
std::string jid_from_pattern(std::string_view pattern, std::string_view user_domain, const Rows& rows,
                             std::size_t row);

}  // namespace crm
