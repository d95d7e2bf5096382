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

// What somebody may do beside having a phone (docs/design.md, section 2).
enum class Role : std::uint8_t { agent, supervisor, administrator, application };
std::string_view name_of(Role role);  // "operator" is the word for `agent`

// A person with a phone. From our operator table, or from the CRM's users (adapter file `operators`).
struct Operator {
    std::string jid{};       // bare, lower case
    std::string crm_user{};  // the CRM's user id as text; empty when unknown
    std::string pbx{};       // name in the configuration; empty when several exist and none is named
    std::string extension{};
    std::string name{};  // first and last name, for colleagues' pops
    bool active = true;  // inactive users' extensions are internal, but they get no pops
    Role role = Role::agent;
    std::vector<std::string> devices{};  // "PJSIP/anna-desk": phones that no pattern of the pbx names
    bool operator==(const Operator&) const = default;
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

// Whether the CRM's database confirmed an answer, and if not, why the index alone answered.
enum class Asked : std::uint8_t { not_needed, confirmed, down, too_late, too_busy, failed };

// Answer to "who is this": ranked, best first; at most 10 matches, `more` counts the rest.
struct Lookup {
    Number number;
    LookupReason reason = LookupReason::nobody;
    std::vector<Match> matches;
    unsigned more = 0;
    std::optional<std::string> create;  // URL that opens a new record with the number filled in
    std::string create_module;
    std::string colleague;     // name of the operator for an internal number
    bool rechecked = false;    // true: the database confirmed it; false: the index alone
    std::string why;           // one sentence for `explain`
    bool index_loaded = true;  // false: the numbers were never read
    Asked asked = Asked::not_needed;
    std::string failure;  // what the database said, when asked is `failed`
};

enum class Direction : std::uint8_t { inbound, outbound, internal };

// When the calls of a service are shown (docs/design.md, section 9).
enum class PopRule : std::uint8_t { ringing, answered, never };
std::string_view name_of(PopRule rule);

struct WrapUpCode {
    std::string code{}, label{};
    bool operator==(const WrapUpCode&) const = default;
};

struct ServiceOperator {
    std::string jid{};  // bare, lower case
    int penalty = 0;    // in the service's queue; the smallest is asked first
    bool supervisor = false;
    bool operator==(const ServiceOperator&) const = default;
};

// A telephone service: dialplan contexts, perhaps with a queue. Names are unique over all pbx.
struct Service {
    std::string name{};
    std::string pbx{};                    // name in the configuration; empty: the only one
    std::vector<std::string> contexts{};  // inbound: entered by the caller's channel; outbound: where
                                          // dialling begins (the first), and how its calls are recognised
    Direction direction = Direction::inbound;  // inbound | outbound
    std::string queue{};
    bool enabled = true;
    std::vector<std::string> variables{};  // to collect from the dialplan and show, in this order
    PopRule pop = PopRule::ringing;
    std::vector<std::string> modules{};  // of the CRM: their matches come first
    std::string url{};                   // template of the page to open
    std::string caller_id{};             // outbound: what the called party sees; empty: as the pbx says
    Millis wrap_up{0};                   // span after a call; 0: none
    std::vector<WrapUpCode> codes{};
    std::string language{}, skill{};
    std::vector<ServiceOperator> operators{};
    bool operator==(const Service&) const = default;
};

// A place with a phone.
struct Seat {
    std::string id{};
    std::string pbx{}, extension{};
    std::vector<std::string> devices{};  // as of an operator
    std::vector<std::string> keys{};  // MAC or host name, lower case: what a client there sends as resource
    std::string place{};              // for people: "2nd floor, window"
    bool operator==(const Seat&) const = default;
};

// All that an administrator keeps in our tables.
struct Roster {
    std::vector<Operator> operators{};
    std::vector<Service> services{};
    std::vector<Seat> seats{};
    bool operator==(const Roster&) const = default;
};
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
    // Nobody saw the end: it was between `ended` and this. Empty: `ended` is when it ended.
    std::optional<Millis> ended_by{};
};

// One row of cti_leg: key (call, uniqueid, jid).
struct LegRow {
    std::string call, uniqueid, jid, extension;
    std::optional<Millis> offered, answered, ended;
    std::string cause;                 // design.md section 2, empty while going on
    std::optional<Millis> ended_by{};  // as in CallRow
};

// One row of cti_dial: the audit of a request to dial or to do something with a call, refused ones too.
struct DialRow {
    std::string id;  // ctd-<uuid>; for a refusal, and for what is done with a call, a fresh uuid
    std::string jid, pbx, extension, number, dialed, module, record, service;
    std::string outcome;  // accepted | refused:<rule> | failed:<text> | done
    Millis at{0};
    std::string action{};    // dial | hangup | hold | transfer-blind | ...
    std::string call{};      // PBX:LINKEDID, of what is done with a call
    std::string asked_by{};  // JID, when it was on behalf of `jid`
};

// One row of cti_agent_event: a state of an operator began.
struct AgentRow {
    std::string jid, pbx, extension, seat, state, reason;
    std::string by;  // JID, "pbx" or "system"; empty: the operator
    Millis at{0};
};

// A notice in a non-terminal state that was sent: its `ended` is owed, over restarts too (rule 1 of the
// design).
struct Owed {
    std::string jid, pbx, leg, id, stanza;  // stanza: the last snapshot, enough to build the `ended`
};

}  // namespace crm
