// A Hangup that never came: nothing may be shown for ever. When a living channel has given no sign of life
// for two minutes (a talk gives none), the pbx is asked which channels live. One list for all of them, so at
// most one in two minutes. What is not in it, and still silent seconds later (its Hangup may be on the way
// behind the list), is over.
#include <algorithm>
#include <charconv>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {
constexpr Millis silent_most{120000};  // span
constexpr Millis on_the_way{5000};     // span: events wait behind a list at the longest
}  // namespace

void Desk::Impl::look_for_silence() {
    if (suspects_at && now >= *suspects_at) end_suspects();
    if (!check_at || now < *check_at) return;
    check_at.reset();
    if (link_lost_at || syncing || asked_at || suspects_at) return;  // each of them schedules the next
    if (model.silent_since(now - silent_most).empty()) {
        schedule_check();
        return;
    }
    asked_at = now;
    out.ask_channels = true;
}

// When the channel that is silent for longest will have been so for too long.
void Desk::Impl::schedule_check() {
    check_at.reset();
    for (const Leg* leg : model.silent_since(now)) {
        const Millis due = std::max(leg->heard + silent_most, now + Millis{1000});
        check_at = std::min(check_at.value_or(due), due);
    }
}

Outcome Desk::Impl::channels_listed(const std::optional<std::vector<std::string>>& uniqueids, Millis at) {
    now = at;
    out = {};
    if (!asked_at) return std::move(out);  // a sync has answered in between
    const Millis asked = *std::exchange(asked_at, std::nullopt);
    if (!uniqueids) {
        check_at = now + silent_most;
        return std::move(out);
    }
    const std::unordered_set<std::string> living(uniqueids->begin(), uniqueids->end());
    for (Leg* leg : model.silent_since(asked)) {
        if (living.contains(leg->uniqueid))
            leg->heard = now;
        else
            suspects.push_back(leg->uniqueid);
    }
    if (!suspects.empty()) suspects_at = now + on_the_way;
    schedule_check();
    return std::move(out);
}

void Desk::Impl::end_suspects() {
    suspects_at.reset();
    std::vector<Leg*> lost;
    for (const std::string& uniqueid : std::exchange(suspects, {}))
        if (Leg* leg = model.find_leg(uniqueid);
            leg != nullptr && leg->alive() && leg->heard + on_the_way <= now)
            lost.push_back(leg);
    for (Leg* leg : lost)
        lose(*leg, leg->heard, "the exchange does not list it any more, and its Hangup never came");
    settle_all(calls_without(lost));
    schedule_check();
}

// Asterisk was started after the link was lost: no channel of before lives, and a Uniqueid may come again.
void Desk::Impl::on_booted(const Change& change, Talk*) {
    int seconds = -1;
    std::from_chars(change.text.data(), change.text.data() + change.text.size(), seconds);
    if (!link_lost_at || seconds < 0 || now - std::chrono::seconds(seconds + 1) <= *link_lost_at) return;
    const std::vector<Leg*> lost = model.silent_since(now);
    for (Leg* leg : lost)
        lose(*leg, std::max(*link_lost_at, leg->born), "Asterisk was started anew while the link was down");
    settle_all(calls_without(lost));
    close_ended();
    model.new_generation();
}

// What waits for evidence gets none any more, and its Uniqueids may come again at once.
void Desk::Impl::close_ended() {
    std::vector<std::string> ended;
    for (auto& [id, talk] : talks) {
        const Call* call = model.find_call(id);
        if (call == nullptr ||
            std::any_of(call->legs.begin(), call->legs.end(), [](const Leg* leg) { return leg->alive(); }))
            continue;
        talk.no_more_evidence = true;
        if (call->legs.empty()) {
            talk.give_up = now;
            talk.lost = talk.lost || talk.dialing.has_value();
        }
        ended.push_back(id);
    }
    settle_all(ended);
}

void Desk::Impl::lose(Leg& leg, Millis at, std::string_view why) {
    Call& call = *leg.call;
    leg.lost = true;
    leg.ended_by = now;
    if (call.remains && !talks.contains(call.linkedid)) {
        model.end(leg, at);
        return;
    }
    Talk& talk = talk_of(call);
    at = std::max({at, leg.heard, talk.row.started, talk.row.answered.value_or(at)});
    talk.lost = talk.lost || (&leg == call.origin && !leg.local);
    model.end(leg, at);
    reason(Why::lost_in_gap, &talk, leg.uniqueid, {},
           phone_data(leg, extensions.of_channel(leg.channel), {{Fact::text, std::string(why)}}));
    for (Ring& ring : talk.rings)
        for (RingLeg& one : ring.legs)
            if (one.leg == &leg && !one.decided) end_leg(talk, ring, one, Cause::lost, why, at);
}

// The calls that lost these legs, oldest first. One without a living leg has ended unseen.
std::vector<std::string> Desk::Impl::calls_without(const std::vector<Leg*>& lost) {
    std::vector<Call*> calls;
    for (const Leg* leg : lost)
        if (std::find(calls.begin(), calls.end(), leg->call) == calls.end()) calls.push_back(leg->call);
    std::sort(calls.begin(), calls.end(), [](const Call* a, const Call* b) { return a->order < b->order; });
    std::vector<std::string> linkedids;
    for (Call* call : calls) {
        const bool over =
            std::none_of(call->legs.begin(), call->legs.end(), [](const Leg* leg) { return leg->alive(); });
        const auto talk = talks.find(call->linkedid);
        if (talk != talks.end()) {
            talk->second.lost = talk->second.lost || over;
            linkedids.push_back(call->linkedid);
        } else if (over) {
            model.forget(*call);
        }
    }
    return linkedids;
}

void Desk::Impl::settle_all(const std::vector<std::string>& linkedids) {
    for (const std::string& id : linkedids) {
        const auto talk = talks.find(id);
        Call* call = model.find_call(id);
        if (talk != talks.end() && call != nullptr && call->linkedid == id) settle(talk->second, *call);
    }
}

}  // namespace bridge
