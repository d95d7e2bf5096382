// Text of a peer made fit for a log line or an error text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ami {

// One line that can be printed: control characters and bytes that are not UTF-8 become `\xNN`, what is
// longer than `most` bytes is cut with `...`, blanks at the end go.
std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace ami
