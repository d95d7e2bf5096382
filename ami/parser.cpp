#include "ami/parser.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <strings.h>

#include "ami/text.hpp"

namespace ami {

namespace {

constexpr std::string_view banner_start = "Asterisk Call Manager";
constexpr std::size_t banner_most = 128;  // bytes of the first line
constexpr std::size_t smallest_buffer = 16UL * 1024;
constexpr std::size_t largest_kept =
    256UL * 1024;  // a buffer larger than this is given back once it is empty

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

const char* find(const char* from, const char* end, char wanted) {
    return static_cast<const char*>(std::memchr(from, wanted, static_cast<std::size_t>(end - from)));
}

}  // namespace

struct Parser::Cursor {
    const char* block;    // first byte of the message that is being read
    const char* line;     // first byte of its current line
    const char* scanned;  // no line end before this
    const char* end;
};

std::expected<void, ParseError> Parser::feed(std::string_view bytes, const Sink& sink) {
    if (error_) return std::unexpected(*error_);
    if (bytes.empty()) return {};

    // With nothing kept the bytes are read where they lie, and only the last, incomplete message is copied.
    const bool in_place = begin_ == end_;
    Cursor cursor{};
    if (in_place) {
        cursor = {bytes.data(), bytes.data(), bytes.data(), bytes.data() + bytes.size()};
    } else {
        append(bytes);
        const char* base = buffer_.get() + begin_;
        cursor = {base, base + line_, base + scanned_, buffer_.get() + end_};
    }
    const bool fine = (has_banner_ || read_banner(cursor)) && (!has_banner_ || read_blocks(cursor, sink));
    if (!fine) return std::unexpected(*error_);

    if (in_place) {
        keep(cursor);
    } else {
        begin_ = static_cast<std::size_t>(cursor.block - buffer_.get());
    }
    line_ = static_cast<std::size_t>(cursor.line - cursor.block);
    scanned_ = static_cast<std::size_t>(cursor.scanned - cursor.block);
    if (begin_ == end_) {
        begin_ = end_ = 0;
        if (capacity_ > largest_kept) {
            buffer_.reset();
            capacity_ = 0;
        }
    }
    return {};
}

// False: the peer does not speak AMI. True without has_banner_: the line is not complete.
bool Parser::read_banner(Cursor& cursor) {
    const char* end = find(cursor.scanned, cursor.end, '\n');
    const auto length = static_cast<std::size_t>((end == nullptr ? cursor.end : end) - cursor.block);
    std::string_view line(cursor.block, std::min(length, banner_most));
    if (end == nullptr && length < banner_most) {
        cursor.scanned = cursor.end;
        return true;
    }
    const bool crlf = end != nullptr && line.ends_with('\r');
    if (crlf) line.remove_suffix(1);
    const std::size_t slash = line.rfind('/');
    if (length >= banner_most || !line.starts_with(banner_start) || slash == std::string_view::npos) {
        fail(fmt::format(
            "the peer does not speak AMI: its first line is \"{}\" instead of \"{}/...\"; check host "
            "and port, and TLS",
            printable(line, 60), banner_start));
        return false;
    }
    if (!crlf) {
        fail("the peer does not speak AMI: its lines end with LF instead of CRLF");
        return false;
    }
    version_ = printable(line.substr(slash + 1), 40);
    has_banner_ = true;
    cursor.block = cursor.line = cursor.scanned = end + 1;
    return true;
}

bool Parser::read_blocks(Cursor& cursor, const Sink& sink) {
    while (const char* lf = find(cursor.scanned, cursor.end, '\n')) {
        cursor.scanned = lf + 1;
        if (lf == cursor.line || lf[-1] != '\r') continue;
        const char* end = lf - 1;
        if (!within_limits(static_cast<std::size_t>(end + 1 - cursor.line),
                           static_cast<std::size_t>(cursor.line - cursor.block))) {
            return false;
        }
        if (end != cursor.line) {
            if (headers_.size() == limits_.headers) {
                fail(fmt::format("message {} has more than {} lines", messages_ + 1, limits_.headers));
                return false;
            }
            add_header(cursor.line, end);
            cursor.line = cursor.scanned;
            continue;
        }
        cursor.block = cursor.line = cursor.scanned;
        if (!headers_.empty()) hand_out(sink);
    }
    cursor.scanned = cursor.end;
    return within_limits(static_cast<std::size_t>(cursor.end - cursor.line),
                         static_cast<std::size_t>(cursor.line - cursor.block));
}

void Parser::add_header(const char* line, const char* end) {
    const char* colon = find(line, end, ':');
    if (colon == nullptr) {
        headers_.push_back({{}, {line, static_cast<std::size_t>(end - line)}});
        return;
    }
    const char* value = colon + 1;
    if (value != end && *value == ' ') ++value;
    headers_.push_back(
        {{line, static_cast<std::size_t>(colon - line)}, {value, static_cast<std::size_t>(end - value)}});
}

void Parser::hand_out(const Sink& sink) {
    const std::string_view first = headers_.front().name;
    const auto kind = same_name(first, "Event")      ? Message::Kind::event
                      : same_name(first, "Response") ? Message::Kind::response
                                                     : Message::Kind::other;
    ++messages_;
    sink(Message(kind, headers_));
    headers_.clear();
}

// `line_bytes` of the line that begins `line_offset` bytes into the message have been seen, its CR included.
// Of two limits the one that was passed first is named, so the text does not depend on how the bytes were
// divided.
bool Parser::within_limits(std::size_t line_bytes, std::size_t line_offset) {
    const bool line_fault = line_bytes > limits_.line + 1;
    const bool block_fault = line_offset + line_bytes > limits_.block;
    if (!line_fault && !block_fault) return true;
    if (line_fault && line_offset + limits_.line + 2 <= limits_.block + 1) {
        fail(fmt::format("line {} of message {} has more than {} bytes", headers_.size() + 1, messages_ + 1,
                         limits_.line));
    } else {
        fail(fmt::format("message {} has more than {} bytes", messages_ + 1, limits_.block));
    }
    return false;
}

void Parser::keep(const Cursor& cursor) {
    const auto count = static_cast<std::size_t>(cursor.end - cursor.block);
    if (count == 0) return;
    if (count > capacity_) {
        capacity_ = std::max(smallest_buffer, count * 2);
        buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    move_to(buffer_.get(), cursor.block, count);
    begin_ = 0;
    end_ = count;
}

void Parser::append(std::string_view bytes) {
    const std::size_t kept = end_ - begin_;
    if (capacity_ - end_ < bytes.size()) {
        if (kept + bytes.size() > capacity_ / 2) {
            const std::size_t capacity = std::max(smallest_buffer, (kept + bytes.size()) * 2);
            auto larger = std::make_unique_for_overwrite<char[]>(capacity);
            move_to(larger.get(), buffer_.get() + begin_, kept);
            buffer_ = std::move(larger);
            capacity_ = capacity;
        } else {
            move_to(buffer_.get(), buffer_.get() + begin_, kept);
        }
        begin_ = 0;
        end_ = kept;
    }
    std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
}

// Moves the bytes of the incomplete message, and the views with them.
void Parser::move_to(char* target, const char* from, std::size_t count) {
    for (Header& header : headers_) {
        const auto moved = [&](std::string_view view) {
            return view.data() == nullptr ? view
                                          : std::string_view(target + (view.data() - from), view.size());
        };
        header = {moved(header.name), moved(header.value)};
    }
    std::memmove(target, from, count);
}

void Parser::fail(std::string text) {
    error_ = ParseError{std::move(text)};
    headers_.clear();
}

void Parser::reset() {
    has_banner_ = false;
    version_.clear();
    error_.reset();
    messages_ = 0;
    begin_ = end_ = line_ = scanned_ = 0;
    headers_.clear();
}

}  // namespace ami
