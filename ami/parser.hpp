// Bytes of an AMI connection -> messages. Incremental: any division of the bytes into chunks gives the same messages.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ami/message.hpp"

namespace ami {

struct ParserLimits {
    std::size_t line = 64UL * 1024;          // bytes of one header line without its CRLF
    std::size_t block = 8UL * 1024 * 1024;   // bytes of one message
};

struct ParseError {
    std::string text;  // what is wrong and where, for a log line; holds no bytes of the peer unescaped
};

// Not thread-safe; owns its buffer. After an error the parser stays in error until reset().
class Parser {
 public:
    using Sink = std::function<void(const Message&)>;

    explicit Parser(ParserLimits limits = {}) : limits_(limits) {}

    // Takes bytes and calls `sink` for every message completed by them, in order. The first line of a connection is the
    // banner (`Asterisk Call Manager/x.y.z`), see banner(). A block that names neither Event nor Response is handed out as
    // Kind::other. `sink` may not call feed().
    std::expected<void, ParseError> feed(std::string_view bytes, const Sink& sink);

    [[nodiscard]] bool has_banner() const { return has_banner_; }
    // Version behind the slash of the banner, e.g. "11.0.0".
    [[nodiscard]] const std::string& version() const { return version_; }
    // Bytes received of a message that is not complete.
    [[nodiscard]] std::size_t pending() const;
    void reset();

 private:
    ParserLimits limits_;
    bool has_banner_ = false;
    std::string version_;
    // The AMI room fills in the rest.
};

}  // namespace ami
