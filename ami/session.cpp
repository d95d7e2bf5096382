#include "ami/session.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "ami/parser.hpp"
#include "ami/requests.hpp"
#include "ami/text.hpp"

namespace ami {

namespace {

constexpr unsigned oldest_ami = 2;  // Asterisk 12; before it the events had other names
constexpr std::string_view stopping = "Asterisk is shutting down";

// The initial sync: what is asked, in this order.
struct SyncStep {
    std::string_view name;
    bool list;
    Action (*make)(const SessionConfig& config);
};

constexpr std::array<SyncStep, 6> sync_steps{{
    {"CoreSettings", false, [](const SessionConfig&) { return core_settings(); }},
    {"Status", true, [](const SessionConfig& config) { return status(config.sync_variables); }},
    {"CoreShowChannels", true, [](const SessionConfig&) { return core_show_channels(); }},
    {"QueueStatus", true, [](const SessionConfig&) { return queue_status(); }},
    {"DeviceStateList", true, [](const SessionConfig&) { return device_state_list(); }},
    {"ExtensionStateList", true, [](const SessionConfig&) { return extension_state_list(); }},
}};

std::string random_prefix() {
    std::random_device random;
    return fmt::format("ctb-{:08x}-", random());
}

// Whether the event mask lets FullyBooted through.
bool has_system_events(std::string_view mask) {
    while (!mask.empty()) {
        const std::size_t comma = mask.find(',');
        std::string_view word = mask.substr(0, comma);
        while (word.starts_with(' ')) word.remove_prefix(1);
        while (word.ends_with(' ')) word.remove_suffix(1);
        if (word == "system" || word == "on" || word == "all") return true;
        mask.remove_prefix(comma == std::string_view::npos ? mask.size() : comma + 1);
    }
    return false;
}

}  // namespace

std::string_view to_string(SessionState state) {
    static constexpr std::array<std::string_view, 6> names{"closed",  "banner",  "login",
                                                           "booting", "syncing", "up"};
    return names.at(static_cast<std::size_t>(state));
}

std::string_view to_string(Failure failure) {
    static constexpr std::array<std::string_view, 4> names{"network", "not-ami", "credentials", "shutdown"};
    return names.at(static_cast<std::size_t>(failure));
}

struct Session::Impl {
    Impl(SessionConfig given, SessionHandler& given_handler)
        : config(std::move(given)),
          handler(given_handler),
          requests(config.action_id_prefix.empty() ? random_prefix() : config.action_id_prefix) {}

    SessionConfig config;
    SessionHandler& handler;
    Parser parser;
    Requests requests;
    std::string output;
    std::string asterisk_version;
    SessionState state = SessionState::closed;
    Failure failure = Failure::network;
    std::string failure_text;
    bool wants_close = false;

    Millis now{};            // of the call that is being served
    Millis last_received{};  // bytes of any kind
    std::optional<Millis> state_deadline;
    bool booted = false;  // FullyBooted has come
    bool sync_again = false;
    std::size_t sync_step = 0;
    std::string sync_missing;
    bool ping_open = false;
    unsigned pings_missed = 0;
    bool shutting_down = false;

    void enter(SessionState next, std::string_view detail);
    void fail(Failure why, std::string text);

    std::expected<std::string, ActionError> submit(const Action& action, bool list, Item item, Done done);
    std::expected<std::string, ActionError> send(const Action& action, Requests::Timing timing, bool list,
                                                 Item item, Done done);
    void send_or_fail(const Action& action, Done done);
    void begin_login();
    void send_login(const Action& action);
    void fail_login();
    void logged_in();
    void begin_sync();
    void run_sync();
    void sync_answered(const SyncStep& step, const Reply& reply);
    void end_sync();

