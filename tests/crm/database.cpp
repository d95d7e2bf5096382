#include "database.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {
namespace {

unsigned free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!ok) throw std::runtime_error("no free port on loopback");
    return ntohs(address.sin_port);
}

// The child dies with us, says nothing on the terminal and starts in a clean signal state.
int spawn(const std::vector<std::string>& command, const std::filesystem::path& log) {
    std::vector<char*> argv;
    argv.reserve(command.size() + 1);
    for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const int pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork failed");
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        const int in = ::open("/dev/null", O_RDONLY);
        ::dup2(in, 0);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
    return pid;
}

int wait_for(int pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

std::string account() {
    return ::geteuid() == 0 ? "root" : std::to_string(::geteuid());
}

std::filesystem::path mysql_root() {
    if (const char* lab = std::getenv("CTIBRIDGE_LAB"); lab != nullptr && *lab != '\0')
        return std::filesystem::path(lab) / "mysql-sid";
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home == nullptr ? "/root" : home) / ".cache/ctibridge-lab/mysql-sid";
}

}  // namespace

Database& Database::mariadb() {
    static Database server(
        "mariadb",
        {"mariadbd", "--no-defaults", "--innodb-buffer-pool-size=32M", "--lc-messages-dir=/usr/share/mysql"},
        {"mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db",
         "--skip-name-resolve"});
    return server;
}

Database& Database::mysql() {
    // Run from its folder with its own loader and libraries: no chroot, so no right of root is needed.
    const auto root = mysql_root().string();
    const std::vector<std::string> mysqld = {
        root + "/lib64/ld-linux-x86-64.so.2",
        "--library-path",
        root + "/usr/lib/x86_64-linux-gnu:" + root + "/usr/lib/mysql/private",
        root + "/usr/sbin/mysqld",
        "--no-defaults",
        "--basedir=" + root + "/usr",
        "--lc-messages-dir=" + root + "/usr/share/mysql",
        "--secure-file-priv=NULL",
        "--mysqlx=OFF",
        "--disable-log-bin",
        "--restrict-fk-on-non-standard-key=OFF",  // vTiger has one such key
        "--innodb-buffer-pool-size=32M"};
    auto initialise = mysqld;
    initialise.emplace_back("--initialize-insecure");
    static Database server("mysql", mysqld, initialise);
    return server;
}

std::string Database::why_no_mysql() {
    const auto binary = mysql_root() / "usr/sbin/mysqld";
    if (std::filesystem::exists(binary)) return {};
    return fmt::format("there is no MySQL server: {} is missing (tests/lab unpacks it)", binary.string());
}

Database::Database(std::string name, std::vector<std::string> server, std::vector<std::string> initialise)
    : name_(std::move(name)), server_(std::move(server)), socket_(folder_.path() / "s"), port_(free_port()) {
    const auto data = fmt::format("--datadir={}", (folder_.path() / "data").string());
    initialise.push_back(data);
    initialise.push_back("--user=" + account());
    // Its own: a server that starts removes the temporary tables of others.
    initialise.push_back(fmt::format("--tmpdir={}", folder_.path().string()));
    if (const int status = wait_for(spawn(initialise, folder_.path() / "initialise.log")); status != 0)
        throw std::runtime_error(fmt::format("{} cannot be initialised:\n{}", name_,
                                             read_file(folder_.path() / "initialise.log")));
    for (const auto& option : {data, "--user=" + account(), "--socket=" + socket_,
                               fmt::format("--port={}", port_), std::string("--bind-address=127.0.0.1"),
                               fmt::format("--pid-file={}", (folder_.path() / "pid").string()),
                               fmt::format("--tmpdir={}", folder_.path().string()),
                               std::string("--innodb-flush-log-at-trx-commit=2"),
                               std::string("--skip-innodb-doublewrite"), std::string("--skip-name-resolve")})
        server_.push_back(option);
    start();
}

Database::~Database() {
    kill();
}

void Database::start() {
    if (pid_ != 0) return;
    pid_ = spawn(server_, folder_.path() / "server.log");
    wait_until_up();
}

void Database::wait_until_up() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    crm::Mysql probe(url(), sql_dir());
    for (;;) {
        const auto up = probe.connect();
        if (up) return;
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
        if (pid_ == 0 || std::chrono::steady_clock::now() > until)
            throw std::runtime_error(fmt::format("{} did not start: {}\n{}", name_, up.error().text,
                                                 read_file(folder_.path() / "server.log")));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void Database::stop() {
    if (pid_ == 0) return;
    connection_.reset();
    ::kill(pid_, SIGTERM);
    wait_for(pid_);
    pid_ = 0;
}

void Database::kill() {
    if (pid_ == 0) return;
    connection_.reset();
    ::kill(pid_, SIGKILL);
    wait_for(pid_);
    pid_ = 0;
}

void Database::freeze() {
    ::kill(pid_, SIGSTOP);
}
void Database::thaw() {
    ::kill(pid_, SIGCONT);
}

crm::DatabaseUrl Database::url(std::string_view schema) const {
    crm::DatabaseUrl out;
    out.user = "root";
    out.host = "localhost";
    out.socket = socket_;
    out.port = port_;
    out.schema = schema;
    return out;
}

crm::DatabaseUrl Database::tcp_url(std::string_view schema, std::string_view user,
                                   std::string_view password) const {
    crm::DatabaseUrl out;
    out.user = user;
    out.password = password;
    out.host = "127.0.0.1";
    out.port = port_;
    out.schema = schema;
    return out;
}

crm::Mysql& Database::connection(std::string_view schema) {
    if (!connection_ || !connection_->connected() || connected_schema_ != schema) {
        connection_ = std::make_unique<crm::Mysql>(
            url(schema), sql_dir(), crm::MysqlOptions{.read_timeout = std::chrono::seconds(60)});
        if (auto up = connection_->connect(); !up) throw std::runtime_error(up.error().text);
        connected_schema_ = schema;
    }
    return *connection_;
}

crm::Rows Database::run(std::string_view script, std::string_view schema) {
    auto done = connection(schema).run(crm::parse_sql(script, "test"));
    if (!done) {
        connection_.reset();  // it may have an open transaction
        throw std::runtime_error(done.error().text);
    }
    return std::move(*done);
}

std::string Database::value(std::string_view query, std::string_view schema) {
    const auto rows = run(query, schema);
    if (rows.empty()) return "NULL";
    return rows.at(0, rows.columns().at(0)).value_or("NULL");
}

void Database::fresh(std::string_view schema) {
    run(fmt::format("DROP DATABASE IF EXISTS `{0}`; CREATE DATABASE `{0}` CHARACTER SET utf8mb4", schema));
}

void Database::fresh_vtiger(std::string_view schema, bool sharing) {
    fresh(schema);
    connection_.reset();  // the scripts change the session
    run(read_file(vtiger_data() / "schema.sql"), schema);
    run(read_file(vtiger_data() / "sample.sql"), schema);
    if (sharing) run(read_file(vtiger_data() / "sharing.sql"), schema);
    connection_.reset();
}

}  // namespace test
