// The XMPP end of the daemon: the link and the component stream. Owner's thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/config.hpp"
#include "bridge/link.hpp"
#include "bridge/log.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class XmppSide final : public xmpp::ComponentHandler {
 public:
    struct Events {
        std::function<void(bool up)> link;  // changes only
        std::function<void(const xmpp::Presence&)> presence;
        std::function<bool(std::string_view from, std::string_view node)> phone_query;
        // A line to pbx@COMPONENT, from a user of our domain.
        std::function<void(std::string_view from, std::string_view type, std::string_view body)> chat;
    };

    XmppSide(boost::asio::io_context& io, const XmppConfig& config, const xmpp::IqTable& table, Events events,
             Logger& log);
    ~XmppSide() override;
    XmppSide(const XmppSide&) = delete;
    XmppSide& operator=(const XmppSide&) = delete;

    void start(std::function<void()> first_attempt_decided);
    void stop();
    bool send(std::string_view stanza);
    void mark(std::function<void(bool read)> read);
    void request(std::string_view to, bool set, std::string_view payload_xml,
                 std::function<void(const xmpp::IqAnswer&)> answered);
    void poke();  // an answer was given later
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] Millis since() const { return since_; }  // of the present state, wall clock
    [[nodiscard]] const Link::Failure& failure() const { return link_->failure(); }

    void on_state(xmpp::StreamState state, std::string_view detail) override;
    void on_presence(const xmpp::Presence& presence) override { events_.presence(presence); }
    void on_message(std::string_view from, std::string_view to, std::string_view type,
                    std::string_view body) override;
    bool on_phone_query(std::string_view from_full_jid, std::string_view node) override {
        return events_.phone_query(from_full_jid, node);
    }

 private:
    [[nodiscard]] xmpp::Component* component();
    Events events_;
    Logger& log_;
    bool up_ = false;
    Millis since_{wall_now()};
    std::unique_ptr<Link> link_;
};

}  // namespace bridge
