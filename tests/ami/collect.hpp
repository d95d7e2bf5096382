// Messages of a parser as values that can be compared and printed.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/parser.hpp"

namespace ami_test {

struct Parsed {
    int kind = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    bool operator==(const Parsed&) const = default;
};

struct Result {
    std::vector<Parsed> messages;
    std::string version;
    std::string error;  // empty: none
    std::size_t pending = 0;
    bool operator==(const Result&) const = default;
};

// Feeds `bytes` in pieces: `cut(i)` gives the size of piece i (0 counts as 1).
template <typename Cut>
Result parse(std::string_view bytes, Cut cut, ami::ParserLimits limits = {}) {
    ami::Parser parser(limits);
    Result result;
    const auto sink = [&result](const ami::Message& message) {
        Parsed& parsed = result.messages.emplace_back();
        parsed.kind = static_cast<int>(message.kind());
        for (const ami::Header& header : message.headers())
            parsed.headers.emplace_back(header.name, header.value);
    };
    for (std::size_t i = 0; !bytes.empty(); ++i) {
        const std::size_t size = std::min(bytes.size(), std::max<std::size_t>(1, cut(i)));
        // A copy of its own, so that a view kept beyond the call is seen by AddressSanitizer.
        const std::string piece(bytes.substr(0, size));
        bytes.remove_prefix(size);
        if (const auto fed = parser.feed(piece, sink); !fed) {
            result.error = fed.error().text;
            result.version = parser.version();
            return result;
        }
    }
    result.version = parser.version();
    result.pending = parser.pending();
    return result;
}

inline Result parse_whole(std::string_view bytes, ami::ParserLimits limits = {}) {
    return parse(bytes, [&](std::size_t) { return bytes.size(); }, limits);
}

inline Result parse_by(std::string_view bytes, std::size_t size, ami::ParserLimits limits = {}) {
    return parse(bytes, [size](std::size_t) { return size; }, limits);
}

}  // namespace ami_test
