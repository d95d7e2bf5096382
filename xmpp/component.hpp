// An external component (XEP-0114) without sockets or clocks: gloox for the stream, our own answer to every IQ.
// Driven like ami::Session: the owner of the connection calls opened/received/closed/tick and writes take_output().
// A new Component is made for every connection (an old gloox parser can be poisoned); the Handler and the tables stay.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <pugixml.hpp>

namespace xmpp {

using Millis = std::chrono::milliseconds;  // a time: milliseconds of a steady clock; a span where it says so

enum class StreamState : std::uint8_t { closed, handshake, up };

enum class Failure : std::uint8_t {
    network,       // refused, reset, closed, silent: usual backoff
    credentials,   // not-authorized or host-unknown: configuration; slow retry (60 s)
    conflict,      // another connection has our name: retry every 10-30 s
    protocol,      // a stream error of ours or theirs; text in the detail
};

struct ComponentConfig {
    std::string domain;                 // cti.example.org
    std::string secret;
    std::string user_domain;            // requests of others are refused with `forbidden`
    bool spark = true;                  // first identity directory/phone named "phone" (Asterisk-IM discovery)
    Millis handshake_deadline{10000};   // span
    Millis ping_interval{30000};        // span: XEP-0199 ping to the server; also keeps Openfire from closing after 6 min
    Millis ping_deadline{10000};        // span: no answer -> failure network
    std::size_t queue_limit = 4UL * 1024 * 1024;  // bytes not yet written; beyond it send() refuses
    std::size_t stanza_limit = 256UL * 1024;      // inbound bytes of one stanza
    unsigned depth_limit = 64;                    // inbound nesting of elements
};

// XMPP error conditions we use (RFC 6120, 8.3.3), with their defined types.
enum class Condition : std::uint8_t {
    bad_request, conflict, feature_not_implemented, forbidden, internal_server_error, item_not_found, not_acceptable,
    not_allowed, remote_server_timeout, resource_constraint, service_unavailable, undefined_condition,
};

// An IQ get or set for us, from a user of our domain. The payload is valid during the handler only.
struct Iq {
    bool set = false;
    std::string id, from, to;         // from: full JID as the server stamped it
    std::string bare;                 // bare JID of from, normalised to lower case
    pugi::xml_node payload;
};

// Answers one IQ exactly once, now or later; dropping it unanswered answers `internal-server-error` (never silence).
// Copyable handle; safe to keep over a reconnect (an answer to a stream that is gone is dropped).
class Responder {
 public:
    struct State;
    explicit Responder(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void result(std::string_view payload_xml = {}) const;      // payload must be well-formed
    void error(Condition condition, std::string_view text, std::string_view extra_xml = {}) const;

 private:
    std::shared_ptr<State> state_;
};

using IqHandler = std::function<void(const Iq&, Responder)>;

struct Presence {
    std::string from, bare, to, type, show, status;   // type empty = available
    int priority = 0;
};

// Tables and notifications of the owner; outlives every Component.
class ComponentHandler {
 public:
    virtual ~ComponentHandler() = default;
    virtual void on_state(StreamState state, std::string_view detail) = 0;
    virtual void on_presence(const Presence& presence) = 0;
    virtual void on_message(std::string_view from, std::string_view to, std::string_view type, std::string_view body) = 0;
    // A full JID asked disco#info with a node: Spark with the phone plugin. Returns whether that user has a phone mapped.
    virtual bool on_phone_query(std::string_view from_full_jid, std::string_view node) = 0;
};

// Dispatch by table: namespace + element + get/set -> handler. disco, version, ping, last are built in.
class IqTable {
 public:
    void on(std::string_view xmlns, std::string_view element, bool set, IqHandler handler);
    [[nodiscard]] const IqHandler* find(std::string_view xmlns, std::string_view element, bool set) const;
    [[nodiscard]] bool knows(std::string_view xmlns, std::string_view element) const;
    [[nodiscard]] std::vector<std::string> namespaces() const;   // for disco#info

 private:
    struct Row { std::string xmlns, element; bool set; IqHandler handler; };
    std::vector<Row> rows_;
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

    // Queues one complete stanza that has `from`, `to` and is clean (use Xml). False: not connected or the queue is full.
    bool send(std::string_view stanza);
    // Calls `read` once the server has answered a ping sent behind everything queued so far: it has read all of it.
    void mark(std::function<void(bool read)> read);
    [[nodiscard]] StreamState state() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// `user@domain/resource` -> `user@domain`, lower case. Empty for an impossible JID.
std::string bare_jid(std::string_view jid);
std::string new_id();   // globally unique: random prefix + counter

}  // namespace xmpp
