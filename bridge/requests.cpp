#include "bridge/requests.hpp"

#include <memory>

#include <fmt/core.h>

#include "bridge/printable.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

using xmpp::Condition;

constexpr std::string_view our_namespace = "urn:ctibridge:1";
constexpr std::string_view phone_namespace = "http://jivesoftware.com/xmlns/phone";

std::string attribute(const pugi::xml_node& node, const char* name) {
    return node.attribute(name).as_string();
}

std::string denied(std::string_view rule) {
    return xmpp::Xml().open("denied").attr("xmlns", our_namespace).attr("rule", rule).close().take();
}

// What Asterisk's refusal means, for every action.
Condition condition_of_reply(const ami::Reply& reply) {
    switch (reply.outcome) {
        case ami::Reply::Outcome::timeout:
            return Condition::remote_server_timeout;
        case ami::Reply::Outcome::link_lost:
            return Condition::service_unavailable;
        default:
            return condition_of(reply.message);
    }
}

}  // namespace

void Requests::fill(xmpp::IqTable& table) {
    struct Row {
        std::string_view xmlns, element;
        bool set;
        void (Requests::*answer)(const Iq&, const Responder&);
    };
    static constexpr Row rows[] = {
        {our_namespace, "dial", true, &Requests::dial},
        {our_namespace, "calls", false, &Requests::calls},
        {our_namespace, "me", false, &Requests::me},
        {phone_namespace, "phone-action", true, &Requests::phone_action},
    };
    for (const auto& row : rows)
        table.on(row.xmlns, row.element, row.set,
                 [this, answer = row.answer](const Iq& iq, const Responder& responder) {
                     (this->*answer)(iq, responder);
                 });
}

std::string Requests::person(const Iq& iq, const Responder& responder) {
    auto other = attribute(iq.payload, "on-behalf-of");
    if (!other.empty()) {
        auto bare = xmpp::bare_jid(other);
        if (!office_.may_act_for(iq.bare, bare)) {
            responder.error(Condition::forbidden,
                            "you may not ask on behalf of this address: supervisors and applications may, "
                            "for the operators of their services",
                            denied("on-behalf-of"));
            return {};
        }
        if (office_.operator_of(bare) != nullptr) return bare;
        responder.error(Condition::item_not_found, "no operator has the address in on-behalf-of",
                        denied("operator"));
        return {};
    }
    if (office_.operator_of(iq.bare) != nullptr || office_.is_administrator(iq.bare)) {
        office_.seen(iq.bare, iq.from);
        return iq.bare;
    }
    responder.error(Condition::forbidden, "you are not an operator here; ask the administrator",
                    denied("operator"));
    return {};
}

void Requests::dial_by_chat(const std::string& jid, const std::string& number,
                            const std::function<void(bool good, std::string text)>& told) {
    order_dial(jid, number, true, told);
}

void Requests::dial_for(const std::string& jid, const std::string& number,
                        const std::function<void(bool good, std::string text)>& told) {
    order_dial(jid, number, false, told);
}

void Requests::order_dial(const std::string& jid, const std::string& number, bool followed,
                          const std::function<void(bool good, std::string text)>& told) {
    start_dial({.jid = jid, .number = number, .service = {}, .module = {}, .record = {}, .request = {}},
               [this, told, followed](const auto& dialed) {
                   if (dialed && followed)
                       outcomes_.follow(dialed->dialing.channel_id, dialed->dialing.number,
                                        [told](const std::string& text) { told(false, text); });
                   if (dialed)
                       told(true, fmt::format("Calling {}; your phone rings first.", dialed->dialing.number));
                   else
                       told(false, dialed.error().text);
                   office_.answered();
               });
}

void Requests::refuse(const Responder& responder, const DialRefusal& refusal) {
    responder.error(refusal.condition, refusal.text, denied(refusal.rule));
    office_.answered();
}

// ---- dial ----