    void on_banner();
    void on_message(const Message& message);
    void on_event(const Message& message);
    void note_shutdown(const Reply& reply);
    void ping();
    void ping_answered(const Reply& reply, Millis sent);
    [[nodiscard]] bool is_logged_in() const { return state >= SessionState::booting && !wants_close; }
    [[nodiscard]] Requests::Timing usual() const { return {config.answer_deadline, config.list_deadline}; }
    [[nodiscard]] std::string versions() const;
};

void Session::Impl::enter(SessionState next, std::string_view detail) {
    state = next;
    state_deadline.reset();
    handler.on_state(next, detail);
}

void Session::Impl::fail(Failure why, std::string text) {
    if (wants_close) return;
    wants_close = true;
    failure = why;
    failure_text = std::move(text);
}

// What others ask for.
std::expected<std::string, ActionError> Session::Impl::submit(const Action& action, bool list, Item item,
                                                              Done done) {
    const auto refuse = [](std::string text) {
        return std::unexpected(ActionError{"session", std::move(text)});
    };
    if (!is_logged_in()) return refuse(fmt::format("not logged in to Asterisk (state {})", to_string(state)));
    if (requests.size() >= config.open_actions) {
        return refuse(fmt::format("{} actions wait for an answer of Asterisk already", requests.size()));
    }
    return send(action, usual(), list, std::move(item), std::move(done));
}

std::expected<std::string, ActionError> Session::Impl::send(const Action& action, Requests::Timing timing,
                                                            bool list, Item item, Done done) {
    std::string id = requests.next_id();
    auto bytes = encode(action, id);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    output += *bytes;
    requests.add(now, timing, list, std::move(item), [this, done = std::move(done)](const Reply& reply) {
        note_shutdown(reply);
        if (done) done(reply);
    });
    return id;
}

// During `core stop gracefully` every action is refused while calls and events go on: no fault of the link.
void Session::Impl::note_shutdown(const Reply& reply) {
    if (reply.response == nullptr || !is_logged_in()) return;
    const bool says_so = !reply.ok() && reply.message == stopping;
    if (says_so == shutting_down) return;
    shutting_down = says_so;
    handler.on_state(state, says_so
                                ? "Asterisk is shutting down: it refuses actions, calls go on until they end"
                                : "Asterisk takes actions again");
}

void Session::Impl::on_banner() {
    unsigned major = 0;
    const std::string& version = parser.version();
    const auto [end, error] = std::from_chars(version.data(), version.data() + version.size(), major);
    if (error == std::errc{} && major < oldest_ami) {
        fail(Failure::not_ami,
             fmt::format("AMI version {} is too old: Asterisk 12 or later is needed", version));
        return;
    }
    const auto deadline = state_deadline;
    enter(SessionState::login, "AMI " + version);
    state_deadline = deadline;
    begin_login();
}

void Session::Impl::send_or_fail(const Action& action, Done done) {
    const auto sent =
        send(action, {config.login_deadline, config.login_deadline}, false, {}, std::move(done));
    if (!sent) fail(Failure::credentials, "the login cannot be sent: " + sent.error().text);
}

void Session::Impl::begin_login() {
    if (!config.md5) {
        send_login(login(config.username, config.secret, config.events));
        return;
    }
    send_or_fail(challenge(), [this](const Reply& reply) {
        if (reply.response == nullptr || wants_close) return;
        if (reply.message == stopping) {
            fail(Failure::shutdown, reply.message);
        } else if (!reply.ok() || !reply.response->find("Challenge")) {
            fail(Failure::credentials, "Asterisk offers no MD5 login: " + reply.message);
        } else if (const std::string key = md5_key(reply.response->get("Challenge"), config.secret);
                   key.empty()) {
            fail(Failure::credentials, "the crypto library of this machine offers no MD5");
        } else {
            send_login(login_md5(config.username, key, config.events));
        }
    });
}

void Session::Impl::send_login(const Action& action) {
    send_or_fail(action, [this](const Reply& reply) {
        if (reply.response == nullptr || wants_close) return;
        if (reply.ok()) {
            logged_in();
        } else if (reply.message == stopping) {
            fail(Failure::shutdown, reply.message);
        } else {
            fail(Failure::credentials,
                 fmt::format("login as \"{}\" refused: {}; check username, secret and the user's "
                             "permit and deny in manager.conf",
                             printable(config.username), reply.message));
        }
    });
}

// The login deadline has passed.
void Session::Impl::fail_login() {
    const auto within = config.login_deadline.count();
    if (parser.has_banner()) {
        fail(Failure::network, fmt::format("Asterisk did not answer the login within {} ms", within));
    } else if (parser.pending() > 0) {
        fail(Failure::not_ami,
             fmt::format("no AMI banner within {} ms; check host and port, and TLS", within));
    } else {
        fail(Failure::network,
             fmt::format("the host is silent: no AMI banner within {} ms; check host and port, "
                         "and TLS",
                         within));
    }
}

void Session::Impl::logged_in() {
    enter(SessionState::booting, {});
    if (has_system_events(config.events)) {
        state_deadline = now + config.boot_grace;
    } else {
        begin_sync();
    }
}

void Session::Impl::begin_sync() {
    enter(SessionState::syncing, {});
    sync_step = 0;
    sync_again = false;
    sync_missing.clear();
    handler.on_sync_begin();
    run_sync();
}

void Session::Impl::run_sync() {
    for (; sync_step < sync_steps.size(); ++sync_step) {
        const SyncStep& step = sync_steps.at(sync_step);
        const auto sent = send(step.make(config), usual(), step.list, {}, [this, &step](const Reply& reply) {
            if (reply.outcome == Reply::Outcome::link_lost || !is_logged_in()) return;
            sync_answered(step, reply);
            ++sync_step;
            run_sync();
        });
        if (sent) return;
        sync_answered(step, {.outcome = Reply::Outcome::refused, .message = sent.error().text});
    }
    end_sync();
}

void Session::Impl::sync_answered(const SyncStep& step, const Reply& reply) {
    if (reply.ok()) {
        if (step.name == "CoreSettings")
            asterisk_version = printable(reply.response->get("AsteriskVersion"), 60);
        return;
    }
    const std::string missing = fmt::format("{} ({})", step.name, reply.message);
    handler.on_state(state, "not available: " + missing);
    sync_missing += (sync_missing.empty() ? "" : ", ") + missing;
}

void Session::Impl::end_sync() {
    handler.on_sync_end();
    if (sync_again) {
        begin_sync();
        return;
    }
    std::string detail = versions();
    if (!booted && has_system_events(config.events)) {
        detail += "; FullyBooted did not come (the AMI user needs read class system)";
    }
    if (!sync_missing.empty()) detail += "; not available: " + sync_missing;
    enter(SessionState::up, detail);
}

std::string Session::Impl::versions() const {
    return asterisk_version.empty() ? "AMI " + parser.version()
                                    : fmt::format("Asterisk {}, AMI {}", asterisk_version, parser.version());
}

void Session::Impl::on_message(const Message& message) {
    if (wants_close) return;
    if (state == SessionState::banner) on_banner();
    if (wants_close) return;
    switch (message.kind()) {
        case Message::Kind::response:
            requests.response(message, now);
            break;
        case Message::Kind::event:
            on_event(message);
            break;
        case Message::Kind::other:
            break;
    }
}

void Session::Impl::on_event(const Message& message) {
    handler.on_message(message);
    requests.event(message, now);
    if (message.is_event("Shutdown")) {
        fail(Failure::shutdown,
             fmt::format("Asterisk {}", message.get("Restart") == "True" ? "restarts" : "stops"));
    } else if (message.is_event("FullyBooted") && !booted && is_logged_in()) {
        booted = true;
        if (state == SessionState::booting) {
            begin_sync();
        } else if (state == SessionState::up) {
            begin_sync();
        } else {
            sync_again = true;
        }
    }
}

void Session::Impl::ping() {
    ping_open = true;
    (void)send(ami::ping(), usual(), false, {},
               [this, sent = now](const Reply& reply) { ping_answered(reply, sent); });
}

void Session::Impl::ping_answered(const Reply& reply, Millis sent) {
    ping_open = false;
    if (reply.outcome == Reply::Outcome::link_lost || wants_close) return;
    if (reply.response != nullptr || last_received > sent) {
        pings_missed = 0;
    } else if (++pings_missed >= 2) {
        fail(Failure::network, fmt::format("Asterisk is silent: no byte for {} ms, two pings unanswered",
                                           (now - last_received).count()));
    } else {
        ping();
    }
}

Session::Session(SessionConfig config, SessionHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(config), handler)) {}
Session::~Session() = default;

