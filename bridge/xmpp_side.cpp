#include "bridge/xmpp_side.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "bridge/protocols.hpp"

namespace bridge {

XmppSide::XmppSide(boost::asio::io_context& io, const XmppConfig& config, const xmpp::IqTable& table,
                   Events events, Logger& log)
    : events_(std::move(events)), log_(log) {
    xmpp::ComponentConfig component;
    component.domain = config.component;
    component.secret = config.secret;
    component.user_domain = config.user_domain;
    component.spark = config.spark;
    component.ping_interval = std::max(config.ping, Millis{1000});
    component.started = steady_now();
    // Design: back within 8 s of a lost stream; there is one XMPP server, and it is near.
    ReconnectPolicy policy{.first = Millis{1000}, .max = Millis{15000}, .attempts = 0};
    link_ = std::make_unique<Link>(
        io, "xmpp", Endpoint{config.host, config.port, config.tls}, policy,
        [this, component, &table] { return std::make_unique<XmppProtocol>(component, table, *this); },
        [this](int priority, std::string_view line) { log_(priority, line); });
}

XmppSide::~XmppSide() = default;

void XmppSide::start(std::function<void()> first_attempt_decided) {
    link_->on_first_attempt(std::move(first_attempt_decided));
    link_->start();
}

void XmppSide::stop() {
    link_->stop();
}
void XmppSide::poke() {
    if (link_) link_->poke();
}

xmpp::Component* XmppSide::component() {
    auto* protocol = link_ ? static_cast<XmppProtocol*>(link_->protocol()) : nullptr;
    return protocol != nullptr ? &protocol->component() : nullptr;
}

bool XmppSide::send(std::string_view stanza) {
    auto* stream = component();
    if (stream == nullptr || !stream->send(stanza)) return false;
    link_->poke();
    return true;
}

void XmppSide::mark(std::function<void(bool read)> read) {
    auto* stream = component();
    if (stream == nullptr) return read(false);
    stream->mark(std::move(read));
    link_->poke();
}

void XmppSide::request(std::string_view to, bool set, std::string_view payload_xml,
                       std::function<void(const xmpp::IqAnswer&)> answered) {
    auto* stream = component();
    if (stream == nullptr) return answered({});
    stream->request(to, set, payload_xml, std::move(answered));
    link_->poke();
}

void XmppSide::on_state(xmpp::StreamState state, std::string_view detail) {
    if (state == xmpp::StreamState::up) log_(log_info, fmt::format("link=xmpp state=up {}", detail));
    bool now = state == xmpp::StreamState::up;
    if (std::exchange(up_, now) == now) return;
    since_ = wall_now();
    events_.link(now);
}

void XmppSide::on_message(std::string_view from, std::string_view to, std::string_view type,
                          std::string_view body) {
    if (to.starts_with("pbx@")) return events_.chat(from, type, body);
    log_(log_debug,
         fmt::format("link=xmpp message type={} ignored: only pbx@ the component is written to", type));
}

}  // namespace bridge
