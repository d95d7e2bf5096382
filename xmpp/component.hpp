// An external component (XEP-0114) without sockets or clocks: gloox for the stream, our own answer to every
// IQ. Driven like ami::Session: the owner of the connection calls opened/received/closed/tick and writes
// take_output(). A new Component is made for every connection (an old gloox parser can be poisoned); the
// Handler and the tables stay.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <pugixml.hpp>

#include "xmpp/iq.hpp"
#include "xmpp/jid.hpp"

namespace xmpp {

using Millis = std::chrono::milliseconds;  // a time: milliseconds of a steady clock; a span where it says so

enum class StreamState : std::uint8_t { closed, handshake, up };

enum class Failure : std::uint8_t {
    network,      // refused, reset, closed, silent: usual backoff
    credentials,  // not-authorized or host-unknown: configuration; slow retry (60 s)
    conflict,     // another connection has our name: retry every 10-30 s
    protocol,     // a stream error of ours or theirs; text in the detail
};

struct ComponentConfig {
    std::string domain;  // cti.example.org
    std::string secret;
    std::string user_domain;           // requests of others are refused with `forbidden`
    bool spark = true;                 // first identity directory/phone named "phone" (Asterisk-IM discovery)
    Millis handshake_deadline{10000};  // span
    Millis ping_interval{
        30000};  // span: XEP-0199 ping to the server; also keeps Openfire from closing after 6 min
    Millis ping_deadline{10000};                  // span: no answer -> failure network
    std::size_t queue_limit = 4UL * 1024 * 1024;  // bytes not yet written; beyond it send() refuses
    std::size_t stanza_limit =
        256UL * 1024;           // inbound bytes of one stanza; a larger one is refused, the stream goes on
    unsigned depth_limit = 64;  // inbound nesting of elements; likewise
    std::optional<Millis>
        started;  // when the daemon began, for jabber:iq:last; unset: when the stream opened
};

struct Presence {
    std::string from, bare, to, type, show, status;  // type empty = available
    int priority = 0;
};

// Tables and notifications of the owner; outlives every Component. Never called from inside gloox, but from
// inside opened(), received(), closed() and tick(): do not destroy the Component there.
class ComponentHandler {
 public:
    virtual ~ComponentHandler() = default;
    virtual void on_state(StreamState state, std::string_view detail) = 0;
    virtual void on_presence(const Presence& presence) = 0;
    virtual void on_message(std::string_view from, std::string_view to, std::string_view type,
                            std::string_view body) = 0;
    // A full JID asked disco#info with a node: Spark with the phone plugin. Returns whether that user has a
    // phone mapped.
    virtual bool on_phone_query(std::string_view from_full_jid, std::string_view node) = 0;
};

// What was refused without a word, for the log and the metrics.
struct ComponentCounters {
    std::uint64_t impossible = 0;  // no `from`, one that is no JID, or our own name
    std::uint64_t foreign =
        0;  // from another domain than the users': dropped, or a request answered `forbidden`
    std::uint64_t misdirected = 0;  // `to` is not ours, or a stanza that XMPP does not know
    std::uint64_t cut = 0;          // larger or deeper than the limits
    std::uint64_t errors = 0;       // error stanzas and answers to what we did not ask
};

// Answer to Component::request().
struct IqAnswer {
    enum class Kind : std::uint8_t { result, error, timeout, lost };  // lost: the stream ended first
    Kind kind = Kind::lost;
    std::string condition;   // of an error, e.g. "service-unavailable"
    pugi::xml_node payload;  // of a result, may be empty; valid during the callback only
};

class Component {
 public:
    Component(ComponentConfig config, const IqTable& table, ComponentHandler& handler);
    ~Component();
    Component(const Component&) = delete;
    Component& operator=(const Component&) = delete;

    void opened(Millis now);
    void received(std::string_view bytes, Millis now);
    void closed(std::string_view reason, Millis now);
    void tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;

    [[nodiscard]] std::string take_output();
    [[nodiscard]] bool wants_close() const;
    [[nodiscard]] Failure failure() const;

    // Queues one complete stanza that has `from`, `to` and is clean (use Xml). False: not connected or the
    // queue is full.
    bool send(std::string_view stanza);
    // Calls `read` once the server has answered a ping sent behind everything queued so far: it has read all
    // of it. Without an answer within ping_deadline the link fails; on a stream that ends first `read` gets
    // false.
    void mark(std::function<void(bool read)> read);
    // Asks another entity (an IQ get or set); `answered` is called exactly once.
    void request(std::string_view to, bool set, std::string_view payload_xml,
                 std::function<void(const IqAnswer&)> answered, Millis deadline = Millis{10000});
    // Ends the stream in good order: the end tag is queued and wants_close() becomes true.
    void stop();
    [[nodiscard]] StreamState state() const;
    [[nodiscard]] const std::string& detail() const;  // why it is closed: what is wrong and what to do
    [[nodiscard]] ComponentCounters counters() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace xmpp
