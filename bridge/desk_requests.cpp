#include "bridge/desk_requests.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "bridge/call_requests.hpp"
#include "bridge/dial_text.hpp"
#include "bridge/dialer.hpp"
#include "bridge/printable.hpp"
#include "bridge/stanzas.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

using xmpp::Condition;

constexpr std::string_view our_namespace = "urn:ctibridge:1";
constexpr std::size_t longest_note = 4000, longest_code = 100, longest_id = 190;
constexpr std::string_view log_away =
    "the call log cannot be read at present; try again, or tell the administrator";

std::string attribute(const pugi::xml_node& node, const char* name) {
    return node.attribute(name).as_string();
}

Cause cause_of(std::string_view word) {
    for (auto cause : {Cause::hangup, Cause::no_answer, Cause::busy, Cause::rejected, Cause::cancelled,
                       Cause::answered_elsewhere, Cause::transferred, Cause::failed, Cause::lost})
        if (to_string(cause) == word) return cause;
    return Cause::none;
}

// The attributes of a small element, to be put into another one: escaped by xmpp::Xml.
class Attributes {
 public:
    Attributes() { xml_.open("a"); }
    void add(std::string_view name, std::string_view value) {
        if (!value.empty()) xml_.attr(name, value);
    }
    std::string into(std::string element, std::string_view name) {
        const auto all = xml_.close().take();
        constexpr std::size_t begin = 2, end = 2;  // "<a" and "/>"
        element.insert(1 + name.size(), all.substr(begin, all.size() - begin - end));
        return element;
    }

 private:
    xmpp::Xml xml_;
};

}  // namespace

void DeskRequests::fill(xmpp::IqTable& table) {
    struct Row {
        std::string_view element;
        bool set;
        void (DeskRequests::*answer)(const Iq&, const Responder&);
    };
    static constexpr Row rows[] = {
        {"directory", false, &DeskRequests::directory},
        {"history", false, &DeskRequests::history},
        {"claim", true, &DeskRequests::claim},
        {"note", true, &DeskRequests::note},
    };
    for (const auto& row : rows)
        table.on(our_namespace, row.element, row.set,
                 [this, answer = row.answer](const Iq& iq, const Responder& responder) {
                     (this->*answer)(iq, responder);
                 });
}

void DeskRequests::message(const PbxSide& side, const ami::Message& message) {
    lines_[side.config().name].apply(message, wall_now());
}

void DeskRequests::link_lost(const PbxSide& side) {
    lines_[side.config().name].link_lost();
}

void DeskRequests::refuse(const Responder& responder, Condition condition, std::string_view text,
                          std::string_view rule) const {
    responder.error(
        condition, text,
        xmpp::Xml().open("denied").attr("xmlns", our_namespace).attr("rule", rule).close().take());
    ports_.answered();
}

const crm::Operator* DeskRequests::person(const Iq& iq, const Responder& responder) const {
    const auto other = attribute(iq.payload, "on-behalf-of");
    const auto jid = other.empty() ? iq.bare : xmpp::bare_jid(other);
    if (!other.empty() && !ports_.may_act_for(iq.bare, jid)) {
        refuse(responder, Condition::forbidden,
               "only a supervisor of this operator, or an administrator, may ask on behalf of them",
               "on-behalf-of");
        return nullptr;
    }
    const auto* who = ports_.operator_of(jid);
    if (who == nullptr || !who->active)
        refuse(responder, Condition::forbidden,
               other.empty() ? "you are not an operator here; ask the administrator"
                             : "no operator has the address in on-behalf-of",
               "operator");
    return who != nullptr && who->active ? who : nullptr;
}

