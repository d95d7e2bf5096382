// Sends notices and keeps the promise of rule 1: every key (JID, pbx, leg) that was ever shown gets exactly
// one `ended`, over XMPP outages and restarts of this program. Numbers the notices of each JID. No sockets:
// what it needs is handed in.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "bridge/notice.hpp"
#include "crm/call_log.hpp"
#include "crm/types.hpp"

namespace bridge {

// What became of a notice.
enum class Told : std::uint8_t {
    sent,             // handed to the stream, every stanza of it
    refused,          // the stream took it not or not whole: its queue is full, or it is just being closed
    xmpp_down,        // a beginning that nobody will hear of, unless it goes on when the link is back
    end_owed,         // an end that waits for the link
    end_of_unseen,    // an end of what was never shown
    begin_confirmed,  // the server has read the beginning
    begin_uncertain,  // the link was lost before that
    end_confirmed,    // the server has read the end
};

class Herald {
 public:
    struct Ports {
        // Complete stanzas of a notice, for everybody who is to get one.
        std::function<std::vector<std::string>(const Notice&, const crm::Lookup&)> render;
        std::function<bool(std::string_view stanza)> send;  // false: not connected, or the queue is full
        std::function<void(std::function<void(bool read)>)> mark;  // the server has read what was sent before
        std::function<void(const crm::Owed&, std::function<void(bool ok)>)>
            owe;  // durable before `ringing` leaves the house
        std::function<void(std::string_view jid, std::string_view pbx, std::string_view leg)> settle;
        std::function<std::string(const Notice&)> keep;  // Owed::stanza of a notice
        std::function<Notice(const crm::Owed&)> recall;  // and back
        std::function<Millis()> now;                     // of the clock that tick() gets
        std::function<void(const Notice&, Told)> told;   // what became of it, for `explain`; may be empty
    };

    explicit Herald(Ports ports) : ports_(std::move(ports)) {}

    // At start: what the last run still owes.
    void restore(const std::vector<crm::Owed>& owed);
    // In the order they are to arrive. Beginnings are dropped while XMPP is down (a stale pop is worse than
    // none).
    void notice(const Notice& notice, const crm::Lookup& lookup);
    void up();
    void down();
    // The desk's picture of this pbx is whole again (after up() and after each sync): whatever is owed there
    // and no longer going on has ended unseen. `current`: rings going on; they are sent by the caller through
    // notice().
    void reconcile(std::string_view pbx, const std::vector<Notice>& current);
    // Shown by another way (the answer to <calls/>): its `ended` is owed as well.
    void shown(const Notice& notice);
    void tick(Millis now);                       // asks for the mark behind what ended
    [[nodiscard]] Millis next_deadline() const;  // Millis::max() when nothing waits

    // The number the next element to this JID gets, counted; and the present count.
    std::uint64_t next_seq(std::string_view jid);
    [[nodiscard]] std::uint64_t seq(std::string_view jid) const;
    [[nodiscard]] std::size_t open() const { return open_.size(); }
    [[nodiscard]] bool is_up() const { return up_; }

 private:
    using Key = std::tuple<std::string, std::string, std::string>;  // JID, pbx, leg
    enum class Phase : std::uint8_t { going_on, ended_unsent, ended_sent };
    struct Open {
        Notice last;
        crm::Lookup lookup;
        Phase phase = Phase::going_on;
        std::uint64_t round = 0;  // of the mark that will confirm its end
        std::uint64_t begun = 0;  // of the mark that will confirm its beginning; 0: none
    };
    struct Step {  // waits for the disk
        Notice notice;
        crm::Lookup lookup;
        bool durable = false;
    };
    void step(std::string_view jid);
    void deliver(const Notice& notice, const crm::Lookup& lookup);
    void send_ended(Open& open);
    bool send_all(Notice notice, const crm::Lookup& lookup);
    void send_begin(Open& open);
    void need_mark();
    void marked(std::uint64_t round, std::uint64_t connection, bool read);
    void tell(const Notice& notice, Told told) const {
        if (ports_.told) ports_.told(notice, told);
    }

    Ports ports_;
    bool up_ = false;
    std::uint64_t connection_ = 0;  // counts up()
    std::map<Key, Open> open_;
    std::map<std::string, std::deque<std::shared_ptr<Step>>, std::less<>> steps_;
    std::map<std::string, std::uint64_t, std::less<>> seq_;
    std::uint64_t round_ = 1;  // marks asked for so far + 1
    bool unmarked_ = false;    // something ended since the last mark
    Millis mark_at_{0};
};

}  // namespace bridge
