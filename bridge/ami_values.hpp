// Values of AMI events as they are written: escapes, marks for "nothing", numbers, states, ages
// (docs/design.md, section 9).
#pragma once

#include <string>
#include <string_view>

#include "ami/message.hpp"
#include "bridge/call_model.hpp"

namespace bridge {

// Channel events write a missing name or number as `<unknown>`, Status a missing variable as `(null)`.
std::string_view value_or_nothing(std::string_view text);
std::string unescape(std::string_view text);               // names in channel events are escaped as in C
ChannelState channel_state(std::string_view description);  // of ChannelStateDesc
int number_of(std::string_view text);                      // the digits it begins with; 0 without
Millis age_of(const ami::Message& message);  // a listed channel's life: Seconds `17`, or Duration `0:00:17`
bool prohibits(std::string_view pres);       // `CID-CallingPres: 32 (Presentation Prohibited, Not Screened)`

}  // namespace bridge
