#include "bridge/control_client.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bridge {

namespace {

using Kind = ControlError::Kind;
using Clock = std::chrono::steady_clock;

constexpr int glance = 200;                        // ms between two questions of `enough`
constexpr std::size_t longest_line = 64UL << 20U;  // a daemon sends at most 4 MiB

class Descriptor {
 public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }

 private:
    int fd_;
};

std::unexpected<ControlError> fault(Kind kind, std::string text) {
    return std::unexpected(ControlError{kind, {}, std::move(text)});
}

std::expected<void, ControlError> connect(int socket, const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty()) return fault(Kind::no_daemon, "`control` is not set in the configuration");
    if (path.size() >= sizeof address.sun_path)
        return fault(Kind::no_daemon,
                     fmt::format("{} is longer than 107 bytes, too long for a unix socket", path));
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
    const int why = errno;
    if (why == EACCES || why == EPERM)
        return fault(Kind::no_daemon,
                     fmt::format("{}: {}; ask as root, as ctibridge's user or as a member of the group of "
                                 "`control`",
                                 path, std::strerror(why)));
    return fault(
        Kind::no_daemon,
        fmt::format("no ctibridge answers at {}: {}; is it running, and is `control` the same in its "
                    "configuration?",
                    path, std::strerror(why)));
}

class Talk {
 public:
    Talk(int socket, const ControlAsk& ask) : socket_(socket), ask_(ask) {}

    std::expected<std::string, ControlError> run() {
        const std::string line = ask_.request + "\n";
        // A refusal may be there before all is written; it tells more than a broken pipe.
        if (::send(socket_, line.data(), line.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
            return fault(Kind::broken, std::strerror(errno));
        last_ = Clock::now();
        while (true) {
            if (auto end = lines()) return *end;
            if (!over_ && ask_.enough()) {
                over_ = true;
                ::shutdown(socket_, SHUT_WR);
            }
            if (auto failed = more()) return std::unexpected(*failed);
        }
    }

 private:
    // What came; nothing when all is well or nothing came yet.
    std::optional<ControlError> more() {
        pollfd wait{socket_, POLLIN, 0};
        if (::poll(&wait, 1, glance) <= 0) {
            if (ask_.patience != std::chrono::milliseconds::max() && Clock::now() - last_ > ask_.patience)
                return ControlError{Kind::broken, {}, "ctibridge does not answer"};
            return {};
        }
        std::array<char, 65536> piece{};
        const auto size = ::recv(socket_, piece.data(), piece.size(), 0);
        if (size < 0 && errno == EINTR) return {};
        if (size <= 0)
            return ControlError{Kind::broken, {}, "ctibridge ended before its answer was complete"};
        last_ = Clock::now();
        text_.append(piece.data(), static_cast<std::size_t>(size));
        if (text_.size() > longest_line) return ControlError{Kind::broken, {}, "the answer has no end"};
        return {};
    }

    std::optional<std::expected<std::string, ControlError>> lines() {
        for (std::size_t end = text_.find('\n'); end != std::string::npos; end = text_.find('\n')) {
            const auto json = nlohmann::json::parse(text_.substr(0, end), nullptr, false);
            text_.erase(0, end + 1);
            if (!json.is_object() || json.size() != 1)
                return fault(Kind::broken, "what answers is no ctibridge");
            if (json.contains("done")) return json["done"].dump();
            if (json.contains("item") && ask_.item) ask_.item(json["item"].dump());
            if (!json.contains("error")) continue;
            const auto& error = json["error"];
            return std::unexpected(
                ControlError{Kind::refused, error.value("code", ""), error.value("text", "")});
        }
        return {};
    }

    int socket_;
    const ControlAsk& ask_;
    std::string text_;
    Clock::time_point last_;
    bool over_ = false;
};

}  // namespace

std::expected<std::string, ControlError> ask_control(const ControlAsk& ask) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() < 0) return fault(Kind::no_daemon, std::strerror(errno));
    if (auto connected = connect(socket.get(), ask.path); !connected)
        return std::unexpected(connected.error());
    return Talk(socket.get(), ask).run();
}

}  // namespace bridge
