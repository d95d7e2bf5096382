// The control socket of the daemon: who may connect, how much they may send, what happens to a slow one.
// Protocol: control.hpp. Owner's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/control.hpp"

namespace boost::asio {
class io_context;
}

namespace bridge {

struct ControlAccess {
    std::string path;   // of the unix socket
    std::string group;  // empty: mode 0600. Else 0660 and owned by this group
    bool operator==(const ControlAccess&) const = default;
};

// Whose process asks: SO_PEERCRED, SO_PEERGROUPS.
struct ControlPeer {
    unsigned uid = 0;
    std::vector<unsigned> groups;
};
// Root, the daemon's user (`own`) and members of the group may; others are told `forbidden`.
bool may_ask(const ControlPeer& peer, unsigned own, std::optional<unsigned> group);

struct ControlLimits {
    std::size_t clients = 16;                  // one more is told `busy`
    std::size_t pending = 4UL << 20U;          // bytes of answer not read yet; more end in `too-slow`
    std::chrono::milliseconds asking{5000};    // span: from connecting to the end of the request
    std::chrono::milliseconds reading{10000};  // span: without a byte of the answer read
};

// A request has at most control_line_most bytes; what a client sends behind it is ignored, up to 64 kB.
class ControlServer {
 public:
    using Answer = std::function<void(const ControlRequest&, const ControlAnswer&)>;
    using Log = std::function<void(int priority, std::string_view line)>;

    ControlServer(boost::asio::io_context& io, Answer answer, Log log, ControlLimits limits = {});
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    // The socket of a daemon that is no more is replaced, the socket of a living one and any other file is
    // not. The error says what to do.
    std::expected<void, std::string> open(const ControlAccess& access);
    void close();  // cuts every client, removes the socket
    [[nodiscard]] std::size_t clients() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace bridge
