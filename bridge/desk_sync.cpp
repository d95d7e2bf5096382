// A lost link and the sync after it: what the lists do not show has ended unseen.
#include <algorithm>

#include "bridge/desk_impl.hpp"

namespace bridge {

Outcome Desk::link_lost(Millis now) {
    impl_->out = {};
    if (!impl_->link_lost_at) impl_->link_lost_at = now;
    impl_->now = now;
    impl_->asked_at.reset();
    impl_->suspects_at.reset();
    impl_->suspects.clear();
    impl_->reason(Why::link_down, nullptr, {}, {},
                  Data{{Fact::link, "pbx:" + impl_->config.pbx},
                       {Fact::text, "calls are kept until the lists are read again"}});
    return std::move(impl_->out);
}

void Desk::sync_begin(Millis now) {
    impl_->now = now;
    impl_->syncing = true;
    impl_->model.sync_begin();
}

// First what has ended, then what is there: a phone that rings again is a new ring.
Outcome Desk::Impl::sync_end(Millis at) {
    now = at;
    out = {};
    syncing = false;
    const std::vector<Call*> ended = end_unseen(at);
    for (Call* call : model.changed_unseen()) {
        Talk& talk = talk_of(*call);
        talk.blind_until = at;
        talk.unseen = talk.unseen || !talk.row.answered;
    }

    std::vector<Change> changes;
    changes.push_back({Change::Kind::list_complete, nullptr, nullptr, nullptr, {}, {}, {}});
    model.sync_end(at, changes);
    process(changes);

    for (Call* call : ended)
        if (model.find_call(call->linkedid) == call) settle(talk_of(*call), *call);
    for (auto& [id, talk] : talks)
        if (talk.give_up && *talk.give_up <= at) waiting.insert(id);
    link_lost_at.reset();
    Outcome first = std::move(out);
    first.append(tick(at));
    return first;
}

// Legs that the lists do not show, and dials without a leg. Returns their calls, oldest first.
std::vector<Call*> Desk::Impl::end_unseen(Millis at) {
    const Millis ended = link_lost_at.value_or(at);
    std::unordered_set<Call*> changed;
    for (Leg* leg : model.unseen()) {
        Talk& talk = talk_of(*leg->call);
        talk.lost = talk.lost || (leg == leg->call->origin && !leg->local);
        leg->lost = leg->call->changed_unseen = true;
        model.end(*leg, std::max(ended, leg->born));
        reason(Why::lost_in_gap, &talk, leg->uniqueid, {},
               phone_data(*leg, extensions.of_channel(leg->channel),
                          {{Fact::text, "it is not in the lists read after the gap"}}));
        for (Ring& ring : talk.rings)
            for (RingLeg& one : ring.legs)
                if (one.leg == leg && !one.decided)
                    end_leg(talk, ring, one, Cause::lost, "it ended while the link was down", *leg->ended);
        changed.insert(leg->call);
    }
    // a dial whose channel came and went in the gap, or never came
    for (auto& [id, talk] : talks)
        if (Call* call = model.find_call(id);
            call != nullptr && talk.dialing && call->legs.empty() && link_lost_at) {
            talk.give_up = at;
            talk.lost = true;
        }
    for (Call* call : changed)
        if (std::none_of(call->legs.begin(), call->legs.end(), [](const Leg* leg) { return leg->alive(); }))
            talk_of(*call).lost = true;
    std::vector<Call*> closing(changed.begin(), changed.end());
    std::sort(closing.begin(), closing.end(),
              [](const Call* a, const Call* b) { return a->order < b->order; });
    return closing;
}

void Desk::Impl::on_list_complete(const Change&, Talk*) {
    if (syncing) return;  // the sync shows the queues too; its end says when
    const std::vector<std::string> ready = std::exchange(listed, {});
    for (const std::string& uniqueid : ready) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr || leg->seen_complete) continue;
        leg->seen_complete = true;
        Talk& talk = talk_of(*leg->call);
        talk.row.started = leg->call->started;
        learn_number(talk, *leg->call);
        learn_caller(talk, *leg->call);
        touched.push_back(leg->call->linkedid);
    }
    for (const std::string& uniqueid : ready) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr) continue;
        Talk& talk = talk_of(*leg->call);
        watch(talk, *leg);
        follow(talk, *leg);
    }
}

}  // namespace bridge
