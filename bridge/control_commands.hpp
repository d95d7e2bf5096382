// `ctibridge status`, `explain` and `dialing`: they ask the running daemon by its control socket.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace bridge {

// 0 all links up, 1 one is down, 2 no daemon answers.
int status_command(const std::string& control, bool json, std::ostream& out, std::ostream& err);

struct ExplainOptions {
    std::string of;  // a call, a JID, a number
    bool json = false, all = false;
    std::size_t last = 5;  // calls
};
// 0 something is known, 1 nothing is, 2 no daemon answers.
int explain_command(const std::string& control, const ExplainOptions& options, std::ostream& out,
                    std::ostream& err);

// `state`: on, off, or empty to ask; `pbx` empty: all. 0 dialling is on, 1 it is off somewhere, 2 no daemon
// answers.
int dialing_command(const std::string& control, const std::string& state, const std::string& pbx,
                    std::ostream& out, std::ostream& err);

}  // namespace bridge
