// Requests of others (IQ get and set): the table that says who answers, and the handle that answers exactly
// once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <pugixml.hpp>

namespace xmpp {

// XMPP error conditions we use (RFC 6120, 8.3.3), with their defined types.
enum class Condition : std::uint8_t {
    bad_request,
    conflict,
    feature_not_implemented,
    forbidden,
    internal_server_error,
    item_not_found,
    not_acceptable,
    not_allowed,
    remote_server_timeout,
    resource_constraint,
    service_unavailable,
    undefined_condition,
};

std::string_view to_string(Condition condition);

// An IQ get or set for us, from a user of our domain. The payload is valid during the handler only.
struct Iq {
    bool set = false;
    std::string id, from, to;  // from: full JID as the server stamped it
    std::string bare;          // bare JID of from, normalised to lower case
    pugi::xml_node payload;
};

// The bytes on their way to the server. Lives as long as the stream does.
struct Output {
    std::string bytes;
    std::size_t limit = 0;
    bool up = false;
    bool append(std::string_view stanza) {
        if (!up || bytes.size() + stanza.size() > limit) return false;
        bytes += stanza;
        return true;
    }
};

// Answers one IQ exactly once, now or later; dropping it unanswered answers `internal-server-error` (never
// silence). Copyable handle; safe to keep over a reconnect (an answer to a stream that is gone is dropped).
class Responder {
 public:
    // Where the answer goes, and whether it went. Whoever lets the last handle go has answered an error.
    struct State {
        std::weak_ptr<Output> output;
        std::string from, to, id;  // of the request
        bool answered = false;
        State(std::weak_ptr<Output> o, std::string f, std::string t, std::string i)
            : output(std::move(o)), from(std::move(f)), to(std::move(t)), id(std::move(i)) {}
        State(const State&) = delete;
        State& operator=(const State&) = delete;
        ~State();
        void answer(std::string_view type, std::string_view content);
    };
    explicit Responder(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void result(std::string_view payload_xml = {}) const;  // payload must be well-formed
    void error(Condition condition, std::string_view text, std::string_view extra_xml = {}) const;

 private:
    static void error_of(State& state, Condition condition, std::string_view text,
                         std::string_view extra_xml);
    std::shared_ptr<State> state_;
};

// An ad-hoc command as it is listed (XEP-0050).
struct CommandItem {
    std::string node, name;
};

using IqHandler = std::function<void(const Iq&, Responder)>;

// Dispatch by table: namespace + element + get/set -> handler. disco, version, ping, last are built in.
class IqTable {
 public:
    void on(std::string_view xmlns, std::string_view element, bool set, IqHandler handler);
    [[nodiscard]] const IqHandler* find(std::string_view xmlns, std::string_view element, bool set) const;
    [[nodiscard]] bool knows(std::string_view xmlns, std::string_view element) const;
    [[nodiscard]] bool knows(std::string_view xmlns) const;
    [[nodiscard]] std::vector<std::string> namespaces() const;  // for disco#info
    // Which commands somebody is offered, for disco.
    using Offer = std::function<std::vector<CommandItem>(const std::string& bare)>;
    void offer(Offer list) { offer_ = std::move(list); }
    [[nodiscard]] std::vector<CommandItem> offered_to(const std::string& bare) const {
        return offer_ ? offer_(bare) : std::vector<CommandItem>{};
    }

 private:
    struct Row {
        std::string xmlns, element;
        bool set;
        IqHandler handler;
    };
    std::vector<Row> rows_;
    Offer offer_;
};

}  // namespace xmpp
