#include "bridge/call_requests.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "bridge/printable.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

using xmpp::Condition;
using xmpp::Iq;
using xmpp::Responder;

constexpr std::string_view our_namespace = "urn:ctibridge:1";
constexpr std::size_t longest_id = 200;

std::string attribute(const pugi::xml_node& node, const char* name) {
    return node.attribute(name).as_string();
}

std::string denied(std::string_view rule) {
    return xmpp::Xml().open("denied").attr("xmlns", our_namespace).attr("rule", rule).close().take();
}

crm::DialRow audit_row(CallAction control, const std::string& jid, std::string_view call,
                       std::string_view to) {
    crm::DialRow row;
    row.id = new_uuid();
    row.jid = jid;
    row.number = printable(to, 100);
    row.at = wall_now();
    row.action = to_string(control);
    row.call = printable(call, longest_id);
    return row;
}

bool works_for(const crm::Service& service, std::string_view jid, bool as_supervisor) {
    return std::ranges::any_of(service.operators, [&](const auto& one) {
        return one.jid == jid && (one.supervisor || !as_supervisor);
    });
}

}  // namespace

bool supervises(const std::vector<crm::Service>& services, std::string_view by, std::string_view jid) {
    return std::ranges::any_of(services, [&](const auto& service) {
        return works_for(service, by, true) && works_for(service, jid, false);
    });
}

bool are_colleagues(const std::vector<crm::Service>& services, std::string_view one, std::string_view other) {
    const bool free =
        std::ranges::all_of(services, [](const auto& service) { return service.operators.empty(); });
    return free || std::ranges::any_of(services, [&](const auto& service) {
               return works_for(service, one, false) && works_for(service, other, false);
           });
}

void CallRequests::fill(xmpp::IqTable& table) {
    static constexpr CallAction by_element[] = {CallAction::answer, CallAction::hangup, CallAction::hold,
                                                CallAction::unhold, CallAction::park,   CallAction::pickup};
    for (const auto control : by_element)
        table.on(our_namespace, to_string(control), true,
                 [this, control](const Iq& iq, const Responder& responder) { ask(control, iq, responder); });
    table.on(our_namespace, "transfer", true,
             [this](const Iq& iq, const Responder& responder) { transfer(iq, responder); });
}

void CallRequests::add(PbxSide& side) {
    const auto& config = side.config();
    sides_[config.name] = &side;
    auto& place = places_
                      .emplace(config.name, Place{CallControl({.context = config.dial.context,
                                                               .pickup_patience = config.dial.timeout}),
                                                  {}})
                      .first->second;
    side.desk().set_offers([&place](const Standing& standing) { return place.control.offers(standing); });
}

const CallControl* CallRequests::control(std::string_view pbx) const {
    const auto found = places_.find(pbx);
    return found == places_.end() ? nullptr : &found->second.control;
}

// ---- what is asked ----

void CallRequests::transfer(const Iq& iq, const Responder& responder) {
    struct Mode {
        std::string_view name;
        CallAction control;
    };
    static constexpr Mode modes[] = {{"blind", CallAction::blind},
                                     {"attended", CallAction::attended},
                                     {"complete", CallAction::complete},
                                     {"cancel", CallAction::cancel}};
    const auto asked = attribute(iq.payload, "mode");
    for (const auto& mode : modes)
        if (asked == mode.name) return ask(mode.control, iq, responder);
    responder.error(Condition::bad_request, "a transfer has a mode: blind, attended, complete or cancel",
                    denied("mode"));
}

void CallRequests::ask(CallAction control, const Iq& iq, const Responder& responder) {
    const auto id = attribute(iq.payload, "id");
    // The same element answers, when it is done.
    auto told = [responder, element = std::string(iq.payload.name()), id = printable(id, longest_id)](
                    const CallActionRefusal* refusal, std::string_view slot) {
        if (refusal != nullptr)
            return responder.error(refusal->condition, refusal->text, denied(refusal->rule));
        xmpp::Xml xml;
        xml.open(element).attr("xmlns", our_namespace).attr("id", id);
        if (!slot.empty()) xml.attr("slot", slot);
        responder.result(xml.close().take());
    };
    ask({.control = control,
         .by = iq.bare,
         .on_behalf_of = attribute(iq.payload, "on-behalf-of"),
         .id = id,
         .leg = attribute(iq.payload, "leg"),
         .to = attribute(iq.payload, "to")},
        std::move(told));
}

