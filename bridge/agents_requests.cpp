// What is asked for: the named checks, each with its refusal, then one wish.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"
#include "bridge/dial_text.hpp"

namespace bridge {

namespace {

using Kind = AgentRequest::Kind;

constexpr std::size_t longest_reason = 40;

bool takes_out(Kind kind) {
    return kind == Kind::not_ready || kind == Kind::logged_out;
}
bool signs_in(Kind kind) {
    return kind == Kind::login || kind == Kind::ready || kind == Kind::not_ready;
}

}  // namespace

// What the checks look at.
struct AgentQuestion {
    Agents::Impl& board;
    const AgentRequest& request;
    Agents::Impl::Agent* agent;
};

namespace {

using Verdict = std::optional<std::string>;  // the text of a refusal

Verdict operator_known(const AgentQuestion& q) {
    if (q.agent == nullptr || !q.agent->known)
        return fmt::format("{} is not an operator here", q.request.jid);
    return {};
}
Verdict operator_active(const AgentQuestion& q) {
    if (!q.agent->person.active) return "the account in the CRM is not active";
    return {};
}
Verdict may_ask(const AgentQuestion& q) {
    if (q.request.by == q.request.jid || q.request.administrator ||
        q.board.responsible(q.request.by, q.request.jid))
        return {};
    return fmt::format("you are not responsible for {}", q.request.jid);
}
Verdict still_working(const AgentQuestion& q) {
    if (q.board.stopping) return "the bridge is being stopped";
    return {};
}
Verdict reason_known(const AgentQuestion& q) {
    const auto& reason = q.request.reason;
    if (q.request.kind != Kind::not_ready || reason.empty()) return {};
    const auto& known = q.board.config.reasons;
    if (known.empty()) {
        const bool plain =
            reason.size() <= longest_reason &&
            std::ranges::none_of(reason, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
        if (plain) return {};
        return "a reason has at most 40 characters, none of them a control character";
    }
    if (std::ranges::find(known, reason, &AgentReason::code) != known.end()) return {};
    std::string codes;
    for (const auto& one : known) codes += (codes.empty() ? "" : ", ") + one.code;
    return fmt::format("no such reason; there are: {}", codes);
}
Verdict has_phone(const AgentQuestion& q) {
    const bool seat = !q.request.seat.empty();
    if (!signs_in(q.request.kind) || seat || usable_extension(q.agent->extension)) return {};
    return "no usable extension is set; ask the administrator, or sit down on a seat";
}
Verdict in_the_state(const AgentQuestion& q) {
    if (q.request.kind == Kind::extend && q.agent->wrap_until.count() == 0)
        return "there is no work after a call to be extended";
    return {};
}
Verdict phone_free(const AgentQuestion& q) {
    if (!signs_in(q.request.kind) || !q.request.seat.empty()) return {};
    for (const auto& [jid, other] : q.board.agents)
        if (&other != q.agent && other.signed_in() && !other.interface.empty() &&
            other.interface == q.agent->interface)
            return fmt::format("{} is signed in at extension {}", q.board.member_name(other),
                               q.agent->extension);
    return {};
}
Verdict link_up(const AgentQuestion& q) {
    if (q.board.linked || !signs_in(q.request.kind)) return {};
    if (takes_out(q.request.kind) && q.agent->signed_in()) return {};
    return "the telephone exchange cannot be reached at present";
}

struct Check {
    std::string_view rule;
    AgentRefusal refusal;
    Verdict (*look)(const AgentQuestion&);
};
// In this order; the first that refuses is the answer.
constexpr Check checks[] = {
    {"operator", AgentRefusal::forbidden, operator_known},
    {"active", AgentRefusal::forbidden, operator_active},
    {"on-behalf-of", AgentRefusal::forbidden, may_ask},
    {"stop", AgentRefusal::service_unavailable, still_working},
    {"reason", AgentRefusal::not_acceptable, reason_known},
    {"phone", AgentRefusal::not_acceptable, has_phone},
    {"state", AgentRefusal::conflict, in_the_state},
    {"extension", AgentRefusal::conflict, phone_free},
    {"link", AgentRefusal::service_unavailable, link_up},
};

std::optional<AgentFault> checked(const AgentQuestion& question) {
    for (const auto& check : checks)
        if (auto text = check.look(question))
            return AgentFault{std::string(check.rule), check.refusal, std::move(*text)};
    return {};
}

}  // namespace

bool Agents::Impl::responsible(std::string_view by, std::string_view jid) const {
    const auto is = [](const crm::Service& service, std::string_view who, bool supervisor) {
        return std::ranges::any_of(service.operators, [&](const auto& person) {
            return person.jid == who && (!supervisor || person.supervisor);
        });
    };
    return std::ranges::any_of(
        services, [&](const auto& service) { return is(service, by, true) && is(service, jid, false); });
}

void Agents::Impl::answer(std::uint64_t token, std::optional<AgentFault> fault) {
    out.answers.push_back({token, std::move(fault)});
}

std::optional<AgentFault> Agents::Impl::extend(Agent& agent, Millis span, Millis now) {
    if (span.count() <= 0)
        return AgentFault{"extend", AgentRefusal::bad_request,
                          "the work after a call is extended by seconds"};
    const auto latest = agent.wrap_began + config.longest_wrap_up;
    if (agent.wrap_until >= latest)
        return AgentFault{
            "extend", AgentRefusal::not_acceptable,
            fmt::format("{} s are the most for work after a call", config.longest_wrap_up.count() / 1000)};
    agent.wrap_until =
        std::min(std::max(agent.wrap_until, now) + std::min(span, config.longest_wrap_up), latest);
    touch(agent);
    return {};
}

void Agents::Impl::request(const AgentRequest& asked, Millis now) {
    auto* agent = find(asked.jid);
    if (auto fault = checked({*this, asked, agent})) {
        auto text = fmt::format("{} by {}: {}", to_string(asked.kind), asked.by, fault->text);
        out.reasons.push_back({now, Why::agent_refused, {}, {}, asked.jid, {{Fact::text, std::move(text)}}});
        return answer(asked.token, std::move(fault));
    }
    const bool senior = asked.administrator || (asked.by != asked.jid && responsible(asked.by, asked.jid));
    if (asked.kind == Kind::seat || !asked.seat.empty()) {
        if (auto fault = sit(*agent, asked.seat, senior, now)) return answer(asked.token, std::move(fault));
        if (auto text = phone_free({*this, asked, agent}))
            return answer(asked.token, AgentFault{"extension", AgentRefusal::conflict, std::move(*text)});
    }
    if (asked.kind == Kind::extend) return answer(asked.token, extend(*agent, asked.extend, now));

    Wish next{.reason = asked.kind == Kind::not_ready ? asked.reason : std::string(),
              .by = asked.by,
              .force = senior && asked.by != asked.jid,
              .tokens = {asked.token}};
    const bool in = agent->base != AgentBase::out;
    switch (asked.kind) {
        case Kind::login:
            if (in && !agent->wish) return answer(asked.token, {});
            next.goal = AgentBase::ready;
            break;
        case Kind::ready:
            next.goal = AgentBase::ready;
            break;
        case Kind::not_ready:
            next.goal = AgentBase::not_ready;
            break;
        case Kind::logged_out:
            if (!in && !agent->wish) return answer(asked.token, {});
            next.goal = AgentBase::out;
            break;
        case Kind::seat:
            // Signed in: in force when the queues know the new phone.
            if (!in) return answer(asked.token, {});
            next.goal = agent->base;
            next.reason = agent->reason;
            break;
        case Kind::extend:
            break;
    }
    explain(Why::agent_asked, *agent, fmt::format("{} by {}", to_string(asked.kind), asked.by), now);
    wish(*agent, std::move(next), now);
    // Who is to be out is taken out as soon as the exchange is back, but the answer cannot wait for that.
    if (!linked && agent->wish) {
        for (const auto token : agent->wish->tokens)
            answer(token,
                   AgentFault{"link", AgentRefusal::service_unavailable,
                              "the telephone exchange cannot be reached; this is done when it is back"});
        agent->wish->tokens.clear();
    }
}

}  // namespace bridge
