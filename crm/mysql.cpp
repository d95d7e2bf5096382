#include "crm/mysql.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <mutex>
#include <unordered_map>

#include <cppconn/connection.h>
#include <cppconn/datatype.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>
#include <fmt/format.h>

namespace crm {
namespace {

constexpr std::string_view default_socket = "/run/mysqld/mysqld.sock";
constexpr std::size_t prepared_limit = 256;
constexpr std::size_t text_limit = 600;

struct FaultRow {
    int code;
    SqlFault fault;
};
// Numbers of the server (1xxx, 3xxx, 4xxx) and of the client library (2xxx). What is not here is `other`.
constexpr std::array fault_table = std::to_array<FaultRow>({
    {1040, SqlFault::lost},  // too many connections
    {1053, SqlFault::lost},  // server shutdown in progress
    {1158, SqlFault::lost},
    {1159, SqlFault::lost},
    {1160, SqlFault::lost},
    {1161, SqlFault::lost},  // network
    {1184, SqlFault::lost},  // aborted connection
    {1203, SqlFault::lost},
    {1226, SqlFault::lost},  // the user's share of connections or queries is used up
    {1243, SqlFault::lost},  // the prepared statement is gone: the link was made anew behind our back
    {1290, SqlFault::lost},
    {1792, SqlFault::lost},
    {1836, SqlFault::lost},  // read only: it became a replica
    {1927, SqlFault::lost},  // MariaDB: the connection was killed
    {2000, SqlFault::lost},
    {2001, SqlFault::lost},
    {2002, SqlFault::lost},
    {2003, SqlFault::lost},
    {2004, SqlFault::lost},
    {2005, SqlFault::lost},
    {2006, SqlFault::lost},
    {2012, SqlFault::lost},
    {2013, SqlFault::lost},
    {2014, SqlFault::lost},
    {2027, SqlFault::lost},
    {2030, SqlFault::lost},
    {2055, SqlFault::lost},
    {4031, SqlFault::lost},   // MySQL: closed after being idle
    {1020, SqlFault::retry},  // MariaDB: the record has changed since it was read
    {1021, SqlFault::retry},
    {1114, SqlFault::retry},  // disk full
    {1205, SqlFault::retry},
    {1213, SqlFault::retry},  // lock time-out, deadlock
    {1317, SqlFault::retry},
    {1969, SqlFault::retry},
    {3024, SqlFault::retry},
    {3572, SqlFault::retry},
    {1022, SqlFault::duplicate},
    {1062, SqlFault::duplicate},
    {1586, SqlFault::duplicate},
    {1044, SqlFault::configuration},
    {1045, SqlFault::configuration},
    {1049, SqlFault::configuration},
    {1054, SqlFault::configuration},  // no such column
    {1064, SqlFault::configuration},
    {1115, SqlFault::configuration},
    {1129, SqlFault::configuration},
    {1130, SqlFault::configuration},
    {1142, SqlFault::configuration},
    {1143, SqlFault::configuration},
    {1146, SqlFault::configuration},  // no such table
    {1193, SqlFault::configuration},
    {1227, SqlFault::configuration},
    {1231, SqlFault::configuration},
    {1251, SqlFault::configuration},
    {1305, SqlFault::configuration},
    {1364, SqlFault::configuration},
    {1370, SqlFault::configuration},
    {1524, SqlFault::configuration},
    {1698, SqlFault::configuration},
    {1820, SqlFault::configuration},
    {1862, SqlFault::configuration},
    {4151, SqlFault::configuration},
    {2026, SqlFault::configuration},
    {2054, SqlFault::configuration},
    {2058, SqlFault::configuration},
    {2059, SqlFault::configuration},
    {2061, SqlFault::configuration},
    {1048, SqlFault::data},
    {1153, SqlFault::data},
    {1216, SqlFault::data},
    {1264, SqlFault::data},
    {1265, SqlFault::data},
    {1292, SqlFault::data},
    {1300, SqlFault::data},
    {1366, SqlFault::data},
    {1406, SqlFault::data},
    {1411, SqlFault::data},
    {1452, SqlFault::data},
    {1690, SqlFault::data},
    {2020, SqlFault::data},
    {3854, SqlFault::data},
    {3988, SqlFault::data},
    {4025, SqlFault::data},
});

SqlFault classify(int code) {
    const auto* found = std::ranges::find(fault_table, code, &FaultRow::code);
    return found == fault_table.end() ? SqlFault::other : found->fault;
}

// The server quotes values in its texts: no control characters, and no more than a line of it.
std::string one_line(std::string_view text) {
    std::string out(text.substr(0, text_limit));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return out;
}

std::mutex& connect_mutex() {
    static std::mutex mutex;  // mysql_real_connect and the driver's map are not safe from two threads at once
    return mutex;
}

void bind(sql::PreparedStatement& statement, unsigned index, const SqlParam& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
        statement.setInt64(index, *number);
    else if (const auto* text = std::get_if<std::string>(&value))
        statement.setString(index, *text);
    else
        statement.setNull(index, sql::DataType::VARCHAR);
}

Rows copy(sql::ResultSet& result) {
    auto* meta = result.getMetaData();
    const auto width = meta->getColumnCount();
    std::vector<std::string> columns;
    for (unsigned i = 1; i <= width; ++i) columns.emplace_back(meta->getColumnLabel(i));
    std::vector<std::vector<SqlValue>> rows;
    while (result.next()) {
        auto& row = rows.emplace_back();
        row.reserve(width);
        for (unsigned i = 1; i <= width; ++i) {
            if (result.isNull(i))
                row.emplace_back();
            else
                row.emplace_back(std::string(result.getString(i)));
        }
    }
    return {std::move(columns), std::move(rows), 0};
}

// The connector wants to know before a prepared statement is run whether it gives rows or a count.
bool gives_count(std::string_view statement) {
    constexpr std::array words = {"INSERT", "UPDATE", "DELETE", "REPLACE"};
    return std::ranges::any_of(words, [&](std::string_view word) {
        return std::ranges::equal(statement.substr(0, word.size()), word,
                                  [](char a, char b) { return (a & ~0x20) == b; });
    });
}

}  // namespace

std::string_view to_string(SqlFault fault) {
    switch (fault) {
        case SqlFault::lost:
            return "lost";
        case SqlFault::retry:
            return "retry";
        case SqlFault::duplicate:
            return "duplicate";
        case SqlFault::configuration:
            return "configuration";
        case SqlFault::data:
            return "data";
        case SqlFault::other:
            return "other";
    }
    return "other";
}

struct Mysql::Impl {
    DatabaseUrl url;
    MysqlOptions options;
    std::vector<Statement> session;
    Statement cipher, version, begin, commit, rollback;
    std::string server, schema;  // schema: in use now
    // Declared before the statements, which must go first.
    std::unique_ptr<sql::Connection> connection;
    std::unordered_map<std::string, std::unique_ptr<sql::PreparedStatement>> prepared;

