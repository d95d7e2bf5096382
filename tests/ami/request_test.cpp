// Actions and their answers: each Done exactly once, whatever happens.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver.hpp"

namespace {

using ami::Millis;
using ami::Reply;
using ami_test::Driver;
using ami_test::error;
using ami_test::list;
using ami_test::ok;
using ami_test::Sent;
using testing::ElementsAre;
using Outcome = ami::Reply::Outcome;

struct Answers {
    std::vector<std::pair<Outcome, std::string>> seen;
    ami::Session::Done done() {
        return [this](const Reply& reply) { seen.emplace_back(reply.outcome, reply.message); };
    }
};

TEST(request, is_answered_by_action_id_in_any_order) {
    Driver driver;
    driver.log_in();
    Answers first;
    Answers second;
    const auto id = driver.session.submit(ami::hangup("a"), driver.now, first.done());
    ASSERT_TRUE(id);
    ASSERT_TRUE(driver.session.submit(ami::hangup("b"), driver.now, second.done()));
    const auto sent = driver.sent();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].id, *id);
    driver.receive(error(sent[1], "No such channel"));
    EXPECT_TRUE(first.seen.empty());
    driver.receive(ok(sent[0], "Message: Channel Hungup\r\n"));
    EXPECT_THAT(first.seen, ElementsAre(std::pair(Outcome::success, "Channel Hungup")));
    EXPECT_THAT(second.seen, ElementsAre(std::pair(Outcome::refused, "No such channel")));
}

TEST(request, is_not_answered_by_strangers) {
    Driver driver;
    driver.log_in();
    Answers answers;
    ASSERT_TRUE(driver.session.submit(ami::ping(), driver.now, answers.done()));
    const Sent sent = driver.one();
    for (const std::string& id : {std::string("cti-1"), sent.id + "0", sent.id + " ", std::string("t-"),
                                  std::string("t-99999999999999999999")}) {
        driver.receive("Response: Success\r\nActionID: " + id + "\r\n\r\n");
    }
    driver.receive("Response: Error\r\nMessage: Missing action in request\r\n\r\n");
    driver.receive("Event: OriginateResponse\r\nActionID: " + sent.id + "\r\nResponse: Failure\r\n\r\n");
    driver.receive("Foo: x\r\nActionID: " + sent.id + "\r\n\r\n");
    EXPECT_TRUE(answers.seen.empty());
    driver.receive(ok(sent));
    driver.receive(ok(sent));
    EXPECT_EQ(answers.seen.size(), 1U);
}

TEST(request, ids_of_two_sessions_differ_by_default) {
    auto config = ami_test::test_config();
    config.action_id_prefix.clear();
    config.md5 = false;
    Driver one(config);
    Driver two(config);
    one.open();
    two.open();
    one.receive(ami_test::banner);
    two.receive(ami_test::banner);
    EXPECT_NE(one.one().id, two.one().id);
}

TEST(request, times_out_once_and_ignores_the_late_answer) {
    Driver driver;
    driver.log_in();
    Answers answers;
    ASSERT_TRUE(driver.session.submit(ami::get_variable("c", "x"), driver.now, answers.done()));
    const Sent sent = driver.one();
    driver.pass(Millis(4999));
    EXPECT_TRUE(answers.seen.empty());
    driver.pass(Millis(1));
    EXPECT_THAT(answers.seen,
                ElementsAre(std::pair(Outcome::timeout, "Asterisk did not answer within 5000 ms")));
    driver.receive(ok(sent));
    EXPECT_EQ(answers.seen.size(), 1U);
}

TEST(request, shows_the_response_during_the_call) {
    Driver driver;
    driver.log_in();
    std::string value;
    ASSERT_TRUE(driver.session.submit(ami::get_variable("c", "did"), driver.now,
                                      [&](const Reply& reply) { value = reply.response->get("Value"); }));
    driver.receive(ok(driver.one(), "Variable: did\r\nValue: 02079460100\r\n"));
    EXPECT_EQ(value, "02079460100");
}

