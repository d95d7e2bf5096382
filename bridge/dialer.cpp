#include "bridge/dialer.hpp"

#include <algorithm>
#include <array>
#include <random>

#include <fmt/core.h>

#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr Millis minute{60000};

// What the checks hand on to each other.
struct State {
    const DialRequest& request;
    const DialFacts& facts;
    const DialingConfig config;  // the rules of this operator and service
    std::deque<Millis>& accepted;
    Millis now;
    unsigned minute;        // of the week
    std::string emergency;  // the number, if it is one
    std::string target{};   // E.164, else the digits: what patterns and rewriting see
    std::string rule{};     // of a refusal, when the check knows better than its row
};

using xmpp::Condition;
using Verdict = std::optional<std::string>;  // the text of a refusal

Verdict operator_known(State& s) {
    if (s.facts.who == nullptr) return fmt::format("{} is not an operator here", printable(s.request.jid));
    return {};
}
Verdict operator_active(State& s) {
    if (!s.facts.who->active) return "your account in the CRM is not active";
    return {};
}
Verdict has_phone(State& s) {
    if (s.facts.pbx == nullptr) return "no telephone exchange is set for you; ask the administrator";
    if (!usable_extension(s.facts.who->extension))
        return "no usable extension is set for you; ask the administrator";
    return {};
}
Verdict emergency_in_person(State& s) {
    if (s.emergency.empty()) return {};
    s.target = s.emergency;
    if (s.request.in_person && s.facts.who->role != crm::Role::application) return {};
    return "an emergency number is dialled by a person, not by a program or on somebody's behalf";
}
Verdict number_understood(State& s) {
    if (!s.facts.number) return s.facts.number.error();
    const auto& number = *s.facts.number;
    s.target = number.e164.value_or(number.digits);
    if (s.target.empty() || s.target.size() > 40 ||
        s.target.find_first_not_of("0123456789+*#") != std::string::npos ||
        s.target.find('+', 1) != std::string::npos)
        return fmt::format("\"{}\" is no telephone number", printable(s.request.number, 40));
    if (s.target == s.facts.who->extension) return "this is your own extension";
    return {};
}
Verdict not_switched_off(State& s) {
    if (s.facts.switched_off.empty()) return {};
    return s.facts.switched_off;
}
Verdict record_plain(State& s) {
    static constexpr std::string_view allowed =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
    for (const auto& text : {s.request.module, s.request.record})
        if (text.size() > 64 || text.find_first_not_of(allowed) != std::string::npos)
            return "the record is no name and id of a CRM record";
    if (s.request.record.empty() != s.request.module.empty()) return "a record needs its module and its id";
    return {};
}
Verdict service_fits(State& s) {
    const auto& asked = s.request.service;
    if (asked.empty()) return {};
    const auto* service = s.facts.service;
    if (service == nullptr) return fmt::format("there is no service \"{}\" here", printable(asked, 40));
    if (service->direction != crm::Direction::outbound)
        return fmt::format("\"{}\" takes calls, it makes none", printable(asked, 40));
    const auto& people = service->operators;
    if (!people.empty() &&
        std::none_of(people.begin(), people.end(), [&](const auto& one) { return one.jid == s.request.jid; }))
        return fmt::format("you do not work for the service \"{}\"", printable(asked, 40));
    return {};
}
Verdict pattern_allows(State& s) {
    auto verdict = judge(s.config, s.target);
    if (verdict.allowed) return {};
    s.rule = verdict.rule;
    return fmt::format("{} may not be called from here", s.target);
}
// Colleagues can always be called.
Verdict within_hours(State& s) {
    if (s.facts.number->internal || s.config.hours.contain(s.minute)) return {};
    return fmt::format("calls are made {}; it is {}", s.config.hours.text(), name_of_minute(s.minute));
}
Verdict below_concurrent(State& s) {
    if (s.facts.going_on >= s.config.concurrent)
        return fmt::format("{} of your calls are being dialled already", s.facts.going_on);
    return {};
}
Verdict below_rate(State& s) {
    while (!s.accepted.empty() && s.accepted.front() <= s.now - minute) s.accepted.pop_front();
    if (s.accepted.size() >= s.config.per_minute)
        return fmt::format("{} calls in a minute are the most; try again in {} s", s.config.per_minute,
                           (s.accepted.front() + minute - s.now).count() / 1000 + 1);
    return {};
}
Verdict link_up(State& s) {
    if (!s.facts.link_up) return "the telephone exchange cannot be reached at present";
    return {};
}

