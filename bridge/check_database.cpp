// The databases of check(): the CRM's, read as the daemon would read it, and our own.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iterator>

#include <fmt/format.h>

#include "bridge/check.hpp"
#include "bridge/log.hpp"
#include "crm/adapter.hpp"
#include "crm/mysql.hpp"
#include "crm/numbers.hpp"
#include "crm/people_source.hpp"
#include "crm/sql_files.hpp"

namespace bridge {

namespace {

constexpr std::int64_t clock_tolerance_s = 5;

std::string mend_of(const crm::SqlError& error, std::string_view key) {
    switch (error.fault) {
        case crm::SqlFault::lost:
            return fmt::format(
                "compare {}.url with the server's address, port or socket; is it running, does a firewall "
                "stand between?",
                key);
        case crm::SqlFault::configuration:
            return fmt::format(
                "compare user, password and database of {}.url with the server; etc/mysql/grants.sql has the "
                "rights needed",
                key);
        default:
            return "see the error's text";
    }
}

void check_clock(Findings& found, std::string_view area, crm::Mysql& database, const crm::SqlFiles& files) {
    const auto rows = database.run(files.one("clock"));
    if (!rows || rows->empty()) return;
    const auto theirs = rows->integer(0, "seconds");
    if (!theirs) return;
    const auto apart = *theirs - wall_now().count() / 1000;
    if (std::abs(apart) > clock_tolerance_s)
        found.push_back({Level::warning, std::string(area),
                         fmt::format("the database's clock is {} s {} this machine's", std::abs(apart),
                                     apart > 0 ? "ahead of" : "behind"),
                         "changed records may be noticed late, and calls show wrong times",
                         "run NTP on both machines"});
}

// Statements that would write, only explained: the server checks the rights and changes nothing.
void check_rights(Findings& found, std::string_view area, crm::Mysql& database, const crm::SqlFiles& files) {
    const auto statements = files.optional("check_rights");
    if (!statements) return;
    for (const auto& statement : *statements)
        if (const auto rows = database.run(statement); !rows)
            found.push_back({Level::error, std::string(area), rows.error().text,
                             "calls do not appear in the CRM", "grant the rights of etc/mysql/grants.sql"});
}

void check_crm(Findings& found, const Config& config) {
    const crm::Adapter adapter(config.crm.sql_dir, config.crm.adapter);
    const crm::SqlFiles adapter_files(config.crm.sql_dir, config.crm.adapter);
    const crm::SqlFiles own_files(config.crm.sql_dir, "ctibridge");
    crm::Mysql database(config.crm.crm, config.crm.sql_dir);
    if (const auto connected = database.connect(); !connected) {
        found.push_back({Level::error, "crm", connected.error().text,
                         "callers are known from the last index only, and calls wait in the outbox",
                         mend_of(connected.error(), "crm")});
        return;
    }
    found.push_back({Level::ok, "crm",
                     fmt::format("{} at {}{}", database.server(), database.address(),
                                 config.crm.crm.tls_required ? ", encrypted" : ""),
                     "", ""});
    check_clock(found, "crm", database, own_files);
    if (const auto statements = adapter_files.optional("version")) {
        const auto rows = database.run(*statements);
        if (rows && !rows->empty())
            found.push_back({Level::ok, "crm",
                             fmt::format("{} {}", config.crm.adapter, rows->text(0, "version")), "", ""});
        else
            found.push_back(
                {Level::warning, "crm", rows ? "the CRM's version is not in its database" : rows.error().text,
                 "the adapter may not fit",
                 fmt::format("is {} really the database of {}?", config.crm.crm.schema, config.crm.adapter)});
    }
    check_rights(found, "crm", database, adapter_files);

    std::vector<std::string> warnings;
    const crm::Numbers numbers(config.crm.sites);
    crm::PeopleSource source(config.crm, adapter, numbers, {}, [&](int priority, std::string_view line) {
        if (priority <= log_warning) warnings.emplace_back(line);
    });
    const auto opened = source.connect();
    for (const auto& line : warnings)
        found.push_back({Level::warning, "crm", line, "callers with such a number are not found",
                         "see etc/mysql/grants.sql"});
    if (!opened) {
        found.push_back({Level::error, "crm", opened.error().text, "nobody can be found by number",
                         mend_of(opened.error(), "crm")});
        return;
    }
    const auto people = source.operators();
    if (!people)
        found.push_back({Level::error, "crm", people.error().text, "nobody is an operator",
                         mend_of(people.error(), "crm")});
    else
        std::ranges::move(check_people(*people, config), std::back_inserter(found));
}

void check_own(Findings& found, const Config& config) {
    const crm::SqlFiles files(config.crm.sql_dir, "ctibridge");
    crm::Mysql database(config.crm.own, config.crm.sql_dir);
    if (const auto connected = database.connect(); !connected) {
        found.push_back({Level::error, "database", connected.error().text,
                         "calls wait in the outbox and are not in the log",
                         mend_of(connected.error(), "database") + "; then `ctibridge migrate`"});
        return;
    }
    const auto rows = database.run(files.one("migration_version"));
    if (!rows || rows->empty() || !rows->integer(0, "version"))
        found.push_back({Level::error, "database",
                         fmt::format("our tables are not in {}", config.crm.own.schema),
                         "calls wait in the outbox and are not in the log", "ctibridge migrate"});
    else
        found.push_back({Level::ok, "database",
                         fmt::format("{} at {}, schema {}", database.server(), database.address(),
                                     *rows->integer(0, "version")),
                         "", ""});
}

}  // namespace

Findings check_database(const Config& config) {
    Findings found;
    for (const auto part : {check_crm, check_own}) try {
            part(found, config);
        } catch (const std::exception& error) {  // files of SQL that are missing or cannot be read
            found.push_back({Level::error, "crm", error.what(), "the daemon does not start with it",
                             "correct crm.adapter, or install the files of sql/"});
        }
    return found;
}

}  // namespace bridge
