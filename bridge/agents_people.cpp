// Who the agents are, where they sit, and which queue members that makes.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"
#include "bridge/dial_text.hpp"

namespace bridge {

Agents::Impl::Agent* Agents::Impl::find(std::string_view jid) {
    const auto found = agents.find(jid);
    return found == agents.end() ? nullptr : &found->second;
}

const crm::Seat* Agents::Impl::seat_of(std::string_view id) const {
    const auto found = std::ranges::find(seats, id, &crm::Seat::id);
    return found == seats.end() ? nullptr : &*found;
}

std::string Agents::Impl::member_name(const Agent& agent) const {
    return agent.person.name.empty() ? agent.person.jid : agent.person.name;
}

void Agents::Impl::index() {
    by_interface.clear();
    for (const auto& [jid, agent] : agents) {
        std::set<std::string> mine(agent.aliases.begin(), agent.aliases.end());
        for (const auto& member : agent.members) mine.insert(member.interface);  // of an earlier seat
        for (const auto& interface : mine) by_interface.emplace(interface, jid);
    }
}

// Several operators may share a phone; its queue members are of the one who is at work on them, who is signed
// in there, or whom they are named after; else nobody's: a wrong one is worse.
Agents::Impl::Agent* Agents::Impl::holder(std::string_view queue, std::string_view interface,
                                          std::string_view name) {
    const auto [begin, end] = by_interface.equal_range(interface);
    if (begin == end) return nullptr;
    if (std::next(begin) == end) return find(begin->second);
    const auto first = [&](auto is) -> Agent* {
        for (auto at = begin; at != end; ++at)
            if (auto* agent = find(at->second); agent != nullptr && is(*agent)) return agent;
        return nullptr;
    };
    auto* found = first([&](const Agent& agent) {
        return agent.busy && agent.busy->queue == queue && agent.busy->interface == interface;
    });
    if (found == nullptr)
        found = first([&](const Agent& agent) { return agent.interface == interface && agent.signed_in(); });
    if (found == nullptr) found = first([&](const Agent& agent) { return member_name(agent) == name; });
    return found;
}

// Somebody else's membership of this very phone that is about to end: ours begins after it.
bool Agents::Impl::still_taken(const Agent& agent, const Member& member) {
    const auto [begin, end] = by_interface.equal_range(member.interface);
    for (auto at = begin; at != end; ++at) {
        auto* other = find(at->second);
        if (other == nullptr || other == &agent) continue;
        const auto* theirs = find_member(*other, member.queue, member.interface);
        if (theirs != nullptr && theirs->seen.in && !theirs->want.in && theirs->seen.dynamic &&
            theirs->failure.empty())
            return true;
    }
    return false;
}

Agents::Impl::Member* Agents::Impl::find_member(Agent& agent, std::string_view queue,
                                                std::string_view interface) {
    const auto found = std::ranges::find_if(
        agent.members, [&](const auto& m) { return m.queue == queue && m.interface == interface; });
    return found == agent.members.end() ? nullptr : &*found;
}

Agents::Impl::Member& Agents::Impl::member_of(Agent& agent, const std::string& queue,
                                              const std::string& interface) {
    if (auto* known = find_member(agent, queue, interface)) return *known;
    agent.members.push_back({.queue = queue, .interface = interface});
    return agent.members.back();
}

void Agents::Impl::place(Agent& agent) {
    const auto* seat = seat_of(agent.seat);
    agent.extension = seat != nullptr ? seat->extension : agent.person.extension;
    const auto& devices = seat != nullptr ? seat->devices : agent.person.devices;
    agent.aliases.clear();
    agent.interface.clear();
    if (!usable_extension(agent.extension)) return;
    const auto channel = !devices.empty()           ? devices.front()
                         : !config.channels.empty() ? filled(config.channels.front(), agent.extension)
                                                    : "PJSIP/" + agent.extension;
    agent.interface = filled(config.member, agent.extension, {}, channel);
    agent.state_interface = filled(config.state_interface, agent.extension, {}, channel);
    std::set<std::string> aliases{agent.interface, channel};
    for (const auto& pattern : config.channels) aliases.insert(filled(pattern, agent.extension));
    aliases.insert(devices.begin(), devices.end());
    agent.aliases.assign(aliases.begin(), aliases.end());
}

void Agents::Impl::refit(Agent& agent) {
    for (auto& member : agent.members) member.planned = false;
    for (const auto& service : services) {
        const auto who = std::ranges::find(service.operators, agent.person.jid, &crm::ServiceOperator::jid);
        if (who == service.operators.end() || service.queue.empty() || agent.interface.empty() ||
            !agent.known || !agent.person.active)
            continue;
        auto& member = member_of(agent, service.queue, agent.interface);
        if (member.planned) continue;  // two services, one queue: the first one's penalty
        member.planned = true;
        member.penalty = who->penalty;
        const bool leaves = agent.wish && agent.wish->goal == AgentBase::out;
        if (!agent.joined || member.want.in || leaves) continue;
        const bool wrapping =
            std::ranges::any_of(agent.members, [](const auto& other) { return other.want.wrap_up; });
        member.want = {.in = true,
                       .paused = agent.base == AgentBase::not_ready || wrapping,
                       .wrap_up = wrapping,
                       .reason = wrapping ? system_reason(SystemReason::wrap_up).code : agent.reason};
        member.failure.clear();
        member.tries = 0;
    }
    // What is on its way may make a member yet: it is forgotten when that is known.
    const auto under_way = [&](const Member& m) {
        return agent.busy && agent.busy->queue == m.queue && agent.busy->interface == m.interface;
    };
    // Who leaves altogether does so by a wish of its own, at the end of a call.
    const bool stays = agent.known && agent.person.active;
    for (auto& member : agent.members)
        if (!member.planned && stays && (member.added || agent.joined || under_way(member))) member.want = {};
    std::erase_if(agent.members, [&](const auto& m) {
        return !m.planned && !m.seen.in && !m.want.in && !m.added && !under_way(m);
    });
    touch(agent);
}

void Agents::Impl::set_roster(std::vector<crm::Operator> operators, std::vector<crm::Service> given,
                              std::vector<crm::Seat> places, Millis now) {
    std::erase_if(given, [](const auto& service) { return !service.enabled; });
    services = std::move(given);
    seats = std::move(places);
    for (auto& [jid, agent] : agents) agent.known = false;
    bool news = false;
    for (auto& person : operators) {
        if (person.jid.empty()) continue;
        auto& agent = agents[person.jid];
        agent.known = true;
        const auto before = agent.aliases;
        agent.person = std::move(person);
        if (seat_of(agent.seat) == nullptr) agent.seat.clear();
        place(agent);
        const auto members = agent.members.size();
        refit(agent);
        news |= before != agent.aliases || members != agent.members.size();
    }
    for (auto& [jid, agent] : agents) {
        if (agent.known && agent.person.active) continue;
        refit(agent);
        if (agent.signed_in()) wish(agent, {.goal = AgentBase::out, .by = "system", .system = true}, now);
    }
    index();
    if (news) relist();
}

// ---- seats ----

void Agents::Impl::move(Agent& agent, const std::string& seat) {
    agent.seat = seat;
    place(agent);
    refit(agent);
    // What was asked for at the old place is meant for the new one.
    if (agent.wish && agent.wish->applied) aim(agent);
    index();
    const auto* there = seat_of(seat);
    out.moves.push_back({.jid = agent.person.jid,
                         .seat = seat,
                         .extension = agent.extension,
                         .devices = there != nullptr ? there->devices : agent.person.devices});
}

// The rule: a seat belongs to who sits there and is signed in; an administrator or supervisor may have them
// signed out. Who is signed out has left.
std::optional<AgentFault> Agents::Impl::sit(Agent& agent, const std::string& seat, bool may_displace,
                                            Millis now) {
    if (agent.seat == seat) return {};
    if (!seat.empty() && seat_of(seat) == nullptr)
        return AgentFault{"seat", AgentRefusal::item_not_found, fmt::format("there is no seat {}", seat)};
    if (agent.in_call())
        return AgentFault{"seat", AgentRefusal::conflict, "you are on the phone: end the call first"};
    for (auto& [jid, other] : agents) {
        if (seat.empty() || &other == &agent || other.seat != seat) continue;
        if (other.signed_in() && !may_displace)
            return AgentFault{"seat", AgentRefusal::conflict,
                              fmt::format("{} sits on seat {} and is signed in", member_name(other), seat)};
        if (other.signed_in())
            wish(other,
                 {.goal = AgentBase::out,
                  .reason = system_reason(SystemReason::seat_taken).code,
                  .by = "system",
                  .system = true},
                 now);
        move(other, {});
    }
    move(agent, seat);
    return {};
}

// ---- what outlives the daemon ----

void Agents::Impl::restore(const AgentMemory& memory, Millis now) {
    auto* agent = find(memory.jid);
    if (agent == nullptr) {
        // No operator any more, but perhaps still a member of a queue: only to be taken out.
        agent = &agents[memory.jid];
        agent->person.jid = memory.jid;
        agent->known = false;
        for (const auto& member : memory.members) agent->aliases.push_back(member.interface);
    }
    agent->seat = seat_of(memory.seat) != nullptr ? memory.seat : std::string();
    if (agent->known) {
        place(*agent);
        if (!agent->seat.empty()) move(*agent, agent->seat);
    }
    agent->base = agent->known ? memory.base : AgentBase::out;
    agent->reason = memory.reason;
    agent->by = memory.by;
    agent->resume = memory.resume;
    agent->joined = memory.joined && agent->known;
    agent->watched = memory.watched;
    agent->wrap_until = agent->wrap_began = memory.wrap_until;
    agent->begun = state_of(*agent);
    if (agent->begun == AgentState::not_ready) agent->begun_reason = agent->reason;
    agent->shown.since = memory.since;
    if (agent->watched) agent->gone_since = now;
    for (const auto& kept : memory.members) {
        auto& member = member_of(*agent, kept.queue, kept.interface);
        member.added = kept.added;
        member.held = kept.held;
        member.held_reason = kept.reason;
        member.want = {.in = kept.in && agent->known,
                       .paused = kept.paused,
                       .wrap_up = kept.wrap_up,
                       .followed = kept.followed,
                       .reason = kept.reason};
    }
    refit(*agent);
}

}  // namespace bridge
