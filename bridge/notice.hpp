// A notice: one message about one ring to one operator, always a full snapshot (docs/design.md, sections 2, 3
// and 5).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crm/types.hpp"

namespace bridge {

using Millis =
    std::chrono::milliseconds;  // a time: milliseconds since 1970 UTC (in `replay`: since the trace began)

enum class RingState : std::uint8_t { dialing, ringing, answered, held, ended };
enum class Cause : std::uint8_t {
    none,
    hangup,
    no_answer,
    busy,
    rejected,
    cancelled,
    answered_elsewhere,
    transferred,
    failed,
    lost
};
using Direction = crm::Direction;

struct Notice {
    std::string to;                      // bare JID
    std::string pbx, leg, id, replaces;  // key: pbx + leg; id = PBX:LINKEDID
    std::uint64_t seq = 0;               // counts the notices to this JID within the epoch
    RingState state = RingState::ringing;
    Direction direction = Direction::inbound;
    Cause cause = Cause::none;  // only with ended
    std::string extension;
    Millis at{0}, started{0};
    std::optional<Millis> answered;  // since when they talk
    std::string party_number,
        party_name;         // the other side, as the operator sees it; unescaped, attacker's text
    bool withheld = false;  // never looked up, whatever the number says
    std::string dialed;
    std::string queue;
    std::optional<int> waited;  // seconds in the queue
    std::string service, language;
    crm::PopRule pop = crm::PopRule::ringing;  // when body, link and Spark's event come
    bool just_answered = false;                // by this operator, and this is the first notice that says so
    std::string page;                          // template of the page to open (page_url.hpp)
    std::vector<std::string> modules;          // whose matches come first
    std::vector<std::pair<std::string, std::string>> variables;  // at most 32 of 256 characters
    std::string request;                                         // id of the IQ that caused the call
    std::string far_end;  // click-to-dial: state of the far end, "" or "ringing"
    bool shared = false;
    std::string actions;  // "answer hangup": what is possible now
};

std::string_view to_string(RingState state);
std::string_view to_string(Cause cause);              // none: empty
std::string_view word(crm::Direction direction);      // inbound, outbound, internal
std::string_view word(crm::Disposition disposition);  // as in cti_call; none: empty

}  // namespace bridge
