#include "ami/message.hpp"

#include <strings.h>

namespace ami {

std::optional<std::string_view> Message::find(std::string_view name) const {
    for (const auto& header : headers_)
        if (header.name.size() == name.size() &&
            strncasecmp(header.name.data(), name.data(), name.size()) == 0)
            return header.value;
    return std::nullopt;
}

}  // namespace ami
