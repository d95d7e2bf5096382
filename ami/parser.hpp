// Bytes of an AMI connection -> messages. Incremental: any division of the bytes into chunks gives the same
// messages. Source: Asterisk documentation "AMI v2 Specification" and recorded sessions. A line ends with
// CRLF; a bare LF or CR is part of a value (`Message: Park successful\n`). An empty line ends a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ami/message.hpp"

namespace ami {

struct ParserLimits {
    std::size_t line = 64UL * 1024;         // bytes of one header line without its CRLF
    std::size_t block = 8UL * 1024 * 1024;  // bytes of one message with its empty line
    std::size_t headers = 200'000;          // lines of one message
};

struct ParseError {
    std::string text;  // what is wrong and where, for a log line; holds no bytes of the peer unescaped
};

// Not thread-safe; owns its buffer. After an error the parser stays in error until reset().
class Parser {
 public:
    using Sink = std::function<void(const Message&)>;

    explicit Parser(ParserLimits limits = {}) : limits_(limits) {}

    // Takes bytes and calls `sink` for every message completed by them, in order. The first line of a
    // connection is the banner (`Asterisk Call Manager/x.y.z`), see banner(). A block whose first header is
    // neither Event nor Response is handed out as Kind::other; a line without a colon is a header without a
    // name. `sink` may call nothing of this parser. Messages before a fault are handed out before the error
    // is returned.
    std::expected<void, ParseError> feed(std::string_view bytes, const Sink& sink);

    [[nodiscard]] bool has_banner() const { return has_banner_; }
    // Version behind the slash of the banner, e.g. "11.0.0"; printable, at most 40 bytes.
    [[nodiscard]] const std::string& version() const { return version_; }
    // Bytes received of a message (or the banner) that is not complete.
    [[nodiscard]] std::size_t pending() const { return end_ - begin_; }
    // Messages handed out since the beginning.
    [[nodiscard]] std::uint64_t messages() const { return messages_; }
    void reset();

 private:
    struct Cursor;  // a place in the bytes being read

    bool read_banner(Cursor& cursor);
    bool read_blocks(Cursor& cursor, const Sink& sink);
    void add_header(const char* line, const char* end);
    void hand_out(const Sink& sink);
    bool within_limits(std::size_t line_bytes, std::size_t line_offset);
    void keep(const Cursor& cursor);
    void append(std::string_view bytes);
    void move_to(char* target, const char* from, std::size_t count);
    void fail(std::string text);

    ParserLimits limits_;
    bool has_banner_ = false;
    std::string version_;
    std::optional<ParseError> error_;
    std::uint64_t messages_ = 0;

    // What came of an incomplete message: buffer_[begin_, end_).
    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    // Within it: where its current line begins and how far the search for the line's end has come.
    std::size_t line_ = 0;
    std::size_t scanned_ = 0;
    // Headers of the incomplete message, views into where its bytes are now.
    std::vector<Header> headers_;
};

}  // namespace ami
