// Days at the desks: what operators, supervisors, exchanges and links do, and what everybody then sees.
#include "tests/bridge/agents_floor.hpp"

namespace agents_test {

namespace {

using Kind = AgentRequest::Kind;
using State = bridge::AgentPicture::Service::State;

ami::Action pause_by_others(const std::string& queue, const std::string& interface, bool paused,
                            const std::string& reason = {}) {
    return ami::queue_pause(interface, paused, reason, queue);
}

std::vector<std::string> names_of(const std::vector<ami::Action>& actions) {
    std::vector<std::string> names;
    for (const auto& action : actions) {
        auto text = action.name + " " + QueueExchange::of(action, "Queue");
        if (const auto paused = QueueExchange::of(action, "Paused"); action.name == "QueuePause")
            text += paused == "true" ? " " + QueueExchange::of(action, "Reason") : " off";
        names.push_back(text);
    }
    return names;
}

TEST(agents, sign_in_joins_the_queues_of_the_services_with_name_penalty_and_state) {
    Floor floor;
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1");
    const auto& add = floor.sent.front();
    EXPECT_EQ(QueueExchange::of(add, "MemberName"), "Anna Kováčová");
    EXPECT_EQ(QueueExchange::of(add, "StateInterface"), "PJSIP/201");
    EXPECT_EQ(floor.state(anna), "ready");
    EXPECT_EQ(floor.picture(anna).services.front().penalty, 1);
    EXPECT_EQ(floor.asked(anna, Kind::logged_out), "ok");
    EXPECT_EQ(floor.queues("PJSIP/201"), "");
    ASSERT_EQ(floor.events.size(), 2U);
    EXPECT_EQ(floor.events[0].state + " " + floor.events[1].state, "ready logged-out");
}

TEST(agents, nothing_is_in_force_before_the_event_says_so) {
    Floor floor;
    const auto token = floor.ask({.jid = anna, .kind = Kind::ready});
    EXPECT_EQ(floor.answer(token), "none");
    EXPECT_EQ(floor.state(anna), "logged-out>ready");
    floor.run();
    EXPECT_EQ(floor.answer(token), "ok");
}

TEST(agents, members_are_added_paused_when_the_operator_signs_in_not_ready) {
    Floor floor;
    EXPECT_EQ(floor.asked(anna, Kind::not_ready, "lunch"), "ok");
    for (const auto& action : floor.sent)
        if (action.name == "QueueAdd") {
            EXPECT_EQ(QueueExchange::of(action, "Paused"), "true");
        }
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/lunch support:1/lunch");
}

TEST(agents, a_queue_that_does_not_exist_fails_alone_and_is_tried_again_after_a_gap) {
    Floor floor;
    floor.exchange.queues.erase("sales");
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    auto picture = floor.picture(anna);
    EXPECT_EQ(picture.services[0].state, State::in);
    EXPECT_EQ(picture.services[1].state, State::failed);
    EXPECT_EQ(picture.services[1].text, "Unable to add interface to queue: No such queue");
    floor.exchange.queues["sales"];
    floor.cut();
    floor.sync();
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1");
    EXPECT_EQ(floor.picture(anna).services[1].state, State::in);
}

TEST(agents, sign_in_fails_with_asterisks_words_when_every_queue_refuses) {
    Floor floor;
    floor.exchange.queues.clear();
    const auto token = floor.ask({.jid = anna, .kind = Kind::ready});
    floor.run();
    EXPECT_EQ(floor.answer(token), "item-not-found");
    EXPECT_EQ(floor.text(token), "queue support: Unable to add interface to queue: No such queue");
    EXPECT_EQ(floor.state(anna), "logged-out");
    floor.exchange.queues = {{"support", {}}, {"sales", {}}};
    floor.cut();
    floor.sync();
    EXPECT_EQ(floor.queues("PJSIP/201"), "");  // the answer was no
}

TEST(agents, a_missing_right_is_forbidden) {
    Floor floor;
    floor.exchange.may_agent = false;
    EXPECT_EQ(floor.asked(anna, Kind::ready), "forbidden");
    floor.exchange.may_agent = true;
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    floor.exchange.may_agent = false;
    EXPECT_EQ(floor.asked(anna, Kind::not_ready, "lunch"), "forbidden");
    EXPECT_EQ(floor.state(anna), "ready");
    floor.expect_equal(anna);
}

TEST(agents, a_pause_refused_in_one_queue_is_undone_in_the_others) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.exchange.queues.erase("sales");
    const auto token = floor.ask({.jid = anna, .kind = Kind::not_ready, .reason = "lunch"});
    floor.run();
    // Nobody can be called through a queue that is gone.
    EXPECT_EQ(floor.answer(token), "ok");
    EXPECT_EQ(floor.state(anna), "not-ready(lunch)");
}

TEST(agents, a_fixed_member_is_seen_paused_and_never_taken_out) {
    Floor floor;
    floor.exchange.queues["support"]["PJSIP/202"] = {.name = "Ben", .dynamic = false};
    floor.sync();
    EXPECT_EQ(floor.state(ben), "ready");  // Asterisk does call him
    EXPECT_EQ(floor.picture(ben).by, "pbx");
    EXPECT_EQ(floor.asked(ben, Kind::ready), "ok");
    const auto token = floor.ask({.jid = ben, .kind = Kind::logged_out});
    floor.run();
    EXPECT_EQ(floor.answer(token), "not-allowed");
    EXPECT_TRUE(floor.text(token).starts_with("Member not dynamic"));
    EXPECT_EQ(floor.state(ben), "not-ready(static-member)");
    EXPECT_EQ(floor.picture(ben).number, 904);
    EXPECT_EQ(floor.queues("PJSIP/202"), "support:0/static-member");
    EXPECT_EQ(floor.asked(ben, Kind::ready), "ok");
    EXPECT_EQ(floor.queues("PJSIP/202"), "support:0");
}

TEST(agents, a_pause_asked_for_in_a_call_keeps_calls_away_at_once_and_is_in_force_at_its_end) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::answered, "1.1", "sales-line");
    EXPECT_EQ(floor.asked(anna, Kind::not_ready, "lunch"), "ok");
    EXPECT_EQ(floor.state(anna), "talking>not-ready");
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/lunch support:1/lunch");
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");  // thought better of it
    EXPECT_EQ(floor.state(anna), "talking>ready");
    floor.asked(anna, Kind::not_ready, "meeting");
    floor.call(anna, RingState::ended);
    EXPECT_EQ(floor.state(anna), "not-ready(meeting)");
}

