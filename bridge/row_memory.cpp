#include "bridge/row_memory.hpp"

#include <fmt/format.h>
#include <pugixml.hpp>

#include "xmpp/xml.hpp"

namespace bridge {

namespace {

// Every text of a row and its name, read and written by the same table.
template <class Row>
struct Text {
    const char* name;
    std::string Row::* member;
};
template <class Row>
struct Time {
    const char* name;
    std::optional<crm::Millis> Row::* member;
};

constexpr Text<crm::CallRow> call_texts[] = {
    {"linkedid", &crm::CallRow::linkedid},
    {"merged", &crm::CallRow::merged_into},
    {"caller", &crm::CallRow::caller_number},
    {"name", &crm::CallRow::caller_name},
    {"dialed", &crm::CallRow::dialed_number},
    {"service", &crm::CallRow::service},
    {"queue", &crm::CallRow::queue},
    {"module", &crm::CallRow::module},
    {"record", &crm::CallRow::record},
    {"label", &crm::CallRow::label},
    {"answered_by", &crm::CallRow::answered_by},
    {"request", &crm::CallRow::request},
    {"recording", &crm::CallRow::recording},
    {"note", &crm::CallRow::note},
    {"code", &crm::CallRow::code},
    {"owner", &crm::CallRow::crm_owner},
};
constexpr Time<crm::CallRow> call_times[] = {
    {"answered", &crm::CallRow::answered}, {"wait", &crm::CallRow::wait}, {"talk", &crm::CallRow::talk}};
constexpr Text<crm::LegRow> leg_texts[] = {
    {"uniqueid", &crm::LegRow::uniqueid}, {"jid", &crm::LegRow::jid}, {"extension", &crm::LegRow::extension}};
constexpr Time<crm::LegRow> leg_times[] = {{"offered", &crm::LegRow::offered},
                                           {"answered", &crm::LegRow::answered}};

template <class Row, std::size_t T, std::size_t M>
void write(xmpp::Xml& xml, const Row& row, const Text<Row> (&texts)[T], const Time<Row> (&times)[M]) {
    for (const auto& text : texts)
        if (!(row.*text.member).empty()) xml.attr(text.name, row.*text.member);
    for (const auto& time : times)
        if (row.*time.member) xml.attr(time.name, fmt::to_string((row.*time.member)->count()));
}
template <class Row, std::size_t T, std::size_t M>
void read(const pugi::xml_node& node, Row& row, const Text<Row> (&texts)[T], const Time<Row> (&times)[M]) {
    for (const auto& text : texts) row.*text.member = node.attribute(text.name).as_string();
    for (const auto& time : times)
        if (auto attribute = node.attribute(time.name)) row.*time.member = crm::Millis{attribute.as_llong()};
}

pugi::xml_document parsed(const crm::Owed& owed) {
    pugi::xml_document document;
    if (is_row(owed)) document.load_buffer(owed.stanza.data(), owed.stanza.size());
    return document;
}

}  // namespace

bool is_row(const crm::Owed& owed) {
    return owed.jid.empty();
}

crm::Owed owed_row(const crm::CallRow& row) {
    xmpp::Xml xml;
    xml.open("call")
        .attr("direction", fmt::to_string(static_cast<int>(row.direction)))
        .attr("started", fmt::to_string(row.started.count()));
    if (!row.to_crm) xml.attr("crm", "0");
    write(xml, row, call_texts, call_times);
    return {{}, row.pbx, "call " + row.id, row.id, xml.close().take()};
}

crm::Owed owed_row(const crm::LegRow& row, std::string_view pbx) {
    xmpp::Xml xml;
    xml.open("leg");
    write(xml, row, leg_texts, leg_times);
    return {{},
            std::string(pbx),
            fmt::format("leg {} {}", row.uniqueid, row.jid),  // not the call: a merge moves the leg
            row.call,
            xml.close().take()};
}

crm::Owed owed_alive(std::string_view pbx, crm::Millis at) {
    return {{}, std::string(pbx), "alive", {}, fmt::format("<alive at='{}'/>", at.count())};
}

std::optional<crm::Millis> recalled_alive(const crm::Owed& owed) {
    auto document = parsed(owed);
    auto at = document.child("alive").attribute("at");
    if (!at) return std::nullopt;
    return crm::Millis{at.as_llong()};
}

std::optional<crm::CallRow> recalled_call(const crm::Owed& owed) {
    auto document = parsed(owed);
    auto node = document.child("call");
    if (!node) return std::nullopt;
    crm::CallRow row;
    row.id = owed.id;
    row.pbx = owed.pbx;
    if (int direction = node.attribute("direction").as_int();
        direction >= 0 && direction <= static_cast<int>(crm::Direction::internal))
        row.direction = static_cast<crm::Direction>(direction);
    row.started = crm::Millis{node.attribute("started").as_llong()};
    row.to_crm = node.attribute("crm").as_bool(true);
    read(node, row, call_texts, call_times);
    return row;
}

std::optional<crm::LegRow> recalled_leg(const crm::Owed& owed) {
    auto document = parsed(owed);
    auto node = document.child("leg");
    if (!node) return std::nullopt;
    crm::LegRow row;
    row.call = owed.id;
    read(node, row, leg_texts, leg_times);
    return row;
}

}  // namespace bridge
