#include "bridge/desk.hpp"

#include <algorithm>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {

constexpr Millis dial_most{120000};  // span: a dial that never made a channel nor an answer is over

template <typename T>
void move_into(std::vector<T>& to, std::vector<T>& from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Outcome::append(Outcome&& other) {
    move_into(notices, other.notices);
    move_into(calls, other.calls);
    move_into(legs, other.legs);
    move_into(hangups, other.hangups);
    move_into(lookups, other.lookups);
    move_into(reasons, other.reasons);
}

Desk::Impl::Impl(DeskConfig configuration)
    : config(std::move(configuration)), extensions(config.channels, config.extensions) {}

void Desk::Impl::set_people(std::vector<crm::Operator> list) {
    std::erase_if(list, [&](const crm::Operator& one) {
        return one.extension.empty() || (!one.pbx.empty() && one.pbx != config.pbx);
    });
    people = std::move(list);
    by_extension.clear();
    by_jid.clear();
    std::unordered_set<std::string> numbers;
    for (std::size_t i = 0; i < people.size(); ++i) {
        numbers.insert(people[i].extension);
        by_extension.emplace(people[i].extension, i);
        if (!people[i].jid.empty()) by_jid.emplace(people[i].jid, i);
    }
    extensions.set_people(std::move(numbers));
}

std::vector<std::size_t> Desk::Impl::people_at(const std::string& extension) const {
    std::vector<std::size_t> found;
    const auto [from, to] = by_extension.equal_range(extension);
    for (auto it = from; it != to; ++it) found.push_back(it->second);
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<std::size_t> Desk::Impl::active_at(const std::string& extension) const {
    std::vector<std::size_t> found = people_at(extension);
    std::erase_if(found,
                  [&](std::size_t index) { return !people[index].active || people[index].jid.empty(); });
    return found;
}

Outcome Desk::Impl::apply(const ami::Message& message, Millis at) {
    now = at;
    out = {};
    std::vector<Change> changes;
    model.apply(message, at, changes);
    process(changes);
    return std::move(out);
}

Outcome Desk::Impl::tick(Millis at) {
    now = at;
    out = {};
    std::vector<std::string> due(waiting.begin(), waiting.end());
    std::sort(due.begin(), due.end());
    for (const std::string& id : due) {
        const auto talk = talks.find(id);
        Call* call = model.find_call(id);
        if (talk == talks.end() || call == nullptr) {
            waiting.erase(id);
            continue;
        }
        settle(talk->second, *call);
    }
    return std::move(out);
}

Outcome Desk::Impl::sync_end(Millis at) {
    now = at;
    out = {};
    syncing = false;
    std::vector<Change> changes;
    changes.push_back({Change::Kind::list_complete, nullptr, nullptr, nullptr, {}, {}, {}});
    process(changes);

    const Millis ended = link_lost_at.value_or(at);
    std::unordered_set<Call*> changed;
    for (Leg* leg : model.unseen()) {
        Talk& talk = talk_of(*leg->call);
        talk.lost = talk.lost || leg == leg->call->origin;
        model.end(*leg, std::max(ended, leg->born));
        reason(Why::lost_in_gap, &talk, leg->uniqueid, {}, "the channel is not in the lists after the gap");
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
    std::vector<Call*> closing(changed.begin(), changed.end());
    std::sort(closing.begin(), closing.end(),
              [](const Call* a, const Call* b) { return a->order < b->order; });
    for (Call* call : closing) settle(talk_of(*call), *call);
    for (auto& [id, talk] : talks)
        if (talk.give_up && *talk.give_up <= at) waiting.insert(id);
    link_lost_at.reset();
    Outcome first = std::move(out);
    first.append(tick(at));
    return first;
}

Outcome Desk::Impl::dial(const Dialing& dialing, Millis at) {
    now = at;
    out = {};
    Call& call = model.make_call(dialing.channel_id, at);
    Talk& talk = talks[call.linkedid];
    talk.own = talk.click_to_dial = talk.touched = true;
    talk.own_extension = dialing.extension;
    talk.dialing = dialing;
    talk.give_up = at + dial_most;
    crm::CallRow& row = talk.row;
    row.id = config.pbx + ":" + dialing.channel_id;
    row.pbx = config.pbx;
    row.linkedid = dialing.channel_id;
    row.caller_number = dialing.extension;
    row.request = dialing.request;
    row.module = dialing.module;
    row.record = dialing.record;
    row.label = dialing.label;
    row.service = dialing.service;
    row.started = at;
    if (const crm::Operator* person = by_jid.contains(dialing.jid) ? &people[by_jid[dialing.jid]] : nullptr) {
        row.caller_name = person->name;
        row.crm_owner = person->crm_user;
    }
    learn_number(talk, call);
    waiting.insert(call.linkedid);
    reason(Why::call_started, &talk, {}, dialing.jid, "click-to-dial");
    write(talk);
    return std::move(out);
}

Outcome Desk::Impl::dial_failed(std::string_view channel_id, std::string_view text, Millis at) {
    now = at;
    out = {};
    Call* call = model.find_call(channel_id);
    const auto found = call == nullptr ? talks.end() : talks.find(call->linkedid);
    if (found == talks.end() || !call->legs.empty()) return std::move(out);  // it lives: events tell its end
    Talk& talk = found->second;
    reason(Why::originate_refused, &talk, channel_id, talk.dialing ? talk.dialing->jid : std::string(),
           std::string(text));
    talk.refused = true;
    close(talk, *call);
    return std::move(out);
}

Desk::Desk(DeskConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Desk::~Desk() = default;

void Desk::set_people(std::vector<crm::Operator> people) {
    impl_->set_people(std::move(people));
}
Outcome Desk::apply(const ami::Message& message, Millis now) {
    return impl_->apply(message, now);
}
Outcome Desk::tick(Millis now) {
    return impl_->tick(now);
}
Outcome Desk::dial(const Dialing& dialing, Millis now) {
    return impl_->dial(dialing, now);
}

Outcome Desk::dial_failed(std::string_view channel_id, std::string_view text, Millis now) {
    return impl_->dial_failed(channel_id, text, now);
}

Outcome Desk::link_lost(Millis now) {
    impl_->out = {};
    if (!impl_->link_lost_at) impl_->link_lost_at = now;
    impl_->now = now;
    impl_->reason(Why::link_down, nullptr, {}, {}, "calls are kept until the lists are read again");
    return std::move(impl_->out);
}

void Desk::sync_begin(Millis now) {
    impl_->now = now;
    impl_->syncing = true;
    impl_->listed.clear();
    impl_->model.sync_begin();
}

Outcome Desk::sync_end(Millis now) {
    return impl_->sync_end(now);
}

std::vector<Notice> Desk::current() const {
    std::vector<Notice> all;
    for (const auto& [id, talk] : impl_->talks)
        for (const Ring& ring : talk.rings)
            if (ring.announced && ring.live()) all.push_back(ring.last);
    std::sort(all.begin(), all.end(), [](const Notice& a, const Notice& b) {
        return std::tie(a.started, a.to, a.seq) < std::tie(b.started, b.to, b.seq);
    });
    return all;
}

std::vector<Notice> Desk::current(std::string_view jid) const {
    std::vector<Notice> mine = current();
    std::erase_if(mine, [&](const Notice& notice) { return notice.to != jid; });
    return mine;
}

std::optional<std::string> Desk::channel_of(std::string_view jid, std::string_view id,
                                            std::string_view leg) const {
    for (const auto& [linkedid, talk] : impl_->talks) {
        if (talk.row.id != id) continue;
        for (const Ring& ring : talk.rings) {
            if (ring.jid != jid || !ring.live() || (!leg.empty() && ring.key != leg)) continue;
            for (const RingLeg& one : ring.legs)
                if (!one.decided && one.leg->alive()) return one.leg->uniqueid;
        }
        // dialled, and the phone has no channel yet
        if (talk.dialing && talk.dialing->jid == jid && talk.rings.empty()) return talk.dialing->channel_id;
    }
    return std::nullopt;
}

const crm::Operator* Desk::operator_by_jid(std::string_view jid) const {
    const auto found = impl_->by_jid.find(std::string(jid));
    return found == impl_->by_jid.end() ? nullptr : &impl_->people[found->second];
}

Millis Desk::next_deadline() const {
    Millis next = Millis::max();
    for (const std::string& id : impl_->waiting)
        if (const auto talk = impl_->talks.find(id); talk != impl_->talks.end())
            next = std::min(next, impl_->deadline(talk->second));
    return next;
}

std::size_t Desk::calls() const {
    return impl_->talks.size();
}

std::size_t Desk::dials_of(std::string_view jid) const {
    return static_cast<std::size_t>(std::count_if(
        impl_->talks.begin(), impl_->talks.end(),
        [&](const auto& pair) { return pair.second.dialing && pair.second.dialing->jid == jid; }));
}

}  // namespace bridge
