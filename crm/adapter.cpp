#include "crm/adapter.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

namespace crm {
namespace {

constexpr std::string_view own_folder = "ctibridge";
constexpr std::string_view links_file = "links.yaml";

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

SqlFiles open_folder(const std::filesystem::path& sql_dir, const std::string& name) {
    const auto known = Adapter::available(sql_dir);
    if (std::ranges::find(known, name) == known.end())
        throw std::runtime_error(
            known.empty()
                ? fmt::format("there is no CRM adapter in {}: check the installation", sql_dir.string())
                : fmt::format("there is no CRM adapter \"{}\"; there are: {}", name.substr(0, 64),
                              fmt::join(known, ", ")));
    return {sql_dir, name};
}

}  // namespace

std::vector<std::string> Adapter::available(const std::filesystem::path& sql_dir) {
    std::vector<std::string> out;
    std::error_code error;
    for (std::filesystem::directory_iterator at(sql_dir, error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        if (at->path().filename() != own_folder && std::filesystem::exists(at->path() / links_file, ignored))
            out.push_back(at->path().filename().string());
    }
    std::ranges::sort(out);
    return out;
}

Adapter::Adapter(const std::filesystem::path& sql_dir, const std::string& name) {
    const auto files = open_folder(sql_dir, name);
    operators = files.one("operators");
    numbers = files.one("numbers");
    numbers_of = files.one("numbers_of");
    records = files.one("records");
    record = files.one("record");
    phone_columns = files.one("phone_columns");
    const auto maybe = [&](std::string_view file) {
        return files.optional(file) ? std::optional(files.one(file)) : std::nullopt;
    };
    find_exact = maybe("find_exact");
    may_see = maybe("may_see");
    viewers = maybe("viewers");
    feed_position = maybe("feed_position");
    if (feed_position) changes = files.all("changes");

    const auto file = (sql_dir / name / links_file).string();
    try {
        const auto links = YAML::LoadFile(file);
        record_link_ = links["record"].as<std::string>();
        if (const auto create = links["create"]) {
            create_module = create["module"].as<std::string>();
            create_link_ = create["url"].as<std::string>();
        }
        modules_ = links["modules"].as<std::vector<std::string>>(std::vector<std::string>{});
        const auto visibility = links["visibility"].as<std::string>("record");
        if (visibility != "record" && visibility != "owner")
            throw std::runtime_error("visibility must be record or owner");
        visible_by_owner = visibility == "owner";
    } catch (const std::exception& e) {
        throw std::runtime_error(fmt::format("{}: {}; see sql/README.md", file, e.what()));
    }
}

bool Adapter::is_identifier(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    });
}

Statement Adapter::expanded(const Statement& statement, const PhoneColumn& column) {
    const std::array<std::pair<std::string_view, const std::string*>, 4> names{
        {{"{table}", &column.table},
         {"{column}", &column.column},
         {"{key}", &column.key},
         {"{module}", &column.module}}};
    Statement out = statement;
    for (const auto& [place, name] : names) {
        if (!is_identifier(*name))
            throw std::runtime_error(
                fmt::format("{}: a name of phone_columns is no identifier", statement.origin));
        out.text = replaced(std::move(out.text), place, *name);
    }
    return out;
}

std::optional<Statement> Adapter::joined(const Statement& statement, const std::vector<PhoneColumn>& columns,
                                         std::string_view module) {
    std::optional<Statement> out;
    for (const auto& column : columns) {
        if (column.module != module) continue;
        const auto one = expanded(statement, column);
        if (!out) {
            out = one;
            continue;
        }
        out->text += " UNION ALL " + one.text;
        out->parameters.insert(out->parameters.end(), one.parameters.begin(), one.parameters.end());
    }
    return out;
}

std::string Adapter::record_url(std::string_view web, const Match& match) const {
    auto link = replaced(record_link_, "{module}", url_encoded(match.module));
    return std::string(web) + replaced(std::move(link), "{id}", url_encoded(match.id));
}

std::string Adapter::create_url(std::string_view web, std::string_view number) const {
    return create_link_.empty() ? std::string()
                                : std::string(web) + replaced(create_link_, "{number}", url_encoded(number));
}

std::size_t Adapter::module_rank(std::string_view module) const {
    return static_cast<std::size_t>(std::ranges::find(modules_, module) - modules_.begin());
}

std::string url_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("-._~").contains(c);
        if (plain)
            out += c;
        else
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

}  // namespace crm
