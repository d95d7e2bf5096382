// The two sans-I/O protocols as a Link drives them, with the delay each kind of failure asks for.
#pragma once

#include "ami/session.hpp"
#include "bridge/link.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class AmiProtocol final : public Protocol {
 public:
    using Heard = std::function<void(std::string_view bytes, Millis now)>;  // what came, before it is read
    AmiProtocol(const ami::SessionConfig& config, ami::SessionHandler& handler, Heard heard = {})
        : session_(config, handler), heard_(std::move(heard)) {}
    [[nodiscard]] ami::Session& session() { return session_; }

    void opened(Millis now) override { session_.opened(now); }
    void received(std::string_view bytes, Millis now) override;
    void closed(std::string_view reason, Millis now) override { session_.closed(reason, now); }
    void tick(Millis now) override { session_.tick(now); }
    [[nodiscard]] Millis next_deadline() const override { return session_.next_deadline(); }
    [[nodiscard]] std::string take_output() override { return session_.take_output(); }
    [[nodiscard]] bool wants_close() const override { return session_.wants_close(); }
    [[nodiscard]] std::string why() const override { return session_.failure_text(); }
    [[nodiscard]] std::optional<Millis> retry_after() const override;
    [[nodiscard]] bool was_up() const override { return was_up_; }

 private:
    ami::Session session_;
    Heard heard_;
    bool was_up_ = false;
};

class XmppProtocol final : public Protocol {
 public:
    XmppProtocol(const xmpp::ComponentConfig& config, const xmpp::IqTable& table,
                 xmpp::ComponentHandler& handler)
        : component_(config, table, handler) {}
    [[nodiscard]] xmpp::Component& component() { return component_; }

    void opened(Millis now) override { component_.opened(now); }
    void received(std::string_view bytes, Millis now) override;
    void closed(std::string_view reason, Millis now) override { component_.closed(reason, now); }
    void tick(Millis now) override { component_.tick(now); }
    [[nodiscard]] Millis next_deadline() const override { return component_.next_deadline(); }
    [[nodiscard]] std::string take_output() override { return component_.take_output(); }
    [[nodiscard]] bool wants_close() const override { return component_.wants_close(); }
    [[nodiscard]] std::string why() const override { return component_.detail(); }
    void farewell() override { component_.stop(); }
    [[nodiscard]] std::optional<Millis> retry_after() const override;
    [[nodiscard]] bool was_up() const override { return was_up_; }

 private:
    xmpp::Component component_;
    bool was_up_ = false;
};

}  // namespace bridge