void DeskRequests::audit(const crm::Operator& who, std::string_view action, const std::string& call,
                         std::string_view outcome, std::string text) {
    const auto shown = printable(call, longest_id);
    ports_.record({.id = new_uuid(),
                   .jid = who.jid,
                   .pbx = who.pbx,
                   .extension = who.extension,
                   .number = {},
                   .dialed = {},
                   .module = {},
                   .record = {},
                   .service = {},
                   .outcome = std::string(outcome),
                   .at = wall_now(),
                   .action = std::string(action),
                   .call = shown});
    const bool done = outcome == "done";
    Data data{{Fact::text, std::move(text)}};
    if (!done) data.push_back({Fact::rule, std::string(outcome)});
    ports_.explain(
        {wall_now(), done ? Why::action_done : Why::action_refused, shown, {}, who.jid, std::move(data)});
}

// ---- colleagues ----

Lines::Line DeskRequests::line_of(const crm::Operator& who) const {
    const auto* side = ports_.pbx(who.pbx);
    if (side == nullptr) return {};
    auto devices = who.devices;
    for (const auto& pattern : side->config().channels) devices.push_back(filled(pattern, who.extension));
    return line(who.pbx, devices);
}

Lines::Line DeskRequests::line(std::string_view pbx, std::span<const std::string> devices) const {
    const auto* side = ports_.pbx(pbx);
    const auto lines = lines_.find(pbx);
    return side == nullptr || lines == lines_.end() || !side->up() ? Lines::Line{}
                                                                   : lines->second.of(devices);
}

bool DeskRequests::has_device(std::string_view pbx, std::span<const std::string> devices) const {
    const auto lines = lines_.find(pbx);
    return lines != lines_.end() && lines->second.has(devices);
}

std::string DeskRequests::colleague_xml(const crm::Operator& asker, const crm::Operator& other) const {
    const bool sees = ports_.sees_state(asker.jid, other.jid);
    const auto line = sees ? line_of(other) : Lines::Line{};
    xmpp::Xml xml;
    xml.open("colleague").attr("jid", other.jid);
    if (!other.name.empty()) xml.attr("name", other.name);
    xml.attr("extension", other.extension).attr("pbx", other.pbx);
    if (line.state != LineState::unknown) xml.attr("state", to_string(line.state));
    if (line.since.count() > 0) xml.attr("since", iso8601(line.since));
    if (ports_.agent && sees)
        if (const auto agent = ports_.agent(other.jid); !agent.empty()) xml.attr("agent", agent);
    // What <pickup/> names. A phone at rest has none: most have not to be looked for.
    const auto* side = ports_.pbx(other.pbx);
    if (side == nullptr || !sees || line.state == LineState::idle || line.state == LineState::unavailable)
        return xml.close().take();
    const auto rings = side->desk().standings();
    const auto ring = std::ranges::find_if(
        rings, [&](const Standing& one) { return one.jid == other.jid && one.state == RingState::ringing; });
    if (ring != rings.end() && (are_colleagues(side->services().all(), asker.jid, other.jid) ||
                                ports_.may_act_for(asker.jid, other.jid)))
        xml.attr("call", ring->id).attr("leg", ring->leg);
    return xml.close().take();
}

void DeskRequests::directory(const Iq& iq, const Responder& responder) {
    const auto* who = person(iq, responder);
    if (who == nullptr) return;
    std::vector<const crm::Operator*> colleagues;
    for (const auto* other : ports_.people())
        if (other->active && other->jid != who->jid && other->pbx == who->pbx &&
            usable_extension(other->extension) && other->extension != who->extension &&
            ports_.may_be_called(other->extension))
            colleagues.push_back(other);
    std::ranges::sort(colleagues, [](const auto* a, const auto* b) {
        return std::tie(a->name, a->extension, a->jid) < std::tie(b->name, b->extension, b->jid);
    });
    xmpp::Xml xml;
    xml.open("directory").attr("xmlns", our_namespace);
    for (const auto* other : colleagues) xml.raw(colleague_xml(*who, *other));
    responder.result(xml.close().take());
}

// ---- the past ----

