// `ctibridge check`, the doctor: every link, right and mapping tried for real. Each finding says what is so,
// why it matters and what mends it. Blocking; at most some 20 s for hosts that stay silent. Changes nothing
// anywhere.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/config.hpp"
#include "crm/types.hpp"

namespace bridge {

enum class Level : std::uint8_t { ok, note, warning, error };  // the exit code: 0, 0, 1, 2
std::string_view to_string(Level level);

struct Finding {
    Level level = Level::ok;
    std::string area;  // "configuration", "pbx hq", "xmpp", "crm", "database", "people", "state"
    std::string what;  // what is so
    std::string why;   // why it matters; empty for ok
    std::string mend;  // the command, file or screen that mends it; empty for ok
};
using Findings = std::vector<Finding>;

Findings check(const Config& config);
Findings findings_of(const ConfigError& error);

// The parts of check(), each on its own.
Findings check_pbx(const PbxConfig& pbx);
Findings check_xmpp(const XmppConfig& xmpp);
Findings check_database(const Config& config);
Findings check_people(const std::vector<crm::Operator>& people, const Config& config);
Findings check_state(const Config& config);

// What the rights shown by ListCommands mean: `actions` are the names the user may use.
Findings judge_rights(std::string_view area, const std::vector<std::string>& actions);

void print(const Findings& findings, bool json, std::ostream& out);
int exit_code(const Findings& findings);

}  // namespace bridge