TEST(request, is_refused_before_login_and_after_the_end_and_says_so) {
    Driver driver;
    Answers answers;
    const auto refused = [&](std::string_view state) {
        const auto result = driver.session.submit(ami::ping(), driver.now, answers.done());
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().field, "session");
        EXPECT_EQ(result.error().text, "not logged in to Asterisk (state " + std::string(state) + ")");
    };
    refused("closed");
    driver.open();
    refused("banner");
    driver.receive(ami_test::banner);
    refused("login");
    driver.serve(ami_test::quiet_pbx);
    ASSERT_TRUE(driver.session.submit(ami::ping(), driver.now, {}));
    driver.receive("Event: Shutdown\r\n\r\n");
    refused("up");
    driver.session.closed("eof", driver.now);
    refused("closed");
    EXPECT_TRUE(answers.seen.empty());
}

TEST(request, that_the_choke_point_refuses_writes_nothing) {
    Driver driver;
    driver.log_in();
    Answers answers;
    const auto result = driver.session.submit(ami::hangup("a\r\nAction: Logoff"), driver.now, answers.done());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().field, "Channel");
    EXPECT_TRUE(driver.session.take_output().empty());
    driver.session.closed("eof", driver.now);
    EXPECT_TRUE(answers.seen.empty());
}

TEST(request, is_refused_when_too_many_wait_and_pings_still_go_out) {
    auto config = ami_test::test_config();
    config.open_actions = 3;
    config.answer_deadline = Millis(60000);
    Driver driver(config);
    driver.log_in();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(driver.session.submit(ami::ping(), driver.now));
    const auto result = driver.session.submit(ami::ping(), driver.now);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().text, "3 actions wait for an answer of Asterisk already");
    (void)driver.sent();
    driver.pass(Millis(10000));
    EXPECT_EQ(driver.one().name, "Ping");
}

TEST(request, may_be_made_from_an_answer_and_from_an_event) {
    Driver driver;
    driver.log_in();
    Answers answers;
    driver.recorder.hook = [&](const ami::Message& message) {
        if (!message.is_event("Newchannel")) return;
        ASSERT_TRUE(driver.session.submit(ami::get_variable("c", "x"), driver.now, [&](const Reply&) {
            ASSERT_TRUE(driver.session.submit(ami::hangup("c"), driver.now, answers.done()));
        }));
    };
    driver.receive("Event: Newchannel\r\n\r\n");
    driver.receive(ok(driver.one()));
    driver.receive(ok(driver.one()));
    EXPECT_EQ(answers.seen.size(), 1U);
}

struct ListResult {
    std::vector<std::string> items;
    std::vector<std::pair<Outcome, std::size_t>> ends;
};

ListResult& submit_list(Driver& driver, ListResult& result) {
    const auto id = driver.session.submit_list(
        ami::queue_status(), driver.now,
        [&](const ami::Message& item) { result.items.emplace_back(item.name()); },
        [&](const Reply& reply) { result.ends.emplace_back(reply.outcome, reply.items); });
    EXPECT_TRUE(id);
    return result;
}

TEST(list_request, gives_its_items_and_ends_with_complete) {
    Driver driver;
    driver.log_in();
    ListResult result;
    submit_list(driver, result);
    const Sent sent = driver.one();
    driver.receive("Event: QueueMember\r\nActionID: " + sent.id + "\r\n\r\n");
    EXPECT_TRUE(result.items.empty()) << "no item before the response";
    driver.receive(list(sent, "QueueParams QueueMember", ""));
    driver.receive("Event: Hangup\r\n\r\nEvent: QueueEntry\r\nActionID: other\r\n\r\n");
    EXPECT_TRUE(result.ends.empty());
    driver.receive("Event: QueueStatusComplete\r\nActionID: " + sent.id + "\r\nEventList: Complete\r\n\r\n");
    EXPECT_THAT(result.items, ElementsAre("QueueParams", "QueueMember"));
    EXPECT_THAT(result.ends, ElementsAre(std::pair(Outcome::success, std::size_t{2})));
    EXPECT_EQ(driver.recorder.count("event QueueParams"), 1U);
}

TEST(list_request, ends_with_the_response_when_that_is_no_list) {
    Driver driver;
    driver.log_in();
    ListResult refused;
    submit_list(driver, refused);
    driver.receive(error(driver.one(), "Permission denied"));
    EXPECT_THAT(refused.ends, ElementsAre(std::pair(Outcome::refused, std::size_t{0})));
    ListResult plain;
    submit_list(driver, plain);
    driver.receive(ok(driver.one()));
    EXPECT_THAT(plain.ends, ElementsAre(std::pair(Outcome::success, std::size_t{0})));
}