std::string DeskRequests::past_xml(const std::string& jid, const crm::PastCall& call) const {
    const auto& row = call.row;
    Notice notice;
    notice.to = jid;
    notice.pbx = row.pbx;
    notice.leg = call.leg.empty() ? row.linkedid : call.leg;
    notice.id = row.id;
    notice.state = RingState::ended;
    notice.direction = row.direction;
    notice.cause = cause_of(call.cause);
    notice.extension = call.extension;
    notice.started = row.started;
    notice.at = row.ended.value_or(row.started);
    const bool theirs = row.direction == Direction::outbound ||
                        (row.direction == Direction::internal && row.caller_number == call.extension);
    notice.party_number = theirs ? row.dialed_number : row.caller_number;
    if (!theirs) notice.party_name = row.caller_name;
    notice.withheld = notice.party_number == "anonymous";
    if (!theirs) notice.dialed = row.dialed_number;
    notice.queue = row.queue;
    if (row.wait && !row.queue.empty()) notice.waited = static_cast<int>(row.wait->count() / 1000);
    notice.service = row.service;
    Attributes more;
    more.add("disposition", word(row.disposition));
    more.add("answered-by", row.answered_by);
    if (row.talk) more.add("talk", fmt::to_string(row.talk->count() / 1000));
    more.add("claimed-by", call.claimed_by);
    if (call.claimed_at) more.add("claimed-at", iso8601(*call.claimed_at));
    more.add("code", row.code);
    more.add("note", row.note);
    return more.into(ports_.past_call_xml(notice), "call");
}

void DeskRequests::history(const Iq& iq, const Responder& responder) {
    const auto* who = person(iq, responder);
    if (who == nullptr) return;
    static constexpr std::pair<std::string_view, crm::PastKind> kinds[] = {
        {"", crm::PastKind::all},
        {"all", crm::PastKind::all},
        {"missed", crm::PastKind::missed},
        {"abandoned", crm::PastKind::abandoned}};
    const auto kind = attribute(iq.payload, "kind"), max = attribute(iq.payload, "max");
    const auto* known = std::ranges::find(kinds, kind, &std::pair<std::string_view, crm::PastKind>::first);
    if (known == std::end(kinds))
        return refuse(responder, Condition::bad_request, "a history is of the kind all, missed or abandoned",
                      "kind");
    crm::PastQuestion question{.jid = who->jid,
                               .pbx = who->pbx,
                               .kind = known->second,
                               .before = attribute(iq.payload, "before").substr(0, longest_id)};
    if (!max.empty()) {
        const auto [end, error] = std::from_chars(max.data(), max.data() + max.size(), question.max);
        if (error != std::errc{} || end != max.data() + max.size() || question.max == 0)
            return refuse(responder, Condition::bad_request, "max is a number of calls, 1 to 100", "max");
    }
    ports_.past->history(question, [this, responder, jid = who->jid](const auto& calls) {
        if (!calls) return refuse(responder, Condition::service_unavailable, log_away, "log");
        xmpp::Xml xml;
        xml.open("history").attr("xmlns", our_namespace);
        for (const auto& call : *calls) xml.raw(past_xml(jid, call));
        responder.result(xml.close().take());
        ports_.answered();
    });
}

void DeskRequests::claim(const Iq& iq, const Responder& responder) {
    const auto* who = person(iq, responder);
    if (who == nullptr) return;
    const auto id = attribute(iq.payload, "id");
    if (id.empty() || id.size() > longest_id)
        return refuse(responder, Condition::bad_request, "a call is named by its id, like hq:1795187329.0",
                      "id");
    ports_.past->claim(who->jid, who->pbx, id, [this, responder, who = *who, id](const auto& answer) {
        claimed(responder, who, id, answer);
    });
}

