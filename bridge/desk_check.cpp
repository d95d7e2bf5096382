// A Hangup that never came: nothing may be shown for ever. When a living channel has given no sign of life
// for two minutes (a talk gives none), the pbx is asked which channels live. One list for all of them, so at
// most one in two minutes. What is not in it, and still silent seconds later (its Hangup may be on the way
// behind the list), is over.
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
    std::vector<Call*> changed;
    for (const std::string& uniqueid : std::exchange(suspects, {})) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr || !leg->alive() || leg->heard + on_the_way > now) continue;
        lose(*leg, leg->heard, "the pbx does not list the channel any more, its Hangup never came");
        changed.push_back(leg->call);
    }
    std::unordered_set<Call*> settled;
    for (Call* call : changed)
        if (settled.insert(call).second) settle(talk_of(*call), *call);
    schedule_check();
}

void Desk::Impl::lose(Leg& leg, Millis at, std::string_view why) {
    Talk& talk = talk_of(*leg.call);
    at = std::max(at, talk.row.answered.value_or(at));
    talk.lost = talk.lost || &leg == leg.call->origin;
    model.end(leg, at);
    reason(Why::lost_in_gap, &talk, leg.uniqueid, {}, std::string(why));
    for (Ring& ring : talk.rings)
        for (RingLeg& one : ring.legs)
            if (one.leg == &leg && !one.decided) end_leg(talk, ring, one, Cause::lost, why, at);
}

}  // namespace bridge
