// Actions to Asterisk, typed, and the one choke point through which every byte to an AMI connection passes.
// Source: Asterisk documentation "Asterisk N AMI Actions"; limits measured on 16, 18 and 22.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ami {

struct ActionError {
    std::string field;  // header that was refused
    std::string text;   // why, for a person
};

// A name and its headers in the order sent. Made by the functions below, or by hand; encode() checks it either way.
struct Action {
    std::string name;
    std::vector<std::pair<std::string, std::string>> headers;
};

// The choke point. Refuses (never strips): control characters anywhere, a line of 1023 bytes or more, more than 120 lines,
// a `Variable` whose value has a comma (Asterisk would split it; a comma inside the parentheses of a function name is
// allowed), Setvar without Channel (would set a global), an empty action name. Returns the bytes with their final blank line.
std::expected<std::string, ActionError> encode(const Action& action, std::string_view action_id);

struct Originate {
    std::string channel;                 // PJSIP/201
    std::string context, exten;          // where the channel goes when it answers; priority is 1
    std::string caller_id;               // `"Name" <number>`; shown on the own phone
    std::chrono::milliseconds timeout{30000};   // of the first leg
    std::string channel_id;              // Uniqueid and Linkedid of the first channel, `ctd-<uuid>`
    std::vector<std::pair<std::string, std::string>> variables;  // name (may be a function, `CDR(crmid)`, `__x`), value
};
Action originate(const Originate& request);        // always Async: true
Action hangup(std::string_view channel_or_uniqueid, int cause = 0);
Action set_variable(std::string_view channel, std::string_view variable, std::string_view value);
Action get_variable(std::string_view channel, std::string_view variable);
// The AMI room adds the others (Status, QueueStatus, QueueAdd, QueuePause, Redirect, ...) in the same way.

}  // namespace ami