struct Check {
    std::string_view rule;
    Condition condition;
    Verdict (*look)(State&);
    bool of_transfers = true, of_emergencies = false;
};
// In this order; the first that refuses is the answer.
constexpr Check checks[] = {
    {"operator", Condition::forbidden, operator_known, true, true},
    {"active", Condition::forbidden, operator_active, true, true},
    {"phone", Condition::not_acceptable, has_phone, true, true},
    {"emergency", Condition::not_acceptable, emergency_in_person, true, true},
    {"number", Condition::bad_request, number_understood},
    {"switched-off", Condition::not_acceptable, not_switched_off},
    {"record", Condition::bad_request, record_plain, false},
    {"service", Condition::not_acceptable, service_fits, false},
    {"pattern", Condition::not_acceptable, pattern_allows},
    {"hours", Condition::not_acceptable, within_hours},
    {"concurrent", Condition::resource_constraint, below_concurrent, false},
    {"per_minute", Condition::resource_constraint, below_rate},
    {"link", Condition::service_unavailable, link_up, true, true},
};

// The first that refuses.
std::optional<DialRefusal> refusal(State& state, bool transfer) {
    for (const auto& check : checks)
        if ((check.of_transfers || !transfer) && (check.of_emergencies || state.emergency.empty()))
            if (auto text = check.look(state))
                return DialRefusal{state.rule.empty() ? std::string(check.rule) : state.rule, check.condition,
                                   std::move(*text)};
    return {};
}

// As dialled: signs between digits are no part of it.
std::string emergency_of(const DialingConfig& config, std::string_view number) {
    if (number.starts_with("tel:")) number.remove_prefix(4);
    std::string digits;
    for (const char c : number)
        if (c != ' ' && c != '-' && c != '.') digits += c;
    return std::ranges::find(config.emergency, digits) == config.emergency.end() ? std::string() : digits;
}

}  // namespace

DialingConfig rules_for(const DialingConfig& config, std::string_view jid, std::string_view service) {
    DialingConfig rules = config;
    const auto narrow = [&](const auto& all, std::string_view name) {
        const auto found = all.find(name);
        if (found == all.end()) return;
        const DialRules& own = found->second;
        if (own.allow) rules.allow = *own.allow;
        if (own.deny) rules.deny = *own.deny;
        if (own.hours) rules.hours = *own.hours;
        if (own.per_minute) rules.per_minute = *own.per_minute;
        if (own.concurrent) rules.concurrent = *own.concurrent;
    };
    narrow(config.services, service);
    narrow(config.operators, jid);
    return rules;
}

std::vector<std::pair<std::string, std::string>> header_variables(const PbxConfig& pbx,
                                                                  std::string_view channel) {
    std::vector<std::pair<std::string, std::string>> variables;
    bool chan_sip = channel.starts_with("SIP/");
    unsigned n = 0;
    for (const auto& [name, value] : pbx.dial.auto_answer) {
        ++n;
        if (chan_sip)
            variables.emplace_back(fmt::format("SIPADDHEADER{:02}", n), fmt::format("{}: {}", name, value));
        else
            variables.emplace_back(fmt::format("PJSIP_HEADER(add,{})", name), value);
    }
    return variables;
}

// Only operators get an entry, so strangers cannot fill the map.
Dialer::Accepted& Dialer::accepted_of(const DialRequest& request, const DialFacts& facts) {
    return facts.who != nullptr ? accepted_[request.jid] : nobodys_;
}

std::expected<std::string, DialRefusal> Dialer::transfer(const DialRequest& request, const DialFacts& facts,
                                                         Millis now) {
    State state{.request = request,
                .facts = facts,
                .config = rules_for(config_, request.jid, request.service),
                .accepted = accepted_of(request, facts),
                .now = now,
                .minute = clock_(),
                .emergency = emergency_of(config_, request.number)};
    if (auto refused = refusal(state, true)) return std::unexpected(std::move(*refused));
    if (!state.emergency.empty()) return state.target;
    state.accepted.push_back(now);
    return facts.number->internal ? state.target : rewritten(config_.rewrite, state.target);
}