void Requests::dial(const Iq& iq, const Responder& responder) {
    auto jid = person(iq, responder);
    if (jid.empty()) return;
    DialRequest request{.jid = jid,
                        .number = attribute(iq.payload, "number"),
                        .service = attribute(iq.payload, "service"),
                        .module = {},
                        .record = {},
                        .request = iq.id,
                        .in_person = attribute(iq.payload, "on-behalf-of").empty()};
    if (auto record = iq.payload.child("record")) {
        request.module = attribute(record, "module");
        request.record = attribute(record, "id");
    }
    dial_for(responder, request, [this](const DialPlan& plan) {
        Notice notice;
        notice.to = plan.dialing.jid;
        notice.pbx = plan.pbx;
        notice.leg = plan.dialing.channel_id;
        notice.id = fmt::format("{}:{}", plan.pbx, plan.dialing.channel_id);
        notice.state = RingState::dialing;
        notice.direction = plan.internal ? Direction::internal : Direction::outbound;
        notice.extension = plan.dialing.extension;
        notice.at = notice.started = wall_now();
        notice.party_number = plan.dialing.number;
        notice.dialed = plan.dialing.number;
        notice.service = plan.dialing.service;
        notice.request = plan.dialing.request;
        notice.actions = "hangup";
        office_.shown(notice);
        return office_.call_xml(notice);
    });
}

void Requests::dial_for(const Responder& responder, const DialRequest& request, Accepted accepted) {
    start_dial(request, [this, responder, accepted = std::move(accepted)](const auto& dialed) {
        if (!dialed) return refuse(responder, dialed.error());
        responder.result(accepted(*dialed));
        office_.answered();
    });
}

DialFacts Requests::facts_of(const DialRequest& request) const {
    DialFacts facts;
    facts.who = office_.operator_of(request.jid);
    const auto* side = facts.who != nullptr ? office_.pbx(facts.who->pbx) : nullptr;
    if (side == nullptr) return facts;
    facts.pbx = &side->config();
    facts.link_up = side->up();
    facts.switched_off = office_.switched_off(facts.pbx->name);
    facts.going_on = side->desk().dials_of(request.jid);
    facts.service = side->services().named(request.service);
    facts.number = office_.dial_number(request.number, facts.pbx->name);
    if (!facts.number || facts.number->internal) return facts;
    auto lookup = office_.from_index(facts.number->e164.value_or(facts.number->digits), facts.pbx->name);
    // One record, or none: the wrong one in the CRM's call list is worse than an empty field.
    bool named = !request.record.empty();
    const crm::Match* only = nullptr;
    for (const auto& match : lookup.matches)
        if (named ? match.id == request.record
                  : match.quality == crm::Quality::exact && lookup.matches.size() == 1)
            only = &match;
    if (only != nullptr) {
        facts.module = only->module;
        facts.record = only->id;
        facts.label = only->label;
    }
    return facts;
}

void Requests::start_dial(const DialRequest& request, Dialed done) {
    const auto facts = facts_of(request);
    auto uuid = new_uuid();
    auto plan = dialer_.plan(request, facts, uuid, steady_now());
    if (!plan) {
        office_.explain({wall_now(),
                         Why::refused_request,
                         {},
                         {},
                         request.jid,
                         {{Fact::rule, plan.error().rule},
                          {Fact::number, request.number},
                          {Fact::text, plan.error().text}}});
        office_.record(Dialer::refused_row(request, facts, plan.error(), uuid, wall_now()), {});
        return done(plan);
    }
    plan->row.at = wall_now();
    auto* side = office_.pbx(plan->pbx);
    // Rule 8: on disk before Asterisk hears of it. The rows of the desk go first, and the log keeps their
    // order.
    side->apply(side->desk().dial(plan->dialing, wall_now()));
    office_.record(plan->row, [this, plan = *plan, done = std::move(done)](bool ok) {
        auto* pbx = office_.pbx(plan.pbx);
        if (ok && pbx != nullptr) return originate(plan, done);
        if (pbx != nullptr)
            pbx->apply(pbx->desk().dial_failed(plan.dialing.channel_id, "the call log cannot be written",
                                               wall_now()));
        done(std::unexpected(DialRefusal{"log", Condition::internal_server_error,
                                         "the call log cannot be written; tell the administrator"}));
    });
}

