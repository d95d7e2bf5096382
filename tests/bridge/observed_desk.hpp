// A desk that is watched: what it says of a stream of events, and whether it keeps the rules that hold for
// every stream (docs/design.md, section 3).
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "bridge/desk.hpp"
#include "recorded_events.hpp"

namespace recorded {

// What was concluded.
struct Picture {
    std::map<std::string, crm::CallRow> calls;                   // by id, the last row
    std::map<std::string, crm::LegRow> legs;                     // by call, Uniqueid and JID, the last row
    std::map<std::string, std::vector<bridge::Notice>> notices;  // by JID and key, in order
    std::vector<std::string> faults;                             // rules that were broken
};

std::string linkedid_of(const std::string& call);  // of a call's id

// The same without some calls.
Picture without(Picture picture, const std::set<std::string>& linkedids);

// What differs, line by line; times may differ by `tolerance`. Of the notices: the sequence of states and the
// last one, whole but for its number.
std::vector<std::string> differences(const Picture& expected, const Picture& got, Millis tolerance);

// Plays the pbx's part too: knows which channels live, and answers when the desk asks for the list of them.
class ObservedDesk {
 public:
    explicit ObservedDesk(std::vector<crm::Operator> people = traces::people());

    void play(const Stream& stream);  // with the deadlines in between
    void hear(const Event& event, Millis at, bool heard = true);
    void wait(Millis until);  // deadlines only
    void gap(Millis at);      // the link is lost; after it only what lives here is listed
    void restarted();         // the same, and nothing lives
    // What ended unheard must be found. Every channel that is left ends in a gap; what must be empty then is
    // looked at. The picture is complete.
    Picture finish();

    [[nodiscard]] const bridge::Desk& desk() const { return desk_; }
    [[nodiscard]] bridge::Desk& desk() { return desk_; }
    [[nodiscard]] Millis now() const { return now_; }

    void take(bridge::Outcome&& outcome);  // of an input that is no event
    // What was concluded so far; the next picture begins empty.
    Picture taken() { return std::exchange(picture_, {}); }

 private:
    void look_at(const bridge::Notice& notice);
    void look_at(const crm::CallRow& row);
    void look_at(const crm::LegRow& row);
    void fault(std::string text);

    bridge::Desk desk_;
    Millis now_{0};
    Picture picture_;
    std::map<std::string, std::uint64_t> seq_;
    std::set<std::string> ended_;   // keys of notices, with the call they had
    std::set<std::string> people_;  // JIDs known at any time
    std::set<std::string> living_;  // channels, as the pbx knows them
};

}  // namespace recorded
