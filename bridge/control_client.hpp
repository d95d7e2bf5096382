// Asks the running daemon by its control socket (control.hpp); blocking, for the commands.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace bridge {

struct ControlError {
    enum class Kind : std::uint8_t {
        no_daemon,  // nobody answers at the path, or we may not connect
        refused,    // the daemon answered with an error
        broken,     // it fell silent, ended, or spoke something else
    };
    Kind kind = Kind::no_daemon;
    std::string code, text;  // `code` of a refusal; the text is for a person
};

struct ControlAsk {
    std::string path;
    std::string request;                                  // JSON object
    std::function<void(std::string_view json)> item;      // of a stream, in order
    std::chrono::milliseconds patience{15000};            // between two lines; max(): for ever
    std::function<bool()> enough = [] { return false; };  // asked every 200 ms and after a signal: true ends
                                                          // a stream, whose last items still come
};

// The JSON of `done`.
std::expected<std::string, ControlError> ask_control(const ControlAsk& ask);

}  // namespace bridge
