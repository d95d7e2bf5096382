// Foreign text for a log line or an error: one line, valid UTF-8, no control characters, bounded.
#pragma once

#include <string>
#include <string_view>

namespace bridge {

// Control characters and bytes that are not UTF-8 become \xHH; longer texts are cut with "...". Empty stays
// empty.
std::string printable(std::string_view text, std::size_t most = 80);

}  // namespace bridge
