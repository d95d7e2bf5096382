// Text from the telephone network, from people and from databases, made fit to be stored.
#pragma once

#include <string>
#include <string_view>

namespace crm {

// Valid UTF-8 without control characters: each bad sequence becomes U+FFFD, C0 controls but tab and line feed
// are left out, so are U+FFFE and U+FFFF. At most `max_characters` characters, cut at a character's end.
// Never fails.
std::string clean_text(std::string_view text, std::size_t max_characters = static_cast<std::size_t>(-1));

}  // namespace crm