TEST(agents, sign_out_in_a_call_waits_for_its_end_but_no_other_call_comes) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::answered);
    EXPECT_EQ(floor.asked(anna, Kind::logged_out), "ok");
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/logged-out support:1/logged-out");
    floor.call(anna, RingState::ended);
    EXPECT_EQ(floor.state(anna), "logged-out");
    EXPECT_EQ(floor.queues("PJSIP/201"), "");
}

TEST(agents, work_after_a_call_is_shown_timed_extended_and_ended) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::ringing);
    floor.call(anna, RingState::answered);
    // No call slips in between the end of the call and a pause sent then.
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/wrap-up support:1/wrap-up");
    floor.call(anna, RingState::ended);
    EXPECT_EQ(floor.state(anna), "wrap-up");
    EXPECT_EQ(floor.picture(anna).until, floor.now + 30s);
    floor.run(20s);
    const auto token = floor.ask({.jid = anna, .kind = Kind::extend, .extend = 60s});
    EXPECT_EQ(floor.answer(token), "ok");
    EXPECT_EQ(floor.picture(anna).until, floor.now + 70s);
    floor.run(69s);
    EXPECT_EQ(floor.state(anna), "wrap-up");
    floor.run(1s);
    EXPECT_EQ(floor.state(anna), "ready");
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1");

    floor.call(anna, RingState::answered, "2.1", "sales-line");  // asks for none
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1");
    floor.call(anna, RingState::ended, "2.1");
    EXPECT_EQ(floor.state(anna), "ready");

    floor.call(anna, RingState::answered, "3.1");
    floor.call(anna, RingState::ended, "3.1");
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    EXPECT_EQ(floor.state(anna), "ready");
}

TEST(agents, a_call_that_was_not_answered_has_no_work_after_it) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::ringing);
    floor.call(anna, RingState::ended);
    EXPECT_EQ(floor.state(anna), "ready");
}

