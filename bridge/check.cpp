#include "bridge/check.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <ostream>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/json.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr std::uintmax_t little_space = 200UL * 1024 * 1024;

void append(Findings& to, Findings&& more) {
    std::ranges::move(more, std::back_inserter(to));
}

// Texts of servers and files: one printable line, then JSON.
std::string shown(std::string_view text) {
    return json_text(printable(text, 4000));
}

// The folder, or the nearest one above it that exists: where it would be made.
std::filesystem::path nearest_existing(std::filesystem::path folder) {
    std::error_code error;
    while (!folder.empty() && !std::filesystem::exists(folder, error) && folder != folder.parent_path())
        folder = folder.parent_path();
    return folder.empty() ? "." : folder;
}

}  // namespace

std::string_view to_string(Level level) {
    switch (level) {
        case Level::ok:
            return "ok";
        case Level::note:
            return "note";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "";
}

Findings findings_of(const ConfigError& error) {
    Findings found;
    for (const auto& line : error.lines)
        found.push_back({Level::error, "configuration", line, "the daemon does not start with it",
                         "correct the line named; etc/ctibridge.yaml is a sample, docs/design.md section 4 "
                         "explains every key"});
    return found;
}

Findings check_state(const Config& config) {
    const std::string folder = config.state.string();
    std::error_code error;
    struct ::stat info{};
    const auto existing = nearest_existing(config.state);
    if (existing != config.state) {
        if (::access(existing.c_str(), W_OK) != 0)
            return {{Level::error, "state", fmt::format("{} is not there and cannot be made", folder),
                     "nothing can be kept before it is written to the database",
                     fmt::format("mkdir -p {0} && chown ctibridge {0} && chmod 700 {0}", folder)}};
        return {{Level::note, "state", fmt::format("{} is not there yet", folder),
                 "the daemon makes it at its first start", ""}};
    }
    if (!std::filesystem::is_directory(config.state, error))
        return {{Level::error, "state", fmt::format("{} is no directory", folder),
                 "the outbox and the number index live there", "name a directory in `state`"}};
    Findings found;
    if (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0)
        found.push_back({Level::error, "state", fmt::format("{} cannot be written by this user", folder),
                         "nothing can be kept before it is written to the database",
                         fmt::format("chown ctibridge {}", folder)});
    if (::stat(folder.c_str(), &info) == 0 && (info.st_mode & 077U) != 0)
        found.push_back({Level::warning, "state", fmt::format("{} can be entered by other users", folder),
                         "it holds callers' numbers and names", fmt::format("chmod 700 {}", folder)});
    const auto space = std::filesystem::space(config.state, error);
    if (!error && space.available < little_space)
        found.push_back({Level::warning, "state",
                         fmt::format("{} MB are free at {}", space.available / 1024 / 1024, folder),
                         "calls are kept there while the database is down", "make room"});
    if (found.empty())
        found.push_back({Level::ok, "state", fmt::format("{} is there and private", folder), "", ""});
    return found;
}

Findings check_people(const std::vector<crm::Operator>& people, const Config& config) {
    Findings found;
    std::map<std::string, std::vector<std::string>> at;  // pbx/extension -> JIDs
    std::map<std::string, std::size_t> times;            // JID -> rows
    std::size_t with_phone = 0;
    const auto known_pbx = [&](const std::string& name) {
        return std::ranges::any_of(config.pbx, [&](const PbxConfig& pbx) { return pbx.name == name; });
    };
    for (const auto& person : people) {
        if (!person.active) continue;
        const std::string who = printable(person.jid);
        ++times[person.jid];
        if (person.extension.empty()) {
            found.push_back({Level::warning, "people", fmt::format("{} has no extension", who),
                             "no pop and no click-to-dial for this operator",
                             "give the user a CRM phone extension (vTiger: My Preferences - Phone) or a row "
                             "in cti_operator"});
            continue;
        }
        ++with_phone;
        if (person.pbx.empty() && config.pbx.size() > 1)
            found.push_back(
                {Level::warning, "people",
                 fmt::format("{} has extension {}, but no pbx is named", who, printable(person.extension)),
                 "with several pbx it is unknown whose phone that is, so there is no pop",
                 fmt::format("write the extension as {}/{}", config.pbx.front().name,
                             printable(person.extension))});
        else if (!person.pbx.empty() && !known_pbx(person.pbx))
            found.push_back(
                {Level::warning, "people",
                 fmt::format("{} belongs to pbx {}, which is not configured", who, printable(person.pbx)),
                 "no pop and no click-to-dial for this operator",
                 "correct the pbx of the operator, or add it under `pbx`"});
        at[person.pbx + "/" + person.extension].push_back(who);
    }
    for (const auto& [place, jids] : at)
        if (jids.size() > 1)
            found.push_back(
                {Level::note, "people",
                 fmt::format("extension {} is shared by {}", printable(place), fmt::join(jids, ", ")),
                 "every one of them gets the pop; who answered is not known",
                 "give each an extension of their own, if that is not meant"});
    for (const auto& [jid, count] : times)
        if (count > 1)
            found.push_back({Level::warning, "people",
                             fmt::format("{} is listed {} times", printable(jid), count),
                             "one operator is one person with one phone; which row counts is not defined",
                             "remove the superfluous user or row"});
    if (with_phone == 0)
        found.push_back({Level::error, "people", "no operator has a phone", "nobody gets a pop",
                         "give CRM users an extension (vTiger: users' CRM phone extension)"});
    else
        found.push_back({Level::ok, "people", fmt::format("{} operators with a phone", with_phone), "", ""});
    return found;
}

Findings check(const Config& config) {
    Findings found;
    found.push_back({Level::ok, "configuration", fmt::format("{} is valid", config.file.string()), "", ""});
    for (const auto& line : config.warnings)
        found.push_back({Level::warning, "configuration", line, "see there", "see there"});
    append(found, check_state(config));
    for (const auto& pbx : config.pbx) append(found, check_pbx(pbx));
    append(found, check_xmpp(config.xmpp));
    append(found, check_database(config));
    return found;
}

void print(const Findings& findings, bool json, std::ostream& out) {
    if (json) {
        out << "[";
        for (std::size_t i = 0; i < findings.size(); ++i) {
            const auto& f = findings[i];
            out << (i == 0 ? "\n" : ",\n")
                << fmt::format(R"(  {{"level": "{}", "area": {}, "what": {}, "why": {}, "mend": {}}})",
                               to_string(f.level), shown(f.area), shown(f.what), shown(f.why), shown(f.mend));
        }
        out << "\n]\n";
        return;
    }
    std::map<Level, int> count;
    for (const auto& f : findings) {
        ++count[f.level];
        out << fmt::format("{:<8} {}: {}\n", to_string(f.level), printable(f.area, 4000),
                           printable(f.what, 4000));
        if (!f.why.empty()) out << fmt::format("{:<8}   why:  {}\n", "", printable(f.why, 4000));
        if (!f.mend.empty()) out << fmt::format("{:<8}   mend: {}\n", "", printable(f.mend, 4000));
    }
    out << fmt::format("{} ok, {} notes, {} warnings, {} errors\n", count[Level::ok], count[Level::note],
                       count[Level::warning], count[Level::error]);
}

int exit_code(const Findings& findings) {
    Level worst = Level::ok;
    for (const auto& f : findings) worst = std::max(worst, f.level);
    return worst == Level::error ? 2 : worst == Level::warning ? 1 : 0;
}

}  // namespace bridge