void Session::opened(Millis now) {
    Impl& s = *impl_;
    closed("opened again", now);
    s.now = s.last_received = now;
    s.parser.reset();
    s.output.clear();
    s.asterisk_version.clear();
    s.failure = Failure::network;
    s.failure_text.clear();
    s.wants_close = s.booted = s.ping_open = s.shutting_down = false;
    s.pings_missed = 0;
    s.enter(SessionState::banner, {});
    s.state_deadline = now + s.config.login_deadline;
}

void Session::received(std::string_view bytes, Millis now) {
    Impl& s = *impl_;
    if (s.state == SessionState::closed || s.wants_close || bytes.empty()) return;
    s.now = s.last_received = now;
    const auto fed = s.parser.feed(bytes, [&s](const Message& message) { s.on_message(message); });
    // Asterisk sends nothing behind its banner before we speak.
    if (s.state == SessionState::banner && s.parser.has_banner() && !s.wants_close) s.on_banner();
    if (!fed) s.fail(Failure::not_ami, fed.error().text);
}

void Session::closed(std::string_view reason, Millis now) {
    Impl& s = *impl_;
    if (s.state == SessionState::closed) return;
    s.now = now;
    if (!s.wants_close) {
        const bool stranger = s.state == SessionState::banner && s.parser.pending() > 0;
        s.fail(stranger ? Failure::not_ami : Failure::network,
               stranger ? fmt::format(
                              "the peer closed after {} bytes that are no AMI banner; check host and port, "
                              "and TLS",
                              s.parser.pending())
                        : printable(reason));
    }
    // Closed before the answers go out: their functions see the state as it is and cannot submit more.
    const std::string text = s.failure_text;
    s.output.clear();
    s.enter(SessionState::closed, text);
    s.requests.lose(text);
}