TEST(agents, only_what_we_paused_is_unpaused) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.others(pause_by_others("support", "PJSIP/201", true, "fire"));
    EXPECT_EQ(floor.state(anna), "ready");  // sales still calls
    EXPECT_EQ(floor.picture(anna).services[0].text, "paused by another program");
    floor.call(anna, RingState::answered);
    floor.call(anna, RingState::ended);
    floor.run(30s);  // the end of the wrap-up
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1/fire");
    floor.others(pause_by_others("sales", "PJSIP/201", true, "fire"));
    EXPECT_EQ(floor.state(anna), "not-ready(fire)");
    EXPECT_EQ(floor.picture(anna).by, "pbx");
    const auto token = floor.ask({.jid = anna, .kind = Kind::ready});
    floor.run();
    EXPECT_EQ(floor.answer(token), "conflict");
    EXPECT_EQ(floor.text(token), "queue support: paused by another program (fire); it has to be ended there");
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/fire support:1/fire");
    // Who is responsible for the operator may end it.
    const auto senior = floor.ask({.jid = anna, .by = boss, .kind = Kind::ready});
    floor.run();
    EXPECT_EQ(floor.answer(senior), "ok");
    EXPECT_EQ(floor.picture(anna).by, boss);
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2 support:1");
}

TEST(agents, signing_in_and_out_by_the_phone_is_seen) {
    Floor floor;
    floor.others({"QueueAdd", {{"Queue", "support"}, {"Interface", "PJSIP/202"}}});
    EXPECT_EQ(floor.state(ben), "ready");
    EXPECT_EQ(floor.picture(ben).by, "pbx");
    floor.run(1h);  // no client was ever there: nobody is missed
    EXPECT_EQ(floor.state(ben), "ready");
    floor.others(ami::queue_remove("support", "PJSIP/202"));
    EXPECT_EQ(floor.state(ben), "logged-out");
    floor.others({"QueueAdd", {{"Queue", "support"}, {"Interface", "PJSIP/202"}}});
    EXPECT_EQ(floor.asked(ben, Kind::logged_out), "ok");
    EXPECT_EQ(floor.queues("PJSIP/202"), "");
}

TEST(agents, a_client_that_vanishes_is_paused_after_the_grace_and_signed_out_later) {
    Floor floor;
    floor.client(anna + "/desk");
    floor.client(anna + "/web");
    floor.asked(anna, Kind::ready);
    floor.gone(anna + "/desk");
    floor.run(15s);
    EXPECT_EQ(floor.state(anna), "ready");  // the other one is there
    floor.gone(anna + "/web");
    floor.run(9s);
    EXPECT_EQ(floor.state(anna), "ready");
    floor.run(1s);
    EXPECT_EQ(floor.state(anna), "not-ready(client-gone)");
    EXPECT_EQ(floor.picture(anna).number, 901);
    EXPECT_EQ(floor.picture(anna).by, "system");
    floor.client(anna + "/web");
    EXPECT_EQ(floor.state(anna), "not-ready(client-gone)");  // ready is for the operator to say
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    floor.gone(anna + "/web");
    floor.run(10min + 10s);
    EXPECT_EQ(floor.state(anna), "logged-out");
    EXPECT_EQ(floor.queues("PJSIP/201"), "");
}

TEST(agents, two_unanswered_pings_make_a_client_silent) {
    Floor floor;
    floor.client(anna + "/desk");
    floor.asked(anna, Kind::ready);
    floor.run(10s);
    ASSERT_EQ(floor.pings.size(), 1U);
    floor.take(floor.agents.pinged(anna + "/desk", bridge::PingResult::here, floor.now));
    floor.run(29s);
    EXPECT_EQ(floor.state(anna), "ready");
    floor.run(11s);
    EXPECT_EQ(floor.state(anna), "not-ready(client-silent)");
}

TEST(agents, what_an_application_signed_in_needs_no_client) {
    Floor floor;
    const auto token = floor.ask({.jid = ben, .by = boss, .kind = Kind::ready});
    floor.run();
    EXPECT_EQ(floor.answer(token), "ok");
    floor.run(2h);
    EXPECT_EQ(floor.state(ben), "ready");
    EXPECT_EQ(floor.picture(ben).by, boss);
}

