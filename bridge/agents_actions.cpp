// The planner: one action at a time per operator, `window` at once per pbx, in the order the need arose.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"

namespace bridge {

namespace {

constexpr unsigned most_tries = 4;  // then somebody else is changing it back

}  // namespace

void Agents::Impl::advance(Agent& agent, Millis now) {
    // Each round that has nothing to do ends a wish or begins its next part; more than a few there never are.
    for (int round = 0; round < 8; ++round) {
        if (agent.busy || agent.in_line || !synced) return;
        if (const auto next = plan(agent)) {
            if (next->member == nullptr) return;
            agent.in_line = true;
            line.push_back(agent.person.jid);
            return;
        }
        if (!settle(agent, now)) return;
    }
}

// Somebody else's pause is theirs to end.
void Agents::Impl::follow(Agent& agent, Member& member) {
    member.want.paused = member.want.followed = true;
    member.want.wrap_up = false;
    member.want.reason = member.seen.reason.value_or("");
    member.note = "paused by another program";
    agent.foreign = true;
}

std::optional<Agents::Impl::Plan> Agents::Impl::plan(Agent& agent) {
    bool wait = false;
    for (auto& member : agent.members) {
        const auto& seen = member.seen;
        auto& want = member.want;
        if (!member.failure.empty()) continue;
        std::optional<Step> step;
        if (!seen.in) {
            if (!want.in) continue;
            if (member.planned)
                step = Step::add;
            else
                want = {};
        } else if (!want.in) {
            if (seen.dynamic)
                step = Step::remove;
            else if (!seen.paused)
                step = Step::pause;
        } else if (want.paused) {
            const bool other_reason =
                member.held && !want.followed && seen.reason && *seen.reason != want.reason;
            if (!seen.paused || other_reason) step = Step::pause;
        } else if (seen.paused) {
            if (member.held || (agent.wish && agent.wish->force))
                step = Step::unpause;
            else
                follow(agent, member);
        }
        if (!step && seen.in && want.in && member.added && seen.penalty != member.penalty)
            step = Step::penalty;
        if (!step) continue;
        if (*step == Step::add && still_taken(agent, member)) {
            wait = true;
            continue;
        }
        if (member.tries < most_tries) return Plan{&member, *step};
        member.failure = "another program keeps changing it";
        member.refusal = AgentRefusal::conflict;
    }
    if (wait) return Plan{};
    return {};
}

bool Agents::Impl::proven(const Member& member, const Busy& busy) {
    const auto& seen = member.seen;
    switch (busy.step) {
        case Step::add:
            return seen.in;
        case Step::remove:
            return !seen.in;
        case Step::pause:
            return seen.in && seen.paused && seen.reason.value_or(busy.reason) == busy.reason;
        case Step::unpause:
            return seen.in && !seen.paused;
        case Step::penalty:
            return seen.in && seen.penalty == busy.penalty;
    }
    return false;
}

void Agents::Impl::submit(Agent& agent, const Plan& next) {
    auto& member = *next.member;
    ++member.tries;
    Busy busy{.ticket = ++last_ticket,
              .step = next.step,
              .queue = member.queue,
              .interface = member.interface,
              .penalty = member.penalty};
    ami::Action action;
    switch (next.step) {
        case Step::add:
            action = ami::queue_add({.queue = member.queue,
                                     .interface = member.interface,
                                     .name = member_name(agent),
                                     .state_interface = agent.state_interface,
                                     .penalty = member.penalty,
                                     .paused = member.want.paused});
            break;
        case Step::remove:
            action = ami::queue_remove(member.queue, member.interface);
            break;
        case Step::pause:
            busy.reason =
                member.want.in ? member.want.reason : system_reason(SystemReason::static_member).code;
            action = ami::queue_pause(member.interface, true, busy.reason, member.queue);
            break;
        case Step::unpause:
            action = ami::queue_pause(member.interface, false, {}, member.queue);
            break;
        case Step::penalty:
            action = ami::queue_penalty(member.queue, member.interface, member.penalty);
            break;
    }
    tickets.emplace(busy.ticket, agent.person.jid);
    out.actions.push_back({busy.ticket, std::move(action), false});
    agent.busy = std::move(busy);
}

void Agents::Impl::pump() {
    while (synced && !line.empty() && tickets.size() < config.window) {
        const auto jid = std::move(line.front());
        line.pop_front();
        auto* agent = find(jid);
        if (agent == nullptr) continue;
        agent->in_line = false;
        if (agent->busy) continue;
        const auto next = plan(*agent);
        if (next && next->member != nullptr)
            submit(*agent, *next);
        else
            touch(*agent);  // somebody else has done it meanwhile
    }
}

// What the queue itself shows, when the events leave it open.
void Agents::Impl::query(Agent& agent) {
    auto& busy = *agent.busy;
    tickets.erase(busy.ticket);
    busy.ticket = ++last_ticket;
    busy.asking = true;
    busy.deadline = Millis::max();
    if (auto* member = find_member(agent, busy.queue, busy.interface)) member->listed = false;
    tickets.emplace(busy.ticket, agent.person.jid);
    out.actions.push_back({busy.ticket, ami::queue_status(busy.queue, busy.interface), true});
}

void Agents::Impl::replied(std::uint64_t ticket, AgentReply reply, std::string_view text, Millis now) {
    if (ticket == list_ticket) {
        list_ticket = 0;
        if (listing && reply != AgentReply::link_lost) list_ends(now);
        return;
    }
    const auto found = tickets.find(ticket);
    if (found == tickets.end()) return;
    auto* agent = find(found->second);
    tickets.erase(found);
    if (agent == nullptr || !agent->busy || agent->busy->ticket != ticket) return;
    touch(*agent);
    auto& busy = *agent->busy;
    auto* member = find_member(*agent, busy.queue, busy.interface);
    if (member == nullptr || reply == AgentReply::link_lost) {
        agent->busy.reset();
    } else if (busy.asking) {
        asked(*agent, *member, reply, text);
    } else if (reply == AgentReply::success) {
        busy.replied = true;
        busy.deadline = now + config.proof;
        if (proven(*member, busy)) agent->busy.reset();
    } else if (reply == AgentReply::timeout) {
        query(*agent);  // done or not: nobody knows
    } else {
        refused(*agent, *member, text, now);
    }
}

void Agents::Impl::asked(Agent& agent, Member& member, AgentReply reply, std::string_view text) {
    if (reply == AgentReply::success) {
        if (!member.listed) member.seen = {};
        recognise(agent, member);
    } else {
        member.failure = text;
        member.refusal = reply == AgentReply::timeout ? AgentRefusal::timeout : refusal_of(text);
    }
    agent.busy.reset();
}

void Agents::Impl::refused(Agent& agent, Member& member, std::string_view text, Millis now) {
    explain(Why::agent_refused, agent, fmt::format("queue {}: {}", member.queue, text), now);
    // It is not as we thought.
    for (const std::string_view otherwise : {"Already there", "Not there", "Interface not found"})
        if (text.contains(otherwise)) return query(agent);
    if (text.contains("Member not dynamic")) {
        member.seen.dynamic = false;
        member.note = text;
    } else {
        member.failure = text;
        member.refusal = refusal_of(text);
    }
    agent.busy.reset();
}

}  // namespace bridge
