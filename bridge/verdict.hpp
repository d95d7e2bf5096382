// How a leg ended, from what the call shows: Hangup causes alone lie (facts in docs/design.md, section 2 and
// the table of causes in the README of the traces). nullopt: not clear yet, more events are due within
// milliseconds.
#pragma once

#include <optional>
#include <string>

#include "bridge/call_model.hpp"
#include "bridge/notice.hpp"

namespace bridge {

struct Verdict {
    Cause cause = Cause::none;
    std::string why;   // the fact that decided
    bool sure = true;  // false: decided by what was not seen
};

// What the desk knows beside the events.
struct Circumstances {
    std::optional<Millis> other_answered;  // when somebody else answered this call last
    bool late = false;                     // waited long enough: decide with what is there
    std::optional<Millis> blind_until;     // things of this call happened unseen, last until then
    bool unseen = false;                   // ... and nobody had answered before
};

std::optional<Verdict> called_leg_ended(const Leg& leg, const Circumstances& known);  // a phone that was rung
std::optional<Verdict> own_leg_ended(const Leg& leg, bool answered,
                                     const Circumstances& known);  // a call the operator makes

// Is `leg` on the operator's own side of an Originate of a Local channel (behind its `;2`)? nullopt: not
// known yet.
std::optional<bool> behind_originate(const Leg& leg);
// The leg that rings `leg`, through Local channels; null when unknown.
const Leg* root_of(const Leg& leg);
// The extension an Originate of Local/EXTEN@context rings; empty for another channel.
std::string local_exten(const Leg& origin);

}  // namespace bridge