TEST(agents, a_lost_answer_is_asked_of_the_queue) {
    for (const auto kind : {Fate::lost, Fate::lost_after, Fate::no_event, Fate::event_first, Fate::late}) {
        Floor floor;
        unsigned first = 0;
        floor.fate = [&](const ami::Action& action) {
            return action.name == "QueueStatus" || ++first > 1 ? Fate::normal : kind;
        };
        const auto token = floor.ask({.jid = ben, .kind = Kind::ready});
        floor.run(1min);
        EXPECT_EQ(floor.answer(token), "ok");
        EXPECT_EQ(floor.queues("PJSIP/202"), "support:3");
        EXPECT_EQ(floor.asked(ben, Kind::logged_out), "ok");
        EXPECT_EQ(floor.queues("PJSIP/202"), "");
    }
}

TEST(agents, an_exchange_that_never_answers_is_a_timeout) {
    Floor floor;
    floor.fate = [](const ami::Action&) { return Fate::lost; };
    const auto token = floor.ask({.jid = ben, .kind = Kind::ready});
    floor.run(1min);
    EXPECT_EQ(floor.answer(token), "remote-server-timeout");
    EXPECT_EQ(floor.state(ben), "logged-out");
}

TEST(agents, a_lost_link_answers_no_to_ready_and_keeps_its_word_about_staying_out) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    const auto in = floor.ask({.jid = ben, .kind = Kind::ready});
    const auto out = floor.ask({.jid = anna, .kind = Kind::logged_out});
    floor.cut();
    EXPECT_EQ(floor.answer(in), "service-unavailable");
    EXPECT_EQ(floor.answer(out), "service-unavailable");
    EXPECT_EQ(floor.asked(ben, Kind::ready), "service-unavailable");
    floor.sync();
    EXPECT_EQ(floor.state(ben), "logged-out");
    EXPECT_EQ(floor.queues("PJSIP/202"), "");
    EXPECT_EQ(floor.state(anna), "logged-out");
    EXPECT_EQ(floor.queues("PJSIP/201"), "");
}

TEST(agents, differences_of_a_gap_are_put_right_and_explained) {
    Floor floor;
    floor.asked(anna, Kind::not_ready, "lunch");
    floor.cut();
    floor.exchange.queues["support"].clear();
    floor.exchange.queues["sales"]["PJSIP/201"].paused = false;
    floor.exchange.queues["sales"]["PJSIP/201"].penalty = 9;
    floor.sync();
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/lunch support:1/lunch");
    EXPECT_TRUE(floor.because(bridge::Why::agent_put_right));
    EXPECT_EQ(floor.state(anna), "not-ready(lunch)");
}

TEST(agents, two_operators_of_one_phone_cannot_both_be_signed_in) {
    Floor floor;
    auto all = people();
    all[1].extension = "201";
    floor.take(floor.agents.set_roster(all, floor.services_of, seats(), floor.now));
    floor.run();
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    const auto token = floor.ask({.jid = ben, .kind = Kind::ready});
    floor.run();
    EXPECT_EQ(floor.answer(token), "conflict");
    EXPECT_EQ(floor.text(token), "Anna Kováčová is signed in at extension 201");
    EXPECT_EQ(floor.asked(anna, Kind::logged_out), "ok");
    EXPECT_EQ(floor.asked(ben, Kind::ready), "ok");
    EXPECT_EQ(floor.queues("PJSIP/201"), "support:3");
    EXPECT_EQ(floor.state(anna), "logged-out");
}

TEST(agents, a_seat_gives_its_phone_and_moves_the_memberships) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    const auto token = floor.ask({.jid = anna, .kind = Kind::seat, .seat = "4"});
    floor.run();
    EXPECT_EQ(floor.answer(token), "ok");
    EXPECT_EQ(floor.queues("PJSIP/201"), "");
    EXPECT_EQ(floor.queues("PJSIP/204"), "sales:2 support:1");
    EXPECT_EQ(floor.picture(anna).extension, "204");
    ASSERT_FALSE(floor.moves.empty());
    EXPECT_EQ(floor.moves.back().extension, "204");
}