std::expected<DialPlan, DialRefusal> Dialer::plan(const DialRequest& request, const DialFacts& facts,
                                                  std::string_view uuid, Millis now) {
    State state{.request = request,
                .facts = facts,
                .config = rules_for(config_, request.jid, request.service),
                .accepted = accepted_of(request, facts),
                .now = now,
                .minute = clock_(),
                .emergency = emergency_of(config_, request.number)};
    if (auto refused = refusal(state, false)) return std::unexpected(std::move(*refused));
    const bool emergency = !state.emergency.empty();
    if (!emergency) state.accepted.push_back(now);

    const bool internal = !emergency && facts.number->internal;
    const auto* service = emergency ? nullptr : facts.service;
    bool told = !request.record.empty() && !emergency;
    DialPlan plan;
    plan.pbx = facts.pbx->name;
    plan.internal = internal;
    auto& dialing = plan.dialing;
    dialing.channel_id = fmt::format("ctd-{}", uuid);
    dialing.jid = request.jid;
    dialing.extension = facts.who->extension;
    dialing.number = state.target;
    dialing.request = request.request;
    dialing.module = told ? request.module : facts.module;
    dialing.record = told ? request.record : facts.record;
    // The label we know is that of the record we found.
    dialing.label = !told || request.record == facts.record ? facts.label : std::string();
    if (!emergency) dialing.service = request.service;

    auto& originate = plan.originate;
    originate.channel = filled(facts.pbx->channels.front(), dialing.extension);
    originate.context = facts.pbx->dial.context;
    originate.exten = emergency || internal ? state.target : rewritten(config_.rewrite, state.target);
    std::string caller_id = facts.pbx->dial.caller_id;
    if (service != nullptr) {
        if (!service->contexts.empty()) originate.context = service->contexts.front();
        if (!service->caller_id.empty()) caller_id = service->caller_id;
    }
    originate.caller_id = filled(caller_id, dialing.extension, originate.exten);
    originate.timeout = facts.pbx->dial.timeout;
    originate.channel_id = dialing.channel_id;
    originate.variables = header_variables(*facts.pbx, originate.channel);
    if (!dialing.record.empty()) originate.variables.emplace_back("CDR(crmid)", dialing.record);

    plan.row = {.id = dialing.channel_id,
                .jid = request.jid,
                .pbx = plan.pbx,
                .extension = dialing.extension,
                .number = printable(request.number),
                .dialed = originate.exten,
                .module = dialing.module,
                .record = dialing.record,
                .service = printable(request.service),
                .outcome = "accepted",
                .at = now,
                .action = "dial"};
    return plan;
}

crm::DialRow Dialer::refused_row(const DialRequest& request, const DialFacts& facts,
                                 const DialRefusal& refusal, std::string_view uuid, Millis at) {
    return {.id = std::string(uuid),
            .jid = request.jid,
            .pbx = facts.pbx != nullptr ? facts.pbx->name : std::string(),
            .extension = facts.who != nullptr ? facts.who->extension : std::string(),
            .number = printable(request.number),
            .dialed = {},
            .module = printable(request.module),
            .record = printable(request.record),
            .service = printable(request.service),
            .outcome = fmt::format("refused:{}", refusal.rule),
            .at = at,
            .action = "dial"};
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
    // Greedy with one point of return: linear in practice, quadratic at worst, on texts of at most some dozen
    // characters.
    std::size_t p = 0, t = 0, star = std::string_view::npos, resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

PatternVerdict judge(const DialingConfig& config, std::string_view number) {
    auto longest = [&](const std::vector<std::string>& patterns) {
        const std::string* best = nullptr;
        for (const auto& pattern : patterns)
            if (matches_pattern(pattern, number) && (best == nullptr || pattern.size() > best->size()))
                best = &pattern;
        return best;
    };
    const auto* allow = longest(config.allow);
    const auto* deny = longest(config.deny);
    if (deny != nullptr && (allow == nullptr || deny->size() >= allow->size()))
        return {false, "deny:" + *deny};
    if (allow != nullptr) return {true, "allow:" + *allow};
    return {config.allow.empty(), "allow"};
}

std::string rewritten(const std::vector<DialRewrite>& rules, std::string_view number) {
    for (const auto& rule : rules)
        if (number.starts_with(rule.from)) return rule.to + std::string(number.substr(rule.from.size()));
    return std::string(number);
}

Condition condition_of(std::string_view asterisk_message) {
    struct Row {
        std::string_view begin;
        Condition condition;
    };
    static constexpr Row rows[] = {
        {"Extension does not exist", Condition::item_not_found},
        {"No such channel", Condition::item_not_found},
        {"Permission denied", Condition::forbidden},
        {"Originate Access Forbidden", Condition::forbidden},
        {"Asterisk is shutting down", Condition::service_unavailable},
    };
    for (const auto& row : rows)
        if (asterisk_message.starts_with(row.begin)) return row.condition;
    return Condition::undefined_condition;
}

std::string new_uuid() {
    std::random_device source;
    std::array<std::uint32_t, 4> w{};
    for (auto& word : w) word = source();
    w[1] = (w[1] & 0xFFFF0FFFU) | 0x4000U;
    w[2] = (w[2] & 0x3FFFFFFFU) | 0x80000000U;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:04x}{:08x}", w[0], w[1] >> 16, w[1] & 0xFFFFU,
                       w[2] >> 16, w[2] & 0xFFFFU, w[3]);
}

}  // namespace bridge
