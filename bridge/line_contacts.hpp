// Telephone lines as contacts, EXT@COMPONENT: who has subscribed to which, and what they are told of it
// (docs/design.md, section 11; RFC 6121, sections 3 and 4). Only whether a line is free, rings, is in use or
// is not there: never who is on it. Sans-I/O; subscriptions outlive the daemon by the ports keep() and
// drop().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/lines.hpp"
#include "crm/types.hpp"
#include "xmpp/component.hpp"

namespace bridge {

class LineContacts {
 public:
    static constexpr std::size_t most_lines_of_one = 2000;  // contacts of one user
    static constexpr std::size_t most_in_all = 200'000;
    static constexpr std::size_t burst = 2000;  // stanzas of one look(): the rest waits for the next

    // later: the exchange has not said yet which lines it has.
    enum class Known : std::uint8_t { no, yes, later };
    // `line` is the local part of the contact, lower case.
    struct Ports {
        std::function<Known(std::string_view line)> known;
        std::function<LineState(std::string_view line)> state;
        std::function<bool(std::string_view jid, std::string_view line)> may_see;
        std::function<bool(std::string_view stanza)> send;  // false: not now
        std::function<void(const crm::Owed&, std::function<void(bool ok)> durable)> keep;
        std::function<void(const crm::Owed&)> drop;
    };

    LineContacts(std::string component, Ports ports)
        : component_(std::move(component)), ports_(std::move(ports)) {}

    // What an earlier daemon kept. False: it is something else.
    bool restore(const crm::Owed& owed);
    // A presence stanza to a line of ours.
    void presence(std::string_view line, const xmpp::Presence& seen);
    void up();    // the messenger is there: everybody is told anew
    void down();  // nobody is told anything
    // Looks at every line that somebody has, and tells who does not know yet. True: there was more to tell
    // than goes at once.
    bool look();
    void review();    // people, services or the policy have changed
    void farewell();  // the daemon stops: no line is there any more
    [[nodiscard]] std::size_t subscriptions() const { return count_; }

 private:
    struct Subscriber {
        bool asked = false;  // and not answered yet
        bool allowed = true;
        std::optional<LineState> told{};
    };
    using Subscribers = std::map<std::string, Subscriber, std::less<>>;  // by bare JID

    void subscribe(const std::string& line, const std::string& jid);
    void unsubscribe(const std::string& line, const std::string& jid);
    void probe(const std::string& line, const xmpp::Presence& seen);
    void decide(const std::string& line, const std::string& jid);
    void accept(const std::string& line, const std::string& jid);
    void refuse(const std::string& line, const std::string& jid);
    void forget(const std::string& line, const std::string& jid);
    [[nodiscard]] Subscriber* find(const std::string& line, const std::string& jid);
    [[nodiscard]] bool room_for(const std::string& jid) const;
    [[nodiscard]] crm::Owed owed(const std::string& line, const std::string& jid, bool asked) const;
    [[nodiscard]] LineState shown(const std::string& line, const Subscriber& subscriber) const;
    bool answer(const std::string& line, std::string_view to, std::string_view type);
    bool tell(const std::string& line, std::string_view to, LineState state);

    std::string component_;
    Ports ports_;
    bool up_ = false;
    std::size_t count_ = 0;
    std::map<std::string, Subscribers, std::less<>> lines_;
    std::map<std::string, std::size_t, std::less<>> counts_;  // of each subscriber
};

// Where a line is. `has`: whether this exchange has this extension.
struct LinePlace {
    std::string pbx{}, extension{};
    bool operator==(const LinePlace&) const = default;
};
// `201`, where one exchange alone has it, or `hq.201`. Nothing: no exchange has it, or several.
std::optional<LinePlace> place_of_line(
    std::string_view line, const std::vector<std::string>& pbx_names,
    const std::function<bool(std::string_view pbx, std::string_view extension)>& has);

}  // namespace bridge
