#include "bridge/recorder.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fcntl.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "bridge/anonymiser.hpp"
#include "bridge/base64.hpp"
#include "bridge/cleaner.hpp"
#include "bridge/control_client.hpp"
#include "bridge/json.hpp"
#include "bridge/link.hpp"
#include "bridge/protocols.hpp"
#include "bridge/trace.hpp"

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

std::filesystem::path times_of(const std::filesystem::path& file) {
    auto times = file;
    times.replace_extension(".times");
    if (times == file) times += ".times";
    return times;
}

// What is recorded. With pseudonyms it is kept until the end: no name is on disk meanwhile.
class Tape {
 public:
    explicit Tape(const RecordOptions& options)
        : options_(options), bytes_(options.file), times_(times_of(options.file)) {}

    // `at`: since the beginning.
    void put(std::string_view clean, Millis at) {
        if (full() || clean.empty()) return;
        // A limit ends the recording between two messages.
        if (size_ + clean.size() > options_.most) {
            over_ = true;
            return;
        }
        const std::string time = fmt::format("{}\t{}\n", size_, at.count());
        if (options_.anonymise) {
            kept_ += clean;
            arrivals_.push_back({size_, at});
        } else {
            times_.write(time);
            bytes_.write(clean);
        }
        size_ += clean.size();
    }
    [[nodiscard]] bool full() const { return over_; }
    [[nodiscard]] std::size_t size() const { return size_; }

    void finish() {
        if (!options_.anonymise || kept_.empty()) return;
        const auto trace = Trace::make("the recording", kept_, arrivals_);
        if (!trace) throw std::runtime_error(trace.error());
        const Anonymised result = anonymise(*trace, {.key = {}, .internal = options_.internal});
        bytes_.write(result.bytes);
        times_.write(result.times);
    }

 private:
    const RecordOptions& options_;
    OutputFile bytes_, times_;
    std::string kept_;
    std::vector<Arrival> arrivals_;
    std::size_t size_ = 0;
    bool over_ = false;
};

class Recording final : public Protocol {
 public:
    Recording(const ami::SessionConfig& config, ami::SessionHandler& handler, Tape& tape)
        : inner_(
              config, handler,
              [this](std::string_view bytes, Millis now) { tape_.put(cleaner_.feed(bytes), now - opened_); }),
          tape_(tape) {}
    void opened(Millis now) override {
        opened_ = now;
        inner_.opened(now);
    }
    void received(std::string_view bytes, Millis now) override { inner_.received(bytes, now); }
    void closed(std::string_view reason, Millis now) override { inner_.closed(reason, now); }
    void tick(Millis now) override { inner_.tick(now); }
    [[nodiscard]] Millis next_deadline() const override { return inner_.next_deadline(); }
    [[nodiscard]] std::string take_output() override { return inner_.take_output(); }
    [[nodiscard]] bool wants_close() const override { return inner_.wants_close() || tape_.full(); }
    [[nodiscard]] std::string why() const override {
        return tape_.full() ? "the file is full" : inner_.why();
    }
    [[nodiscard]] std::optional<Millis> retry_after() const override { return inner_.retry_after(); }
    [[nodiscard]] bool was_up() const override { return inner_.was_up(); }

 private:
    AmiProtocol inner_;
    Tape& tape_;
    Cleaner cleaner_;
    Millis opened_{0};
};

// Says what happens, and remembers whether there was anything to record.
class Watcher final : public ami::SessionHandler {
 public:
    explicit Watcher(std::function<void()> ended) : ended_(std::move(ended)) {}
    void on_message(const ami::Message&) override {}
    void on_state(ami::SessionState state, std::string_view detail) override {
        fmt::print(stderr, "{} {}\n", ami::to_string(state), detail);
        was_up |= state == ami::SessionState::up;
        if (state == ami::SessionState::closed) ended_();
    }
    bool was_up = false;

 private:
    std::function<void()> ended_;
};

