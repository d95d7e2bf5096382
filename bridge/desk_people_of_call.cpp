// Who makes a call, whom it is for, and what may be known of the caller.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

Talk& Desk::Impl::talk_of(Call& call) {
    const auto [found, fresh] = talks.try_emplace(call.linkedid);
    Talk& talk = found->second;
    if (!fresh) return talk;
    call.remains = false;
    crm::CallRow& row = talk.row;
    row.id = config.pbx + ":" + call.linkedid;
    row.pbx = config.pbx;
    row.linkedid = call.linkedid;
    if (call.reused) row.id += '~' + std::to_string(call.made.count());
    row.started = call.started;
    talk.click_to_dial = talk.own = call.linkedid.starts_with("ctd-");
    const std::string first = call.origin != nullptr ? call.origin->channel : std::string("(unknown)");
    reason(Why::call_started, &talk, call.origin != nullptr ? call.origin->uniqueid : std::string(), {},
           Data{{Fact::channel, first}, {Fact::device, std::string(device_of(first))}});
    classify(talk, call);
    learn_number(talk, call);
    learn_caller(talk, call);
    write(talk);
    return talk;
}

// Who made it: an operator, or somebody outside. The first channel tells, once it is known.
void Desk::Impl::classify(Talk& talk, const Call& call) {
    if (call.origin == nullptr || talk.classified) return;
    talk.classified = true;
    const Leg& origin = *call.origin;
    if (!talk.dialing) {
        talk.own_extension = origin.local ? local_exten(origin) : extensions.of_channel(origin.channel);
        if (origin.local && !talk.click_to_dial && !extensions.is_phone(talk.own_extension))
            talk.own_extension.clear();
    }
    talk.own = talk.click_to_dial || !talk.own_extension.empty();
    if (!talk.own || talk.dialing) return;
    talk.row.caller_number = talk.own_extension;
    const bool own_name = origin.number == talk.own_extension;
    talk.row.caller_name = colleague(talk.own_extension, own_name ? origin.name : std::string()).name;
    if (const auto there = active_at(talk.own_extension); !there.empty())
        talk.row.crm_owner = people[there.front()].crm_user;
}

// By the name we know, else by the one the exchange told.
Desk::Impl::Party Desk::Impl::colleague(const std::string& extension, const std::string& told) const {
    for (const std::size_t person : people_at(extension))
        if (!people[person].name.empty()) return {extension, people[person].name, false};
    return {extension, told == extension ? std::string() : told, false};
}

// The number a call goes to, as far as it is known.
void Desk::Impl::learn_number(Talk& talk, const Call& call) {
    classify(talk, call);
    talk.own ? learn_own_number(talk, call) : learn_inbound_number(talk, call);
}

void Desk::Impl::learn_inbound_number(Talk& talk, const Call& call) {
    crm::CallRow& row = talk.row;
    const Leg* origin = call.origin;
    row.direction = crm::Direction::inbound;
    const bool first_exten_tells = origin != nullptr && looks_dialed(origin->first_exten);
    if (row.dialed_number.empty() && first_exten_tells && !origin->listed)
        row.dialed_number = origin->first_exten;
    if (row.dialed_number.empty() || (origin != nullptr && origin->listed && !call.did.empty()))
        row.dialed_number = call.did;
    if (row.dialed_number.empty() && first_exten_tells) row.dialed_number = origin->first_exten;
}

void Desk::Impl::learn_own_number(Talk& talk, const Call& call) {
    crm::CallRow& row = talk.row;
    const Leg* origin = call.origin;
    const std::string before = row.dialed_number;
    if (talk.dialing) {
        row.dialed_number = talk.dialing->number;
    } else if (looks_dialed(call.asked_exten)) {
        row.dialed_number = call.asked_exten;
    } else if (row.dialed_number.empty() && origin != nullptr) {
        // an Originate's channel is connected with nobody else before it is up; of one that a list showed up
        // nothing better is known
        const bool connected = looks_dialed(origin->connected_number) &&
                               origin->connected_number != talk.own_extension &&
                               (origin->state != ChannelState::up || origin->up_listed);
        if (origin->listed && looks_dialed(call.did))
            row.dialed_number = call.did;
        else if (!origin->local && looks_dialed(origin->first_exten))
            row.dialed_number = origin->first_exten;
        else if (connected)
            row.dialed_number = origin->connected_number;
    }
    if (!talk.dialing && row.dialed_number != before)
        reason(Why::dialed_known, &talk, origin != nullptr ? origin->uniqueid : std::string(), {},
               Data{{Fact::extension, talk.own_extension}, {Fact::dialed, row.dialed_number}});
    const bool internal =
        row.dialed_number.empty() ? !talk.click_to_dial : extensions.is_internal(row.dialed_number);
    row.direction = internal && !talk.outside ? crm::Direction::internal : crm::Direction::outbound;
}

// Who calls, and whether it may be known.
void Desk::Impl::learn_caller(Talk& talk, const Call& call) {
    if (talk.own || call.origin == nullptr) return;
    const Leg& origin = *call.origin;
    crm::CallRow& row = talk.row;
    static constexpr std::string_view nobody[] = {"anonymous", "unknown", "unavailable", "restricted",
                                                  "withheld",  "private", "blocked"};
    std::string lower = origin.first_number;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const bool named_so = std::find(std::begin(nobody), std::end(nobody), lower) != std::end(nobody);
    const bool withheld = call.withheld || named_so || lower.empty();
    if (withheld && !talk.withheld && (call.withheld || named_so))
        reason(Why::withheld, &talk, origin.uniqueid, {},
               Data{{Fact::text, call.withheld ? "the exchange says that it may not be shown"
                                               : "the exchange names it \"" + lower + "\""},
                    {Fact::dialed, row.dialed_number}});
    talk.withheld = withheld;
    if (call.withheld || named_so) {
        row.caller_number = "anonymous";
        row.caller_name.clear();
    } else {
        row.caller_number = origin.first_number;
        // a name that comes later is the company's own, for a call that is handed on through a trunk;
        // FreePBX names a nameless caller by number
        if (!row.answered)
            row.caller_name = withheld || origin.name == origin.number ? std::string() : origin.name;
    }
    if (!withheld && !talk.looked_up) {
        talk.looked_up = true;
        reason(Why::caller_known, &talk, origin.uniqueid, {},
               Data{{Fact::number, row.caller_number},
                    {Fact::name, row.caller_name},
                    {Fact::dialed, row.dialed_number}});
        out.lookups.push_back(row.caller_number);
    }
}

}  // namespace bridge
