// The session against the recorded bytes of real Asterisk servers.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver.hpp"
#include "traces.hpp"

namespace {

using ami::Failure;
using ami::Millis;
using ami::SessionState;
using ami_test::Driver;
using ami_test::load_trace;
using ami_test::Sent;
using ami_test::Trace;
using testing::ElementsAre;
using testing::HasSubstr;

// The recording clients counted their ActionIDs `cti-1`, `cti-2`, ...
ami::SessionConfig recorded_config() {
    auto config = ami_test::test_config();
    config.action_id_prefix = "cti-";
    return config;
}

TEST(recorded_session, wrong_password_is_a_credentials_failure) {
    auto config = recorded_config();
    config.md5 = false;
    config.secret = "wrong";
    Driver driver(config);
    driver.open();
    driver.receive(load_trace("01b-wrong-password").bytes);
    EXPECT_TRUE(driver.session.wants_close());
    EXPECT_EQ(driver.session.failure(), Failure::credentials);
}

TEST(recorded_session, md5_login_writes_the_recorded_bytes) {
    const Trace trace = load_trace("01c-md5-challenge-login");
    auto config = recorded_config();
    config.events = "call,agent";
    Driver driver(config);
    driver.open();
    std::string written;
    for (std::size_t at = 0; const std::size_t chunk : trace.chunks) {
        driver.receive(std::string_view(trace.bytes).substr(at, chunk));
        at += chunk;
        if (driver.session.state() < SessionState::syncing) written += driver.session.take_output();
    }
    EXPECT_FALSE(written.empty());
    EXPECT_TRUE(trace.actions.starts_with(written)) << written;
    EXPECT_THAT(written, HasSubstr("Key: 9e606d1fb008cac1012c9df4e3f1b86e"));
    EXPECT_GE(driver.session.state(), SessionState::syncing);
}

TEST(recorded_session, permission_denied_before_login_is_no_login) {
    auto config = recorded_config();
    config.md5 = false;
    Driver driver(config);
    driver.open();
    driver.receive(load_trace("01d-permissions-and-bad-actions").bytes);
    EXPECT_TRUE(driver.session.wants_close());
    EXPECT_EQ(driver.session.failure(), Failure::credentials);
    EXPECT_THAT(driver.session.failure_text(), HasSubstr("Permission denied"));
}

// Answers the session's actions with what the recorded server answered to the first action of that name.
class RecordedServer {
 public:
    explicit RecordedServer(const Trace& trace) : actions_(ami_test::parse_actions(trace.actions)) {
        std::string_view bytes = trace.bytes;
        bytes.remove_prefix(bytes.find("\r\n") + 2);
        for (std::size_t end = 0; (end = bytes.find("\r\n\r\n")) != std::string_view::npos;
             bytes.remove_prefix(end + 4)) {
            blocks_.emplace_back(bytes.substr(0, end + 4));
        }
    }

    std::string answer(const Sent& sent) const {
        const auto asked = std::ranges::find(actions_, sent.name, &Sent::name);
        if (asked == actions_.end()) return ami_test::error(sent, "Invalid/unknown command");
        const std::string line = "\r\nActionID: " + asked->id + "\r\n";
        std::string bytes;
        for (std::string block : blocks_) {
            const std::size_t at = block.find(line);
            if (at != std::string::npos)
                bytes += block.replace(at, line.size(), "\r\nActionID: " + sent.id + "\r\n");
        }
        return sent.name == "Login" ? bytes + ami_test::fully_booted : bytes;
    }

 private:
    std::vector<Sent> actions_;
    std::vector<std::string> blocks_;
};

TEST(recorded_session, initial_sync_of_two_calls_is_complete) {
    const RecordedServer server(load_trace("19-initial-sync-two-calls"));
    auto config = ami_test::test_config();
    config.md5 = false;
    config.sync_variables = {"direction", "did", "CDR(crmid)"};
    Driver driver(config);
    std::map<std::string, std::size_t> seen;
    std::vector<std::string> callers;
    driver.recorder.hook = [&](const ami::Message& message) {
        ++seen[std::string(message.name())];
        if (message.is_event("Status")) callers.emplace_back(message.get("CallerIDNum"));
    };
    driver.open();
    driver.receive(ami_test::banner);
    driver.serve([&](const Sent& sent) { return server.answer(sent); });
    EXPECT_EQ(driver.recorder.log.back(), "up: Asterisk 22.10.1, AMI 11.0.0");
    EXPECT_EQ(seen["Status"], 4U);
    EXPECT_EQ(seen["CoreShowChannel"], 4U);
    EXPECT_EQ(seen["QueueEntry"], 1U);
    EXPECT_EQ(seen["DeviceStateListComplete"], 1U);
    EXPECT_EQ(seen["ExtensionStateListComplete"], 1U);
    EXPECT_THAT(callers, ElementsAre("+447700900143", "+447700900144", "202", "201"));
}

TEST(recorded_session, lists_of_asterisk_18_with_chan_sip_complete_too) {
    const auto files = ami_test::all_traces();
    const auto file = std::ranges::find_if(
        files, [](const auto& path) { return path.stem() == "18-y01-lists-with-two-calls"; });
    ASSERT_NE(file, files.end());
    const RecordedServer server(ami_test::read_trace(*file));
    auto config = ami_test::test_config();
    config.md5 = false;
    Driver driver(config);
    driver.open();
    driver.receive("Asterisk Call Manager/7.0.3\r\n");
    driver.serve([&](const Sent& sent) { return server.answer(sent); });
    EXPECT_EQ(driver.session.state(), SessionState::up);
    EXPECT_THAT(driver.recorder.log.back(), HasSubstr("AMI 7.0.3"));
}

}  // namespace
