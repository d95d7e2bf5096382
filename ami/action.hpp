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

// A name and its headers in the order sent. Made by the functions below, or by hand; encode() checks it
// either way.
struct Action {
    std::string name;
    std::vector<std::pair<std::string, std::string>> headers;
};

// The choke point. Refuses (never strips):
//   a control character anywhere; a name that is empty or has other characters than letters, digits, `-`,
//   `_`; a line of 1023 bytes or more; more than 120 lines; a header Action or ActionID of the caller's own;
//   in `Variable: name=value`: a comma in the value (Asterisk would split it; one inside the parentheses of a
//   function name is allowed), a quote or backslash in the value (Asterisk would eat it); Setvar without
//   Channel (would set a global); Hangup of `/pattern/` (would end every call that matches).
// Returns the bytes with their final blank line.
std::expected<std::string, ActionError> encode(const Action& action, std::string_view action_id);

struct Originate {
    std::string channel;                       // PJSIP/201
    std::string context, exten;                // where the channel goes when it answers; priority is 1
    std::string caller_id;                     // `"Name" <number>`; shown on the own phone
    std::chrono::milliseconds timeout{30000};  // of the first leg
    std::string channel_id;                    // Uniqueid and Linkedid of the first channel, `ctd-<uuid>`
    std::vector<std::pair<std::string, std::string>>
        variables;  // name (may be a function, `CDR(crmid)`, `__x`), value
};
Action originate(const Originate& request);  // always Async: true
Action hangup(std::string_view channel_or_uniqueid, int cause = 0);
Action set_variable(std::string_view channel, std::string_view variable, std::string_view value);
Action get_variable(std::string_view channel, std::string_view variable);

// Connection. `events`: classes separated by commas, or `on`, `off`.
Action challenge();
Action login(std::string_view username, std::string_view secret, std::string_view events);
Action login_md5(std::string_view username, std::string_view key, std::string_view events);
// Hex MD5 of challenge and secret, the Key of login_md5; empty when the crypto library offers no MD5.
std::string md5_key(std::string_view challenge, std::string_view secret);
Action events(std::string_view mask);
Action ping();
Action logoff();
Action list_commands();  // the actions this user may use, one header each in the response

// Lists: a response with `EventList: start`, items, an event with `EventList: Complete`.
Action core_settings();  // (a plain response)
Action core_show_channels();
Action status(const std::vector<std::string>& variables,
              std::string_view channel = {});                                    // empty: all channels
Action queue_status(std::string_view queue = {}, std::string_view member = {});  // empty: all
Action device_state_list();
Action extension_state_list();

// Queue members. `interface` is the member's name in the queue, e.g. PJSIP/201 or Local/201@from-queue/n.
struct QueueMember {
    std::string queue, interface;
    std::string name;             // empty: the interface is shown
    std::string state_interface;  // empty: the interface
    int penalty = 0;
    bool paused = false;
};
Action queue_add(const QueueMember& member);
Action queue_remove(std::string_view queue, std::string_view interface);
Action queue_penalty(std::string_view queue, std::string_view interface, int penalty);
Action queue_pause(std::string_view interface, bool paused, std::string_view reason = {},
                   std::string_view queue = {});  // empty queue: all its queues

// Calls. `channel` is a channel's name, or its Uniqueid.
Action redirect(std::string_view channel, std::string_view context, std::string_view exten);
Action blind_transfer(std::string_view channel, std::string_view context, std::string_view exten);
Action atxfer(std::string_view channel, std::string_view context, std::string_view exten);
Action cancel_atxfer(std::string_view channel);
// `timeout_channel`: whom the parked call comes back to; empty timeout and lot: the configured ones.
Action park(std::string_view channel, std::string_view timeout_channel = {},
            std::chrono::milliseconds timeout = std::chrono::milliseconds{0}, std::string_view lot = {});

// Phones by NOTIFY, e.g. {{"Event", "talk"}}: success means only that it was sent.
using NotifyHeaders = std::vector<std::pair<std::string, std::string>>;
Action pjsip_notify_endpoint(std::string_view endpoint, const NotifyHeaders& headers);
Action pjsip_notify_channel(std::string_view channel,
                            const NotifyHeaders& headers);               // inside the call's dialog
Action sip_notify(std::string_view peer, const NotifyHeaders& headers);  // chan_sip: `SIP/201`

}  // namespace ami
