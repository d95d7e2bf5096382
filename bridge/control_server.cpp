#include "bridge/control_server.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <set>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/log.hpp"

namespace bridge {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::local::stream_protocol::socket;
using Endpoint = asio::local::stream_protocol::endpoint;

constexpr std::size_t most_surplus = 64UL << 10U;
constexpr std::chrono::seconds accept_pause{1};

std::string system_error(int number) {
    return error_code(number, boost::system::system_category()).message();
}

std::optional<unsigned> group_id(const std::string& name) {
    std::vector<char> space(1U << 16U);
    group entry{};
    group* found = nullptr;
    if (::getgrnam_r(name.c_str(), &entry, space.data(), space.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return found->gr_gid;
}

std::optional<ControlPeer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    ControlPeer peer{credentials.uid, {credentials.gid}};
    std::array<gid_t, 4096> groups{};
    size = sizeof groups;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0)
        peer.groups.insert(peer.groups.end(), groups.data(), groups.data() + size / sizeof(gid_t));
    return peer;
}

// One connection: a request, its answer, the end. Kept alive by what it waits for.
class Client final : public ControlAnswer::Port, public std::enable_shared_from_this<Client> {
 public:
    using Ended = std::function<void(Client*)>;
    Client(asio::io_context& io, Socket socket, const ControlServer::Answer& answer, ControlLimits limits,
           Ended ended)
        : io_(io),
          socket_(std::move(socket)),
          timer_(io),
          answer_(answer),
          limits_(limits),
          ended_(std::move(ended)) {}

    void begin() {
        arm(limits_.asking);
        read();
    }
    void refuse(std::string_view code, std::string_view text) {
        asked_ = true;
        ControlAnswer(weak_from_this()).error(code, text);
        read();
    }
    [[nodiscard]] int handle() { return socket_.native_handle(); }

    bool put(std::string line, bool last) override {
        if (last_ || closed_) return false;
        const bool fits = pending_ + line.size() <= limits_.pending;
        if (!fits) {
            // What is not under way is given up, so that there is room to say why.
            while (lines_.size() > (writing_ ? 1U : 0U)) {
                pending_ -= lines_.back().size();
                lines_.pop_back();
            }
            line = R"({"error":{"code":"too-slow","text":"the answers were not read in time"}})";
            last = true;
        }
        line += '\n';
        pending_ += line.size();
        lines_.push_back(std::move(line));
        last_ = last;
        write();
        if (!fits) tell_gone();
        return fits;
    }
    void when_gone(std::function<void()> gone) override {
        gone_ = std::move(gone);
        if (sending_over_ || closed_) tell_gone();
    }

    void close() {
        if (std::exchange(closed_, true)) return;
        timer_.cancel();
        error_code ignored;
        socket_.close(ignored);
        tell_gone();
        if (ended_) ended_(this);
    }

 private:
    void arm(std::chrono::milliseconds span) {
        timer_.expires_after(span);
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->close();
        });
    }
    void read() {
        socket_.async_read_some(asio::buffer(piece_),
                                [self = shared_from_this()](error_code error, std::size_t size) {
                                    if (self->closed_) return;
                                    if (error == asio::error::eof) return self->sending_ended();
                                    if (error) return self->close();
                                    self->took(std::string_view(self->piece_.data(), size));
                                });
    }
    void took(std::string_view bytes) {
        if (asked_) {
            surplus_ += bytes.size();
            return surplus_ > most_surplus ? close() : read();
        }
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (line_.size() >= control_line_most) return refuse("bad-request", "the request is too long");
        if (end == std::string_view::npos) return read();
        ask();
        if (!closed_) read();
    }
    void ask() {
        asked_ = true;
        timer_.cancel();
        ControlAnswer answer(weak_from_this());
        auto request = read_control_request(line_);
        if (!request) return answer.error(request.error().code, request.error().text);
        answer_(*request, answer);
    }
    void sending_ended() {
        sending_over_ = true;
        if (!asked_) return close();
        tell_gone();
    }
    void tell_gone() {
        if (!gone_) return;
        asio::post(io_, std::exchange(gone_, nullptr));
    }
    void write() {
        if (writing_ || closed_) return;
        if (lines_.empty()) {
            if (last_) close();
            return;
        }
        writing_ = true;
        arm(limits_.reading);
        write_rest(0);
    }
    // Piece by piece, so that the deadline is about progress and not about the whole.
    void write_rest(std::size_t from) {
        const auto& line = lines_.front();
        socket_.async_write_some(asio::buffer(line.data() + from, line.size() - from),
                                 [self = shared_from_this(), from](error_code error, std::size_t size) {
                                     if (self->closed_) return;
                                     if (error) return self->close();
                                     self->wrote(from + size);
                                 });
    }
    void wrote(std::size_t size) {
        if (size < lines_.front().size()) {
            arm(limits_.reading);
            return write_rest(size);
        }
        writing_ = false;
        timer_.cancel();
        pending_ -= lines_.front().size();
        lines_.pop_front();
        write();
    }

    asio::io_context& io_;
    Socket socket_;
    asio::steady_timer timer_;
    const ControlServer::Answer& answer_;
    const ControlLimits limits_;
    Ended ended_;
    std::array<char, 4096> piece_{};
    std::string line_;
    std::deque<std::string> lines_;
    std::size_t pending_ = 0, surplus_ = 0;
    bool asked_ = false, sending_over_ = false, writing_ = false, last_ = false, closed_ = false;
    std::function<void()> gone_;
};

}  // namespace