    Impl(DatabaseUrl u, const std::filesystem::path& sql_dir, MysqlOptions o)
        : url(std::move(u)), options(o) {
        const SqlFiles files(sql_dir, "ctibridge");
        session = files.all("session");
        cipher = files.one("session_cipher");
        version = files.one("session_version");
        begin = files.one("session_begin");
        commit = files.one("session_commit");
        rollback = files.one("session_rollback");
    }

    void drop() {
        prepared.clear();
        connection.reset();
        server.clear();
    }

    [[nodiscard]] std::string socket() const {
        if (!url.socket.empty()) return url.socket;
        std::error_code error;
        // As the servers' own clients do: `localhost` is the local socket.
        if (url.host == "localhost" && url.port == 3306 && std::filesystem::exists(default_socket, error))
            return std::string(default_socket);
        return {};
    }
    [[nodiscard]] std::string address() const {
        const auto path = socket();
        const auto place = path.empty() ? fmt::format("{}:{}", url.host, url.port) : path;
        return fmt::format("{}@{}/{}", url.user, place, url.schema);
    }

    // `what`: the statement's origin, or what was tried.
    SqlError error(std::string_view what, int code, std::string_view text) {
        SqlError out{classify(code), code, {}};
        out.text = code == 0 ? fmt::format("{}: {} ({})", what, one_line(text), address())
                             : fmt::format("{}: {} (error {}, {})", what, one_line(text), code, address());
        if (out.fault == SqlFault::lost) drop();
        return out;
    }
    template <class F>
    auto guarded(std::string_view what, F&& work) -> Sql<decltype(work())> {
        try {
            if constexpr (std::is_void_v<decltype(work())>) {
                work();
                return {};
            } else {
                return work();
            }
        } catch (const sql::SQLException& e) {
            return std::unexpected(error(what, e.getErrorCode(), e.what()));
        } catch (const std::exception& e) {
            return std::unexpected(error(what, 0, e.what()));
        }
    }

