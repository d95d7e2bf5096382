// From what was asked for to what is in force: a wish sets what is wanted of the members, the planner works
// it off, and when nothing is left to do the members say whether it came true.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"

namespace bridge {

namespace {

bool has_queues(const Agents::Impl::Agent& agent) {
    return std::ranges::any_of(agent.members, [](const auto& m) { return m.planned || m.seen.in; });
}

// During a call nobody leaves a queue: its statistics need the member until the end.
constexpr std::string_view leaving = "logged-out";

}  // namespace

// In no queue; called by at least one; or paused in all. A pause for work after a call is ours to end.
AgentBase Agents::Impl::derive(const Agent& agent) {
    if (!has_queues(agent)) return agent.base;
    bool in = false, called = false;
    for (const auto& member : agent.members) {
        if (!member.seen.in) continue;
        in = true;
        called |= !member.seen.paused || (member.want.wrap_up && member.held);
    }
    if (!in) return AgentBase::out;
    return called ? AgentBase::ready : AgentBase::not_ready;
}

void Agents::Impl::wish(Agent& agent, Wish given, Millis now) {
    if (agent.wish) {
        for (const auto token : agent.wish->tokens)
            answer(token,
                   AgentFault{"state", AgentRefusal::conflict, "a newer request came before it was done"});
        given.before = std::move(agent.wish->before);
    } else {
        for (const auto& member : agent.members)
            given.before.emplace(std::pair{member.queue, member.interface}, member.want);
    }
    for (auto& member : agent.members) {
        member.tries = 0;
        member.failure.clear();
        member.note.clear();
    }
    agent.wish = std::move(given);
    auto& wish = *agent.wish;
    // What keeps calls away is done at once, also during a call; the rest waits for its end.
    if (!agent.in_call() || wish.goal == AgentBase::not_ready) {
        aim(agent);
    } else if (wish.goal == AgentBase::out) {
        for (auto& member : agent.members)
            if (member.want.in) member.want = {.in = true, .paused = true, .reason = std::string(leaving)};
    }
    if (!wish.system) agent.resume = AgentBase::out;
    touch(agent);
    static_cast<void>(now);
}

void Agents::Impl::aim(Agent& agent) {
    auto& wish = *agent.wish;
    wish.applied = true;
    const bool joins = agent.base == AgentBase::out;
    for (auto& member : agent.members) {
        auto& want = member.want;
        if (wish.wrap_up_over) {
            if (!want.wrap_up) continue;
            want.paused = want.wrap_up = false;
            want.reason.clear();
        } else if (wish.goal == AgentBase::ready) {
            want = {.in = member.planned};
        } else if (wish.goal == AgentBase::not_ready) {
            const bool in = member.planned ? want.in || joins : want.in;
            want = {.in = in, .paused = in, .reason = in ? wish.reason : std::string()};
        } else {
            want = {};
        }
    }
}

// Called when nothing is left to do; true when there is something again.
bool Agents::Impl::settle(Agent& agent, Millis now) {
    if (!agent.wish) return adopt(agent, now);
    auto& wish = *agent.wish;
    if (agent.in_call() && !wish.wrap_up_over) {
        const bool kept_away =
            wish.goal == AgentBase::ready || !has_queues(agent) || derive(agent) != AgentBase::ready;
        if (kept_away || wish.system) {
            promise(agent, now);
            return false;
        }
        refuse(agent, now);
        return true;
    }
    if (!wish.applied) {
        aim(agent);
        return true;
    }
    resolve(agent, now);
    return true;
}

// In force when the call ends; until then it is shown as pending.
void Agents::Impl::promise(Agent& agent, Millis now) {
    if (agent.wish->tokens.empty()) return;
    for (const auto token : std::exchange(agent.wish->tokens, {})) answer(token, {});
    explain(Why::agent_asked, agent, fmt::format("{} at the end of the call", to_string(agent.wish->goal)),
            now);
}

void Agents::Impl::resolve(Agent& agent, Millis now) {
    const auto& wish = *agent.wish;
    const auto got = has_queues(agent) ? derive(agent) : wish.goal;
    const bool only_static =
        std::ranges::all_of(agent.members, [](const auto& m) { return !m.seen.in || !m.seen.dynamic; });
    if (got == wish.goal) {
        const auto done = std::move(*std::exchange(agent.wish, std::nullopt));
        for (const auto token : done.tokens) answer(token, {});
        agent.wrap_until = Millis{0};
        if (done.wrap_up_over) return;
        agent.joined = done.goal != AgentBase::out;
        force(agent, done.goal, done.reason, done.by, now);
        return;
    }
    if (wish.goal == AgentBase::out && got == AgentBase::not_ready && only_static) {
        const auto done = std::move(*std::exchange(agent.wish, std::nullopt));
        const auto reason = system_reason(SystemReason::static_member);
        for (const auto token : done.tokens)
            answer(token, AgentFault{"static", AgentRefusal::not_allowed,
                                     "Member not dynamic: a fixed member of a queue cannot be taken out; "
                                     "paused there instead"});
        agent.wrap_until = Millis{0};
        agent.joined = false;
        force(agent, AgentBase::not_ready, reason.code, "system", now);
        return;
    }
    refuse(agent, now);
}

AgentFault Agents::Impl::fault_of(const Agent& agent) const {
    for (const auto& member : agent.members)
        if (!member.failure.empty())
            return {"pbx", member.refusal, fmt::format("queue {}: {}", member.queue, member.failure)};
    for (const auto& member : agent.members)
        if (member.seen.in && member.seen.paused && !member.held)
            return {"pbx", AgentRefusal::conflict,
                    fmt::format(
                        "queue {}: paused by another program{}; it has to be ended there", member.queue,
                        member.seen.reason.value_or("").empty() ? std::string()
                                                                : fmt::format(" ({})", *member.seen.reason))};
    return {"pbx", AgentRefusal::undefined, "the telephone exchange did not do it"};
}

// It did not come true. A person's wish is given up and what was done for it undone; of the system's, which
// keep calls away, stays what could be done.
void Agents::Impl::refuse(Agent& agent, Millis now) {
    const auto fault = fault_of(agent);
    const auto wish = std::move(*std::exchange(agent.wish, std::nullopt));
    for (const auto token : wish.tokens) answer(token, fault);
    explain(Why::agent_refused, agent, fmt::format("{}: {}", to_string(wish.goal), fault.text), now);
    if (wish.wrap_up_over) {
        agent.wrap_until = Millis{0};
    } else if (wish.goal == AgentBase::out) {
        for (auto& member : agent.members)
            if (member.seen.in)
                member.want = {.in = true, .paused = member.seen.paused, .reason = member.want.reason};
    } else if (!wish.system) {
        for (auto& member : agent.members) {
            const auto before = wish.before.find({member.queue, member.interface});
            member.want = before != wish.before.end() ? before->second : Want{};
        }
    }
}

// No wish is open: what Asterisk shows is what is in force.
bool Agents::Impl::adopt(Agent& agent, Millis now) {
    // A pause for work after a call without such work, e.g. one that a refused wish brought back.
    bool over = false;
    for (auto& member : agent.members) {
        if (!member.want.wrap_up || agent.in_call() || agent.wrap_until.count() > 0) continue;
        member.want = {.in = true};
        over = true;
    }
    if (over) return true;
    const bool foreign = std::exchange(agent.foreign, false);
    const auto got = derive(agent);
    const bool wrap_up_ended =
        foreign && agent.wrap_until.count() > 0 && has_queues(agent) &&
        std::ranges::none_of(agent.members, [](const auto& m) { return m.want.wrap_up; });
    if (wrap_up_ended) agent.wrap_until = Millis{0};
    std::string reason;
    if (got == AgentBase::not_ready)
        for (const auto& member : agent.members)
            if (member.seen.in && reason.empty()) reason = member.seen.reason.value_or(member.want.reason);
    if (got == agent.base && (!foreign || got != AgentBase::not_ready || reason == agent.reason))
        return false;
    if (got == AgentBase::out) {
        agent.joined = false;
        agent.wrap_until = Millis{0};
    }
    force(agent, got, reason, "pbx", now);
    return false;
}

void Agents::Impl::force(Agent& agent, AgentBase base, const std::string& reason, const std::string& by,
                         Millis now) {
    explain(Why::agent_changed, agent,
            fmt::format("{}{}{}, by {}", to_string(base), reason.empty() ? "" : " ", reason,
                        by == agent.person.jid ? "the operator" : by),
            now);
    agent.base = base;
    agent.reason = base == AgentBase::not_ready ? reason : std::string();
    agent.by = by == agent.person.jid ? std::string() : by;
    if (base == AgentBase::out) {
        agent.watched = false;
        agent.gone_since = Millis::max();
        agent.gone_told = agent.away_told = false;
    } else if (!agent.clients.empty()) {
        agent.watched = true;
    }
}

}  // namespace bridge
