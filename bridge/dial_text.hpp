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

}  // namespace bridge
