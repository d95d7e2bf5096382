// A lost link and the sync after it: what the lists do not show has ended unseen.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

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
    if (!impl_->before_sync) {
        impl_->before_sync = impl_->picture();
        impl_->merged_unseen = 0;
    }
}

Desk::Impl::Picture Desk::Impl::picture() const {
    Picture seen;
    for (const auto& [id, talk] : talks) {
        seen.calls.insert(id);
        for (const Ring& ring : talk.rings)
            if (ring.announced && ring.live())
                seen.rings.emplace(ring.key + ' ' + ring.jid,
                                   fmt::format("{} {} {}", to_string(ring.last.state), ring.last.id,
                                               ring.last.party_number));
    }
    return seen;
}

GapAccount Desk::Impl::account(const Picture& was, std::optional<Millis> lost_at, Millis at) const {
    const Picture is = picture();
    GapAccount gap{.pbx = config.pbx, .from = lost_at, .to = at};
    for (const auto& [key, told] : is.rings) {
        const auto found = was.rings.find(key);
        if (found == was.rings.end())
            ++gap.rings_opened;
        else if (found->second != told)
            ++gap.rings_changed;
    }
    for (const auto& [key, told] : was.rings) gap.rings_closed += is.rings.contains(key) ? 0 : 1;
    for (const std::string& id : is.calls) {
        const auto talk = talks.find(id);
        if (!was.calls.contains(id))
            ++gap.calls_begun;
        else if (talk->second.blind_until == at)
            ++gap.calls_changed;
    }
    for (const std::string& id : was.calls) gap.calls_ended += is.calls.contains(id) ? 0 : 1;
    gap.calls_merged = merged_unseen;
    gap.calls_ended = std::max(0, gap.calls_ended - merged_unseen);
    return gap;
}

// First what has ended, then what is there: a phone that rings again is a new ring.
Outcome Desk::Impl::sync_end(Millis at) {
    now = at;
    out = {};
    syncing = false;
    const std::vector<std::string> ended = end_unseen(at);
    for (Call* call : model.changed_unseen()) {
        if (call->remains) continue;
        Talk& talk = talk_of(*call);
        talk.blind_until = at;
        talk.unseen = talk.unseen || !talk.row.answered;
    }

    std::vector<Change> changes;
    changes.push_back({Change::Kind::list_complete, nullptr, nullptr, nullptr, {}, {}, {}});
    model.sync_end(at, changes);
    process(changes);

    settle_all(ended);
    for (auto& [id, talk] : talks) {
        const Call* call = model.find_call(id);
        const Leg* origin = call != nullptr ? call->origin : nullptr;
        // its OriginateResponse may have come unseen
        if (link_lost_at && talk.click_to_dial && !talk.row.answered && !talk.voicemail &&
            origin != nullptr && origin->local && origin->up_listed)
            talk.voicemail_check = at;
        if ((talk.give_up && *talk.give_up <= at) || talk.voicemail_check) waiting.insert(id);
    }
    if (link_lost_at) model.new_generation();
    const std::optional<Millis> lost_at = std::exchange(link_lost_at, std::nullopt);
    Outcome first = std::move(out);
    first.append(tick(at));
    if (lost_at || !synced_once) first.gap = account(before_sync.value_or(Picture{}), lost_at, at);
    synced_once = true;
    before_sync.reset();
    return first;
}

std::string to_string(const GapAccount& gap) {
    return fmt::format(
        "pbx={} down_ms={} calls_begun={} calls_ended={} calls_changed={} calls_merged={} rings_opened={} "
        "rings_closed={} rings_changed={} memberships_mended={}",
        gap.pbx, gap.from ? std::to_string((gap.to - *gap.from).count()) : "unknown", gap.calls_begun,
        gap.calls_ended, gap.calls_changed, gap.calls_merged, gap.rings_opened, gap.rings_closed,
        gap.rings_changed, gap.memberships_mended);
}

// Legs that the lists do not show, and dials without a leg. Returns their calls, oldest first.
std::vector<std::string> Desk::Impl::end_unseen(Millis at) {
    const Millis ended = link_lost_at.value_or(at);
    const std::vector<Leg*> lost = model.unseen();
    for (Leg* leg : lost) {
        leg->call->changed_unseen = true;
        lose(*leg, std::max(ended, leg->born), "it is not in the lists read after the gap");
    }
    // a dial whose channel came and went in the gap, or never came
    for (auto& [id, talk] : talks)
        if (Call* call = model.find_call(id);
            call != nullptr && talk.dialing && call->legs.empty() && link_lost_at) {
            talk.give_up = at;
            talk.lost = true;
        }
    return calls_without(lost);
}

void Desk::Impl::on_list_complete(const Change&, Talk*) {
    if (syncing) return;  // the sync shows the queues too; its end says when
    const std::vector<std::string> ready = std::exchange(listed, {});
    for (const std::string& uniqueid : ready) {
        Leg* leg = model.find_leg(uniqueid);
        if (leg == nullptr || leg->seen_complete) continue;
        leg->seen_complete = true;
        Talk& talk = talk_of(*leg->call);
        talk.row.started = std::min(leg->call->started, talk.row.answered.value_or(leg->call->started));
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
