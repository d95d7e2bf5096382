#include "bridge/roster_commands.hpp"

#include <fstream>
#include <ostream>

#include <fmt/format.h>

#include "bridge/printable.hpp"
#include "bridge/roster_file.hpp"
#include "crm/mysql.hpp"
#include "crm/roster.hpp"
#include "crm/roster_store.hpp"

namespace bridge {

namespace {

constexpr int ok = 0, failed = 1, wrong = 2;
constexpr int no_table = 1146, no_database = 1049, no_column = 1054;

int complain(std::ostream& err, const crm::SqlError& error) {
    const bool old = error.code == no_table || error.code == no_database || error.code == no_column;
    err << printable(error.text, 2000) << (old ? "; run `ctibridge migrate` first" : "")
        << "; nothing was changed\n";
    return failed;
}

RosterSite site_of(const Config& config) {
    RosterSite site;
    for (const auto& pbx : config.pbx) site.pbx.push_back(pbx.name);
    site.schemes = config.pop.schemes;
    return site;
}

}  // namespace

int import_roster(const Config& config, const std::filesystem::path& file, bool dry_run, std::ostream& out,
                  std::ostream& err) {
    auto next = load_roster(file, site_of(config));
    if (!next) {
        for (const auto& line : next.error()) err << line << '\n';
        return wrong;
    }
    const crm::RosterStore store(config.crm.sql_dir);
    crm::Mysql link(config.crm.own, config.crm.sql_dir);
    if (auto up = link.connect(); !up) return complain(err, up.error());
    auto now = store.read(link);
    if (!now) return complain(err, now.error());
    const auto changes = crm::differences(*now, *next);
    for (const auto& line : changes) out << printable(line, 2000) << '\n';
    if (changes.empty()) {
        out << "nothing to change\n";
        return ok;
    }
    if (dry_run) {
        out << fmt::format("{} changes, none made (--dry-run)\n", changes.size());
        return ok;
    }
    if (auto done = store.replace(link, *next); !done) return complain(err, done.error());
    out << fmt::format("{} changes made; a running ctibridge takes them over within seconds\n",
                       changes.size());
    return ok;
}

int export_roster(const Config& config, const std::filesystem::path& file, std::ostream& out,
                  std::ostream& err) {
    const crm::RosterStore store(config.crm.sql_dir);
    crm::Mysql link(config.crm.own, config.crm.sql_dir);
    if (auto up = link.connect(); !up) return complain(err, up.error());
    auto roster = store.read(link);
    if (!roster) return complain(err, roster.error());
    const auto text = roster_yaml(std::move(*roster));
    if (file.empty()) {
        out << text;
        return out.flush() ? ok : failed;
    }
    // beside it first: a full disk leaves the old file whole
    const auto part = std::filesystem::path(file.string() + ".part");
    std::ofstream to(part, std::ios::binary | std::ios::trunc);
    to << text;
    to.close();
    std::error_code error;
    if (to) std::filesystem::rename(part, file, error);
    if (!to || error) {
        err << fmt::format("{}: cannot be written\n", file.string());
        return failed;
    }
    return ok;
}

}  // namespace bridge