TEST(list_request, that_asterisk_cancels_is_refused) {
    Driver driver;
    driver.log_in();
    ListResult result;
    submit_list(driver, result);
    driver.receive(list(driver.one(), "QueueParams", "cancelled"));
    EXPECT_THAT(result.ends, ElementsAre(std::pair(Outcome::refused, std::size_t{1})));
}

TEST(list_request, is_given_time_as_long_as_items_come_and_not_for_ever) {
    Driver driver;
    driver.log_in();
    ListResult result;
    submit_list(driver, result);
    const Sent sent = driver.one();
    driver.receive(list(sent, "", ""));
    const std::string item = "Event: QueueMember\r\nActionID: " + sent.id + "\r\n\r\n";
    for (int i = 0; i < 14; ++i) {
        driver.pass(Millis(4000));
        driver.receive(item);
    }
    EXPECT_TRUE(result.ends.empty());
    driver.pass(Millis(4000));
    EXPECT_THAT(result.ends, ElementsAre(std::pair(Outcome::timeout, std::size_t{14})));

    ListResult stalled;
    submit_list(driver, stalled);
    driver.receive(list(driver.sent().back(), "QueueParams", ""));
    driver.pass(Millis(5000));
    EXPECT_THAT(stalled.ends, ElementsAre(std::pair(Outcome::timeout, std::size_t{1})));
}

TEST(list_commands, gives_the_rights_in_its_response) {
    Driver driver;
    driver.log_in();
    std::string right;
    ASSERT_TRUE(driver.session.submit(ami::list_commands(), driver.now,
                                      [&](const Reply& reply) { right = reply.response->get("Originate"); }));
    driver.receive(ok(driver.one(),
                      "Ping: Keepalive command.  (Priv: <none>)\r\n"
                      "Originate: Originate a call.  (Priv: originate,all)\r\n"));
    EXPECT_EQ(right, "Originate a call.  (Priv: originate,all)");
}

// A dialogue of login, sync, actions and lists, answered and unanswered, cut after every byte and at every
// deadline.
class LossDialogue {
 public:
    // Plays it and loses the link at that step; returns the number of steps.
    std::size_t play(std::size_t lose_at) {
        lose_at_ = lose_at;
        driver_.open();
        read(ami_test::banner);
        while (alive() && driver_.session.state() != ami::SessionState::up) answer();
        for (int round = 0; round < 3 && alive(); ++round) {
            submit();
            answer();
        }
        submit();
        (void)driver_.sent();
        for (int i = 0; i < 4 && alive(); ++i) driver_.pass(Millis(2500));
        submit();
        driver_.session.closed("the end", driver_.now);
        return step_;
    }
    [[nodiscard]] std::size_t taken() const { return taken_; }
    [[nodiscard]] std::size_t answered() const { return answered_; }

 private:
    bool alive() {
        if (step_++ == lose_at_) driver_.session.closed("reset", driver_.now);
        return driver_.session.state() != ami::SessionState::closed;
    }
    void read(std::string_view bytes) {
        for (; !bytes.empty() && alive(); bytes.remove_prefix(1)) driver_.receive(bytes.substr(0, 1));
    }
    void answer() {
        for (const Sent& sent : driver_.sent()) read(ami_test::quiet_pbx(sent));
    }
    void submit() {
        const auto done = [this](const Reply&) { ++answered_; };
        if (driver_.session.submit(ami::ping(), driver_.now, done)) ++taken_;
        if (driver_.session.submit_list(ami::queue_status(), driver_.now, {}, done)) ++taken_;
    }

    Driver driver_;
    std::size_t lose_at_ = 0;
    std::size_t step_ = 0;
    std::size_t taken_ = 0;
    std::size_t answered_ = 0;
};

TEST(link_loss, at_every_step_answers_every_action_exactly_once) {
    LossDialogue whole;
    const std::size_t steps = whole.play(std::numeric_limits<std::size_t>::max());
    ASSERT_GT(steps, 1000U);
    ASSERT_EQ(whole.taken(), 10U);
    EXPECT_EQ(whole.answered(), 10U);
    std::size_t most = 0;
    for (std::size_t at = 0; at < steps; ++at) {
        LossDialogue cut;
        cut.play(at);
        EXPECT_EQ(cut.answered(), cut.taken()) << "lost at step " << at;
        EXPECT_GE(cut.taken(), most) << "lost at step " << at;
        most = std::max(most, cut.taken());
    }
    EXPECT_GE(most, 8U);
}

}  // namespace
