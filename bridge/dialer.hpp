// Click-to-dial before Asterisk hears of it: the named checks, each with its rule, then the plan of one call.
// Sans-I/O: what is known of the world is handed in (DialFacts), the time is an argument.
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ami/action.hpp"
#include "bridge/config.hpp"
#include "bridge/desk.hpp"
#include "bridge/dial_text.hpp"
#include "crm/types.hpp"
#include "xmpp/component.hpp"

namespace bridge {

// What the operator asked for.
struct DialRequest {
    std::string jid;     // bare
    std::string number;  // `tel:` URI or text, as given
    std::string service, module, record;
    std::string request;    // id of the IQ
    bool in_person = true;  // the operator asked, no program and nobody on their behalf
};

// What the checks look at. Filled by the daemon, by hand in tests.
struct DialFacts {
    const crm::Operator* who = nullptr;  // nullptr: no operator has this JID
    const PbxConfig* pbx = nullptr;      // nullptr: the operator has none
    bool link_up = false;
    std::string switched_off{};             // why nothing is dialled at present, for the operator
    std::size_t going_on = 0;               // click-to-dials of this operator
    const crm::Service* service = nullptr;  // the one that was asked for by name, if it is enabled here
    std::expected<crm::Number, std::string>
        number;                         // understood at the pbx; the error is a sentence for a person
    std::string module, record, label;  // the record the number belongs to, if there is exactly one
};

struct DialRefusal {
    std::string rule;  // <denied rule='…'/>, cti_dial.outcome `refused:<rule>`
    xmpp::Condition condition = xmpp::Condition::not_acceptable;
    std::string text;  // a person can read it
};

struct DialPlan {
    std::string pbx;
    bool internal = false;  // to an extension here
    Dialing dialing;        // for the desk
    ami::Originate originate;
    crm::DialRow row;  // outcome `accepted`
};

class Dialer {
 public:
    using Clock = unsigned (*)();  // minute of the week, see WeekHours
    explicit Dialer(DialingConfig config, Clock clock = minute_of_week_now)
        : config_(std::move(config)), clock_(clock) {}
    void configure(DialingConfig config) { config_ = std::move(config); }  // a reload; rates go on

    // All checks in order, then the plan. An accepted request counts for the rate. `uuid` names the call:
    // ctd-<uuid>.
    std::expected<DialPlan, DialRefusal> plan(const DialRequest& request, const DialFacts& facts,
                                              std::string_view uuid, Millis now);

    // The same policy for where a call is transferred to: who may call whom, and how often. What the dialplan
    // gets.
    std::expected<std::string, DialRefusal> transfer(const DialRequest& request, const DialFacts& facts,
                                                     Millis now);

    // The audit row of a refusal.
    static crm::DialRow refused_row(const DialRequest& request, const DialFacts& facts,
                                    const DialRefusal& refusal, std::string_view uuid, Millis at);

 private:
    using Accepted = std::deque<Millis>;
    Accepted& accepted_of(const DialRequest& request, const DialFacts& facts);

    DialingConfig config_;
    Clock clock_;
    Accepted nobodys_;                                       // stays empty
    std::map<std::string, Accepted, std::less<>> accepted_;  // by JID, within the last minute
};

// The rules for this operator and service: what the operator's own name takes the place of the service's,
// these that of the general ones. `rewrite` and `emergency` are everybody's.
DialingConfig rules_for(const DialingConfig& config, std::string_view jid, std::string_view service);

// Headers for the INVITE to the own phone, in the way of its channel driver: `dial.auto_answer`.
std::vector<std::pair<std::string, std::string>> header_variables(const PbxConfig& pbx,
                                                                  std::string_view channel);

// `?` one character, `*` any rest.
bool matches_pattern(std::string_view pattern, std::string_view text);

struct PatternVerdict {
    bool allowed = false;
    std::string rule;  // "allow:+44*", "deny:+449*", or "allow" when patterns are given and none matches
};
// The longest matching pattern decides, at equal length deny. Without any `allow` all is allowed that is not
// denied.
PatternVerdict judge(const DialingConfig& config, std::string_view number);

// The string the dialplan gets: the first rule whose `from` begins the number replaces it.
std::string rewritten(const std::vector<DialRewrite>& rules, std::string_view number);

// How a refusal of Asterisk is told to the operator (docs/design.md, section 9).
xmpp::Condition condition_of(std::string_view asterisk_message);

std::string new_uuid();  // RFC 4122, version 4, from the system's randomness

}  // namespace bridge
