// The command line (docs/design.md, section 7).
#pragma once

namespace bridge {

// Exit codes: 0 well, 1 the command failed, 2 wrong usage, configuration or input.
int command_line(int argc, char** argv);

}  // namespace bridge
