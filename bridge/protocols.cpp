#include "bridge/protocols.hpp"

namespace bridge {

namespace {

// A wrong secret is mended by a person: asking every few seconds only fills the peer's log.
constexpr Millis credentials_delay{60000};
// Another connection has our name; it may be our own that died, which the server notices after a while.
constexpr Millis conflict_delay{15000};

}  // namespace

void AmiProtocol::received(std::string_view bytes, Millis now) {
    if (heard_) heard_(bytes, now);
    session_.received(bytes, now);
    was_up_ |= session_.state() == ami::SessionState::up;
}

std::optional<Millis> AmiProtocol::retry_after() const {
    if (session_.failure() == ami::Failure::credentials) return credentials_delay;
    return std::nullopt;
}

void XmppProtocol::received(std::string_view bytes, Millis now) {
    component_.received(bytes, now);
    was_up_ |= component_.state() == xmpp::StreamState::up;
}

std::optional<Millis> XmppProtocol::retry_after() const {
    switch (component_.failure()) {
        case xmpp::Failure::credentials:
            return credentials_delay;
        case xmpp::Failure::conflict:
            return conflict_delay;
        default:
            return std::nullopt;
    }
}

}  // namespace bridge