// A session of our own. True: there was something to record.
bool record_directly(const PbxConfig& pbx, const RecordOptions& options, Tape& tape, Logger& log) {
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    boost::asio::steady_timer limit(io);
    std::unique_ptr<Link> link;
    auto end = [&] {
        boost::asio::post(io, [&] {
            link->stop();
            signals.cancel();
            limit.cancel();
        });
    };
    Watcher watcher(end);
    ami::SessionConfig session;
    session.username = pbx.username;
    session.secret = pbx.secret;
    session.events = "on";
    link = std::make_unique<Link>(
        io, "pbx:" + pbx.name, Endpoint{pbx.host, pbx.port, pbx.tls}, ReconnectPolicy{},
        [&] { return std::make_unique<Recording>(session, watcher, tape); },
        [&](int priority, std::string_view line) { log(priority, line); });
    // One connection is one recording: no second attempt.
    link->on_first_attempt([&] {
        if (!watcher.was_up) end();
    });
    signals.async_wait([&](boost::system::error_code error, int) {
        if (!error) end();
    });
    if (options.longest.count() > 0) {
        limit.expires_after(options.longest);
        limit.async_wait([&](boost::system::error_code error) {
            if (!error) end();
        });
    }
    link->start();
    io.run();
    link.reset();
    return watcher.was_up;
}

volatile std::sig_atomic_t told_to_end = 0;

// The running daemon's session; nullopt: there is no daemon.
std::optional<bool> record_from_daemon(const PbxConfig& pbx, const std::string& control,
                                       const RecordOptions& options, Tape& tape) {
    for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { told_to_end = 1; });
    const Millis began = steady_now();
    ControlAsk ask;
    ask.path = control;
    ask.request = JsonObject().text("verb", "record").text("pbx", pbx.name).str();
    ask.patience = Millis::max();
    bool broken = false;
    ask.item = [&](std::string_view json) {
        const auto item = nlohmann::json::parse(json, nullptr, false);
        const auto bytes = item.is_object() && item.contains("bytes") && item["bytes"].is_string()
                               ? from_base64(item["bytes"].get<std::string>())
                               : std::nullopt;
        broken |= !bytes;
        if (bytes) tape.put(*bytes, Millis(item.value("at", std::int64_t{0})));
    };
    ask.enough = [&] {
        return told_to_end != 0 || broken || tape.full() ||
               (options.longest.count() > 0 && steady_now() - began >= options.longest);
    };
    const auto done = ask_control(ask);
    if (done) return !broken;
    if (done.error().kind == ControlError::Kind::no_daemon && tape.size() == 0) return std::nullopt;
    fmt::print(stderr, "record: {}\n", done.error().text);
    return false;
}

}  // namespace

int record_session(const PbxConfig& pbx, const std::string& control, const RecordOptions& options,
                   Logger& log) {
    std::signal(SIGPIPE, SIG_IGN);
    std::unique_ptr<Tape> tape;
    try {
        tape = std::make_unique<Tape>(options);
    } catch (const std::system_error& error) {
        fmt::print(stderr, "record: {}; name a file that does not exist yet, in a folder you may write\n",
                   error.what());
        return 2;
    }
    try {
        std::optional<bool> well;
        if (!options.direct && !control.empty()) well = record_from_daemon(pbx, control, options, *tape);
        if (!well) {
            if (!options.direct) fmt::print(stderr, "no ctibridge is running here: a session of our own\n");
            well = record_directly(pbx, options, *tape, log);
        }
        tape->finish();
        fmt::print(stderr, "{} bytes in {} and {}{}\n", tape->size(), options.file.string(),
                   times_of(options.file).string(), tape->full() ? "; the limit was reached" : "");
        return *well ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "record: {}\n", error.what());
        return 1;
    }
}

int anonymise_file(const std::filesystem::path& in, const std::filesystem::path& times,
                   const std::filesystem::path& out, std::function<bool(std::string_view)> internal) {
    const auto trace = Trace::load(in, times.empty() ? std::nullopt : std::optional(times));
    if (!trace) {
        fmt::print(stderr, "ctibridge replay: {}\n", trace.error());
        return 2;
    }
    const Anonymised result = anonymise(*trace, {.key = {}, .internal = std::move(internal)});
    try {
        OutputFile(out).write(result.bytes);
        if (!times.empty()) OutputFile(times_of(out)).write(result.times);
    } catch (const std::system_error& error) {
        fmt::print(stderr, "ctibridge replay: {}; name a file that does not exist yet\n", error.what());
        return 2;
    }
    return 0;
}

}  // namespace bridge
