// What Asterisk shows of queue members: events as they come, lists as a whole after every link loss.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"

namespace bridge {

namespace {

int integer(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// A pause with a reason of ours is ours, whoever of our daemons made it.
bool is_system_reason(std::string_view code) {
    for (auto reason :
         {SystemReason::client_gone, SystemReason::client_silent, SystemReason::bridge_stopped,
          SystemReason::static_member, SystemReason::away, SystemReason::seat_taken, SystemReason::wrap_up})
        if (system_reason(reason).code == code) return true;
    return false;
}

std::string in_words(std::string_view queue, std::string_view what) {
    return fmt::format("queue {}: {}", queue, what);
}

}  // namespace

void Agents::Impl::apply(const ami::Message& message, Millis now) {
    struct Row {
        std::string_view event;
        bool in;            // the member is one
        bool list;          // an item of a list
        bool only_unknown;  // tells nothing new of a member we know: its other events say it in order
    };
    static constexpr Row rows[] = {
        {"QueueMemberAdded", true, false, false},    {"QueueMemberRemoved", false, false, false},
        {"QueueMemberPause", true, false, false},    {"QueueMemberPaused", true, false, false},
        {"QueueMemberPenalty", true, false, false},  {"QueueMemberStatus", true, false, true},
        {"QueueMemberRinginuse", true, false, true}, {"QueueMember", true, true, false},
    };
    if (message.kind() != ami::Message::Kind::event || !message.name().starts_with("Queue")) return;
    if (message.name() == "QueueStatusComplete" && listing) list_complete = true;
    for (const auto& row : rows)
        if (row.event == message.name()) return observe(message, row.in, row.list, row.only_unknown, now);
}

void Agents::Impl::observe(const ami::Message& message, bool in, bool list, bool only_unknown, Millis now) {
    const auto interface = list ? message.get("Location") : message.get("Interface");
    const auto name = list ? message.get("Name") : message.get("MemberName");
    const std::string queue(message.get("Queue"));
    auto* agent = holder(queue, interface, name);
    if (agent == nullptr || queue.empty()) return;
    const bool ours = std::ranges::any_of(agent->members, [&](const auto& m) { return m.queue == queue; });
    if (!ours) return;  // no queue of their services
    auto& member = member_of(*agent, queue, std::string(interface));
    member.listed = true;
    if (only_unknown && member.seen.in) return;

    const auto before = member.seen;
    auto& seen = member.seen;
    seen.in = in;
    seen.name = name;
    if (const auto value = message.find("Membership")) seen.dynamic = *value == "dynamic";
    if (const auto value = message.find("Penalty")) seen.penalty = integer(*value);
    if (const auto value = message.find("Paused")) seen.paused = in && *value == "1";
    const auto reason = message.find("PausedReason");
    seen.reason = reason ? std::optional<std::string>(*reason) : std::nullopt;
    touch(*agent);
    if (!in)  // somebody may have waited for that
        for (auto [at, end] = by_interface.equal_range(interface); at != end; ++at)
            touched.insert(at->second);

    const bool expected = agent->busy && agent->busy->queue == queue && agent->busy->interface == interface &&
                          proven(member, *agent->busy);
    if (expected && !list)
        done(*agent, member);
    else if (!list && synced)
        changed_by_others(*agent, member, before, now);
}

// The event that proves our action.
void Agents::Impl::done(Agent& agent, Member& member) {
    auto& busy = *agent.busy;
    switch (busy.step) {
        case Step::add:
            member.added = true;
            member.held = member.seen.paused;
            member.held_reason = member.seen.reason.value_or("");
            break;
        case Step::remove:
            member.added = member.held = false;
            break;
        case Step::pause:
            member.held = true;
            member.held_reason = busy.reason;
            break;
        case Step::unpause:
            member.held = false;
            break;
        case Step::penalty:
            break;
    }
    if (busy.replied) agent.busy.reset();
}

void Agents::Impl::changed_by_others(Agent& agent, Member& member, const Seen& before, Millis now) {
    auto& want = member.want;
    const auto& seen = member.seen;
    const bool comes = agent.wish && agent.wish->goal != AgentBase::out;
    const bool leaves = agent.wish && agent.wish->goal == AgentBase::out;
    const auto reason = seen.reason.value_or("");
    std::string what;
    if (seen.in != before.in) {
        // An addition under our name is ours, however late its event: who moves takes it along.
        member.added = seen.in && seen.dynamic && seen.name == member_name(agent);
        member.held = false;
        what = seen.in ? "added by another program" : "taken out by another program";
        // Who has just asked for the opposite is newer than what is under way elsewhere.
        if (seen.in && !leaves)
            want = {.in = true, .paused = seen.paused, .followed = true, .reason = reason};
        if (!seen.in && !(comes && want.in)) want = {};
    } else if (seen.in && seen.paused != before.paused) {
        member.held = false;
        what = seen.paused ? "paused by another program" : "resumed by another program";
        if (!leaves && (seen.paused || !(comes && want.paused)))
            want = {.in = true, .paused = seen.paused, .followed = true, .reason = reason};
    } else if (seen.in && seen.paused && seen.reason && reason != before.reason.value_or("")) {
        member.held = false;
        what = "paused for another reason by another program";
        if (!leaves) want = {.in = true, .paused = true, .followed = true, .reason = reason};
    } else if (seen.in && seen.penalty != before.penalty) {
        what = fmt::format("penalty {} set by another program", seen.penalty);
        member.penalty = seen.penalty;
    }
    if (what.empty()) return;
    agent.foreign = true;
    member.note = what;
    if (!reason.empty() && seen.paused) what += fmt::format(" ({})", reason);
    explain(Why::agent_by_others, agent, in_words(member.queue, what), now);
}

// From a list nobody can tell who did it, but for its marks.
void Agents::Impl::recognise(Agent& agent, Member& member) {
    const auto& seen = member.seen;
    if (seen.in && seen.dynamic && seen.name == member_name(agent)) member.added = true;
    if (!seen.in) member.added = false;
    if (!seen.in || !seen.paused) {
        member.held = false;
    } else if (seen.reason) {
        const auto& reason = *seen.reason;
        const bool wanted = member.want.paused && !member.want.followed && reason == member.want.reason;
        member.held = wanted || is_system_reason(reason) || (member.held && reason == member.held_reason);
        // Paused as it was added: the reason follows as an action of its own.
        if (reason.empty() && member.added && member.want.paused && !member.want.followed) member.held = true;
    } else {
        member.held |= member.want.paused && !member.want.followed;
    }
    if (member.held && seen.reason) member.held_reason = *seen.reason;
}

// ---- the whole list ----

void Agents::Impl::list_begins() {
    listing = true;
    synced = list_complete = false;
    for (auto& [jid, agent] : agents)
        for (auto& member : agent.members) member.listed = false;
}

// People came whose members were never listed.
void Agents::Impl::relist() {
    if (!linked) return;
    // Their items may have gone by already.
    list_again = listing;
    if (listing) return;
    list_begins();
    list_ticket = ++last_ticket;
    out.actions.push_back({list_ticket, ami::queue_status(), true});
}

void Agents::Impl::list_ends(Millis now) {
    listing = false;
    if (std::exchange(list_again, false)) return relist();
    synced = linked;
    for (auto& [jid, agent] : agents) {
        compare(agent, now);
        touch(agent);
    }
}

// Differences of a gap: what we did is put right, what others did is followed.
void Agents::Impl::compare(Agent& agent, Millis now) {
    if (agent.busy && (agent.busy->replied || !linked)) agent.busy.reset();
    for (auto& member : agent.members) {
        const bool was_added = member.added;
        if (list_complete && !member.listed) member.seen = {};
        recognise(agent, member);
        member.tries = 0;
        member.failure.clear();
        member.note.clear();
        auto& want = member.want;
        const auto& seen = member.seen;
        const auto reason = seen.reason.value_or("");
        const auto follow_it = [&](std::string_view what) {
            want = {.in = seen.in, .paused = seen.paused, .followed = true, .reason = reason};
            member.note = what;
            agent.foreign = true;
            explain(Why::agent_by_others, agent, in_words(member.queue, what), now);
        };
        std::string_view right;
        if (seen.in && !want.in) {
            if (member.added)
                right = "still a member: taken out";
            else if (!member.held)
                follow_it("a member of its own, not by us");
        } else if (!seen.in && want.in) {
            if (was_added || agent.joined || agent.wish)
                right = "no member any more: added again";
            else
                follow_it("taken out by another program");
        } else if (seen.in && seen.paused != want.paused) {
            if (seen.paused && !member.held)
                follow_it("paused by another program");
            else if (!seen.paused && want.followed)
                follow_it("resumed by another program");
            else
                right = seen.paused ? "still paused: resumed" : "not paused any more: paused again";
        } else if (seen.in && seen.paused && !member.held && seen.reason && reason != want.reason) {
            follow_it("paused for another reason by another program");
        }
        if (!right.empty() && !agent.wish)
            explain(Why::agent_put_right, agent, in_words(member.queue, right), now);
    }
}

void Agents::Impl::link_lost(Millis now) {
    linked = synced = listing = list_again = false;
    tickets.clear();
    line.clear();
    list_ticket = 0;
    for (auto& [jid, agent] : agents) {
        agent.busy.reset();
        agent.in_line = false;
        touch(agent);
        if (!agent.wish || agent.wish->tokens.empty()) continue;
        const bool stays_out = agent.wish->goal != AgentBase::ready;
        const AgentFault fault{
            "link", AgentRefusal::service_unavailable,
            stays_out ? "the link to the telephone exchange was lost; this is done when it is back"
                      : "the link to the telephone exchange was lost before it was done"};
        for (const auto token : std::exchange(agent.wish->tokens, {})) answer(token, fault);
        if (stays_out) continue;
        // The answer was no: it must not come true behind the operator's back.
        for (auto& member : agent.members) {
            const auto old = agent.wish->before.find({member.queue, member.interface});
            member.want = old != agent.wish->before.end() ? old->second : Want{};
        }
        agent.wish.reset();
    }
    static_cast<void>(now);
}

}  // namespace bridge
