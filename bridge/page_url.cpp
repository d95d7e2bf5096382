#include "bridge/page_url.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bridge/pop_text.hpp"
#include "bridge/printable.hpp"
#include "crm/adapter.hpp"

namespace bridge {
namespace {

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::array<std::string_view, 6> never{"javascript", "data", "vbscript", "file", "blob", "about"};
constexpr std::string_view variable_prefix = "variable:";

// The only record that is meant, if this operator may see it.
const crm::Match* record_shown(const crm::Lookup& lookup) {
    const crm::Match* only = nullptr;
    for (const auto& match : lookup.matches) {
        if (match.quality == crm::Quality::suffix) continue;
        if (only != nullptr) return nullptr;
        only = &match;
    }
    return only != nullptr && only->may_see && lookup.more == 0 ? only : nullptr;
}

struct Placeholder {
    std::string_view name;
    std::string (*value)(const Notice&, const crm::Lookup&);
};

const Placeholder placeholders[] = {
    {"number", [](const Notice& n, const crm::Lookup& l) { return party_number(n, l); }},
    {"name", [](const Notice& n, const crm::Lookup& l) { return party_name(n, l); }},
    {"dialed", [](const Notice& n, const crm::Lookup&) { return n.dialed; }},
    {"queue", [](const Notice& n, const crm::Lookup&) { return n.queue; }},
    {"service", [](const Notice& n, const crm::Lookup&) { return n.service; }},
    {"language", [](const Notice& n, const crm::Lookup&) { return n.language; }},
    {"id", [](const Notice& n, const crm::Lookup&) { return n.id; }},
    {"leg", [](const Notice& n, const crm::Lookup&) { return n.leg; }},
    {"extension", [](const Notice& n, const crm::Lookup&) { return n.extension; }},
    {"direction", [](const Notice& n, const crm::Lookup&) { return std::string(word(n.direction)); }},
    {"module",
     [](const Notice&, const crm::Lookup& l) {
         const auto* record = record_shown(l);
         return record != nullptr ? record->module : std::string();
     }},
    {"record",
     [](const Notice&, const crm::Lookup& l) {
         const auto* record = record_shown(l);
         return record != nullptr ? record->id : std::string();
     }},
};

const Placeholder* placeholder(std::string_view name) {
    const auto found = std::find_if(std::begin(placeholders), std::end(placeholders),
                                    [&](const Placeholder& one) { return one.name == name; });
    return found == std::end(placeholders) ? nullptr : found;
}

// Calls `text` for what stands as it is, `field` for what is between braces. False: a brace is left open.
template <class Text, class Field>
bool read_template(std::string_view page, Text text, Field field) {
    while (!page.empty()) {
        const auto open = page.find('{');
        text(page.substr(0, open));
        if (open == std::string_view::npos) return true;
        const auto close = page.find('}', open);
        if (close == std::string_view::npos) return false;
        field(page.substr(open + 1, close - open - 1));
        page.remove_prefix(close + 1);
    }
    return true;
}

std::string_view scheme_of(std::string_view page) {
    const auto colon = page.find(':');
    return colon == std::string_view::npos ? std::string_view() : page.substr(0, colon);
}

bool scheme_allowed(std::string_view scheme, std::span<const std::string> schemes) {
    return scheme == "http" || scheme == "https" ||
           std::find(schemes.begin(), schemes.end(), scheme) != schemes.end();
}

// Whom a web page is asked of must not depend on what a caller says.
bool host_is_literal(std::string_view page) {
    const auto begin = page.find("://");
    if (begin == std::string_view::npos) return false;
    const auto host = page.substr(begin + 3, page.find_first_of("/?#", begin + 3) - begin - 3);
    return !host.empty() && host.find_first_of("{}@") == std::string_view::npos;
}

}  // namespace

std::string fault_of_scheme(std::string_view scheme) {
    const bool form =
        !scheme.empty() && scheme.size() <= 32 && letters.contains(scheme.front()) &&
        scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-") == std::string_view::npos;
    if (!form) return "must be the name of a URL scheme in small letters, without the colon, like crmapp";
    if (std::find(never.begin(), never.end(), scheme) != never.end())
        return fmt::format("`{}` could run code in an operator's client; use a scheme of your own program",
                           scheme);
    return {};
}

std::string fault_of_page(std::string_view page, std::span<const std::string> variables,
                          std::span<const std::string> schemes) {
    for (const char c : page)
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7F)
            return "has a blank, a quote or a control character; write it as %XX";
    const auto scheme = scheme_of(page);
    if (!scheme_allowed(scheme, schemes))
        return fmt::format(
            "must begin with https:// or http://, or with a scheme that pop.schemes of the configuration "
            "allows, not with `{}`",
            printable(scheme, 40));
    if (scheme.starts_with("http") && !host_is_literal(page))
        return "must name its host as it is, without placeholders";
    std::string fault;
    const bool closed = read_template(
        page, [](std::string_view) {},
        [&](std::string_view name) {
            if (!fault.empty() || placeholder(name) != nullptr) return;
            if (name.starts_with(variable_prefix)) {
                name.remove_prefix(variable_prefix.size());
                if (std::find(variables.begin(), variables.end(), name) == variables.end())
                    fault = fmt::format("uses the variable `{}`, which the service does not collect",
                                        printable(name, 64));
                return;
            }
            std::string known;
            for (const auto& one : placeholders) known += fmt::format("{{{}}} ", one.name);
            fault = fmt::format("has the unknown placeholder {{{}}}; known are {}{{variable:NAME}}",
                                printable(name, 40), known);
        });
    return closed ? fault : "has a { without }";
}

std::string page_url(const Notice& notice, const crm::Lookup& lookup, std::span<const std::string> schemes) {
    if (notice.page.empty()) return {};
    const auto scheme = scheme_of(notice.page);
    if (!scheme_allowed(scheme, schemes) || (scheme.starts_with("http") && !host_is_literal(notice.page)))
        return {};
    std::string url;
    const bool closed = read_template(
        notice.page, [&](std::string_view text) { url += text; },
        [&](std::string_view name) {
            if (const auto* known = placeholder(name)) {
                url += crm::url_encoded(known->value(notice, lookup));
                return;
            }
            if (!name.starts_with(variable_prefix)) return;
            name.remove_prefix(variable_prefix.size());
            for (const auto& [key, value] : notice.variables)
                if (key == name) url += crm::url_encoded(value);
        });
    return closed && is_usable_link(url) ? url : std::string();
}

}  // namespace bridge
