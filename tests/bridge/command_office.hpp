// Ad-hoc commands run as the server hands them in, for tests: the answer as text.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "xmpp/adhoc.hpp"
#include "xmpp/xml.hpp"

namespace command_test {

class CommandOffice {
 public:
    template <class Part>
    void open(Part& part) {
        part.fill(commands_);
        commands_.fill(table_);
    }
    std::vector<std::string> offered(const std::string& bare) const {
        std::vector<std::string> nodes;
        for (const auto& item : commands_.offered_to(bare)) nodes.push_back(item.node);
        return nodes;
    }
    // Executes; with fields: as a program that knows the form.
    std::string run(const std::string& bare, const std::string& node,
                    const std::map<std::string, std::string>& fields = {}) {
        xmpp::Xml xml;
        xml.open("command").attr("xmlns", "http://jabber.org/protocol/commands").attr("node", node);
        if (!fields.empty()) xml.open("x").attr("xmlns", "jabber:x:data").attr("type", "submit");
        for (const auto& [name, value] : fields)
            xml.open("field").attr("var", name).open("value").text(value).close().close();
        if (!fields.empty()) xml.close();
        const auto text = xml.close().take();
        pugi::xml_document document;
        EXPECT_TRUE(document.load_string(text.c_str()));
        auto output = std::make_shared<xmpp::Output>();
        output->limit = 1'000'000;
        output->up = true;
        const xmpp::Iq iq{.set = true,
                          .id = "1",
                          .from = bare + "/desk",
                          .to = "cti.example.org",
                          .bare = bare,
                          .payload = document.first_child()};
        const auto* handler = table_.find("http://jabber.org/protocol/commands", "command", true);
        EXPECT_NE(handler, nullptr);
        (*handler)(iq,
                   xmpp::Responder(std::make_shared<xmpp::Responder::State>(output, iq.from, iq.to, iq.id)));
        return output->bytes;
    }

 private:
    xmpp::Commands commands_;
    xmpp::IqTable table_;
};

}  // namespace command_test
