// Who of an operator's clients gets a notice, and in which form (docs/design.md, section 5). Knows which full
// JIDs are consoles (they sent us directed presence) and which are Spark with the phone plugin (they asked
// disco#info with a node). Sans-I/O: times are arguments; what is to be asked of clients is returned by
// due().
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bridge/config.hpp"
#include "bridge/notice.hpp"
#include "xmpp/component.hpp"

namespace bridge {

// One message of a notice: to whom, and what is in it.
struct Recipient {
    std::string to;             // full JID, or the bare one
    bool call = false;          // <call/>
    bool phone_event = false;   // Asterisk-IM's element
    bool body = false;          // body and link, where the notice has one (the pop, a missed call)
    std::string phone_call_id;  // its callID: the same from RING to HANG_UP, whatever merges meanwhile
    enum class Form : std::uint8_t {
        console,
        spark,
        everybody,             // at the bare JID: no client is known that could be addressed
        doubtful,              // at the bare JID too: those known may be gone
        by_mode,               // at the bare JID: pop.mode says so
    } form = Form::everybody;  // why this address
};

class Audience {
 public:
    explicit Audience(PopMode mode) : mode_(mode) {}
    void set_mode(PopMode mode) { mode_ = mode; }

    void presence(const xmpp::Presence& presence);
    void phone_query(std::string_view full_jid, Millis now);

    // The XMPP link is back. Servers do not tell again who is there: every client we know is to be asked
    // (due()).
    void link_up();
    // Clients to be pinged now: those known from before the link was lost, and Sparks every minute, since
    // they send us no presence when they leave. The next time to ask is next_deadline().
    [[nodiscard]] std::vector<std::string> due(Millis now);
    [[nodiscard]] Millis next_deadline() const;
    // What became of the ping: false when the server said that there is no such client, not when nobody
    // answered.
    void answered(std::string_view full_jid, bool is_there);

    // The messages of this notice. Remembers what Sparks were told of this ring: none hears ON_PHONE twice
    // (it would take "on the phone" for the presence to go back to), and all that heard of it hear HANG_UP.
    [[nodiscard]] std::vector<Recipient> recipients(const Notice& notice);

    [[nodiscard]] std::vector<std::string> consoles(std::string_view bare_jid) const;
    [[nodiscard]] std::vector<std::string> sparks(std::string_view bare_jid) const;
    [[nodiscard]] std::vector<std::string> consoles() const;  // of everybody: for <sync/> and <link/>

 private:
    struct Client {
        bool console = false, spark = false;
        bool doubtful = false;  // known from before the link was lost
        Millis ask_at{Millis::max()};
    };
    struct Told {
        std::string call_id;
        std::map<std::string, std::string> last;  // JID -> the phone-event it got last
    };
    using Key = std::tuple<std::string, std::string, std::string>;  // bare JID, pbx, leg
    [[nodiscard]] const std::map<std::string, Client>* clients_of(std::string_view bare_jid) const;

    PopMode mode_;
    std::map<std::string, std::map<std::string, Client>, std::less<>> clients_;  // bare JID -> full JID
    std::map<Key, Told> told_;
};

// Asterisk-IM's name of a state: RING, DIALED, ON_PHONE, HANG_UP.
std::string_view phone_event_type(RingState state);

}  // namespace bridge
