// The CRM room's vocabulary: people, numbers, matches, rows of the call log. Plain data, no behaviour.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm {

using Millis = std::chrono::milliseconds;  // a time: milliseconds since 1970 UTC; a span where it says so

// A person with a phone. From our operator table, or from the CRM's users (adapter file `operators`).
struct Operator {
    std::string jid;       // bare, lower case
    std::string crm_user;  // the CRM's user id as text; empty when unknown
    std::string pbx;       // name in the configuration; empty when several exist and none is named
    std::string extension;
    std::string name;    // first and last name, for colleagues' pops
    bool active = true;  // inactive users' extensions are internal, but they get no pops
};

enum class NumberKind : std::uint8_t {
    telephone,     // of the outside world
    internal,      // an extension here
    anonymous,     // withheld, empty, "anonymous", "unknown"
    too_short,     // too few digits to name one subscriber
    not_a_number,  // letters, control characters, broken UTF-8, too long
};

// A telephone number as given and what it means at this site.
struct Number {
    std::string raw;                  // as given
    std::string digits;               // digits (and a leading + or * #) only
    std::optional<std::string> e164;  // "+447700900123"; absent when it has none
    std::string extension;  // behind it: "12" of "+420 222 333 444 ext. 12"; not part of e164 and digits
    NumberKind kind = NumberKind::telephone;
    bool internal = false;   // kind is internal
    bool anonymous = false;  // kind is anonymous, too_short or not_a_number: never matches
};

enum class Quality : std::uint8_t { exact, national, suffix };
std::string_view name_of(Quality quality);  // as in stanzas and in `lookup`

// A CRM record found for a number.
struct Match {
    std::string module, id, label, organization, url;
    std::string owner;       // CRM's name of the owner (user or group)
    std::string owner_user;  // user id if the owner is a live user, else empty
    Quality quality = Quality::exact;
    Millis modified{0};
    bool may_see = true;  // visibility: crm; false -> shown only as known='true' owner='..'
};

enum class LookupReason : std::uint8_t {
    matched,
    nobody,
    anonymous,
    too_short,
    internal,
    not_a_number,
};
std::string_view name_of(LookupReason reason);  // "too-short"

// Answer to "who is this": ranked, best first; at most 10 matches, `more` counts the rest.
struct Lookup {
    Number number;
    LookupReason reason = LookupReason::nobody;
    std::vector<Match> matches;
    unsigned more = 0;
    std::optional<std::string> create;  // URL that opens a new record with the number filled in
    std::string create_module;
    std::string colleague;   // name of the operator for an internal number
    bool rechecked = false;  // true: the database confirmed it; false: the index alone
    std::string why;         // one sentence for `explain`
};

enum class Direction : std::uint8_t { inbound, outbound, internal };
enum class Disposition : std::uint8_t {
    none,
    answered,
    no_answer,
    busy,
    abandoned,
    failed,
    lost
};  // none: still going on

// One row of cti_call. Written as a whole each time it changes (idempotent by id).
struct CallRow {
    std::string id;  // PBX:LINKEDID
    std::string pbx, linkedid, merged_into;
    Direction direction = Direction::inbound;
    std::string caller_number, caller_name, dialed_number, service, queue;
    std::string module, record, label;  // best match
    Millis started{0};
    std::optional<Millis> answered, ended;
    std::optional<Millis> wait, talk;  // spans
    Disposition disposition = Disposition::none;
    std::string answered_by;  // JID
    std::string request;      // id of the IQ that caused it
    std::string recording, note, code;
    bool to_crm = true;  // internal calls, and calls without operator and service, stay out of the CRM
    std::string
        crm_owner;  // CRM user id: the operator who answered, else who was rung first; empty: record's owner
};

// One row of cti_leg: key (call, uniqueid, jid).
struct LegRow {
    std::string call, uniqueid, jid, extension;
    std::optional<Millis> offered, answered, ended;
    std::string cause;  // design.md section 2, empty while going on
};

// One row of cti_dial: the audit of a request to dial, refused ones too.
struct DialRow {
    std::string id;  // ctd-<uuid>; for a refusal a fresh uuid
    std::string jid, pbx, extension, number, dialed, module, record, service;
    std::string outcome;  // accepted | refused:<rule> | failed:<text>
    Millis at{0};
};

// A notice in a non-terminal state that was sent: its `ended` is owed, over restarts too (rule 1 of the
// design).
struct Owed {
    std::string jid, pbx, leg, id, stanza;  // stanza: the last snapshot, enough to build the `ended`
};

}  // namespace crm
