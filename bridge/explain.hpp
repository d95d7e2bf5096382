// `ctibridge explain`: the kept reasons of a call, an operator or a number as a story that can be read aloud,
// with what to do; and where nothing is known, why that may be. No sockets: what is known of the present is
// handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/agent_words.hpp"
#include "bridge/link.hpp"
#include "bridge/notice.hpp"
#include "bridge/reason_log.hpp"

namespace bridge {

// One link as `status` and `explain` show it.
struct LinkView {
    std::string name;  // pbx:hq, xmpp, crm, database
    bool up = false;
    Millis since{0};     // of this state
    std::string error;   // the last one, may be over
    Millis error_at{0};  // 0: none yet
};

struct ExplainQuestion {
    enum class Kind : std::uint8_t { call, jid, number };
    std::string asked;  // as given
    Kind kind = Kind::number;
    std::vector<std::string> keys;  // what to look for: call ids and channels, a bare JID, forms of a number
    bool all = false;               // details too
    std::size_t most = 5;           // calls
};

// An operator, as far as we know them now.
struct OperatorView {
    std::string jid, name, pbx, extension;
    bool active = true;
    bool pbx_known = false;  // the configuration has that exchange
    std::vector<std::string> consoles, sparks;
    std::vector<Notice> rings;  // going on
    std::optional<AgentPicture> agent;
};

struct ExplainWorld {
    std::vector<LinkView> links;
    std::optional<OperatorView> who;  // the JID, or who has the extension
    std::string similar;              // a known JID that looks like the one asked for
    bool is_extension = false;        // the number is internal
    Millis now{0};
};

struct Explanation {
    bool known = false;
    std::string text;  // lines for a person, times local
    std::string json;
};

Explanation explanation(const ReasonLog& log, const ExplainQuestion& question, const ExplainWorld& world);

std::string local_time(Millis at, bool with_date);  // "2026-11-20 15:08:49.305"
std::string utc_time(Millis at);                    // "2026-11-20T15:08:49.305Z"

}  // namespace bridge
