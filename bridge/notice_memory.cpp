#include "bridge/notice_memory.hpp"

#include <fmt/format.h>
#include <pugixml.hpp>

#include "xmpp/xml.hpp"

namespace bridge {

std::string remembered(const Notice& notice) {
    xmpp::Xml xml;
    xml.open("ring")
        .attr("state", to_string(notice.state))
        .attr("direction", fmt::to_string(static_cast<int>(notice.direction)));
    xml.attr("extension", notice.extension).attr("started", fmt::to_string(notice.started.count()));
    if (notice.withheld)
        xml.attr("withheld", "1");
    else
        xml.attr("number", notice.party_number).attr("name", notice.party_name);
    xml.attr("dialed", notice.dialed)
        .attr("queue", notice.queue)
        .attr("service", notice.service)
        .attr("request", notice.request);
    if (notice.shared) xml.attr("shared", "1");
    return xml.close().take();
}

Notice recalled(std::string_view jid, std::string_view pbx, std::string_view leg, std::string_view id,
                std::string_view text) {
    Notice notice;
    notice.to = jid;
    notice.pbx = pbx;
    notice.leg = leg;
    notice.id = id;
    pugi::xml_document document;
    document.load_buffer(text.data(), text.size());
    auto ring = document.child("ring");
    auto get = [&](const char* name) { return std::string(ring.attribute(name).as_string()); };
    for (auto state : {RingState::dialing, RingState::ringing, RingState::answered, RingState::held})
        if (get("state") == to_string(state)) notice.state = state;
    if (int direction = ring.attribute("direction").as_int();
        direction >= 0 && direction <= static_cast<int>(Direction::internal))
        notice.direction = static_cast<Direction>(direction);
    notice.extension = get("extension");
    notice.started = Millis{ring.attribute("started").as_llong()};
    notice.withheld = ring.attribute("withheld").as_bool();
    notice.party_number = get("number");
    notice.party_name = get("name");
    notice.dialed = get("dialed");
    notice.queue = get("queue");
    notice.service = get("service");
    notice.request = get("request");
    notice.shared = ring.attribute("shared").as_bool();
    return notice;
}

}  // namespace bridge
