// Any bytes behind a stream header, whole and byte by byte: the same stanzas, and gloox and pugixml read each
// of them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <gloox/parser.h>
#include <gloox/tag.h>
#include <gloox/taghandler.h>
#include <pugixml.hpp>

#include "xmpp/guard.hpp"

namespace {

void require(bool condition, std::string_view what, std::string_view detail = {}) {
    if (condition) return;
    std::cerr << what << ": " << detail << '\n';
    std::abort();
}

struct Reader final : gloox::TagHandler {
    void handleTag(gloox::Tag* tag) override {
        require(tag != nullptr, "gloox made nothing of a stanza");
        name = tag->name();
        ++count;
    }
    std::string name;
    int count = 0;
};

std::vector<std::string> guarded(std::string_view bytes, std::size_t chunk) {
    std::vector<std::string> parts;
    xmpp::Guard guard({2000, 16}, [&](xmpp::Guard::Part part, const std::string& xml) {
        parts.push_back(std::to_string(static_cast<int>(part)) + xml);
    });
    require(guard.feed("<stream:stream xmlns='jabber:component:accept' "
                       "xmlns:stream='http://etherx.jabber.org/streams' id='1'>"),
            "the header is refused");
    bool well = true;
    for (std::size_t at = 0; at < bytes.size() && well; at += chunk)
        well = guard.feed(bytes.substr(at, chunk));
    require(well == guard.fault().empty(), "a fault without a reason");
    parts.push_back(guard.fault() + std::to_string(guard.cut()));
    return parts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes(data, data + size);
    const auto whole = guarded(bytes, bytes.size() + 1);
    require(whole == guarded(bytes, 1), "byte by byte it is another stream");

    Reader reader;
    gloox::Parser parser(&reader);
    for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
        std::string xml = whole[i].substr(1);
        if (xml.empty()) continue;
        const int before = reader.count;
        std::string given = xml;
        require(parser.feed(given) == -1, "gloox refuses", xml);
        require(reader.count == before + 1, "gloox read not exactly one stanza", xml);
        if (whole[i][0] == '0') continue;
        pugi::xml_document document;
        require(bool(document.load_buffer(xml.data(), xml.size(), pugi::parse_full)), "pugixml refuses", xml);
        require(document.first_child() == document.last_child(), "not one element", xml);
        std::string name = document.first_child().name();
        if (const auto colon = name.find(':'); colon != std::string::npos) name.erase(0, colon + 1);
        require(name == reader.name, "another name", xml);
    }
    return 0;
}
