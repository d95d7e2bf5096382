#include "xmpp/iq.hpp"

#include <algorithm>
#include <array>

#include "xmpp/xml.hpp"

namespace xmpp {
namespace {

struct ConditionRow {
    Condition condition;
    std::string_view name, type;
};

constexpr std::array conditions{
    ConditionRow{Condition::bad_request, "bad-request", "modify"},
    ConditionRow{Condition::conflict, "conflict", "cancel"},
    ConditionRow{Condition::feature_not_implemented, "feature-not-implemented", "cancel"},
    ConditionRow{Condition::forbidden, "forbidden", "auth"},
    ConditionRow{Condition::internal_server_error, "internal-server-error", "cancel"},
    ConditionRow{Condition::item_not_found, "item-not-found", "cancel"},
    ConditionRow{Condition::not_acceptable, "not-acceptable", "modify"},
    ConditionRow{Condition::not_allowed, "not-allowed", "cancel"},
    ConditionRow{Condition::remote_server_timeout, "remote-server-timeout", "wait"},
    ConditionRow{Condition::resource_constraint, "resource-constraint", "wait"},
    ConditionRow{Condition::service_unavailable, "service-unavailable", "cancel"},
    ConditionRow{Condition::undefined_condition, "undefined-condition", "cancel"},
};

constexpr std::string_view stanza_errors = "urn:ietf:params:xml:ns:xmpp-stanzas";

}  // namespace

void Responder::State::answer(std::string_view type, std::string_view content) {
    if (answered) return;
    answered = true;
    const auto to_stream = output.lock();
    if (!to_stream) return;
    Xml xml;
    xml.open("iq").attr("type", type).attr("from", to).attr("to", from).attr("id", id).raw(content).close();
    to_stream->append(xml.str());
}

Responder::State::~State() {
    if (answered) return;
    Responder::error_of(*this, Condition::internal_server_error,
                        "The request was not answered; the log may say why.", {});
}

void Responder::error_of(State& state, Condition condition, std::string_view text,
                         std::string_view extra_xml) {
    const auto* row = std::find_if(conditions.begin(), conditions.end(),
                                   [&](const auto& r) { return r.condition == condition; });
    Xml xml;
    xml.open("error").attr("type", row->type).open(row->name).attr("xmlns", stanza_errors).close();
    xml.open("text")
        .attr("xmlns", stanza_errors)
        .attr("xml:lang", "en")
        .text(text)
        .close()
        .raw(extra_xml)
        .close();
    state.answer("error", xml.str());
}

void Responder::result(std::string_view payload_xml) const {
    state_->answer("result", payload_xml);
}

void Responder::error(Condition condition, std::string_view text, std::string_view extra_xml) const {
    error_of(*state_, condition, text, extra_xml);
}

std::string_view to_string(Condition condition) {
    return std::find_if(conditions.begin(), conditions.end(),
                        [&](const auto& r) { return r.condition == condition; })
        ->name;
}

void IqTable::on(std::string_view xmlns, std::string_view element, bool set, IqHandler handler) {
    rows_.push_back({std::string(xmlns), std::string(element), set, std::move(handler)});
}

const IqHandler* IqTable::find(std::string_view xmlns, std::string_view element, bool set) const {
    for (const auto& row : rows_) {
        if (row.set == set && row.element == element && row.xmlns == xmlns) return &row.handler;
    }
    return nullptr;
}

bool IqTable::knows(std::string_view xmlns, std::string_view element) const {
    return find(xmlns, element, false) != nullptr || find(xmlns, element, true) != nullptr;
}

bool IqTable::knows(std::string_view xmlns) const {
    return std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) { return row.xmlns == xmlns; });
}

std::vector<std::string> IqTable::namespaces() const {
    std::vector<std::string> names;
    for (const auto& row : rows_) {
        if (std::find(names.begin(), names.end(), row.xmlns) == names.end()) names.push_back(row.xmlns);
    }
    return names;
}

}  // namespace xmpp