void Requests::originate(const DialPlan& plan, const Dialed& done) {
    auto* side = office_.pbx(plan.pbx);
    side->submit(ami::originate(plan.originate), [this, plan, done](const ami::Reply& reply) {
        if (reply.ok()) return done(plan);
        auto row = plan.row;
        row.outcome = fmt::format("failed:{}", printable(reply.message, 200));
        office_.record(row, {});
        if (auto* pbx = office_.pbx(plan.pbx); pbx != nullptr)
            pbx->apply(pbx->desk().dial_failed(plan.dialing.channel_id, reply.message, wall_now()));
        auto text = reply.outcome == ami::Reply::Outcome::refused
                        ? fmt::format("the telephone exchange refused: {}", reply.message)
                        : reply.message;
        done(std::unexpected(DialRefusal{"pbx", condition_of_reply(reply), text}));
    });
}

std::expected<std::string, DialRefusal> Requests::transfer_target(const std::string& jid,
                                                                  const std::string& number) {
    const DialRequest request{
        .jid = jid, .number = number, .service = {}, .module = {}, .record = {}, .request = {}};
    auto facts = facts_of(request);
    // A colleague may still be given a call: nothing is dialled out of the house.
    if (facts.number && facts.number->internal) facts.switched_off.clear();
    return dialer_.transfer(request, facts, steady_now());
}

// ---- calls ----

void Requests::calls(const Iq& iq, const Responder& responder) {
    auto jid = person(iq, responder);
    if (!jid.empty()) responder.result(office_.calls_xml(jid));
}

void Requests::me(const Iq& iq, const Responder& responder) {
    auto jid = person(iq, responder);
    if (jid.empty()) return;
    const auto* who = office_.operator_of(jid);
    const auto place = office_.workplace(jid);
    std::string roles;
    if (who != nullptr) roles = who->role == crm::Role::application ? "application" : "operator";
    if (place.supervisor) roles += " supervisor";
    if (office_.is_administrator(jid)) roles += roles.empty() ? "administrator" : " administrator";
    xmpp::Xml xml;
    xml.open("me").attr("xmlns", our_namespace).attr("jid", jid).attr("roles", roles);
    if (who != nullptr) {
        if (!who->name.empty()) xml.attr("name", who->name);
        if (!who->pbx.empty()) xml.attr("pbx", who->pbx);
        if (!who->extension.empty()) xml.attr("extension", who->extension);
        if (!place.seat.empty()) xml.attr("seat", place.seat);
        auto* side = office_.pbx(who->pbx);
        // What this operator can do here and now, so that a client shows no button that is refused.
        if (who->active && side != nullptr && !who->extension.empty()) {
            for (auto feature : {"dial", "history", "claim", "note", "directory"})
                xml.open("feature").attr("name", feature).close();
            for (auto feature : office_.features(*side, *who))
                xml.open("feature").attr("name", feature).close();
        }
        xml.open("feature").attr("name", "calls").close();
    }
    xml.raw(place.xml);
    responder.result(xml.close().take());
}

// ---- Spark with the phone plugin ----

void Requests::phone_action(const Iq& iq, const Responder& responder) {
    auto jid = person(iq, responder);
    if (jid.empty()) return;
    auto type = attribute(iq.payload, "type");
    if (type != "DIAL")
        return responder.error(Condition::feature_not_implemented,
                               fmt::format("the phone action `{}` is not known here", printable(type, 20)));
    std::string number = iq.payload.child("extension").text().as_string();
    if (auto colleague = iq.payload.child("jid")) {
        const auto* other = office_.operator_of(xmpp::bare_jid(colleague.text().as_string()));
        if (other == nullptr || other->extension.empty())
            return responder.error(Condition::item_not_found, "this colleague has no telephone here");
        number = other->extension;
    }
    DialRequest request{
        .jid = jid, .number = number, .service = {}, .module = {}, .record = {}, .request = iq.id};
    dial_for(responder, request, [](const DialPlan&) {
        // The library of the plugin takes no empty result.
        return xmpp::Xml()
            .open("phone-action")
            .attr("xmlns", phone_namespace)
            .attr("type", "DIAL")
            .close()
            .take();
    });
}

}  // namespace bridge
