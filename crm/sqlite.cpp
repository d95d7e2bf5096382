#include "crm/sqlite.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <unordered_map>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace crm {
namespace {

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;
struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};

SqlFault classify(int code) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_FULL:
        case SQLITE_IOERR:
        case SQLITE_NOMEM:
        case SQLITE_INTERRUPT:
            return SqlFault::retry;
        case SQLITE_CONSTRAINT:
            return SqlFault::duplicate;
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
            return SqlFault::data;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
        case SQLITE_AUTH:
            return SqlFault::configuration;
        default:
            return SqlFault::other;
    }
}

std::string remedy(int code) {
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "; it is damaged: stop the daemon, move it away (keep it, it may hold calls) and start "
                   "again";
        case SQLITE_FULL:
            return "; the disk is full";
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_CANTOPEN:
            return "; the daemon's account must own it and be able to write it and its folder";
        default:
            return {};
    }
}

// The file exists afterwards, is a plain file and nobody else's rights are on it.
void prepare_file(const std::filesystem::path& file) {
    const auto fail = [&](std::string_view what, int code) {
        throw std::runtime_error(
            fmt::format("{}: {}: {}; the daemon's account must own it and be able to write it and its folder",
                        file.string(), what, std::generic_category().message(code)));
    };
    std::error_code error;
    if (!std::filesystem::is_directory(file.parent_path(), error)) {
        std::filesystem::create_directories(file.parent_path(), error);
        if (error) fail("its folder cannot be made", error.value());
        std::filesystem::permissions(file.parent_path(), std::filesystem::perms::owner_all, error);
    }
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0) fail("cannot be opened for writing", errno);
    struct stat status{};
    const int stat_error = ::fstat(fd, &status) == 0 ? 0 : errno;
    int mode_error = 0;
    if (stat_error == 0 && S_ISREG(status.st_mode) && (status.st_mode & 0077) != 0)
        mode_error = ::fchmod(fd, 0600) == 0 ? 0 : errno;
    ::close(fd);
    if (stat_error != 0) fail("cannot be looked at", stat_error);
    if (!S_ISREG(status.st_mode)) fail("is no plain file", EINVAL);
    if (mode_error != 0) fail("is open to others and cannot be closed to them", mode_error);
}

}  // namespace

struct Sqlite::Impl {
    std::filesystem::path file;
    // Declared before the statements, which must go first.
    std::unique_ptr<sqlite3, Close> database;
    std::unordered_map<std::string, Prepared> prepared;