void DeskRequests::claimed(const Responder& responder, const crm::Operator& who, const std::string& id,
                           const crm::Sql<crm::Claim>& claim) {
    if (!claim) {
        audit(who, "claim", id, "failed:log", fmt::format("claim: {}", log_away));
        return refuse(responder, Condition::service_unavailable, log_away, "log");
    }
    if (!claim->known) {
        audit(who, "claim", id, "refused:call", "claim: no such call");
        return refuse(responder, Condition::item_not_found,
                      "there is no such call that nobody answered, or it is not yours", "call");
    }
    const auto at = iso8601(claim->at.value_or(Millis{0}));
    if (claim->by != who.jid) {
        const auto* other = ports_.operator_of(claim->by);
        const auto name = other != nullptr && !other->name.empty() ? other->name : claim->by;
        audit(who, "claim", id, "refused:claimed", fmt::format("claim: {} has it", name));
        return refuse(responder, Condition::conflict, fmt::format("{} has taken this call, at {}", name, at),
                      "claimed");
    }
    audit(who, "claim", id, "done", "claim");
    xmpp::Xml xml;
    xml.open("claimed").attr("xmlns", our_namespace).attr("id", id).attr("by", who.jid);
    if (!who.name.empty()) xml.attr("name", who.name);
    const auto payload = xml.attr("at", at).close().take();
    auto others = claim->concerned;
    std::erase(others, who.jid);
    ports_.tell(others, payload);
    responder.result(payload);
    ports_.answered();
}

// ---- notes ----

void DeskRequests::note(const Iq& iq, const Responder& responder) {
    const auto* who = person(iq, responder);
    if (who == nullptr) return;
    const NoteOf note{.jid = who->jid,
                      .id = attribute(iq.payload, "id"),
                      .text = iq.payload.text().as_string(),
                      .code = attribute(iq.payload, "code")};
    if (note.id.empty() || note.id.size() > longest_id)
        return refuse(responder, Condition::bad_request, "a call is named by its id, like hq:1795187329.0",
                      "id");
    if (note.text.empty() && note.code.empty())
        return refuse(responder, Condition::bad_request, "a note has a text, a code, or both", "note");
    if (note.text.size() > longest_note || note.code.size() > longest_code)
        return refuse(responder, Condition::not_acceptable,
                      fmt::format("a note has at most {} bytes, a code {}", longest_note, longest_code),
                      "note");
    const bool anybody = ports_.is_administrator(iq.bare);
    if (auto live = ports_.live_call(note.id)) {
        if (!anybody && !ports_.took_part(note.id, who->jid))
            return refuse(responder, Condition::item_not_found, "you had no such call", "call");
        return write_note(responder, note, std::move(*live));
    }
    ports_.past->finished(who->jid, anybody, note.id, [this, responder, note](auto found) {
        if (!found) return refuse(responder, Condition::service_unavailable, log_away, "log");
        if (!*found) return refuse(responder, Condition::item_not_found, "you had no such call", "call");
        auto row = std::move((*found)->row);
        // Who answered is the owner in the CRM; the table does not say it in the CRM's words.
        if (const auto* owner = ports_.operator_of(row.answered_by.empty() ? note.jid : row.answered_by))
            row.crm_owner = owner->crm_user;
        write_note(responder, note, std::move(row));
    });
}

void DeskRequests::write_note(const Responder& responder, const NoteOf& note, crm::CallRow row) {
    const auto* who = ports_.operator_of(note.jid);
    const auto* side = ports_.pbx(row.pbx);
    const auto* service = side != nullptr ? side->services().named(row.service) : nullptr;
    if (who == nullptr)
        return refuse(responder, Condition::forbidden, "you are not an operator here", "operator");
    if (!note.code.empty() && service != nullptr && !service->codes.empty() &&
        std::ranges::none_of(service->codes, [&](const auto& one) { return one.code == note.code; })) {
        audit(*who, "note", note.id, "refused:code", "note: unknown code");
        return refuse(
            responder, Condition::not_acceptable,
            fmt::format("the service \"{}\" has no code \"{}\"", row.service, printable(note.code, 40)),
            "code");
    }
    row.note = note.text;
    row.code = note.code;
    ports_.write(row, [this, responder, note, who = *who](bool ok) {
        audit(who, "note", note.id, ok ? "done" : "failed:log", "note");
        if (!ok)
            return refuse(responder, Condition::internal_server_error,
                          "the call log cannot be written; tell the administrator", "log");
        responder.result(
            xmpp::Xml().open("note").attr("xmlns", our_namespace).attr("id", note.id).close().take());
        ports_.answered();
    });
}

}  // namespace bridge
