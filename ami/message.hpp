// One block of the Asterisk Manager Interface as flat views into the parser's buffer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ami {

struct Header {
    std::string_view name;
    std::string_view value;
};

// A message of the server: an event or a response. Views are valid until the call that handed the message out
// returns; copy what must stay. Repeated headers (`Variable`, `Output`, `ChanVariable(...)`) are all kept, in
// order. Source: Asterisk documentation "AMI v2 Specification"; header names are compared without regard to
// case.
class Message {
 public:
    enum class Kind : std::uint8_t { event, response, other };

    Message() = default;
    Message(Kind kind, std::span<const Header> headers) : headers_(headers), kind_(kind) {}

    [[nodiscard]] Kind kind() const { return kind_; }
    // Value of `Event:` or `Response:`; empty for a block that is neither.
    [[nodiscard]] std::string_view name() const {
        return kind_ == Kind::other || headers_.empty() ? std::string_view{} : headers_.front().value;
    }
    [[nodiscard]] bool is_event(std::string_view event) const {
        return kind_ == Kind::event && name() == event;
    }
    [[nodiscard]] std::span<const Header> headers() const { return headers_; }
    // First header of that name; nullopt when absent.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
    // First header of that name; empty when absent.
    [[nodiscard]] std::string_view get(std::string_view name) const {
        return find(name).value_or(std::string_view{});
    }

 private:
    std::span<const Header> headers_;
    Kind kind_ = Kind::other;
};

}  // namespace ami