    SqlError error(std::string_view what, int code) {
        return {classify(code), code,
                fmt::format("{}: {} (error {}, {}){}", what, sqlite3_errmsg(database.get()), code,
                            file.string(), remedy(code))};
    }
    Sql<sqlite3_stmt*> prepare(const Statement& statement) {
        if (const auto found = prepared.find(statement.text); found != prepared.end())
            return found->second.get();
        sqlite3_stmt* raw = nullptr;
        const int code =
            sqlite3_prepare_v3(database.get(), statement.text.data(), static_cast<int>(statement.text.size()),
                               SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
        if (code != SQLITE_OK) return std::unexpected(error(statement.origin, code));
        return prepared.emplace(statement.text, Prepared(raw)).first->second.get();
    }
    static int bind(sqlite3_stmt* to, int index, const SqlParam& value) {
        if (const auto* number = std::get_if<std::int64_t>(&value))
            return sqlite3_bind_int64(to, index, *number);
        if (const auto* text = std::get_if<std::string>(&value))
            return sqlite3_bind_text64(to, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
        return sqlite3_bind_null(to, index);
    }
    static std::vector<SqlValue> copy_row(sqlite3_stmt* from) {
        std::vector<SqlValue> row;
        for (int i = 0; i < sqlite3_column_count(from); ++i) {
            if (sqlite3_column_type(from, i) == SQLITE_NULL) {
                row.emplace_back();
                continue;
            }
            const auto* bytes = sqlite3_column_text(from, i);
            row.emplace_back(std::string(reinterpret_cast<const char*>(bytes),
                                         static_cast<std::size_t>(sqlite3_column_bytes(from, i))));
        }
        return row;
    }
    Sql<Rows> execute(sqlite3_stmt* statement, std::string_view origin) {
        std::vector<std::string> columns;
        for (int i = 0; i < sqlite3_column_count(statement); ++i)
            columns.emplace_back(sqlite3_column_name(statement, i));
        std::vector<std::vector<SqlValue>> rows;
        int code = SQLITE_ROW;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) rows.push_back(copy_row(statement));
        auto failure = code == SQLITE_DONE ? std::nullopt : std::optional(error(origin, code));
        sqlite3_reset(statement);
        sqlite3_clear_bindings(statement);
        if (failure) return std::unexpected(std::move(*failure));
        return Rows(std::move(columns), std::move(rows),
                    static_cast<std::uint64_t>(sqlite3_changes64(database.get())));
    }
    Sql<Rows> plain(const std::string& text) {
        auto statement = prepare({text, {}, text});
        if (!statement) return std::unexpected(statement.error());
        return execute(*statement, text);
    }
    void must(const std::string& text) {
        if (auto done = plain(text); !done) throw std::runtime_error(done.error().text);
    }
};

Sqlite::Sqlite(const std::filesystem::path& file) : impl_(std::make_unique<Impl>()) {
    impl_->file = file;
    prepare_file(file);
    sqlite3* raw = nullptr;
    const int code =
        sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
    impl_->database.reset(raw);
    if (code != SQLITE_OK) throw std::runtime_error(impl_->error("opening", code).text);
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, 5000);
    impl_->must("PRAGMA journal_mode=WAL");
    impl_->must("PRAGMA synchronous=FULL");
    const auto check = impl_->plain("PRAGMA quick_check(1)");
    if (!check) throw std::runtime_error(check.error().text);
    if (check->text(0, "quick_check") != "ok")
        throw std::runtime_error(
            fmt::format("{}: {}{}", file.string(), check->text(0, "quick_check"), remedy(SQLITE_CORRUPT)));
}
Sqlite::~Sqlite() = default;

Sql<Rows> Sqlite::run(const Statement& statement, const SqlParams& params) {
    auto prepared = impl_->prepare(statement);
    if (!prepared) return std::unexpected(prepared.error());
    int index = 0;
    for (const auto& name : statement.parameters) {
        const auto* value = params.find(name);
        if (value == nullptr)
            return std::unexpected(
                SqlError{SqlFault::configuration, 0,
                         fmt::format("{}: there is no parameter :{} here", statement.origin, name)});
        if (const int code = Impl::bind(*prepared, ++index, *value); code != SQLITE_OK) {
            sqlite3_clear_bindings(*prepared);
            return std::unexpected(impl_->error(statement.origin, code));
        }
    }
    return impl_->execute(*prepared, statement.origin);
}

Sql<void> Sqlite::begin() {
    if (auto done = impl_->plain("BEGIN IMMEDIATE"); !done) return std::unexpected(done.error());
    return {};
}
Sql<void> Sqlite::commit() {
    if (auto done = impl_->plain("COMMIT"); !done) return std::unexpected(done.error());
    return {};
}
void Sqlite::rollback() {
    // Some errors (full disk) have undone it already.
    if (sqlite3_get_autocommit(impl_->database.get()) == 0) (void)impl_->plain("ROLLBACK");
}
std::int64_t Sqlite::last_insert_id() const {
    return sqlite3_last_insert_rowid(impl_->database.get());
}

Sql<std::int64_t> Sqlite::version() {
    auto rows = impl_->plain("PRAGMA user_version");
    if (!rows) return std::unexpected(rows.error());
    return rows->integer(0, "user_version").value_or(0);
}
Sql<void> Sqlite::set_version(std::int64_t version) {
    if (auto done = impl_->plain(fmt::format("PRAGMA user_version={}", version)); !done)
        return std::unexpected(done.error());
    return {};
}

}  // namespace crm
