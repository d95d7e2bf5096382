// Why the desk decided as it did: what a help desk asks for (`explain`), said once per decision.
#include "bridge/desk_impl.hpp"

namespace bridge {

void Desk::Impl::reason(Why why, const Talk* talk, std::string_view leg, std::string_view jid, Data data) {
    out.reasons.push_back({now, why, talk != nullptr ? talk->row.id : std::string(), std::string(leg),
                           std::string(jid), std::move(data)});
}

Data Desk::Impl::phone_data(const Leg& leg, std::string_view extension, Data more) const {
    Data data{{Fact::channel, leg.channel},
              {Fact::device, std::string(device_of(leg.channel))},
              {Fact::extension, std::string(extension)},
              {Fact::pattern, std::string(extensions.pattern_of(leg.channel))}};
    data.insert(data.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    return data;
}

// A channel that is no operator's leg rang.
void Desk::Impl::explain_nobody(const Talk& talk, Leg& leg, Role role, std::string_view extension) {
    if (role != Role::none || leg.explained || leg.state != ChannelState::ringing) return;
    leg.explained = true;
    const auto tell = [&](Why why) { reason(why, &talk, leg.uniqueid, {}, phone_data(leg, extension)); };
    const std::string candidate(extensions.candidate(leg.channel));
    if (leg.local) return tell(Why::ring_local_channel);
    if (candidate.empty()) return tell(talk.own ? Why::far_end_rang : Why::channel_of_no_phone);
    // A trunk fits the pattern of phones as well: PJSIP/provider.
    if (!looks_dialed(candidate) && (talk.own || talk.outside)) return tell(Why::far_end_rang);
    if (looks_dialed(candidate)) return explain_missing(talk, leg, candidate);
    reason(Why::channel_of_no_extension, &talk, leg.uniqueid, {}, phone_data(leg, candidate));
}

// A phone, and no operator of this exchange has its extension.
void Desk::Impl::explain_missing(const Talk& talk, Leg& leg, const std::string& extension) {
    leg.explained = true;
    if (&leg == leg.call->origin)
        return reason(Why::own_call_of_nobody, &talk, leg.uniqueid, {}, phone_data(leg, extension));
    const auto stranger = strangers.find(extension);
    if (stranger == strangers.end())
        return reason(Why::operator_unknown_extension, &talk, leg.uniqueid, {}, phone_data(leg, extension));
    const crm::Operator& other = stranger->second;
    const bool named = !other.pbx.empty();
    reason(named ? Why::operator_elsewhere : Why::operator_without_pbx, &talk, leg.uniqueid, other.jid,
           phone_data(leg, extension,
                      {{Fact::other, other.jid.empty() ? other.name : other.jid},
                       {Fact::pbx, named ? other.pbx : config.pbx}}));
}

}  // namespace bridge
