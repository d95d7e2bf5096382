#include "crm/migrate.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "crm/call_log.hpp"
#include "crm/mysql.hpp"
#include "crm/sql_files.hpp"

namespace crm {
namespace {

// What an interrupted migration has done already: column exists, key exists, nothing to drop.
constexpr int done_before[] = {1060, 1061, 1091};
constexpr int unknown_database = 1049;
constexpr int database_denied = 1044;

struct Migration {
    int version;
    std::string file;  // "001_first_tables"
};

std::vector<Migration> migrations(const SqlFiles& files) {
    std::vector<Migration> out;
    for (const auto& name : files.names()) {
        int version = 0;
        const auto* digits = name.data();
        const auto [stopped, error] =
            std::from_chars(digits, digits + std::min<std::size_t>(name.size(), 3), version);
        const auto expected = static_cast<int>(out.size()) + 1;
        if (error != std::errc{} || stopped != digits + 3 || name.size() < 5 || name[3] != '_' ||
            version != expected)
            throw std::runtime_error(fmt::format(
                "{}/{}.sql: migrations are named 001_..., 002_..., without gaps; expected {:03}_...",
                files.folder().string(), name, expected));
        out.push_back({version, name});
    }
    return out;
}

template <class T>
T must(Sql<T> result) {
    if (!result) throw std::runtime_error(result.error().text);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

// A database name cannot be a parameter of a statement.
Statement create_database(const SqlFiles& files, const std::string& schema) {
    const auto plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '$';
    };
    if (schema.empty() || schema.size() > 64 || !std::ranges::all_of(schema, plain))
        throw std::runtime_error(fmt::format(
            "'{}' cannot be the name of a database here: 1 to 64 letters, digits, _ - $", schema));
    auto statement = files.one("create_database");
    constexpr std::string_view place = "{database}";
    if (const auto at = statement.text.find(place); at != std::string::npos)
        statement.text.replace(at, place.size(), schema);
    return statement;
}

void carry_out(Mysql& link, const std::vector<Statement>& statements) {
    for (const auto& statement : statements) {
        const auto done = link.run(statement);
        if (!done && std::ranges::find(done_before, done.error().code) == std::end(done_before))
            throw std::runtime_error(done.error().text);
    }
}

// True: it was made now.
bool reach(Mysql& link, const SqlFiles& files, const DatabaseUrl& url) {
    auto up = link.connect();
    if (up) return false;
    // Who has no right on any database of the server gets "denied" for one that does not exist.
    if (up.error().code != unknown_database && up.error().code != database_denied)
        throw std::runtime_error(up.error().text);
    const auto create = create_database(files, url.schema);
    must(link.connect(false));
    if (auto made = link.run(create); !made)
        throw std::runtime_error(
            fmt::format("{}\nThe database `{}` does not exist and {} may not create it (or may not use it). "
                        "As an administrator of the server run "
                        "sql/ctibridge/create_database.sql with that name and give {} all rights on it; then "
                        "run `ctibridge migrate` again.",
                        made.error().text, url.schema, url.user, url.user));
    must(link.connect());
    return true;
}

}  // namespace

int newest_migration(const std::filesystem::path& sql_dir) {
    return static_cast<int>(migrations(SqlFiles(sql_dir, "ctibridge/migrations")).size());
}

std::vector<std::string> migrate(const Config& config) {
    const SqlFiles files(config.sql_dir, "ctibridge"), steps(config.sql_dir, "ctibridge/migrations");
    const auto known = migrations(steps);
    std::vector<std::string> out;
    Mysql link(config.own, config.sql_dir, {.read_timeout = std::chrono::seconds(600)});
    const bool made = reach(link, files, config.own);
    out.push_back(fmt::format("{} on {}{}", link.address(), link.server(), made ? ": database created" : ""));
    if (must(link.run(files.one("migration_lock"))).integer(0, "mine") != 1)
        throw std::runtime_error("another `ctibridge migrate` is at work on this server; wait for it");
    must(link.run(files.one("migration_table")));
    const auto now = must(link.run(files.one("migration_version"))).integer(0, "version").value_or(0);
    if (now > static_cast<std::int64_t>(known.size()))
        throw std::runtime_error(fmt::format(
            "the tables have version {}, this ctibridge knows {}: they were made by a newer one, use that "
            "(nothing was changed)",
            now, known.size()));
    for (const auto& step : known) {
        if (step.version <= now) continue;
        carry_out(link, steps.all(step.file));
        must(link.run(files.one("migration_done"),
                      {{"version", std::int64_t{step.version}}, {"name", step.file}}));
        out.push_back(step.file + ": applied");
    }
    if (now == static_cast<std::int64_t>(known.size()))
        out.emplace_back(fmt::format("version {}, nothing to do", now));
    return out;
}

}  // namespace crm
