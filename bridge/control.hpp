// The line protocol of the control socket (docs/design.md, section 7), without the socket: what a request is,
// and how a verb answers. One request per connection, a JSON object on one line:
//     {"verb":"explain","of":"anna@example.org"}
// Answered by lines of one JSON object each: any number of {"item":…}, then exactly one {"done":…} or
// {"error":{"code":…,"text":…}}. A client that has had enough of a stream closes its sending side and reads
// on to the last line.
#pragma once

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace bridge {

constexpr std::size_t control_line_most = 4096;  // bytes of a request, with its newline

struct ControlRequest {
    std::string verb;
    // The other members; numbers, `true` and `false` as their text. No control characters.
    std::map<std::string, std::string, std::less<>> values;

    [[nodiscard]] std::string_view value(std::string_view key) const;  // empty when absent
    [[nodiscard]] bool flag(std::string_view key) const { return value(key) == "true"; }
};

struct ControlFault {
    std::string code;  // bad-request, unknown-verb, forbidden, busy, too-slow, not-found, failed
    std::string text;  // what is wrong and what to do
};

// A line without its newline. All of it is the client's text.
std::expected<ControlRequest, ControlFault> read_control_request(std::string_view line);

// The other end of a request. Copies share it; it may outlive the client. Owner's thread only.
class ControlAnswer {
 public:
    class Port {
     public:
        virtual ~Port() = default;
        // A whole line without its newline; false: nobody reads any more.
        virtual bool put(std::string line, bool last) = 0;
        virtual void when_gone(std::function<void()> gone) = 0;
    };
    explicit ControlAnswer(std::weak_ptr<Port> port) : port_(std::move(port)) {}

    // Each `json` is one value, complete. After done() or error() nothing more is sent.
    bool item(std::string_view json) const;  // false: stop, the client is gone or does not keep up
    void done(std::string_view json = "{}") const;
    void error(std::string_view code, std::string_view text) const;
    // Called at most once, never from inside: the client wants no more items, or is gone. done() may follow.
    void when_gone(std::function<void()> gone) const;

 private:
    std::weak_ptr<Port> port_;
};

}  // namespace bridge
