// Telephone lines as contacts in the daemon: where a line is, what state it has, who may have it.
#include <algorithm>

#include "bridge/daemon_impl.hpp"
#include "bridge/dial_text.hpp"
#include "xmpp/jid.hpp"

namespace bridge {

namespace {

constexpr Millis soon{50};    // changes of a moment are told together
constexpr Millis later{200};  // the stream takes no more at present

}  // namespace

std::string Daemon::Impl::line_named(std::string_view to) {
    const auto bare = xmpp::bare_jid(to);
    const auto at = bare.find('@');
    auto local = at == std::string::npos ? std::string() : bare.substr(0, at);
    return local == own_contact ? std::string() : local;
}

// Whose phones a line is: an extension without anybody has those that the channel patterns name.
void Daemon::Impl::index_lines() {
    line_devices.clear();
    const auto add = [this](const std::string& name, const std::string& extension,
                            const std::vector<std::string>& devices) {
        if (extension.empty()) return;
        auto& all = line_devices[{name, extension}];
        all.insert(all.end(), devices.begin(), devices.end());
    };
    for (const auto& person : found_people) add(person.pbx, person.extension, person.devices);
    for (const auto& seat : own_seats) {
        const bool only = seat.pbx.empty() && sides.size() == 1;
        add(only ? sides.front()->config().name : seat.pbx, seat.extension, seat.devices);
    }
    line_contacts.review();
    arm_lines();
}

std::vector<std::string> Daemon::Impl::devices_of(const LinePlace& place) const {
    std::vector<std::string> devices;
    if (const auto known = line_devices.find({place.pbx, place.extension}); known != line_devices.end())
        devices = known->second;
    if (const auto* side = pbx(place.pbx))
        for (const auto& pattern : side->config().channels)
            devices.push_back(filled(pattern, place.extension));
    return devices;
}

std::optional<LinePlace> Daemon::Impl::line_place(std::string_view line) const {
    std::vector<std::string> names;
    for (const auto& side : sides) names.push_back(side->config().name);
    return place_of_line(line, names, [this](std::string_view name, std::string_view extension) {
        const LinePlace place{std::string(name), std::string(extension)};
        return line_devices.contains({place.pbx, place.extension}) ||
               desk_requests.has_device(place.pbx, devices_of(place));
    });
}

Sight::Ports Daemon::Impl::sight_ports() {
    return {.is_administrator = [this](std::string_view jid) { return is_administrator(jid); },
            .may_act_for = [this](std::string_view by, std::string_view jid) { return may_act_for(by, jid); },
            .are_colleagues =
                [this](std::string_view one, std::string_view other) {
                    const auto* who = operator_of(one);
                    const auto* them = operator_of(other);
                    const auto* side = them != nullptr ? pbx(them->pbx) : nullptr;
                    return who != nullptr && who->active && side != nullptr &&
                           are_colleagues(side->services().all(), one, other);
                }};
}

void Daemon::Impl::apply_see() {
    sight.configure(config.see);
    line_contacts.review();
    arm_lines();
}

// A line is of those who have its phone.
bool Daemon::Impl::may_see_line(std::string_view jid, std::string_view line) const {
    if (sight.config().states == SightConfig::States::everybody) return true;
    const auto place = line_place(line);
    if (!place) return false;
    bool anybody = false;
    for (const auto& [other, who] : people) {
        if (who.pbx != place->pbx || who.extension != place->extension) continue;
        if (sight.sees_state(jid, other)) return true;
        anybody = true;
    }
    const auto* asker = operator_of(jid);
    return !anybody && sight.sees_free_line(jid, asker != nullptr && asker->active);
}

LineContacts::Ports Daemon::Impl::line_ports() {
    return {
        .known =
            [this](std::string_view line) {
                if (line_place(line)) return LineContacts::Known::yes;
                const bool all_told =
                    mustered && std::ranges::all_of(sides, [](const auto& side) { return side->up(); });
                return all_told ? LineContacts::Known::no : LineContacts::Known::later;
            },
        .state =
            [this](std::string_view line) {
                const auto place = line_place(line);
                return place ? desk_requests.line(place->pbx, devices_of(*place)).state : LineState::unknown;
            },
        .may_see = [this](std::string_view jid, std::string_view line) { return may_see_line(jid, line); },
        .send = [this](std::string_view stanza) { return xmpp->send(stanza); },
        .keep = [this](const crm::Owed& owed,
                       std::function<void(bool)> durable) { call_log.owe(owed, std::move(durable)); },
        .drop = [this](const crm::Owed& owed) { call_log.settle(owed.jid, owed.pbx, owed.leg); }};
}

void Daemon::Impl::arm_lines() {
    if (stopping || lines_alarm.armed != Millis::max()) return;
    lines_alarm.arm(wall_now() + soon, [this] { look_at_lines(); });
}

void Daemon::Impl::look_at_lines() {
    if (stopping || !line_contacts.look()) return;
    lines_alarm.arm(wall_now() + later, [this] { look_at_lines(); });
}

}  // namespace bridge