TEST(agents, a_seat_belongs_to_who_is_signed_in_there) {
    Floor floor;
    floor.ask({.jid = anna, .kind = Kind::ready, .seat = "4"});
    floor.run();
    const auto token = floor.ask({.jid = ben, .kind = Kind::ready, .seat = "4"});
    floor.run();
    EXPECT_EQ(floor.answer(token), "conflict");
    EXPECT_EQ(floor.text(token), "Anna Kováčová sits on seat 4 and is signed in");
    const auto moved =
        floor.ask({.jid = ben, .by = chief, .administrator = true, .kind = Kind::ready, .seat = "4"});
    floor.run();
    EXPECT_EQ(floor.answer(moved), "ok");
    EXPECT_EQ(floor.state(anna), "logged-out");
    EXPECT_EQ(floor.queues("PJSIP/204"), "support:3");
    EXPECT_EQ(floor.picture(anna).seat, "");
    floor.asked(ben, Kind::logged_out);
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    const auto back = floor.ask({.jid = anna, .kind = Kind::seat, .seat = "4"});
    floor.run();
    EXPECT_EQ(floor.answer(back), "ok");  // who is signed out has left
    EXPECT_EQ(floor.picture(ben).seat, "");
}

TEST(agents, a_desktop_that_names_its_seat_sits_its_operator_down) {
    Floor floor;
    floor.client(anna + "/Desk-Four");
    EXPECT_EQ(floor.picture(anna).seat, "4");
    EXPECT_EQ(floor.asked(anna, Kind::ready), "ok");
    EXPECT_EQ(floor.queues("PJSIP/204"), "sales:2 support:1");
}

TEST(agents, presence_away_pauses_only_where_the_rule_is_on_and_not_in_a_call) {
    auto rules = config();
    rules.away = true;
    Floor floor(rules);
    floor.client(anna + "/desk");
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::answered, "1.1", "sales-line");
    floor.client(anna + "/desk", "away");  // Spark does this
    EXPECT_EQ(floor.state(anna), "talking");
    floor.client(anna + "/desk");
    floor.call(anna, RingState::ended);
    floor.client(anna + "/desk", "xa");
    EXPECT_EQ(floor.state(anna), "not-ready(away)");
    floor.client(anna + "/desk");
    EXPECT_EQ(floor.state(anna), "ready");

    Floor off;
    off.client(anna + "/desk");
    off.asked(anna, Kind::ready);
    off.client(anna + "/desk", "dnd");
    EXPECT_EQ(off.state(anna), "ready");
}

// The next daemon on the same exchange, with what the last one remembered.
void restart(Floor& floor, Floor& next) {
    next.exchange = floor.exchange;
    std::vector<bridge::AgentMemory> all;
    for (const auto& [jid, memory] : floor.memories) all.push_back(memory);
    next.take(next.agents.restore(all, next.now));
    next.run();
}

TEST(agents, a_stopped_daemon_leaves_nobody_to_be_called_and_the_next_one_takes_up) {
    Floor floor;
    floor.client(anna + "/desk");
    floor.asked(anna, Kind::ready);
    floor.ask({.jid = ben, .kind = Kind::not_ready, .reason = "lunch"});
    floor.run();
    floor.take(floor.agents.stop(floor.now));
    EXPECT_FALSE(floor.agents.stopped());
    floor.run();
    EXPECT_TRUE(floor.agents.stopped());
    EXPECT_EQ(floor.queues("PJSIP/201"), "sales:2/bridge-stopped support:1/bridge-stopped");
    EXPECT_EQ(floor.queues("PJSIP/202"), "support:3/lunch");
    EXPECT_EQ(floor.asked(anna, Kind::ready), "service-unavailable");

    Floor next;
    restart(floor, next);
    EXPECT_EQ(next.state(anna), "not-ready(bridge-stopped)");
    next.client(anna + "/desk");
    EXPECT_EQ(next.state(anna), "ready");
    EXPECT_EQ(next.queues("PJSIP/201"), "sales:2 support:1");
    EXPECT_EQ(next.state(ben), "not-ready(lunch)");
    EXPECT_EQ(next.asked(ben, Kind::ready), "ok");
    EXPECT_EQ(next.queues("PJSIP/202"), "support:3");
}

TEST(agents, after_a_crash_who_is_still_there_stays_in_and_who_is_not_is_taken_out) {
    Floor floor;
    floor.client(anna + "/desk");
    floor.client(ben + "/desk");
    floor.asked(anna, Kind::ready);
    floor.asked(ben, Kind::ready);
    Floor next;
    restart(floor, next);
    next.client(anna + "/desk");
    EXPECT_EQ(next.state(anna) + " " + next.state(ben), "ready ready");
    for (int i = 0; i < 3; ++i) {
        next.run(10s);
        next.take(next.agents.pinged(anna + "/desk", bridge::PingResult::here, next.now));
    }
    EXPECT_EQ(next.state(anna), "ready");
    EXPECT_EQ(next.state(ben), "not-ready(client-gone)");
}

