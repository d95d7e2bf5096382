// A component and the server it talks to, both in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "xmpp/component.hpp"

namespace xmpp::test {

using namespace std::chrono_literals;

inline const std::string header =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' "
    "from='cti.example.org' id='3BF96D32'>";

struct RecordingHandler : ComponentHandler {
    struct Message {
        std::string from, to, type, body;
    };
    void on_state(StreamState state, std::string_view detail) override { states.emplace_back(state, detail); }
    void on_presence(const Presence& presence) override { presences.push_back(presence); }
    void on_message(std::string_view from, std::string_view to, std::string_view type,
                    std::string_view body) override {
        messages.push_back({std::string(from), std::string(to), std::string(type), std::string(body)});
    }
    bool on_phone_query(std::string_view from, std::string_view node) override {
        phone_queries.emplace_back(from, node);
        return has_phone;
    }
    std::vector<std::pair<StreamState, std::string>> states;
    std::vector<Presence> presences;
    std::vector<Message> messages;
    std::vector<std::pair<std::string, std::string>> phone_queries;
    bool has_phone = false;
};

// What the component has sent, stanza by stanza.
inline std::vector<std::string> stanzas(const std::string& output) {
    pugi::xml_document document;
    const auto result = document.load_string(output.c_str(), pugi::parse_default | pugi::parse_fragment);
    EXPECT_TRUE(result) << result.description() << ": " << output;
    std::vector<std::string> found;
    for (const auto node : document.children()) {
        struct : pugi::xml_writer {
            void write(const void* data, std::size_t size) override {
                text.append(static_cast<const char*>(data), size);
            }
            std::string text;
        } writer;
        node.print(writer, "", pugi::format_raw);
        found.push_back(writer.text);
    }
    return found;
}

class ComponentTest : public ::testing::Test {
 protected:
    ComponentTest() {
        config.domain = "cti.example.org";
        config.secret = "s3cret";
        config.user_domain = "example.org";
        config.started = 0ms;
    }

    Component& component() {
        if (!component_) component_ = std::make_unique<Component>(config, table, handler);
        return *component_;
    }

    void open() {
        component().opened(now);
        opening = component().take_output();
        give(header);
        handshake = component().take_output();
    }

    void up() {
        open();
        give("<handshake/>");
        ASSERT_EQ(component().state(), StreamState::up);
        ASSERT_EQ(component().take_output(), "");
    }

    void give(std::string_view bytes) { component().received(bytes, now); }

    void give(std::string_view bytes, std::size_t chunk) {
        for (std::size_t at = 0; at < bytes.size(); at += chunk) give(bytes.substr(at, chunk));
    }

    // The one answer to `bytes`.
    pugi::xml_node answer(std::string_view bytes) {
        give(bytes);
        return only_output();
    }

    pugi::xml_node only_output() {
        const auto sent = stanzas(component().take_output());
        EXPECT_EQ(sent.size(), 1U);
        if (sent.size() != 1) return {};
        document_.load_string(sent[0].c_str(), pugi::parse_full);
        return document_.first_child();
    }

    static std::string condition(pugi::xml_node iq) {
        EXPECT_STREQ(iq.attribute("type").value(), "error");
        EXPECT_STRNE(iq.child("error").child("text").text().get(), "");
        return iq.child("error").first_child().name();
    }

    ComponentConfig config;
    IqTable table;
    RecordingHandler handler;
    Millis now{1000};
    std::string opening, handshake;

 private:
    std::unique_ptr<Component> component_;
    pugi::xml_document document_;
};

}  // namespace xmpp::test
