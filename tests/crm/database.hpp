// A private database server for tests: own data folder in a temporary place, a unix socket and a free port on
// loopback, stopped with the test program. MariaDB from Debian's mariadb-server-core, MySQL from the lab's
// cache (tests/lab).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crm/config.hpp"
#include "crm/mysql.hpp"
#include "temporary.hpp"

namespace test {

class Database {
 public:
    // Started at the first call, one of each per process. Throws std::runtime_error when it cannot be
    // started.
    static Database& mariadb();
    static Database& mysql();
    // Empty when a MySQL can be started here, else why not (the reason of a skip).
    static std::string why_no_mysql();

    Database(std::string name, std::vector<std::string> server, std::vector<std::string> initialise);
    ~Database();

    void start();
    void stop();    // SIGTERM, waits
    void kill();    // SIGKILL, waits
    void freeze();  // SIGSTOP: accepts by the kernel's backlog, answers nothing
    void thaw();

    // As the server's administrator over the socket, without password.
    [[nodiscard]] crm::DatabaseUrl url(std::string_view schema = {}) const;
    // Over TCP, for what needs a port or a proxy in between.
    [[nodiscard]] crm::DatabaseUrl tcp_url(std::string_view schema, std::string_view user,
                                           std::string_view password) const;
    [[nodiscard]] unsigned port() const { return port_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

    // Runs a script of SQL as administrator; throws std::runtime_error with the server's words.
    crm::Rows run(std::string_view script, std::string_view schema = {});
    // One value of a query, "NULL" for a null or no row.
    std::string value(std::string_view query, std::string_view schema = {});
    // Drops and makes the database `schema` anew.
    void fresh(std::string_view schema);
    // fresh(), then the vTiger tables and sample rows (with `sharing`: the sharing rules as well).
    void fresh_vtiger(std::string_view schema, bool sharing = false);

 private:
    crm::Mysql& connection(std::string_view schema);
    void wait_until_up();

    std::string name_;
    std::vector<std::string> server_;
    TemporaryDirectory folder_;
    std::string socket_;
    unsigned port_ = 0;
    int pid_ = 0;
    std::unique_ptr<crm::Mysql> connection_;
    std::string connected_schema_;
};

}  // namespace test