TEST(agents, members_of_somebody_who_signed_out_unseen_are_taken_out) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    Floor next;
    next.exchange = floor.exchange;
    next.sync();  // nothing is remembered, but they carry her name
    EXPECT_EQ(next.queues("PJSIP/201"), "");
    EXPECT_EQ(next.state(anna), "logged-out");
    EXPECT_TRUE(next.because(bridge::Why::agent_put_right));
}

TEST(agents, somebody_who_is_no_operator_any_more_leaves_the_queues) {
    Floor floor;
    floor.asked(ben, Kind::ready);
    auto all = people();
    std::erase_if(all, [](const auto& person) { return person.jid == ben; });
    floor.take(floor.agents.set_roster(all, floor.services_of, seats(), floor.now));
    floor.run();
    EXPECT_EQ(floor.queues("PJSIP/202"), "");
    EXPECT_FALSE(floor.agents.picture(ben).has_value());
    EXPECT_EQ(floor.asked(ben, Kind::ready), "forbidden");
}

TEST(agents, a_newer_request_answers_the_older_one) {
    Floor floor;
    const auto older = floor.ask({.jid = anna, .kind = Kind::ready});
    const auto newer = floor.ask({.jid = anna, .kind = Kind::not_ready, .reason = "lunch"});
    floor.run();
    EXPECT_EQ(floor.answer(older), "conflict");
    EXPECT_EQ(floor.answer(newer), "ok");
    EXPECT_EQ(floor.state(anna), "not-ready(lunch)");
    floor.expect_equal(anna);
}

TEST(agents, actions_in_flight_are_bounded_and_none_is_lost) {
    auto bounds = config();
    bounds.window = 8;
    Floor floor(bounds);
    std::vector<crm::Operator> all;
    auto of = services();
    for (int i = 0; i < 1000; ++i) {
        const auto jid = "op" + std::to_string(i) + "@example.org";
        all.push_back({.jid = jid, .pbx = "hq", .extension = std::to_string(3000 + i)});
        for (auto& service : of) service.operators.push_back({.jid = jid, .penalty = i % 7});
    }
    floor.take(floor.agents.set_roster(all, of, {}, floor.now));
    floor.run();
    std::size_t most = 0;
    floor.fate = [&](const ami::Action&) {
        most = std::max(most, floor.agents.in_flight());
        return Fate::normal;
    };
    std::vector<std::uint64_t> tokens;
    for (const auto& person : all) tokens.push_back(floor.ask({.jid = person.jid, .kind = Kind::ready}));
    floor.run();
    for (const auto token : tokens) EXPECT_EQ(floor.answer(token), "ok");
    EXPECT_LE(most, 8U);
    EXPECT_EQ(floor.exchange.queues["support"].size(), 1000U);
    EXPECT_EQ(floor.exchange.queues["sales"].size(), 1000U);
}

TEST(agents, local_members_with_a_hint_are_the_configured_templates) {
    auto freepbx = config();
    freepbx.member = "Local/{extension}@from-queue/n";
    freepbx.state_interface = "hint:{extension}@ext-local";
    Floor floor(freepbx);
    EXPECT_EQ(floor.asked(ben, Kind::ready), "ok");
    EXPECT_EQ(floor.queues("Local/202@from-queue/n"), "support:3");
    EXPECT_EQ(QueueExchange::of(floor.sent.back(), "StateInterface"), "hint:202@ext-local");
    // The phone was added beside it by a feature code: signing out ends both.
    floor.others({"QueueAdd", {{"Queue", "support"}, {"Interface", "PJSIP/202"}}});
    EXPECT_EQ(floor.asked(ben, Kind::logged_out), "ok");
    EXPECT_EQ(floor.queues("PJSIP/202") + floor.queues("Local/202@from-queue/n"), "");
}

TEST(agents, one_change_is_one_action_per_queue) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.sent.clear();
    floor.asked(anna, Kind::not_ready, "lunch");
    floor.asked(anna, Kind::ready);
    EXPECT_EQ(names_of(floor.sent),
              (std::vector<std::string>{"QueuePause support lunch", "QueuePause sales lunch",
                                        "QueuePause support off", "QueuePause sales off"}));
}