struct ControlServer::Impl : std::enable_shared_from_this<ControlServer::Impl> {
    Impl(asio::io_context& io_, Answer answer_, Log log_, ControlLimits limits_)
        : io(io_),
          acceptor(io_),
          pause(io_),
          answer(std::move(answer_)),
          log(std::move(log_)),
          limits(limits_) {}

    std::expected<void, std::string> take_lock() {
        const auto file = access.path + ".lock";
        lock = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (lock < 0)
            return std::unexpected(
                fmt::format("{}: {}; create its folder for the user that ctibridge runs as, or set `control`",
                            file, system_error(errno)));
        if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return {};
        return std::unexpected(fmt::format(
            "{} belongs to another ctibridge that runs; stop it, or set another `control`", access.path));
    }

    // Whatever is there: away with it only when it is a socket that nobody answers.
    std::expected<void, std::string> make_room() {
        struct stat found{};
        if (::lstat(access.path.c_str(), &found) != 0) return {};
        if (!S_ISSOCK(found.st_mode))
            return std::unexpected(fmt::format(
                "{} is there and is no socket; remove it, or set another `control`", access.path));
        Socket probe(io);
        error_code error;
        probe.connect(Endpoint(access.path), error);
        if (!error)
            return std::unexpected(
                fmt::format("another program answers at {}; stop it, or set another `control`", access.path));
        ::unlink(access.path.c_str());
        return {};
    }

    std::expected<void, std::string> listen() {
        error_code error;
        acceptor.open(Endpoint().protocol(), error);
        if (!error) acceptor.bind(Endpoint(access.path), error);
        // Nobody can connect before listen(), so nobody can before the rights are set.
        const mode_t mode = group ? 0660 : 0600;
        if (!error && group && ::chown(access.path.c_str(), static_cast<uid_t>(-1), *group) != 0)
            error = error_code(errno, boost::system::system_category());
        if (!error && ::chmod(access.path.c_str(), mode) != 0)
            error = error_code(errno, boost::system::system_category());
        if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
        if (!error) return {};
        return std::unexpected(fmt::format("{}: {}", access.path, error.message()));
    }

    std::expected<void, std::string> open(const ControlAccess& wanted) {
        access = wanted;
        if (access.path.size() > 107)
            return std::unexpected(fmt::format(
                "{} is longer than 107 bytes, too long for a unix socket; set `control`", access.path));
        group = access.group.empty() ? std::nullopt : group_id(access.group);
        if (!access.group.empty() && !group)
            return std::unexpected(fmt::format("control: there is no group `{}`", access.group));
        std::error_code ignored;
        std::filesystem::create_directory(std::filesystem::path(access.path).parent_path(), ignored);
        auto opened = take_lock();
        if (opened) opened = make_room();
        if (opened) opened = listen();
        if (opened)
            accept();
        else
            release();
        return opened;
    }

    void accept() {
        acceptor.async_accept([self = shared_from_this()](error_code error, Socket socket) {
            if (error == asio::error::operation_aborted || self->closed) return;
            if (!error) {
                self->take(std::move(socket));
                return self->accept();
            }
            // No descriptor is free: those who have one will go.
            self->log(log_warning, fmt::format("control: {}", error.message()));
            self->pause.expires_after(accept_pause);
            self->pause.async_wait([self](error_code stopped) {
                if (!stopped) self->accept();
            });
        });
    }

    void take(Socket socket) {
        const bool full = clients.size() >= limits.clients;
        auto client = std::make_shared<Client>(
            io, std::move(socket), answer, limits, [weak = weak_from_this()](Client* ended) {
                auto self = weak.lock();
                if (!self) return;
                std::erase_if(self->clients, [&](const auto& one) { return one.get() == ended; });
            });
        // Those over the limit are told so and not counted: their time is bounded all the same.
        const auto peer = peer_of(client->handle());
        if (!peer || !may_ask(*peer, ::geteuid(), group))
            return client->refuse("forbidden",
                                  "only root, ctibridge's user and the group of `control` may ask");
        if (full) return client->refuse("busy", "too many clients ask at once; try again");
        clients.insert(client);
        client->begin();
    }

    void release() {
        if (lock >= 0) ::close(lock);
        lock = -1;
    }

    void close() {
        if (std::exchange(closed, true)) return;
        const bool ours = acceptor.is_open();
        error_code ignored;
        acceptor.close(ignored);
        pause.cancel();
        const auto all = clients;
        for (const auto& client : all) client->close();
        if (ours) ::unlink(access.path.c_str());
        release();
    }

    asio::io_context& io;
    asio::local::stream_protocol::acceptor acceptor;
    asio::steady_timer pause;
    Answer answer;
    Log log;
    const ControlLimits limits;
    ControlAccess access;
    std::optional<unsigned> group;
    int lock = -1;
    bool closed = false;
    std::set<std::shared_ptr<Client>> clients;
};

bool may_ask(const ControlPeer& peer, unsigned own, std::optional<unsigned> group) {
    if (peer.uid == 0 || peer.uid == own) return true;
    return group && std::find(peer.groups.begin(), peer.groups.end(), *group) != peer.groups.end();
}

ControlServer::ControlServer(asio::io_context& io, Answer answer, Log log, ControlLimits limits)
    : impl_(std::make_shared<Impl>(io, std::move(answer), std::move(log), limits)) {}
ControlServer::~ControlServer() {
    impl_->close();
}
std::expected<void, std::string> ControlServer::open(const ControlAccess& access) {
    return impl_->open(access);
}
void ControlServer::close() {
    impl_->close();
}
std::size_t ControlServer::clients() const {
    return impl_->clients.size();
}

}  // namespace bridge