void CallRequests::ask(const Asking& asking, Told told) {
    const auto& [control, by, other, id, leg, to] = asking;
    const auto jid = other.empty() ? by : xmpp::bare_jid(other);
    const bool may = other.empty() || ports_.may_act_for(by, jid);
    // No row for strangers: they would fill the table.
    if (ports_.operator_of(by) == nullptr && (other.empty() || !may)) {
        const CallActionRefusal stranger{"operator", Condition::forbidden,
                                         "you are not an operator here; ask the administrator"};
        return told(&stranger, {});
    }
    Asked asked{std::move(told), audit_row(control, jid, id, to), printable(leg, longest_id)};
    if (!other.empty()) asked.row.asked_by = by;
    if (!may)
        return refuse(asked, {"on-behalf-of", Condition::forbidden,
                              "only a supervisor of this operator, or an administrator, may ask on behalf of "
                              "them"});
    const auto* who = ports_.operator_of(jid);
    if (who == nullptr || !who->active)
        return refuse(asked, {"operator", Condition::forbidden,
                              other.empty() ? "you are not an operator here; ask the administrator"
                                            : "no operator has the address in on-behalf-of"});
    asked.row.extension = who->extension;
    const auto colon = id.find(':');
    if (colon == std::string::npos || colon == 0)
        return refuse(asked,
                      {"id", Condition::bad_request, "a call is named by its id, like hq:1795187329.0"});
    auto* side = ports_.pbx(std::string_view(id).substr(0, colon));
    const auto place = side != nullptr ? places_.find(side->config().name) : places_.end();
    if (place == places_.end())
        return refuse(asked, {"call", Condition::item_not_found, "you have no such call; it may be over"});
    asked.row.pbx = side->config().name;
    // Dialled, and the phone has no channel yet: there is nothing that an event could tell of.
    if (control == CallAction::hangup && side->up() && !side->desk().standing(jid, id, leg))
        if (const auto channel = side->desk().channel_of(jid, id, leg))
            return hang_up_dial(*side, *channel, std::move(asked));
    CallActionRequest request{control, jid, {}};
    if (control == CallAction::blind || control == CallAction::attended) {
        // The state first: a transfer that cannot be done must not count for the rate.
        if (auto refused =
                place->second.control.check(request, side->desk().standing(jid, id, leg), side->up()))
            return refuse(asked, *refused);
        auto target = ports_.target(jid, to);
        if (!target)
            return refuse(asked, {target.error().rule, target.error().condition, target.error().text});
        asked.row.dialed = request.exten = *target;
    }
    auto ordered = order(request, *side, place->second, id, leg);
    if (!ordered) return refuse(asked, ordered.error());
    asked.row.outcome = "accepted";
    ports_.record(asked.row);
    place->second.asked.emplace(ordered->ticket, std::move(asked));
    send(*side, *ordered);
}

CallRequests::Ordered CallRequests::order(const CallActionRequest& request, PbxSide& side, Place& place,
                                          std::string_view id, std::string_view leg) {
    if (request.control == CallAction::pickup) return pick_up(request, side, place, id, leg);
    return place.control.begin(request, side.desk().standing(request.jid, id, leg), side.up(), wall_now());
}

CallRequests::Ordered CallRequests::pick_up(const CallActionRequest& request, PbxSide& side, Place& place,
                                            std::string_view id, std::string_view leg) {
    const auto& config = side.config();
    const auto* who = ports_.operator_of(request.jid);
    auto standing = side.desk().standing({}, id, leg);
    // A call that is nobody's business is answered like one that is not there.
    if (standing && !are_colleagues(side.services().all(), request.jid, standing->jid) &&
        !ports_.may_act_for(request.jid, standing->jid))
        standing.reset();
    if (standing && standing->jid == request.jid)
        return std::unexpected(CallActionRefusal{"state", Condition::conflict,
                                                 "this call rings at your own phone: answer it there"});
    if (who->pbx != config.name || !usable_extension(who->extension))
        return std::unexpected(CallActionRefusal{"phone", Condition::not_acceptable,
                                                 "you have no phone at this telephone exchange"});
    PickupPhone phone{.channel = filled(config.channels.front(), who->extension),
                      .channel_id = "ctd-" + new_uuid(),
                      .caller_id = {},
                      .variables = {},
                      .context = config.pickup_context,
                      .exten = {}};
    if (standing) {
        phone.caller_id = standing->extension;
        if (!config.pickup_context.empty() && !config.pickup_exten.empty())
            phone.exten = filled(config.pickup_exten, standing->extension);
    }
    phone.variables = header_variables(config, phone.channel);
    return place.control.begin_pickup(request, standing, std::move(phone), side.up(), wall_now());
}

