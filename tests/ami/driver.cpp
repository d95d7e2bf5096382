#include "driver.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace ami_test {

const std::string banner = "Asterisk Call Manager/11.0.0\r\n";
const std::string fully_booted =
    "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";

void Recorder::on_message(const ami::Message& message) {
    log.push_back("event " + std::string(message.name()));
    if (hook) hook(message);
}

void Recorder::on_state(ami::SessionState state, std::string_view detail) {
    log.push_back(std::string(to_string(state)) + (detail.empty() ? "" : ": ") + std::string(detail));
}

std::vector<std::string> Recorder::story() const {
    std::vector<std::string> lines;
    std::ranges::copy_if(log, std::back_inserter(lines),
                         [](const auto& line) { return !line.starts_with("event "); });
    return lines;
}

std::size_t Recorder::count(std::string_view line) const {
    return static_cast<std::size_t>(std::ranges::count(log, line));
}

std::string Sent::get(std::string_view header) const {
    const auto found = std::ranges::find(headers, header, &std::pair<std::string, std::string>::first);
    return found == headers.end() ? std::string{} : found->second;
}

std::vector<Sent> parse_actions(std::string_view bytes) {
    std::vector<Sent> actions;
    for (std::size_t end = 0; (end = bytes.find("\r\n\r\n")) != std::string_view::npos;
         bytes.remove_prefix(end + 4)) {
        Sent& sent = actions.emplace_back();
        std::string_view block = bytes.substr(0, end + 2);
        for (std::size_t line_end = 0; (line_end = block.find("\r\n")) != std::string_view::npos;
             block.remove_prefix(line_end + 2)) {
            const std::string_view line = block.substr(0, line_end);
            const std::size_t colon = line.find(": ");
            const std::string name(line.substr(0, colon));
            const std::string value(line.substr(colon + 2));
            if (name == "Action") {
                sent.name = value;
            } else if (name == "ActionID") {
                sent.id = value;
            } else {
                sent.headers.emplace_back(name, value);
            }
        }
    }
    EXPECT_TRUE(bytes.empty()) << "an action without its end: " << bytes;
    return actions;
}

ami::SessionConfig test_config() {
    ami::SessionConfig config;
    config.username = "bridge";
    config.secret = "secret";
    config.action_id_prefix = "t-";
    return config;
}

void Driver::pass(ami::Millis span) {
    const ami::Millis until = now + span;
    for (int i = 0; i < 1000; ++i) {
        const ami::Millis next = session.next_deadline();
        if (next > until) break;
        now = std::max(now, next);
        session.tick(now);
        ASSERT_LT(i, 999) << "the session asks for a tick again and again";
    }
    now = until;
}

Sent Driver::one() {
    std::vector<Sent> actions = sent();
    EXPECT_EQ(actions.size(), 1U);
    return actions.empty() ? Sent{} : actions.front();
}

void Driver::serve(const std::function<std::string(const Sent&)>& answer) {
    for (std::vector<Sent> actions = sent(); !actions.empty(); actions = sent()) {
        for (const Sent& action : actions) receive(answer(action));
    }
}

void Driver::log_in() {
    open();
    receive(banner);
    serve(quiet_pbx);
    ASSERT_EQ(session.state(), ami::SessionState::up);
    recorder.log.clear();
}

std::string ok(const Sent& action, std::string_view more) {
    return "Response: Success\r\nActionID: " + action.id + "\r\n" + std::string(more) + "\r\n";
}

std::string error(const Sent& action, std::string_view text) {
    return "Response: Error\r\nActionID: " + action.id + "\r\nMessage: " + std::string(text) + "\r\n\r\n";
}

std::string list(const Sent& action, std::string_view items, std::string_view complete) {
    std::string bytes = ok(action, "EventList: start\r\nMessage: follows\r\n");
    for (std::size_t at = 0; !items.empty(); items.remove_prefix(std::min(items.size(), at + 1))) {
        at = std::min(items.find(' '), items.size());
        bytes += "Event: " + std::string(items.substr(0, at)) + "\r\nActionID: " + action.id + "\r\n\r\n";
    }
    if (complete.empty()) return bytes;
    return bytes + "Event: " + action.name + "Complete\r\nActionID: " + action.id +
           "\r\nEventList: " + std::string(complete) + "\r\nListItems: 0\r\n\r\n";
}

std::string quiet_pbx(const Sent& action) {
    if (action.name == "Challenge") return ok(action, "Challenge: 129588831\r\n");
    if (action.name == "Login") return ok(action, "Message: Authentication accepted\r\n") + fully_booted;
    if (action.name == "CoreSettings")
        return ok(action, "AMIversion: 11.0.0\r\nAsteriskVersion: 22.10.1\r\n");
    if (action.name == "Ping") return ok(action, "Ping: Pong\r\n");
    return list(action);
}

}  // namespace ami_test
