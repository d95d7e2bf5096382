// One connection to MySQL or MariaDB over Connector/C++ 1.1. Blocking: belongs to one thread, and not to the
// one that does I/O. UTC, utf8mb4, prepared statements by name, copied results with nulls, errors as values
// that say what to do next.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crm/config.hpp"
#include "crm/sql_files.hpp"

namespace crm {

enum class SqlFault : std::uint8_t {
    lost,           // the link is gone or cannot be had now: reconnect with backoff, then do it again
    retry,          // deadlock, lock time-out, statement time-out: the transaction was undone, do it again
    duplicate,      // a unique key exists already
    configuration,  // login, rights, missing table or column, TLS: nothing helps but an administrator
    data,           // this value can never be stored (too long, not a date, not UTF-8)
    other,
};
std::string_view to_string(SqlFault fault);

struct SqlError {
    SqlFault fault = SqlFault::other;
    int code = 0;      // the server's or the client library's number, 0 when it is ours
    std::string text;  // names statement, server and cause; never a password
};

using SqlParam = std::variant<std::monostate, std::int64_t, std::string>;  // monostate: NULL
// Values by name. A statement takes what it names; naming one that is not here is an error of the SQL file.
class SqlParams {
 public:
    SqlParams() = default;
    SqlParams(std::initializer_list<std::pair<std::string, SqlParam>> values);
    void set(std::string_view name, SqlParam value);
    void set_or_null(std::string_view name, std::string_view text);  // empty text: NULL
    [[nodiscard]] const SqlParam* find(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name) const;  // "" when absent or null
    [[nodiscard]] const std::vector<std::pair<std::string, SqlParam>>& all() const { return values_; }
    bool operator==(const SqlParams&) const = default;

 private:
    std::vector<std::pair<std::string, SqlParam>> values_;  // sorted by name
};

using SqlValue = std::optional<std::string>;  // absent: NULL

// A result, copied out of the connector (whose own result is overwritten by the statement's next run).
class Rows {
 public:
    Rows() = default;
    Rows(std::vector<std::string> columns, std::vector<std::vector<SqlValue>> rows, std::uint64_t affected)
        : columns_(std::move(columns)), rows_(std::move(rows)), affected_(affected) {}

    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }
    [[nodiscard]] std::uint64_t affected() const {
        return affected_;
    }  // rows changed, for what returns no result
    [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
    [[nodiscard]] bool has(std::string_view column) const;
    // NULL when the result has no such column: adapters may leave columns out.
    [[nodiscard]] const SqlValue& at(std::size_t row, std::string_view column) const;
    [[nodiscard]] std::string text(std::size_t row, std::string_view column) const;  // NULL: ""
    [[nodiscard]] std::optional<std::int64_t> integer(
        std::size_t row, std::string_view column) const;  // NULL, no number: absent

 private:
    std::vector<std::string> columns_;
    std::vector<std::vector<SqlValue>> rows_;
    std::uint64_t affected_ = 0;
};

template <class T>
using Sql = std::expected<T, SqlError>;

struct MysqlOptions {
    std::chrono::seconds connect_timeout{3};
    std::chrono::seconds read_timeout{5};  // of one answer; whole seconds is what the library can do
    std::chrono::seconds write_timeout{5};
};

class Mysql {
 public:
    // `sql_dir`/ctibridge/session.sql is run after every connect, session_cipher.sql checks TLS. Throws
    // std::runtime_error when those files are missing. Does not connect yet.
    Mysql(DatabaseUrl url, const std::filesystem::path& sql_dir, MysqlOptions options = {});
    ~Mysql();
    Mysql(const Mysql&) = delete;
    Mysql& operator=(const Mysql&) = delete;

    // Drops what there was and connects anew. `with_schema` false: to the server only (the database may not
    // exist yet).
    Sql<void> connect(bool with_schema = true);
    void disconnect();
    // False after a fault of class `lost`, until the next connect().
    [[nodiscard]] bool connected() const;
    [[nodiscard]] std::string server()
        const;  // "MariaDB 10.11.19" or "MySQL 9.7.4"; empty when not connected
    [[nodiscard]] std::string address() const;  // "user@host:3306/db", for texts

    // The database that unqualified names mean from now on; a connection begins with the one of its address.
    Sql<void> use(const std::string& schema);
    // Runs one statement. After a fault of class `lost` the connection is dropped, with its prepared
    // statements and its open transaction (which the server undoes).
    Sql<Rows> run(const Statement& statement, const SqlParams& params = {});
    // Several in order; the rows of the last that returned any.
    Sql<Rows> run(const std::vector<Statement>& statements, const SqlParams& params = {});
    Sql<void> begin();
    Sql<void> commit();
    void rollback();  // after a fault; a second one in it drops the connection

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
