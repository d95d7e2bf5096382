#include "bridge/recorder.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include "bridge/link.hpp"
#include "bridge/protocols.hpp"

namespace bridge {

namespace {

class OutputFile {
 public:
    explicit OutputFile(const std::filesystem::path& path)
        : descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
        if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), path.string());
    }
    ~OutputFile() { ::close(descriptor_); }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    void write(std::string_view text) {
        while (!text.empty()) {
            auto written = ::write(descriptor_, text.data(), text.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) throw std::system_error(errno, std::generic_category(), "write");
            text.remove_prefix(static_cast<std::size_t>(written));
        }
    }

 private:
    int descriptor_;
};

struct Tape {
    OutputFile bytes, times;
    std::size_t offset = 0, messages = 0;
    Millis opened{0};
};

class Recording final : public Protocol {
 public:
    Recording(const ami::SessionConfig& config, ami::SessionHandler& handler, Tape& tape)
        : inner_(config, handler), tape_(tape) {}
    void opened(Millis now) override {
        tape_.opened = now;
        inner_.opened(now);
    }
    void received(std::string_view bytes, Millis now) override {
        tape_.times.write(fmt::format("{}\t{}\n", tape_.offset, (now - tape_.opened).count()));
        tape_.bytes.write(bytes);
        tape_.offset += bytes.size();
        inner_.received(bytes, now);
    }
    void closed(std::string_view reason, Millis now) override { inner_.closed(reason, now); }
    void tick(Millis now) override { inner_.tick(now); }
    [[nodiscard]] Millis next_deadline() const override { return inner_.next_deadline(); }
    [[nodiscard]] std::string take_output() override { return inner_.take_output(); }
    [[nodiscard]] bool wants_close() const override { return inner_.wants_close(); }
    [[nodiscard]] std::string why() const override { return inner_.why(); }
    [[nodiscard]] std::optional<Millis> retry_after() const override { return inner_.retry_after(); }
    [[nodiscard]] bool was_up() const override { return inner_.was_up(); }

 private:
    AmiProtocol inner_;
    Tape& tape_;
};

// Counts, says what happens, and remembers whether there was anything to record.
class Watcher final : public ami::SessionHandler {
 public:
    Watcher(Tape& tape, std::function<void()> ended) : tape_(tape), ended_(std::move(ended)) {}
    void on_message(const ami::Message&) override { ++tape_.messages; }
    void on_state(ami::SessionState state, std::string_view detail) override {
        fmt::print(stderr, "{} {}\n", ami::to_string(state), detail);
        was_up |= state == ami::SessionState::up;
        if (state == ami::SessionState::closed) ended_();
    }
    bool was_up = false;

 private:
    Tape& tape_;
    std::function<void()> ended_;
};

}  // namespace

int record_session(const PbxConfig& pbx, const std::filesystem::path& file, Logger& log) {
    std::signal(SIGPIPE, SIG_IGN);
    auto times = file;
    times.replace_extension(".times");
    if (times == file) times += ".times";
    std::unique_ptr<Tape> tape;
    try {
        tape = std::unique_ptr<Tape>(new Tape{OutputFile(file), OutputFile(times)});
    } catch (const std::system_error& error) {
        fmt::print(stderr, "record: {}; name a file that does not exist yet, in a folder you may write\n",
                   error.what());
        return 2;
    }
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    std::unique_ptr<Link> link;
    auto end = [&] {
        boost::asio::post(io, [&] {
            link->stop();
            signals.cancel();
        });
    };
    Watcher watcher(*tape, end);
    ami::SessionConfig session;
    session.username = pbx.username;
    session.secret = pbx.secret;
    session.events = "on";
    link = std::make_unique<Link>(
        io, "pbx:" + pbx.name, Endpoint{pbx.host, pbx.port, pbx.tls}, ReconnectPolicy{},
        [&] { return std::make_unique<Recording>(session, watcher, *tape); },
        [&](int priority, std::string_view line) { log(priority, line); });
    // One connection is one recording: no second attempt.
    link->on_first_attempt([&] {
        if (!watcher.was_up) end();
    });
    signals.async_wait([&](boost::system::error_code error, int) {
        if (!error) link->stop();
    });
    link->start();
    try {
        io.run();
    } catch (const std::system_error& error) {
        fmt::print(stderr, "record: {}\n", error.what());
        return 1;
    }
    link.reset();
    fmt::print(stderr, "{} bytes, {} messages in {} and {}\n", tape->offset, tape->messages, file.string(),
               times.string());
    return watcher.was_up ? 0 : 1;
}

}  // namespace bridge