void Session::tick(Millis now) {
    Impl& s = *impl_;
    if (s.state == SessionState::closed || s.wants_close) return;
    s.now = now;
    s.requests.expire(now);
    if (s.wants_close) return;
    if (s.state_deadline && *s.state_deadline <= now) {
        s.state_deadline.reset();
        if (s.state == SessionState::booting) {
            s.begin_sync();
        } else {
            s.fail_login();
        }
    }
    if (s.is_logged_in() && !s.ping_open && now - s.last_received >= s.config.keepalive) s.ping();
}

Millis Session::next_deadline() const {
    const Impl& s = *impl_;
    if (s.state == SessionState::closed || s.wants_close) return Millis::max();
    Millis next = std::min(s.requests.next_deadline(), s.state_deadline.value_or(Millis::max()));
    if (s.is_logged_in() && !s.ping_open) next = std::min(next, s.last_received + s.config.keepalive);
    return next;
}

std::string Session::take_output() {
    return std::exchange(impl_->output, {});
}
bool Session::wants_close() const {
    return impl_->wants_close;
}
Failure Session::failure() const {
    return impl_->failure;
}
const std::string& Session::failure_text() const {
    return impl_->failure_text;
}
SessionState Session::state() const {
    return impl_->state;
}
const std::string& Session::version() const {
    return impl_->parser.version();
}
const std::string& Session::asterisk_version() const {
    return impl_->asterisk_version;
}
bool Session::shutting_down() const {
    return impl_->shutting_down;
}

std::expected<std::string, ActionError> Session::submit(const Action& action, Millis now, Done done) {
    impl_->now = now;
    return impl_->submit(action, false, {}, std::move(done));
}

std::expected<std::string, ActionError> Session::submit_list(const Action& action, Millis now, Item item,
                                                             Done done) {
    impl_->now = now;
    return impl_->submit(action, true, std::move(item), std::move(done));
}

}  // namespace ami
