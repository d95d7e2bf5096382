// The same bytes in any pieces give the same messages, and the same error. The first byte chooses the limits,
// the second seeds the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "ami/parser.hpp"

namespace {

// All messages as one string that no two different outcomes share.
struct Outcome {
    std::string text;
    bool operator==(const Outcome&) const = default;
};

template <typename Cut>
Outcome run(std::string_view bytes, const ami::ParserLimits& limits, Cut cut) {
    ami::Parser parser(limits);
    Outcome outcome;
    const auto field = [&outcome](std::string_view value) {
        outcome.text += std::to_string(value.size()) + ":";
        outcome.text += value;
    };
    const auto sink = [&](const ami::Message& message) {
        outcome.text += "[" + std::to_string(static_cast<int>(message.kind()));
        field(message.name());
        for (const ami::Header& header : message.headers()) {
            field(header.name);
            field(header.value);
        }
    };
    bool failed = false;
    while (!bytes.empty() && !failed) {
        const std::string piece(bytes.substr(0, cut(bytes.size())));
        bytes.remove_prefix(piece.size());
        const auto fed = parser.feed(piece, sink);
        if (!fed) {
            field(fed.error().text);
            failed = true;
        }
    }
    field(parser.version());
    if (!failed) field(std::to_string(parser.pending()));
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const ami::ParserLimits small{
        .line = 20U + data[0] % 16U, .block = 40U + data[0], .headers = 2U + data[0] % 8U};
    const ami::ParserLimits limits = data[0] < 200 ? ami::ParserLimits{} : small;
    std::uint32_t seed = data[1];
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const Outcome whole = run(bytes, limits, [](std::size_t left) { return left; });
    const Outcome single = run(bytes, limits, [](std::size_t) { return std::size_t{1}; });
    const Outcome random = run(bytes, limits, [&seed](std::size_t left) {
        seed = seed * 1664525U + 1013904223U;
        return std::min<std::size_t>(left, 1U + (seed >> 24U) % 48U);
    });
    if (whole != single || whole != random) {
        std::cerr << "the pieces change the outcome\nwhole:  " << whole.text << "\nsingle: " << single.text
                  << "\nrandom: " << random.text << '\n';
        std::abort();
    }
    return 0;
}
