// Drives an ami::Session without a connection: a clock, a handler that writes down, a peer that answers.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ami/session.hpp"

namespace ami_test {

class Recorder : public ami::SessionHandler {
 public:
    void on_message(const ami::Message& message) override;
    void on_state(ami::SessionState state, std::string_view detail) override;
    void on_sync_begin() override { log.emplace_back("sync begin"); }
    void on_sync_end() override { log.emplace_back("sync end"); }

    std::vector<std::string> log;  // `up: detail`, `sync begin`, `event NAME`
    std::function<void(const ami::Message&)> hook;

    // Only the lines that are no events.
    [[nodiscard]] std::vector<std::string> story() const;
    [[nodiscard]] std::size_t count(std::string_view line) const;
};

// One action as it was written.
struct Sent {
    std::string name, id;
    std::vector<std::pair<std::string, std::string>> headers;
    [[nodiscard]] std::string get(std::string_view header) const;
};

std::vector<Sent> parse_actions(std::string_view bytes);

ami::SessionConfig test_config();

struct Driver {
    explicit Driver(ami::SessionConfig config = test_config()) : session(std::move(config), recorder) {}

    Recorder recorder;
    ami::Session session;
    ami::Millis now{1000000};

    void open() { session.opened(now); }
    void receive(std::string_view bytes) { session.received(bytes, now); }
    void pass(ami::Millis span);  // calls tick() at every deadline on the way
    std::vector<Sent> sent() { return parse_actions(session.take_output()); }
    // The one action that was written since; fails the test when there is another number.
    Sent one();
    void log_in();  // to `up`, every list empty
    // Answers what the session asks until it asks nothing more; `answer` gives the bytes for an action.
    void serve(const std::function<std::string(const Sent&)>& answer);
};

extern const std::string banner;
std::string ok(const Sent& action, std::string_view more = {});
std::string error(const Sent& action, std::string_view text);
std::string list(const Sent& action, std::string_view items = {}, std::string_view complete = "Complete");
// What a quiet pbx answers to the actions of login and sync.
std::string quiet_pbx(const Sent& action);
extern const std::string fully_booted;

}  // namespace ami_test
