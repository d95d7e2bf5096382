// Anything behind the handshake. Byte 0xF8 lets time pass, 0xF9 takes the output, 0xFA marks, 0xFB asks a
// client, 0xFC loses the link, 0xF7 stands for the id of the last question; none of these bytes occurs in
// UTF-8.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "xmpp/component.hpp"

namespace {

void require(bool condition, std::string_view what, std::string_view detail = {}) {
    if (condition) return;
    std::cerr << what << ": " << detail << '\n';
    std::abort();
}

struct Handler final : xmpp::ComponentHandler {
    void on_state(xmpp::StreamState, std::string_view) override {}
    void on_presence(const xmpp::Presence& presence) override {
        require(!presence.bare.empty(), "presence of nobody");
    }
    void on_message(std::string_view from, std::string_view, std::string_view type,
                    std::string_view) override {
        require(xmpp::domain_of(from) == "example.org" && type != "error",
                "a message that should have been dropped", from);
    }
    bool on_phone_query(std::string_view from, std::string_view) override {
        require(xmpp::domain_of(from) == "example.org", "a stranger asks for phones", from);
        return true;
    }
};

class Peer {
 public:
    Peer() {
        table_.on("urn:ctibridge:1", "dial", true, [](const xmpp::Iq& iq, const xmpp::Responder& responder) {
            require(xmpp::domain_of(iq.from) == "example.org", "a stranger dials", iq.from);
            responder.result();
        });
        table_.on("urn:ctibridge:1", "calls", false,
                  [this](const xmpp::Iq&, const xmpp::Responder& r) { kept_.push_back(r); });
        xmpp::ComponentConfig config;
        config.domain = "cti.example.org";
        config.secret = "s";
        config.user_domain = "example.org";
        config.stanza_limit = 4000;
        config.depth_limit = 16;
        component_ = std::make_unique<xmpp::Component>(config, table_, handler_);
        component_->opened(now_);
        receive(
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
            "id='1'><handshake/>");
        require(component_->state() == xmpp::StreamState::up, "the handshake fails");
        require(!component_->take_output().empty(), "no handshake was sent");
    }

    void receive(std::string_view bytes) { component_->received(bytes, now_); }

    void act(std::uint8_t byte) {
        switch (byte) {
            case 0xF8:
                component_->tick(now_ += xmpp::Millis(7000));
                break;
            case 0xFA:
                ++asked_, component_->mark([this](bool) { ++answered_; });
                break;
            case 0xFB:
                ++asked_, component_->request("anna@example.org/x", false, "<q xmlns='r'/>",
                                              [this](const xmpp::IqAnswer&) { ++answered_; });
                break;
            case 0xFC:
                component_->closed("lost", now_);
                break;
            case 0xFD:
                kept_.clear();
                break;
            default:
                collect();
        }
        if (component_->wants_close()) component_->closed("closed", now_);
    }

    void end() {
        component_->closed("end", now_);
        kept_.clear();
        collect();
        require(asked_ == answered_, "a question was not answered exactly once");
    }
    [[nodiscard]] const std::string& last_id() const { return last_id_; }

 private:
    void collect() {
        auto output = component_->take_output();
        if (const auto end = output.find("</stream:stream>"); end != std::string::npos) output.resize(end);
        pugi::xml_document document;
        const auto result =
            document.load_buffer(output.data(), output.size(), pugi::parse_full | pugi::parse_fragment);
        require(bool(result) || output.empty() || result.status == pugi::status_no_document_element,
                result.description(), output);
        for (const auto stanza : document.children()) {
            const std::string_view name = stanza.name();
            if (name == "stream:error") continue;
            require(name == "iq" && xmpp::domain_of(stanza.attribute("from").value()) == "cti.example.org",
                    "an answer without from", output);
            require(*stanza.attribute("to").value() != 0 && *stanza.attribute("id").value() != 0,
                    "an answer without to or id", output);
            last_id_ = stanza.attribute("id").value();
        }
    }

    Handler handler_;
    xmpp::IqTable table_;
    std::vector<xmpp::Responder> kept_;
    std::unique_ptr<xmpp::Component> component_;
    xmpp::Millis now_{1000};
    std::string last_id_;
    int asked_ = 0, answered_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Peer peer;
    std::string piece;
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] == 0xF7) {
            piece += peer.last_id();
        } else if (data[i] >= 0xF8) {
            peer.receive(piece);
            piece.clear();
            peer.act(data[i]);
        } else {
            piece += static_cast<char>(data[i]);
        }
    }
    peer.receive(piece);
    peer.end();
    return 0;
}