void CallRequests::hang_up_dial(PbxSide& side, const std::string& channel, Asked asked) {
    asked.row.outcome = "accepted";
    ports_.record(asked.row);
    side.submit(ami::hangup(channel), [this, asked = std::move(asked)](const ami::Reply& reply) mutable {
        if (reply.ok()) return done(asked, {});
        refuse(asked, {"pbx", condition_of(reply.message),
                       fmt::format("the telephone exchange refused: {}", printable(reply.message, 200))});
    });
}

void CallRequests::send(PbxSide& side, const CallActionOrder& order) {
    side.submit(order.action, [this, &side, ticket = order.ticket](const ami::Reply& reply) {
        if (const auto place = places_.find(side.config().name); place != places_.end())
            perform(side, place->second.control.replied(ticket, reply.outcome, reply.message));
    });
    ports_.arm();
}

// ---- what came of it ----

void CallRequests::perform(PbxSide& side, CallActionOutcome&& outcome) {
    auto& place = places_.find(side.config().name)->second;
    for (const auto& channel : outcome.hangups) side.submit(ami::hangup(channel), {});
    if (outcome.offers_changed) side.apply(side.desk().renew_offers(wall_now()));
    for (const auto& answer : outcome.answers) {
        auto asked = place.asked.extract(answer.ticket);
        if (asked.empty()) continue;
        if (answer.refusal)
            refuse(asked.mapped(), *answer.refusal);
        else
            done(asked.mapped(), answer.slot);
    }
    if (!outcome.answers.empty()) ports_.arm();
}

void CallRequests::log(Asked& asked, std::string outcome, Why why, std::string text, std::string rule) {
    asked.row.outcome = std::move(outcome);
    ports_.record(asked.row);
    Data data{{Fact::text, std::move(text)}};
    if (!rule.empty()) data.push_back({Fact::rule, std::move(rule)});
    if (!asked.row.number.empty()) data.push_back({Fact::number, asked.row.number});
    ports_.explain({wall_now(), why, asked.row.call, asked.leg, asked.row.jid, std::move(data)});
}

void CallRequests::refuse(Asked& asked, const CallActionRefusal& refusal) {
    const bool accepted = asked.row.outcome == "accepted";
    log(asked,
        accepted ? fmt::format("failed:{}", printable(refusal.text, 200))
                 : fmt::format("refused:{}", refusal.rule),
        Why::action_refused, fmt::format("{}: {}", asked.row.action, refusal.text), refusal.rule);
    asked.told(&refusal, {});
    ports_.answered();
}

void CallRequests::done(Asked& asked, std::string_view slot) {
    log(asked, "done", Why::action_done, asked.row.action, {});
    asked.told(nullptr, slot);
    ports_.answered();
}

// ---- what happens ----

void CallRequests::link(PbxSide& side, bool up) {
    const auto place = places_.find(side.config().name);
    if (place == places_.end()) return;
    if (!up) return perform(side, place->second.control.link_lost());
    side.submit(ami::list_commands(), [this, &side](const ami::Reply& reply) {
        auto found = places_.find(side.config().name);
        if (!reply.ok() || reply.response == nullptr || found == places_.end()) return;
        std::set<std::string, std::less<>> actions;
        for (const auto& header : reply.response->headers()) actions.emplace(header.name);
        found->second.control.set_rights(std::move(actions));
        side.apply(side.desk().renew_offers(wall_now()));
    });
}

void CallRequests::message(PbxSide& side, const ami::Message& message) {
    if (const auto place = places_.find(side.config().name); place != places_.end())
        perform(side, place->second.control.apply(message));
}

void CallRequests::tick(Millis now) {
    for (auto& [name, side] : sides_) perform(*side, places_.find(name)->second.control.tick(now));
}

Millis CallRequests::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [name, place] : places_) next = std::min(next, place.control.next_deadline());
    return next;
}

}  // namespace bridge
