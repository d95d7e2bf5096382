// Texts of the configuration that name a phone, filled in; what may stand in them.
#pragma once

#include <string>
#include <string_view>

namespace bridge {

// {extension}, {number} and {channel} in a text of the configuration.
std::string filled(std::string_view text, std::string_view extension, std::string_view number = {},
                   std::string_view channel = {});

// It becomes part of a channel's name, where & would ring other phones too.
bool usable_extension(std::string_view extension);

// A text of the CRM as a dialplan and a phone's display can take it: variables, expressions, lists and quotes
// are syntax there and become blanks; at most so many bytes (Asterisk has 79 for a name), and no half of a
// character.
std::string dialplan_text(std::string_view value, std::size_t longest = 79);

}  // namespace bridge
