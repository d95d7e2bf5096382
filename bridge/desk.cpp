// The door of the desk: people, messages and time come in here, questions are answered. What a message
// means is in desk_changes.cpp.
#include <algorithm>

#include "bridge/append.hpp"
#include "bridge/desk_impl.hpp"

namespace bridge {

void Outcome::append(Outcome&& other) {
    move_behind(notices, other.notices);
    move_behind(calls, other.calls);
    move_behind(legs, other.legs);
    move_behind(hangups, other.hangups);
    move_behind(lookups, other.lookups);
    move_behind(callers, other.callers);
    move_behind(reasons, other.reasons);
    ask_channels = ask_channels || other.ask_channels;
    if (other.gap) gap = std::move(other.gap);
}

Desk::Impl::Impl(DeskConfig configuration)
    : config(std::move(configuration)), extensions(config.channels, config.extensions) {}

void Desk::Impl::set_people(std::vector<crm::Operator> list, std::vector<crm::Operator> elsewhere) {
    strangers.clear();
    for (crm::Operator& one : elsewhere)
        if (!one.extension.empty()) strangers.try_emplace(one.extension, std::move(one));
    std::erase_if(list, [&](const crm::Operator& one) {
        return one.extension.empty() || (!one.pbx.empty() && one.pbx != config.pbx);
    });
    people = std::move(list);
    by_extension.clear();
    by_jid.clear();
    std::unordered_set<std::string> numbers;
    std::unordered_map<std::string, std::string> devices;
    for (std::size_t i = 0; i < people.size(); ++i) {
        numbers.insert(people[i].extension);
        by_extension.emplace(people[i].extension, i);
        for (const std::string& device : people[i].devices) devices.emplace(device, people[i].extension);
        if (!people[i].jid.empty()) by_jid.emplace(people[i].jid, i);
    }
    extensions.set_people(std::move(numbers), std::move(devices));
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
    if (!check_at && !asked_at && !suspects_at) schedule_check();
    return std::move(out);
}

Outcome Desk::Impl::tick(Millis at) {
    now = at;
    out = {};
    look_for_silence();
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

Desk::Desk(DeskConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Desk::~Desk() = default;

void Desk::set_people(std::vector<crm::Operator> people, std::vector<crm::Operator> elsewhere) {
    impl_->set_people(std::move(people), std::move(elsewhere));
}

void Desk::set_services(std::vector<crm::Service> services) {
    impl_->set_services(std::move(services));
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

Outcome Desk::channels_listed(const std::optional<std::vector<std::string>>& uniqueids, Millis now) {
    return impl_->channels_listed(uniqueids, now);
}

Millis Desk::next_deadline() const {
    Millis next =
        std::min(impl_->check_at.value_or(Millis::max()), impl_->suspects_at.value_or(Millis::max()));
    for (const std::string& id : impl_->waiting)
        if (const auto talk = impl_->talks.find(id); talk != impl_->talks.end())
            next = std::min(next, impl_->deadline(talk->second));
    return next;
}

std::size_t Desk::calls() const {
    return impl_->talks.size();
}

Desk::Sizes Desk::sizes() const {
    Sizes sizes{.talks = impl_->talks.size(),
                .waiting = impl_->waiting.size(),
                .listed = impl_->listed.size(),
                .suspects = impl_->suspects.size(),
                .model = impl_->model.sizes()};
    for (const auto& [id, talk] : impl_->talks) sizes.rings += talk.rings.size();
    return sizes;
}

std::size_t Desk::dials_of(std::string_view jid) const {
    return static_cast<std::size_t>(std::count_if(
        impl_->talks.begin(), impl_->talks.end(),
        [&](const auto& pair) { return pair.second.dialing && pair.second.dialing->jid == jid; }));
}

}  // namespace bridge