TEST(agents, a_reason_that_is_only_asked_for_has_not_begun) {
    Floor floor;
    floor.asked(anna, Kind::ready);
    floor.asked(anna, Kind::not_ready, "lunch");
    floor.run(60s);
    floor.asked(anna, Kind::not_ready, "meeting");
    EXPECT_EQ(floor.picture(anna).since, floor.now);
    std::vector<std::string> written;
    for (const auto& event : floor.events) written.push_back(event.state + " " + event.reason);
    EXPECT_EQ(written, (std::vector<std::string>{"ready ", "not-ready lunch", "not-ready meeting"}));

    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::answered);
    floor.events.clear();
    const auto began = floor.picture(anna).since;
    floor.run(60s);
    floor.asked(anna, Kind::not_ready, "lunch");
    EXPECT_EQ(floor.state(anna), "talking>not-ready");
    EXPECT_EQ(floor.picture(anna).since, began);
    EXPECT_TRUE(floor.events.empty());
}

TEST(agents, what_was_in_force_at_a_restart_does_not_begin_again) {
    Floor floor;
    floor.asked(anna, Kind::not_ready, "lunch");
    const auto began = floor.picture(anna).since;
    bridge::Agents next(config());
    static_cast<void>(next.set_roster(people(), services(), seats(), floor.now + 60s));
    const auto outcome = next.restore({floor.memories[anna]}, floor.now + 60s);
    EXPECT_TRUE(outcome.events.empty());
    EXPECT_EQ(next.picture(anna)->state, AgentState::not_ready);
    EXPECT_EQ(next.picture(anna)->since, began);
}

TEST(agents, people_who_come_while_the_list_is_read_are_not_missed) {
    Floor floor;
    floor.exchange.queues["support"]["PJSIP/209"] = {.name = "Nine", .dynamic = false};
    floor.cut();
    floor.agents.sync_begin(floor.now);
    for (const auto& item : floor.exchange.perform({"QueueStatus", {}}).events) floor.hear(item);
    auto more = people();
    more.push_back({.jid = "nine@example.org", .pbx = "hq", .extension = "209", .name = "Nine"});
    floor.services_of.front().operators.push_back({.jid = "nine@example.org"});
    floor.take(floor.agents.set_roster(more, floor.services_of, seats(), floor.now));
    floor.take(floor.agents.sync_end(floor.now));
    floor.run();
    EXPECT_TRUE(floor.agents.synced());
    EXPECT_EQ(floor.state("nine@example.org"), "ready");
    EXPECT_EQ(floor.asked("nine@example.org", Kind::logged_out), "not-allowed");
}

TEST(agents, a_membership_that_comes_true_behind_a_change_of_seat_is_taken_back) {
    Floor floor;
    floor.fate = [](const ami::Action& action) {
        return action.name == "QueueAdd" ? Fate::late : Fate::normal;
    };
    floor.ask({.jid = ben, .kind = Kind::ready});
    floor.run(1s);
    EXPECT_EQ(floor.queues("PJSIP/202"), "support:3");  // and its event is still on the way
    floor.ask({.jid = ben, .by = boss, .kind = Kind::seat, .seat = "4"});
    floor.run(60s);
    EXPECT_EQ(floor.queues("PJSIP/202"), "") << "a phone that nobody sits at is called";
    EXPECT_EQ(floor.queues("PJSIP/204"), "support:3");
    EXPECT_EQ(floor.state(ben), "ready");
}

TEST(agents, who_is_gone_during_a_call_and_asked_to_leave_waits_without_haste) {
    Floor floor;
    floor.client(anna + "/desk");
    floor.asked(anna, Kind::ready);
    floor.call(anna, RingState::answered);
    floor.asked(anna, Kind::logged_out);
    floor.gone(anna + "/desk");
    floor.run(2h);
    EXPECT_EQ(floor.state(anna), "talking>logged-out");
    EXPECT_GT(floor.agents.next_deadline(), floor.now);  // a deadline in the past would be rung for ever
    floor.call(anna, RingState::ended);
    EXPECT_EQ(floor.state(anna), "logged-out");
}

}  // namespace

}  // namespace agents_test
