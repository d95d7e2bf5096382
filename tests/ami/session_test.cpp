// The life of a session: login, boot, sync, keepalive, end. Dialogues by hand.
#include "ami/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver.hpp"

namespace {

using ami::Failure;
using ami::Millis;
using ami::SessionState;
using ami_test::banner;
using ami_test::Driver;
using ami_test::error;
using ami_test::fully_booted;
using ami_test::list;
using ami_test::ok;
using ami_test::quiet_pbx;
using ami_test::Sent;
using ami_test::test_config;
using testing::ElementsAre;
using testing::HasSubstr;

ami::SessionConfig plain_config() {
    auto config = test_config();
    config.md5 = false;
    return config;
}

TEST(session, logs_in_by_challenge_syncs_and_is_up) {
    Driver driver;
    driver.open();
    EXPECT_TRUE(driver.sent().empty()) << "nothing may be said before the banner";
    driver.receive(banner);
    const Sent challenge = driver.one();
    EXPECT_EQ(challenge.name, "Challenge");
    driver.receive(ok(challenge, "Challenge: 129588831\r\n"));
    const Sent login = driver.one();
    EXPECT_EQ(login.get("Key"), "9e606d1fb008cac1012c9df4e3f1b86e");
    EXPECT_EQ(login.get("Username"), "bridge");
    EXPECT_EQ(login.get("Events"), "system,call,agent,user,cdr");
    EXPECT_EQ(login.get("Secret"), "");
    driver.receive(quiet_pbx(login));
    std::vector<std::string> asked;
    driver.serve([&](const Sent& action) {
        asked.push_back(action.name);
        return quiet_pbx(action);
    });
    EXPECT_THAT(asked, ElementsAre("CoreSettings", "Status", "CoreShowChannels", "QueueStatus",
                                   "DeviceStateList", "ExtensionStateList"));
    EXPECT_EQ(driver.session.state(), SessionState::up);
    EXPECT_THAT(driver.recorder.story(),
                ElementsAre("banner", "login: AMI 11.0.0", "booting", "syncing", "sync begin", "sync end",
                            "up: Asterisk 22.10.1, AMI 11.0.0"));
    EXPECT_EQ(driver.session.version(), "11.0.0");
    EXPECT_EQ(driver.session.asterisk_version(), "22.10.1");
}

TEST(session, logs_in_with_the_plain_secret_when_told_to) {
    Driver driver(plain_config());
    driver.open();
    driver.receive(banner);
    const Sent login = driver.one();
    EXPECT_EQ(login.get("Secret"), "secret");
    EXPECT_EQ(login.get("Key"), "");
}

TEST(session, asks_the_variables_of_the_configuration_for_every_channel) {
    auto config = plain_config();
    config.sync_variables = {"FROM_DID", "CALLINGNUMPRES_SV"};
    Driver driver(config);
    driver.open();
    driver.receive(banner);
    std::string variables;
    driver.serve([&](const Sent& action) {
        if (action.name == "Status") variables = action.get("Variables");
        return quiet_pbx(action);
    });
    EXPECT_EQ(variables, "FROM_DID,CALLINGNUMPRES_SV");
}

TEST(session, waits_for_fully_booted_after_a_restart) {
    Driver driver(plain_config());
    driver.open();
    driver.receive(banner);
    driver.receive(ok(driver.one()));
    driver.pass(Millis(2000));
    EXPECT_EQ(driver.session.state(), SessionState::booting);
    EXPECT_TRUE(driver.sent().empty());
    driver.receive(fully_booted);
    EXPECT_EQ(driver.one().name, "CoreSettings");
    EXPECT_EQ(driver.session.state(), SessionState::syncing);
}

TEST(session, goes_on_without_fully_booted_and_reads_the_lists_again_when_it_comes_late) {
    Driver driver(plain_config());
    driver.open();
    driver.receive(banner);
    driver.receive(ok(driver.one()));
    driver.pass(Millis(3000));
    driver.serve(quiet_pbx);
    EXPECT_EQ(driver.session.state(), SessionState::up);
    EXPECT_THAT(driver.recorder.log.back(),
                HasSubstr("FullyBooted did not come (the AMI user needs read class system)"));
    driver.receive(fully_booted);
    EXPECT_EQ(driver.session.state(), SessionState::syncing);
    driver.serve(quiet_pbx);
    EXPECT_EQ(driver.recorder.log.back(), "up: Asterisk 22.10.1, AMI 11.0.0");
    EXPECT_EQ(driver.recorder.count("sync begin"), 2U);
    EXPECT_EQ(driver.recorder.count("sync end"), 2U);
    driver.receive(fully_booted);
    EXPECT_EQ(driver.session.state(), SessionState::up) << "a third is no news";
}

TEST(session, reads_the_lists_again_when_fully_booted_comes_amid_the_sync) {
    Driver driver(plain_config());
    driver.open();
    driver.receive(banner);
    driver.receive(ok(driver.one()));
    driver.pass(Millis(3000));
    driver.receive(fully_booted + quiet_pbx(driver.one()));
    driver.serve(quiet_pbx);
    EXPECT_EQ(driver.recorder.count("sync begin"), 2U);
    EXPECT_EQ(driver.recorder.count("sync end"), 2U);
    EXPECT_EQ(driver.recorder.log.back(), "up: Asterisk 22.10.1, AMI 11.0.0");
}

TEST(session, does_not_wait_for_fully_booted_when_the_mask_leaves_it_out) {
    auto config = plain_config();
    config.events = "call,agent";
    Driver driver(config);
    driver.open();
    driver.receive(banner);
    driver.receive(ok(driver.one()));
    EXPECT_EQ(driver.one().name, "CoreSettings");
}

TEST(session, hands_out_events_and_list_items_in_order_from_the_login_on) {
    Driver driver(plain_config());
    driver.open();
    driver.receive(banner);
    driver.serve([](const Sent& action) {
        if (action.name == "Status") return list(action, "Status Status");
        if (action.name == "QueueStatus")
            return "Event: Hangup\r\n\r\n" + list(action, "QueueParams QueueMember");
        return quiet_pbx(action);
    });
    EXPECT_THAT(
        driver.recorder.log,
        ElementsAre("banner", "login: AMI 11.0.0", "booting", "event FullyBooted", "syncing", "sync begin",
                    "event Status", "event Status", "event StatusComplete", "event CoreShowChannelsComplete",
                    "event Hangup", "event QueueParams", "event QueueMember", "event QueueStatusComplete",
                    "event DeviceStateListComplete", "event ExtensionStateListComplete", "sync end",
                    "up: Asterisk 22.10.1, AMI 11.0.0"));
}

TEST(session, is_up_without_the_lists_it_may_not_read_and_names_them) {
    Driver driver;
    driver.open();
    driver.receive(banner);
    driver.serve([](const Sent& action) {
        return action.name == "CoreSettings" || action.name == "DeviceStateList"
                   ? error(action, "Permission denied")
                   : quiet_pbx(action);
    });
    EXPECT_EQ(driver.session.state(), SessionState::up);
    EXPECT_EQ(driver.recorder.count("syncing: not available: CoreSettings (Permission denied)"), 1U);
    EXPECT_EQ(driver.recorder.log.back(),
              "up: AMI 11.0.0; not available: CoreSettings (Permission denied), DeviceStateList (Permission "
              "denied)");
}

TEST(session, is_up_when_a_list_of_the_sync_never_ends_and_names_it) {
    Driver driver;
    driver.open();
    driver.receive(banner);
    driver.serve([](const Sent& action) {
        return action.name == "QueueStatus" ? list(action, "QueueParams", "") : quiet_pbx(action);
    });
    EXPECT_EQ(driver.session.state(), SessionState::syncing);
    driver.pass(Millis(5000));
    driver.serve(quiet_pbx);
    EXPECT_THAT(driver.recorder.log.back(),
                HasSubstr("QueueStatus (the list was not complete in time (1 items came))"));
}

TEST(session, names_a_sync_variable_that_cannot_be_asked) {
    auto config = test_config();
    config.sync_variables = {"x\r\nAction: Command"};
    Driver driver(config);
    driver.open();
    driver.receive(banner);
    driver.serve(quiet_pbx);
    EXPECT_THAT(driver.recorder.log.back(),
                HasSubstr("not available: Status (Variables holds a control character"));
}

struct EndCase {
    std::string name;
    ami::SessionConfig config;
    std::function<void(Driver&)> play;
    Failure failure;
    std::string says;
};

class session_end : public testing::TestWithParam<EndCase> {};

TEST_P(session_end, closes_and_says_why) {
    Driver driver(GetParam().config);
    driver.open();
    GetParam().play(driver);
    EXPECT_TRUE(driver.session.wants_close());
    EXPECT_EQ(driver.session.failure(), GetParam().failure) << to_string(driver.session.failure());
    EXPECT_THAT(driver.session.failure_text(), HasSubstr(GetParam().says));
    EXPECT_EQ(driver.session.next_deadline(), Millis::max());
    const std::size_t lines = driver.recorder.log.size();
    driver.receive("Event: Late\r\n\r\n");
    EXPECT_EQ(driver.recorder.log.size(), lines) << "nothing is handed out any more";
    driver.session.closed("eof", driver.now);
    EXPECT_EQ(driver.session.failure(), GetParam().failure);
    EXPECT_THAT(driver.recorder.log.back(), testing::StartsWith("closed: "));
    EXPECT_THAT(driver.recorder.log.back(), HasSubstr(GetParam().says));
    EXPECT_EQ(driver.session.state(), SessionState::closed);
}

void answer_login(Driver& driver, const std::function<std::string(const Sent&)>& answer) {
    driver.receive(banner);
    driver.receive(answer(driver.one()));
}

INSTANTIATE_TEST_SUITE_P(
    all, session_end,
    testing::Values(
        EndCase{"wrong_password", plain_config(),
                [](Driver& d) {
                    answer_login(d, [](const Sent& a) { return error(a, "Authentication failed"); });
                },
                Failure::credentials, "login as \"bridge\" refused: Authentication failed"},
        EndCase{"wrong_password_md5", test_config(),
                [](Driver& d) {
                    answer_login(d, [](const Sent& a) { return ok(a, "Challenge: 1\r\n"); });
                    d.receive(error(d.one(), "Authentication failed"));
                },
                Failure::credentials, "Authentication failed"},
        EndCase{"no_challenge", test_config(),
                [](Driver& d) {
                    answer_login(d, [](const Sent& a) { return error(a, "Must specify AuthType"); });
                },
                Failure::credentials, "no MD5 login: Must specify AuthType"},
        EndCase{"username_with_control_character",
                [] {
                    auto config = plain_config();
                    config.username = "a\nb";
                    return config;
                }(),
                [](Driver& d) { d.receive(banner); }, Failure::credentials,
                "Username holds a control character"},
        EndCase{"stopping_at_login", plain_config(),
                [](Driver& d) {
                    answer_login(d, [](const Sent& a) { return error(a, "Asterisk is shutting down"); });
                },
                Failure::shutdown, "shutting down"},
        EndCase{"stopping_at_challenge", test_config(),
                [](Driver& d) {
                    answer_login(d, [](const Sent& a) { return error(a, "Asterisk is shutting down"); });
                },
                Failure::shutdown, "shutting down"},
        EndCase{"shutdown_event", test_config(),
                [](Driver& d) {
                    d.receive(banner);
                    d.serve(quiet_pbx);
                    d.receive(
                        "Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Cleanly\r\nRestart: "
                        "False\r\n\r\n");
                },
                Failure::shutdown, "Asterisk stops"},
        EndCase{"restart_event", test_config(),
                [](Driver& d) {
                    d.receive(banner);
                    d.serve(quiet_pbx);
                    d.receive(
                        "Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\nEvent: Hangup\r\n\r\n");
                },
                Failure::shutdown, "Asterisk restarts"},
        EndCase{"http_server", test_config(),
                [](Driver& d) { d.receive("HTTP/1.1 400 Bad Request\r\n\r\n"); }, Failure::not_ami,
                "HTTP/1.1 400"},
        EndCase{"old_asterisk", test_config(), [](Driver& d) { d.receive("Asterisk Call Manager/1.3\r\n"); },
                Failure::not_ami, "AMI version 1.3 is too old"},
        EndCase{"endless_line", test_config(),
                [](Driver& d) {
                    d.receive(banner);
                    d.serve(quiet_pbx);
                    d.receive(std::string(70000, 'x'));
                },
                Failure::not_ami, "more than 65536 bytes"},
        EndCase{"silent_host", test_config(), [](Driver& d) { d.pass(Millis(10000)); }, Failure::network,
                "the host is silent: no AMI banner within 10000 ms"},
        EndCase{"half_a_banner", test_config(),
                [](Driver& d) {
                    d.receive("Asterisk Call");
                    d.pass(Millis(10000));
                },
                Failure::not_ami, "no AMI banner within 10000 ms"},
        EndCase{"login_never_answered", test_config(),
                [](Driver& d) {
                    d.receive(banner);
                    d.pass(Millis(10000));
                },
                Failure::network, "did not answer the login within 10000 ms"},
        EndCase{"silence", test_config(),
                [](Driver& d) {
                    d.log_in();
                    d.pass(Millis(20000));
                },
                Failure::network, "no byte for 20000 ms, two pings unanswered"}),
    [](const auto& given) { return given.param.name; });

TEST(session, ends_as_network_failure_when_the_connection_is_lost) {
    Driver driver;
    driver.log_in();
    EXPECT_FALSE(driver.session.wants_close());
    driver.session.closed("connection reset by peer", driver.now);
    EXPECT_EQ(driver.session.failure(), Failure::network);
    EXPECT_THAT(driver.recorder.log, ElementsAre("closed: connection reset by peer"));
    driver.session.closed("again", driver.now);
    EXPECT_EQ(driver.recorder.log.size(), 1U);
}

TEST(session, takes_a_peer_that_closes_amid_its_first_line_for_no_ami) {
    Driver driver;
    driver.open();
    driver.receive("\x15\x03\x01");
    driver.session.closed("eof", driver.now);
    EXPECT_EQ(driver.session.failure(), Failure::not_ami);
    EXPECT_THAT(driver.session.failure_text(), HasSubstr("after 3 bytes that are no AMI banner"));
}

TEST(session, can_be_opened_again_and_reads_the_lists_again) {
    Driver driver;
    driver.log_in();
    driver.receive("Event: Ha");
    driver.session.closed("eof", driver.now);
    driver.recorder.log.clear();
    driver.log_in();
    EXPECT_EQ(driver.session.state(), SessionState::up);
}

TEST(keepalive, pings_after_silence_only) {
    Driver driver;
    driver.log_in();
    for (int i = 0; i < 5; ++i) {
        driver.pass(Millis(9000));
        driver.receive("Event: VarSet\r\n\r\n");
    }
    EXPECT_TRUE(driver.sent().empty());
    driver.pass(Millis(10000));
    const Sent ping = driver.one();
    EXPECT_EQ(ping.name, "Ping");
    driver.receive(quiet_pbx(ping));
    driver.pass(Millis(9999));
    EXPECT_TRUE(driver.sent().empty());
}

TEST(keepalive, forgives_one_ping_and_a_busy_asterisk_that_still_sends_events) {
    Driver driver;
    driver.log_in();
    driver.pass(Millis(15000));
    EXPECT_EQ(driver.sent().size(), 2U) << "the second at once after the first failed";
    for (int i = 0; i < 10; ++i) {
        driver.receive("Event: VarSet\r\n\r\n");
        driver.pass(Millis(4000));
    }
    EXPECT_FALSE(driver.session.wants_close());
}

TEST(keepalive, takes_a_refused_ping_of_a_stopping_asterisk_for_life_and_reports_it) {
    Driver driver;
    driver.log_in();
    for (int i = 0; i < 10; ++i) {
        driver.pass(Millis(10000));
        driver.receive(error(driver.one(), "Asterisk is shutting down"));
    }
    EXPECT_FALSE(driver.session.wants_close());
    EXPECT_TRUE(driver.session.shutting_down());
    EXPECT_THAT(driver.recorder.log,
                ElementsAre("up: Asterisk is shutting down: it refuses actions, calls go on until they end"));
    driver.pass(Millis(10000));
    driver.receive(quiet_pbx(driver.one()));
    EXPECT_FALSE(driver.session.shutting_down());
    EXPECT_EQ(driver.recorder.log.back(), "up: Asterisk takes actions again");
}

}  // namespace
