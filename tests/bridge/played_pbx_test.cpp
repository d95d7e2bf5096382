// A recording played as a pbx, driven without sockets: by hand, and by the product's own AMI session.
#include "bridge/played_pbx.hpp"

#include <fstream>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ami/action.hpp"
#include "ami/session.hpp"
#include "trace_files.hpp"

namespace {

using bridge::Millis;
using bridge::PlayedPbx;
using bridge::PlayOptions;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

bridge::Trace load(const std::string& name, const char* folder = "ami-traces") {
    const traces::Trace trace{folder, name};
    auto loaded = bridge::Trace::load(trace.file(".ami"), trace.file(".times"));
    if (!loaded) throw std::runtime_error(loaded.error());
    return std::move(*loaded);
}

std::size_t count(const std::string& text, std::string_view word) {
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
    return found;
}

// One client that writes by hand.
struct Hand {
    explicit Hand(bridge::Trace trace, PlayOptions options = {})
        : pbx(std::move(trace), std::move(options)), client(pbx.open(now)) {}
    std::string ask(const std::string& action, const std::string& headers = {}) {
        pbx.received(client, "Action: " + action + "\r\nActionID: q1\r\n" + headers + "\r\n", now);
        return pbx.take_output(client);
    }
    std::string login(const std::string& events = "on") {
        return ask("Login", "Username: u\r\nSecret: s\r\nEvents: " + events + "\r\n");
    }
    // Lets time pass to the end of what is due.
    std::string run(Millis span = Millis(3600'000)) {
        const Millis until = now + span;
        while (pbx.next_deadline() <= until) {
            now = std::max(now, pbx.next_deadline());
            pbx.tick(now);
        }
        now = until;
        pbx.tick(now);
        return pbx.take_output(client);
    }
    Millis now{1'000'000};
    PlayedPbx pbx;
    PlayedPbx::Client client;
};

TEST(played_pbx, greets_with_the_recorded_banner_and_takes_any_user) {
    Hand hand(load("18-f01-direct-answered", "ami-traces-more"));
    EXPECT_EQ(hand.pbx.take_output(hand.client), "Asterisk Call Manager/7.0.3\r\n");
    EXPECT_THAT(hand.ask("Ping"), HasSubstr("Permission denied"));
    EXPECT_THAT(hand.login(), AllOf(HasSubstr("ActionID: q1\r\nMessage: Authentication accepted"),
                                    HasSubstr("Event: FullyBooted")));
    EXPECT_THAT(hand.ask("Ping"), HasSubstr("Ping: Pong"));
    EXPECT_THAT(hand.ask("Nonsense"), HasSubstr("Invalid/unknown command: Nonsense"));
    EXPECT_THAT(hand.ask("Logoff"), StartsWith("Response: Goodbye"));
    EXPECT_TRUE(hand.pbx.wants_close(hand.client));
}

TEST(played_pbx, refuses_a_wrong_secret_after_a_second_as_asterisk_does) {
    PlayOptions options;
    options.username = "u";
    options.secret = "right";
    Hand hand(load("02-inbound-answered"), options);
    std::ignore = hand.pbx.take_output(hand.client);
    EXPECT_EQ(hand.login(), "");
    EXPECT_FALSE(hand.pbx.wants_close(hand.client));
    EXPECT_THAT(hand.run(Millis(1000)), HasSubstr("ActionID: q1\r\nMessage: Authentication failed"));
    EXPECT_TRUE(hand.pbx.wants_close(hand.client));
}

TEST(played_pbx, a_recorded_refusal_refuses) {
    Hand hand(load("01b-wrong-password"));
    std::ignore = hand.pbx.take_output(hand.client);
    EXPECT_EQ(hand.login(), "");
    EXPECT_THAT(hand.run(), HasSubstr("Authentication failed"));
    EXPECT_TRUE(hand.pbx.done());
}

TEST(played_pbx, plays_the_recorded_events_and_nothing_of_the_recorder) {
    Hand hand(load("05-queue-ringall-answered"));
    std::ignore = hand.pbx.take_output(hand.client);
    hand.login();
    const std::string played = hand.run();
    std::ifstream in(traces::Trace{"ami-traces", "05-queue-ringall-answered"}.file(".ami"), std::ios::binary);
    std::string recorded((std::istreambuf_iterator<char>(in)), {});
    EXPECT_THAT(played, AllOf(Not(HasSubstr("Response: Success\r\n")), Not(HasSubstr("ActionID"))));
    EXPECT_GT(count(played, "\r\n\r\n"), 130U);
    // In order and byte for byte.
    std::size_t from = 0;
    for (std::string_view rest = played; !rest.empty();) {
        const std::string_view block = rest.substr(0, rest.find("\r\n\r\n") + 4);
        rest.remove_prefix(block.size());
        const std::size_t at = recorded.find(block, from);
        ASSERT_NE(at, std::string::npos) << block;
        from = at + block.size();
    }
    EXPECT_TRUE(hand.pbx.done());
    EXPECT_TRUE(hand.pbx.wants_close(hand.client));
}

TEST(played_pbx, keeps_to_the_mask) {
    Hand hand(load("02-inbound-answered"));
    std::ignore = hand.pbx.take_output(hand.client);
    EXPECT_THAT(hand.login("call,cdr"), Not(HasSubstr("FullyBooted")));
    const std::string played = hand.run();
    EXPECT_EQ(count(played, "Privilege: "),
              count(played, "Privilege: call,all") + count(played, "Privilege: cdr,all"));
    EXPECT_THAT(played,
                AllOf(HasSubstr("Event: Hangup\r\n"), HasSubstr("Event: Cdr\r\n"), Not(HasSubstr("VarSet"))));
}

TEST(played_pbx, plays_at_the_recorded_distances_or_faster) {
    for (const double speed : {1.0, 10.0}) {
        PlayOptions options;
        options.speed = speed;
        Hand hand(load("02-inbound-answered"), options);
        hand.login();
        EXPECT_THAT(hand.run(Millis(static_cast<int>(1000 / speed))), Not(HasSubstr("DialEnd")));
        EXPECT_THAT(hand.run(Millis(static_cast<int>(310 / speed))), HasSubstr("DialEnd"));
        EXPECT_THAT(hand.run(Millis(static_cast<int>(2900 / speed))), Not(HasSubstr("Hangup")));
        EXPECT_THAT(hand.run(Millis(static_cast<int>(200 / speed))), HasSubstr("Event: Hangup"));
    }
}

TEST(played_pbx, a_client_that_comes_in_the_middle_is_told_the_truth) {
    PlayOptions options;
    options.stay = true;
    Hand hand(load("05b-queue-two-callers-one-agent-ringnoanswer"), options);
    hand.login("off");
    hand.run(Millis(2500));  // both callers wait, two phones ring for the first
    const std::string status = hand.ask("Status", "Variables: did,nothing\r\n");
    EXPECT_EQ(count(status, "Event: Status\r\n"), 4U);
    EXPECT_EQ(count(status, "ChannelStateDesc: Ringing"), 2U);
    EXPECT_THAT(status, AllOf(HasSubstr("DNID: 02079460100\r\n"), HasSubstr("Variable: did=02079460100\r\n"),
                              HasSubstr("Variable: nothing=\r\nActionID: q1\r\n\r\n"),
                              EndsWith("EventList: Complete\r\nListItems: 4\r\n\r\n")));
    const std::string queues = hand.ask("QueueStatus", "Queue: support\r\n");
    EXPECT_EQ(count(queues, "Event: QueueEntry"), 2U);
    EXPECT_THAT(queues,
                AllOf(HasSubstr("Calls: 2\r\n"), HasSubstr("Position: 2\r\n"), HasSubstr("Wait: 2\r\n")));
    EXPECT_EQ(count(hand.ask("CoreShowChannels"), "Event: CoreShowChannel\r\n"), 4U);
    EXPECT_THAT(hand.ask("Getvar", "Channel: 1795187407.41\r\nVariable: did\r\n"),
                HasSubstr("Value: 02079460100"));
    hand.run();
    EXPECT_THAT(hand.ask("Status"), HasSubstr("ListItems: 0"));
}

TEST(played_pbx, lists_recorded_before_the_first_call_answer_the_initial_synchronisation) {
    for (const auto& [name, folder] : {std::pair("19-initial-sync-two-calls", "ami-traces"),
                                       std::pair("18-y01-lists-with-two-calls", "ami-traces-more")}) {
        PlayOptions options;
        options.wait = options.stay = true;
        Hand hand(load(name, folder), options);
        hand.login();
        EXPECT_THAT(hand.run(Millis(5000)), IsEmpty());
        const std::string status = hand.ask("Status");
        EXPECT_EQ(count(status, "BridgeID: \r\n") + 2, count(status, "Event: Status\r\n")) << name;
        EXPECT_THAT(status, HasSubstr("ActionID: q1"));
        EXPECT_THAT(hand.ask("QueueStatus"), HasSubstr("Event: QueueEntry"));
        EXPECT_THAT(hand.ask("DeviceStateList"), HasSubstr("Device: "));
        EXPECT_THAT(hand.ask("ExtensionStateList"), HasSubstr("Exten: 201"));
        EXPECT_THAT(hand.run(Millis(5000)), IsEmpty());
        const std::string first = hand.ask("CoreShowChannels");
        const std::string played = first + hand.run();
        EXPECT_THAT(played, AllOf(HasSubstr("Event: Hangup"), HasSubstr("QueueCallerAbandon")));
        EXPECT_THAT(hand.ask("Status"), HasSubstr("ListItems: 0")) << name;
    }
}

TEST(played_pbx, what_would_change_the_recording_is_refused_in_words) {
    Hand hand(load("02-inbound-answered"));
    hand.login("off");
    hand.run(Millis(800));
    EXPECT_THAT(hand.ask("Hangup", "Channel: 1795187329.0\r\n"), HasSubstr("Hangup cannot change it"));
    EXPECT_THAT(hand.ask("Hangup", "Channel: PJSIP/none-1\r\n"), HasSubstr("No such channel"));
    EXPECT_THAT(hand.ask("QueueAdd", "Queue: support\r\nInterface: PJSIP/201\r\n"),
                HasSubstr("cannot change"));
    EXPECT_THAT(hand.ask("Originate", "Channel: PJSIP/201\r\nExten: 1\r\n"), HasSubstr("takes no calls"));
    EXPECT_THAT(hand.ask("Setvar", "Channel: 1795187329.0\r\nVariable: a\r\nValue: b\r\n"),
                HasSubstr("Success"));
    EXPECT_THAT(hand.ask("Getvar", "Channel: 1795187329.0\r\nVariable: a\r\n"), HasSubstr("Value: b"));
}

TEST(played_pbx, a_recorded_click_to_dial_waits_for_the_clients) {
    PlayOptions options;
    options.originate = options.stay = true;
    Hand hand(load("08-click-to-dial"), options);
    hand.login();
    EXPECT_THAT(hand.run(Millis(20000)), Not(HasSubstr("Newchannel")));
    EXPECT_THAT(hand.ask("Originate", "Channel: PJSIP/202\r\nExten: 07700900456\r\nChannelId: ctd-new\r\n"),
                HasSubstr("The recorded click-to-dial is of PJSIP/201 to 07700900456"));
    std::string got =
        hand.ask("Originate", "Channel: PJSIP/201\r\nExten: 07700900456\r\nChannelId: ctd-new\r\n");
    EXPECT_THAT(got, HasSubstr("Originate successfully queued"));
    got += hand.run(Millis(1400));
    EXPECT_THAT(
        got, AllOf(HasSubstr("Uniqueid: ctd-new\r\n"), HasSubstr("Linkedid: ctd-new\r\n"),
                   HasSubstr("Event: OriginateResponse\r\n"), HasSubstr("ActionID: q1\r\nResponse: Success"),
                   Not(HasSubstr("ctd-0001")), Not(HasSubstr("Event: Cdr"))));
    EXPECT_THAT(hand.run(), HasSubstr("Event: Cdr"));
    EXPECT_THAT(hand.ask("Originate", "Channel: PJSIP/201\r\nExten: 07700900456\r\n"),
                HasSubstr("no further"));
}

TEST(played_pbx, shutdown_ends_the_connections) {
    for (const traces::Trace& trace : traces::all()) {
        if (!trace.name.contains("shutdown") && !trace.name.contains("restart")) continue;
        auto loaded = bridge::Trace::load(trace.file(".ami"), trace.file(".times"));
        ASSERT_TRUE(loaded) << loaded.error();
        PlayOptions options;
        options.stay = true;
        Hand hand(std::move(*loaded), options);
        hand.login();
        const std::string played = hand.run();
        EXPECT_EQ(hand.pbx.wants_close(hand.client), played.contains("Event: Shutdown\r\n")) << trace.name;
    }
}

TEST(played_pbx, a_flood_without_end_is_cut_off) {
    Hand hand(load("02-inbound-answered"));
    for (int i = 0; i < 40; ++i) hand.pbx.received(hand.client, std::string(8192, 'x'), hand.now);
    EXPECT_TRUE(hand.pbx.wants_close(hand.client));
}

// The product's session as the client.
class Client final : public ami::SessionHandler {
 public:
    void on_message(const ami::Message& message) override {
        events += message.kind() == ami::Message::Kind::event;
    }
    void on_state(ami::SessionState state, std::string_view detail) override {
        if (state == ami::SessionState::up) up = std::string(detail);
        if (state == ami::SessionState::closed) ++closes;
    }
    std::size_t events = 0, closes = 0;
    std::string up;
};

class every_trace : public testing::TestWithParam<traces::Trace> {};

TEST_P(every_trace, synchronises_and_is_played_to_its_end) {
    auto loaded = bridge::Trace::load(GetParam().file(".ami"), GetParam().file(".times"));
    ASSERT_TRUE(loaded) << loaded.error();
    PlayOptions options;
    options.wait = true;
    PlayedPbx pbx(std::move(*loaded), options);
    Client client;
    ami::SessionConfig config;
    config.username = "ctibridge";
    config.secret = "s";
    ami::Session session(config, client);
    Millis now{50'000};
    const std::size_t events = pbx.pending();
    const auto id = pbx.open(now);
    session.opened(now);
    for (int i = 0; i < 1'000'000 && !(pbx.done() && pbx.wants_close(id)) && !session.wants_close(); ++i) {
        pbx.received(id, session.take_output(), now);
        const std::string bytes = pbx.take_output(id);
        session.received(bytes, now);
        if (!bytes.empty()) continue;
        now = std::max(now, std::min(pbx.next_deadline(), session.next_deadline()));
        pbx.tick(now);
        session.tick(now);
    }
    session.received(pbx.take_output(id), now);
    EXPECT_EQ(pbx.pending(), GetParam().name == "01b-wrong-password" ? events : 0U);
    if (GetParam().name == "01b-wrong-password") {
        EXPECT_EQ(session.failure(), ami::Failure::credentials);
    } else {
        EXPECT_THAT(client.up, AllOf(HasSubstr("AMI "), Not(HasSubstr("not available"))));
    }
}

INSTANTIATE_TEST_SUITE_P(traces, every_trace, testing::ValuesIn(traces::all()), traces::named_after);

}  // namespace