    sql::ConnectOptionsMap connect_options(bool with_schema) const {
        sql::ConnectOptionsMap map;
        const auto path = socket();
        const auto host = url.host == "localhost" ? std::string("127.0.0.1") : url.host;
        map["hostName"] =
            sql::SQLString(path.empty() ? fmt::format("tcp://{}:{}", host, url.port) : "unix://" + path);
        map["userName"] = sql::SQLString(url.user);
        map["password"] = sql::SQLString(url.password);
        if (with_schema && !url.schema.empty()) map["schema"] = sql::SQLString(url.schema);
        map["OPT_CHARSET_NAME"] = sql::SQLString("utf8mb4");
        map["OPT_CONNECT_TIMEOUT"] = static_cast<int>(options.connect_timeout.count());
        map["OPT_READ_TIMEOUT"] = static_cast<int>(options.read_timeout.count());
        map["OPT_WRITE_TIMEOUT"] = static_cast<int>(options.write_timeout.count());
        if (url.tls_required)
            map["sslEnforce"] = true;  // OPT_SSL_MODE is accepted and ignored by this library
        if (!url.ca.empty()) map["sslCA"] = sql::SQLString(url.ca);
        map["OPT_LOCAL_INFILE"] = 0;  // a server must not be able to ask for our files
        return map;
    }
    Rows execute_text(const Statement& statement) {
        const std::unique_ptr<sql::Statement> plain(connection->createStatement());
        if (!plain->execute(statement.text)) return {{}, {}, plain->getUpdateCount()};
        const std::unique_ptr<sql::ResultSet> result(plain->getResultSet());
        return copy(*result);
    }
    Rows execute_prepared(const Statement& statement, const SqlParams& params) {
        const auto key =
            schema + '\0' + statement.text;  // a prepared statement belongs to the database it was made in
        auto found = prepared.find(key);
        if (found == prepared.end()) {
            if (prepared.size() >= prepared_limit) prepared.clear();
            std::unique_ptr<sql::PreparedStatement> fresh(connection->prepareStatement(statement.text));
            found = prepared.emplace(key, std::move(fresh)).first;
        }
        unsigned index = 0;
        for (const auto& name : statement.parameters) bind(*found->second, ++index, *params.find(name));
        if (gives_count(statement.text))
            return {{}, {}, static_cast<std::uint64_t>(found->second->executeUpdate())};
        if (!found->second->execute()) return {};
        const std::unique_ptr<sql::ResultSet> result(found->second->getResultSet());
        return copy(*result);
    }
};

Mysql::Mysql(DatabaseUrl url, const std::filesystem::path& sql_dir, MysqlOptions options)
    : impl_(std::make_unique<Impl>(std::move(url), sql_dir, options)) {}
Mysql::~Mysql() = default;

Sql<void> Mysql::connect(bool with_schema) {
    auto& self = *impl_;
    self.drop();
    auto opened = self.guarded("connecting", [&] {
        const std::scoped_lock lock(connect_mutex());
        static sql::Driver* const driver = get_driver_instance();
        auto map = self.connect_options(with_schema);
        self.connection.reset(driver->connect(map));
        self.schema = with_schema ? self.url.schema : std::string();
    });
    if (!opened) return opened;
    if (self.url.tls_required) {
        auto cipher = run(self.cipher);
        if (!cipher) return std::unexpected(cipher.error());
        if (cipher->text(0, "Value").empty()) {
            self.drop();
            return std::unexpected(
                SqlError{SqlFault::configuration, 0,
                         fmt::format("connecting: tls=required, but the server at {} gave a "
                                     "connection in plain text",
                                     self.address())});
        }
    }
    if (auto set = run(self.session); !set) {
        self.drop();
        return std::unexpected(set.error());
    }
    auto version = run(self.version);
    if (!version) {
        self.drop();
        return std::unexpected(version.error());
    }
    const auto text = version->text(0, "version");
    const bool maria = text.contains("MariaDB");
    self.server = fmt::format("{} {}", maria ? "MariaDB" : "MySQL", text.substr(0, text.find('-')));
    return {};
}

void Mysql::disconnect() {
    impl_->drop();
}
bool Mysql::connected() const {
    return impl_->connection != nullptr;
}
std::string Mysql::server() const {
    return impl_->server;
}
std::string Mysql::address() const {
    return impl_->address();
}

Sql<void> Mysql::use(const std::string& schema) {
    auto& self = *impl_;
    if (schema == self.schema && connected()) return {};
    if (!connected())
        return std::unexpected(SqlError{SqlFault::lost, 0, "use: not connected (" + address() + ")"});
    if (schema.empty() || schema.contains('`'))
        return std::unexpected(SqlError{SqlFault::configuration, 0, "use: no name of a database: " + schema});
    auto done = self.guarded("use", [&] { self.connection->setSchema(schema); });
    if (done) self.schema = schema;
    return done;
}

Sql<Rows> Mysql::run(const Statement& statement, const SqlParams& params) {
    auto& self = *impl_;
    if (!connected())
        return std::unexpected(SqlError{
            SqlFault::lost, 0, fmt::format("{}: not connected ({})", statement.origin, self.address())});
    for (const auto& name : statement.parameters)
        if (params.find(name) == nullptr)
            return std::unexpected(
                SqlError{SqlFault::configuration, 0,
                         fmt::format("{}: there is no parameter :{} here, see sql/README.md",
                                     statement.origin, name)});
    return self.guarded(statement.origin, [&] {
        return statement.parameters.empty() ? self.execute_text(statement)
                                            : self.execute_prepared(statement, params);
    });
}

Sql<Rows> Mysql::run(const std::vector<Statement>& statements, const SqlParams& params) {
    Rows last;
    for (const auto& statement : statements) {
        auto done = run(statement, params);
        if (!done) return done;
        if (!done->columns().empty() || last.columns().empty()) last = std::move(*done);
    }
    return last;
}

// By statements: the connector's own commit() and setAutoCommit() say nothing when they fail.
Sql<void> Mysql::begin() {
    if (auto done = run(impl_->begin); !done) return std::unexpected(std::move(done.error()));
    return {};
}

Sql<void> Mysql::commit() {
    if (auto done = run(impl_->commit); !done) return std::unexpected(std::move(done.error()));
    return {};
}

void Mysql::rollback() {
    if (connected() && !run(impl_->rollback)) impl_->drop();
}

}  // namespace crm
