#include "bridge/vtiger_commands.hpp"

#include <algorithm>
#include <array>
#include <expected>
#include <fstream>
#include <functional>
#include <istream>
#include <ostream>
#include <vector>

#include <fmt/format.h>

#include "bridge/http_text.hpp"
#include "bridge/json.hpp"
#include "bridge/printable.hpp"
#include "crm/mysql.hpp"
#include "crm/sql_files.hpp"

namespace bridge {

namespace {

namespace fs = std::filesystem;

constexpr int ok = 0, failed = 1, wrong = 2;
constexpr std::string_view place = "modules/CtiBridge/ctibridge.js";
constexpr std::string_view marker =
    "// Put here by `ctibridge vtiger install`; `ctibridge vtiger remove` takes it away.";
constexpr std::array usual_places = {"/var/www/html/vtigercrm", "/var/www/vtigercrm", "/var/www/html/vtiger",
                                     "/var/www/vtiger",         "/var/www/html",      "/usr/share/vtigercrm"};
// Of MySQL: what is denied on a database, a table, a column.
constexpr std::array denied = {1044, 1142, 1143};
constexpr int no_table = 1146;

struct Fault {
    int code;
    std::string text;
};
template <class T>
using Result = std::expected<T, Fault>;

std::unexpected<Fault> fault(int code, std::string text) {
    return std::unexpected(Fault{code, std::move(text)});
}

bool is_vtiger(const fs::path& directory) {
    std::error_code error;
    return fs::is_regular_file(directory / "vtigerversion.php", error) &&
           fs::is_directory(directory / "modules", error);
}

Result<fs::path> tree_of(const VtigerOptions& options) {
    if (!options.docroot.empty()) {
        std::error_code error;
        if (!fs::is_directory(options.docroot, error))
            return fault(wrong,
                         fmt::format("{} is no directory; --docroot names the one with vTiger's index.php",
                                     options.docroot.string()));
        if (!is_vtiger(options.docroot))
            return fault(wrong,
                         fmt::format("{} is no vTiger: it has no vtigerversion.php and modules/; --docroot "
                                     "names the directory with vTiger's index.php",
                                     options.docroot.string()));
        return options.docroot;
    }
    std::vector<fs::path> found;
    std::ranges::copy_if(usual_places, std::back_inserter(found),
                         [](const char* one) { return is_vtiger(one); });
    if (found.size() == 1) return found.front();
    return fault(wrong, found.empty()
                            ? "no vTiger was found in the usual places; name its directory with --docroot"
                            : "there are several vTigers here; name one with --docroot");
}

// Ours goes into a text of JavaScript and names a server: an address and nothing else.
Result<std::string> console_of(std::string address) {
    if (!address.ends_with('/')) address += '/';
    const auto scheme = address.find("://");
    const auto path = scheme == std::string::npos ? scheme : address.find('/', scheme + 3);
    static constexpr std::string_view signs =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    if (path == std::string::npos || !is_web_origin(std::string_view(address).substr(0, path)) ||
        address.find_first_not_of(signs, path) != std::string::npos)
        return fault(wrong,
                     "--console is no address of the console; write it like https://cti.example.org/ "
                     "(http:// only for this machine)");
    return address;
}

std::string loader(std::string_view console) {
    return fmt::format(R"({}
(function () {{
    var script = document.createElement("script");
    script.src = {};
    script.async = true;
    document.head.appendChild(script);
}})();
)",
                       marker, json_text(fmt::format("{}widget.js", console)));
}

enum class There : unsigned char { nothing, ours, foreign };
struct Found {
    There what = There::nothing;
    std::string text;
};

Found look(const fs::path& file) {
    std::error_code error;
    const auto status = fs::symlink_status(file, error);
    if (status.type() == fs::file_type::not_found) return {};
    if (!fs::is_regular_file(status)) return {There::foreign, {}};
    std::ifstream in(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    const bool is_ours = text.starts_with(marker);
    return {is_ours ? There::ours : There::foreign, std::move(text)};
}

// Beside it first: nobody ever loads half of it. The web server must be able to read it.
Result<void> write(const fs::path& file, const std::string& text) {
    std::error_code error;
    const auto directory = file.parent_path();
    const bool made = fs::create_directory(directory, error);
    const auto part = fs::path(file.string() + ".part");
    if (!error && made) fs::permissions(directory, fs::perms{0755}, error);
    if (!error) {
        std::ofstream to(part, std::ios::binary | std::ios::trunc);
        to << text;
        to.close();
        if (!to) error = std::make_error_code(std::errc::permission_denied);
    }
    if (!error) fs::permissions(part, fs::perms{0644}, error);
    if (!error) fs::rename(part, file, error);
    if (!error) return {};
    std::error_code ignored;
    fs::remove(part, ignored);
    if (made) fs::remove(directory, ignored);
    return fault(failed, fmt::format("{} cannot be written: {}; run it as a user who may write there",
                                     file.string(), error.message()));
}

Result<void> erase(const fs::path& file) {
    std::error_code error;
    fs::remove(file, error);
    if (error)
        return fault(failed, fmt::format("{} cannot be removed: {}; run it as a user who may write there",
                                         file.string(), error.message()));
    fs::remove(file.parent_path(), error);  // not while others have something in it
    return {};
}

// ---- vTiger's table of links ----

class Links {
 public:
    explicit Links(const Config& config)
        : url_(config.crm.crm),
          files_(config.crm.sql_dir, "vtiger"),
          link_(config.crm.crm, config.crm.sql_dir) {}

    Result<void> connect() {
        if (auto up = link_.connect(); !up) return tell(up.error());
        auto version = link_.run(files_.one("version"));
        if (!version) return tell(version.error());
        const auto text = version->empty() ? std::string("no version") : version->text(0, "version");
        if (text.starts_with("7.") || text.starts_with("8.")) return {};
        return fault(wrong,
                     fmt::format("the widget is for vTiger 7 and 8; this one is {}", printable(text, 40)));
    }

    // The paths of our rows.
    Result<std::vector<std::string>> rows() {
        auto found = link_.run(files_.one("widget_find"));
        if (!found) return std::unexpected(tell(found.error()).error());
        std::vector<std::string> urls;
        for (std::size_t i = 0; i < found->size(); ++i) urls.push_back(found->text(i, "linkurl"));
        return urls;
    }

    // Our rows become one, or none; `also` is part of it: if it fails, the rows are as they were.
    Result<void> change(bool take, bool put, const std::function<Result<void>()>& also) {
        if (auto begun = link_.begin(); !begun) return tell(begun.error());
        const auto run = [&](const char* name) -> Result<void> {
            if (auto done = link_.run(files_.all(name), {{"url", std::string(place)}}); !done)
                return tell(done.error());
            return {};
        };
        Result<void> done;
        if (take) done = run("widget_take");
        if (done && put) done = run("widget_put");
        if (done) done = also();
        if (!done) {
            link_.rollback();
            return done;
        }
        if (auto kept = link_.commit(); !kept) return tell(kept.error());
        return {};
    }

 private:
    Result<void> tell(const crm::SqlError& error) {
        auto text = printable(error.text, 1000);
        if (std::ranges::find(denied, error.code) != denied.end())
            text += fmt::format(
                "; its user needs, for as long as this takes: GRANT SELECT, INSERT, DELETE ON "
                "{0}.vtiger_links TO "
                "'{1}'@'HOST'; GRANT SELECT, UPDATE ON {0}.vtiger_links_seq TO '{1}'@'HOST'; afterwards "
                "REVOKE "
                "them",
                url_.schema, url_.user);
        if (error.code == no_table) text += "; is this a database of vTiger?";
        return std::unexpected(Fault{failed, std::move(text)});
    }

    crm::DatabaseUrl url_;
    crm::SqlFiles files_;
    crm::Mysql link_;
};

// ---- what is said, asked and done ----

struct Plan {
    fs::path file;
    Found found;
    std::vector<std::string> rows;
    bool erases = false, writes = false, takes = false, puts = false;
    [[nodiscard]] bool empty() const { return !erases && !writes && !takes && !puts; }
};

void tell(const Plan& plan, std::string_view schema, std::ostream& out) {
    if (plan.writes)
        out << fmt::format("{}: {}\n", plan.file.string(),
                           plan.found.what == There::nothing ? "a new file" : "our file, written anew");
    if (plan.erases) out << fmt::format("{}: our file, removed\n", plan.file.string());
    if (plan.takes)
        out << fmt::format("{}.vtiger_links: {} of ours, removed\n", schema,
                           plan.rows.size() == 1 ? "the row" : fmt::format("{} rows", plan.rows.size()));
    if (plan.puts) out << fmt::format("{}.vtiger_links: one row, HEADERSCRIPT CtiBridge {}\n", schema, place);
    if (plan.empty())
        out << "nothing to change\n";
    else
        out << "no existing file of vTiger is changed\n";
}

bool agreed(const VtigerOptions& options, std::istream& in, std::ostream& out) {
    if (options.yes) return true;
    out << "Shall this be done? [y/N] " << std::flush;
    std::string answer;
    std::getline(in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

Result<void> carry_out(const Plan& plan, Links& links, const std::string& text) {
    bool written = false;
    auto done = links.change(plan.takes, plan.puts, [&]() -> Result<void> {
        if (plan.erases) return erase(plan.file);
        if (!plan.writes) return {};
        auto made = write(plan.file, text);
        written = made.has_value();
        return made;
    });
    // The row was not kept: a file that nobody asks for is not left behind.
    if (!done && written && plan.found.what == There::nothing) (void)erase(plan.file);
    return done;
}

int execute(const Config& config, const VtigerOptions& options, const Plan& plan, Links& links,
            const std::string& text, std::istream& in, std::ostream& out, std::ostream& err) {
    tell(plan, config.crm.crm.schema, out);
    if (plan.empty()) return ok;
    if (options.dry_run) {
        out << "nothing was changed (--dry-run)\n";
        return ok;
    }
    if (!agreed(options, in, out)) {
        err << "nothing was changed; --yes does it without asking\n";
        return failed;
    }
    if (auto done = carry_out(plan, links, text); !done) {
        err << done.error().text << "; nothing was changed\n";
        return done.error().code;
    }
    out << "done; it is in force for every page that is loaded from now on\n";
    return ok;
}

// The frame is refused in pages of which the daemon does not know.
void look_at_origins(const Config& config, std::ostream& err) {
    const auto& web = config.crm.web;
    const auto origin = web.substr(0, web.find('/', web.find("://") + 3));
    const bool known = std::ranges::any_of(config.http, [&](const HttpConfig& one) {
        return std::ranges::find(one.crm_origins, origin) != one.crm_origins.end();
    });
    if (!known)
        err << fmt::format(
            "note: no entry of `http` has {} in crm_origins; until one does, the widget shows nothing "
            "there\n",
            web.empty() ? "vTiger's address" : origin);
}

int complain(std::ostream& err, const Fault& error) {
    err << error.text << "; nothing was changed\n";
    return error.code;
}

}  // namespace

int vtiger_install(const Config& config, const VtigerOptions& options, std::istream& in, std::ostream& out,
                   std::ostream& err) {
    const auto console = console_of(options.console);
    if (!console) return complain(err, console.error());
    const auto tree = tree_of(options);
    if (!tree) return complain(err, tree.error());
    Links links(config);
    if (auto up = links.connect(); !up) return complain(err, up.error());
    auto rows = links.rows();
    if (!rows) return complain(err, rows.error());
    Plan plan{.file = *tree / place, .found = {}, .rows = std::move(*rows)};
    plan.found = look(plan.file);
    if (plan.found.what == There::foreign)
        return complain(err, {wrong, fmt::format("{} is there and is not ours", plan.file.string())});
    const auto text = loader(*console);
    plan.writes = plan.found.text != text;
    const bool right = plan.rows.size() == 1 && plan.rows.front() == place;
    plan.takes = !right && !plan.rows.empty();
    plan.puts = !right;
    look_at_origins(config, err);
    return execute(config, options, plan, links, text, in, out, err);
}

int vtiger_remove(const Config& config, const VtigerOptions& options, std::istream& in, std::ostream& out,
                  std::ostream& err) {
    const auto tree = tree_of(options);
    if (!tree) return complain(err, tree.error());
    Links links(config);
    if (auto up = links.connect(); !up) return complain(err, up.error());
    auto rows = links.rows();
    if (!rows) return complain(err, rows.error());
    Plan plan{.file = *tree / place, .found = {}, .rows = std::move(*rows)};
    plan.found = look(plan.file);
    plan.erases = plan.found.what == There::ours;
    plan.takes = !plan.rows.empty();
    if (plan.found.what == There::foreign)
        err << fmt::format("note: {} is not ours and stays\n", plan.file.string());
    return execute(config, options, plan, links, {}, in, out, err);
}

}  // namespace bridge
