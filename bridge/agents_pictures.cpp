// What is told of an agent: to the clients, to the log, to the next daemon.
#include <algorithm>

#include "bridge/agents_impl.hpp"

namespace bridge {

namespace {

std::string_view actions_in(AgentState state) {
    switch (state) {
        case AgentState::logged_out:
            return "ready not-ready seat";
        case AgentState::ready:
            return "not-ready logged-out seat";
        case AgentState::not_ready:
            return "ready not-ready logged-out seat";
        case AgentState::wrap_up:
            return "ready not-ready logged-out extend seat";
        default:
            return "ready not-ready logged-out";
    }
}

}  // namespace

AgentState Agents::Impl::state_of(const Agent& agent) {
    if (agent.base == AgentBase::out) return AgentState::logged_out;
    const auto any = [&](auto is) {
        return std::ranges::any_of(agent.rings, [&](const auto& ring) { return is(ring.second.state); });
    };
    if (any([](RingState s) { return s == RingState::answered; })) return AgentState::talking;
    if (any([](RingState s) { return s == RingState::held; })) return AgentState::held;
    if (agent.in_call()) return AgentState::ringing;
    if (agent.wrap_until.count() > 0) return AgentState::wrap_up;
    return agent.base == AgentBase::ready ? AgentState::ready : AgentState::not_ready;
}

AgentPicture Agents::Impl::picture(const Agent& agent) const {
    AgentPicture shown{.jid = agent.person.jid,
                       .pbx = config.pbx,
                       .extension = agent.extension,
                       .seat = agent.seat,
                       .state = state_of(agent),
                       .since = agent.shown.since,
                       .reason = agent.reason,
                       .by = agent.by};
    if (agent.wish) {
        shown.pending = to_string(agent.wish->goal);
        if (!agent.wish->reason.empty()) shown.reason = agent.wish->reason;
        if (!agent.wish->wrap_up_over) shown.by = agent.wish->by == agent.person.jid ? "" : agent.wish->by;
    }
    if (shown.state == AgentState::wrap_up) shown.until = agent.wrap_until;
    shown.actions = stopping ? "" : actions_in(shown.state);
    for (const auto& one : config.reasons)
        if (one.code == shown.reason) shown.number = one.number;
    for (auto reason : {SystemReason::client_gone, SystemReason::client_silent, SystemReason::bridge_stopped,
                        SystemReason::static_member, SystemReason::away})
        if (auto own = system_reason(reason); own.code == shown.reason) shown.number = own.number;
    for (const auto& service : services) {
        const auto who = std::ranges::find(service.operators, agent.person.jid, &crm::ServiceOperator::jid);
        if (who == service.operators.end()) continue;
        using State = AgentPicture::Service::State;
        AgentPicture::Service one{.name = service.name, .penalty = who->penalty};
        if (service.queue.empty() && agent.base != AgentBase::out) one.state = State::in;
        for (const auto& member : agent.members) {
            if (member.queue != service.queue || service.queue.empty()) continue;
            if (member.seen.in) one.state = State::in;
            if (!member.note.empty()) one.text = member.note;
            if (member.failure.empty()) continue;
            one.state = State::failed;
            one.text = member.failure;
            break;
        }
        shown.services.push_back(std::move(one));
    }
    return shown;
}

AgentMemory Agents::Impl::memory(const Agent& agent) const {
    AgentMemory kept{.jid = agent.person.jid,
                     .seat = agent.seat,
                     .reason = agent.reason,
                     .by = agent.by,
                     .base = agent.base,
                     .resume = agent.resume,
                     .since = agent.shown.since,
                     .wrap_until = agent.wrap_until,
                     .watched = agent.watched,
                     .joined = agent.joined,
                     .members = {}};
    for (const auto& member : agent.members)
        if (member.want.in || member.added || member.held)
            kept.members.push_back({.queue = member.queue,
                                    .interface = member.interface,
                                    .reason = member.held ? member.held_reason : member.want.reason,
                                    .in = member.want.in,
                                    .added = member.added,
                                    .paused = member.want.paused,
                                    .held = member.held,
                                    .wrap_up = member.want.wrap_up,
                                    .followed = member.want.followed});
    return kept;
}

void Agents::Impl::tell(Agent& agent, Millis now) {
    auto next = picture(agent);
    // A reason that is only asked for has not begun yet.
    auto reason = next.state == AgentState::not_ready ? agent.reason : std::string();
    if (next.state != agent.begun || reason != agent.begun_reason) {
        next.since = now;
        agent.begun = next.state;
        agent.begun_reason = reason;
        out.events.push_back({.jid = next.jid,
                              .pbx = next.pbx,
                              .extension = next.extension,
                              .seat = next.seat,
                              .state = std::string(to_string(next.state)),
                              .reason = std::move(reason),
                              .by = agent.by,
                              .at = now});
    }
    if (next != agent.shown) {
        const bool first = agent.shown.jid.empty();
        agent.shown = std::move(next);
        if (!first || agent.shown.state != AgentState::logged_out) out.pictures.push_back(agent.shown);
    }
    if (auto kept = memory(agent); kept != agent.kept) {
        agent.kept = std::move(kept);
        out.memories.push_back(agent.kept);
    }
}

void Agents::Impl::explain(Why why, const Agent& agent, std::string data, Millis now) {
    out.reasons.push_back({now, why, {}, {}, agent.person.jid, {{Fact::text, std::move(data)}}});
}

}  // namespace bridge
