#include "bridge/caller_names.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/dial_text.hpp"

namespace bridge {

namespace {
constexpr std::size_t longest_name = 64;  // a queue's prefix fits before it
}

const crm::Match* only_record(const crm::Lookup& lookup) {
    const bool one = lookup.matches.size() == 1 && lookup.more == 0;
    return one && lookup.matches.front().quality == crm::Quality::exact ? &lookup.matches.front() : nullptr;
}

std::expected<CallerName, std::string> caller_name(const crm::Lookup& lookup, bool seen_by_all) {
    const auto no = [](std::string why) { return std::unexpected(std::move(why)); };
    if (lookup.number.anonymous || lookup.number.internal) return no("the caller is nobody outside");
    if (lookup.matches.empty()) return no("no record has the number");
    const auto* match = only_record(lookup);
    if (match == nullptr)
        return no(lookup.matches.size() > 1
                      ? fmt::format("{} records have the number", lookup.matches.size() + lookup.more)
                      : "the record found is a guess, not the same number");
    if (!seen_by_all || !match->may_see) return no("not everybody whose phone may ring may see the record");
    auto name = dialplan_text(match->label, longest_name);
    if (name.find_first_not_of(' ') == std::string::npos) return no("the record has no label");
    return CallerName{std::move(name), dialplan_text(match->id)};
}

std::vector<std::string> audience_of(const crm::Service* service, std::string_view pbx,
                                     const std::map<std::string, crm::Operator, std::less<>>& people) {
    std::vector<std::string> users;
    for (const auto& [jid, who] : people) {
        if (!who.active || who.pbx != pbx || who.extension.empty()) continue;
        const bool works =
            service == nullptr || service->operators.empty() ||
            std::ranges::any_of(service->operators, [&](const auto& one) { return one.jid == who.jid; });
        if (works) users.push_back(who.crm_user);
    }
    return users;
}

}  // namespace bridge
