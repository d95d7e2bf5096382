// What operators do with their calls: who may when, which action goes out, which event proves it.
#include "bridge/call_control.hpp"

#include <initializer_list>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/call_requests.hpp"

namespace {

using bridge::CallAction;
using bridge::CallActionOutcome;
using bridge::CallControl;
using bridge::Millis;
using bridge::RingState;
using bridge::Standing;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;
using xmpp::Condition;
using namespace std::chrono_literals;

constexpr Millis now{1000000};
constexpr CallAction all[] = {
    CallAction::answer, CallAction::hangup, CallAction::hold,     CallAction::unhold,   CallAction::park,
    CallAction::pickup, CallAction::blind,  CallAction::attended, CallAction::complete, CallAction::cancel};

Standing ring(RingState state, std::string channel = "PJSIP/201-00000001") {
    return {.jid = "anna@example.org",
            .id = "hq:1.0",
            .leg = "1.1",
            .state = state,
            .own = false,
            .extension = "201",
            .channel = std::move(channel),
            .uniqueid = "1.1",
            .bridge = state == RingState::answered || state == RingState::held ? "b1" : "",
            .partner = "PJSIP/trunk-00000000",
            .partner_uniqueid = "1.0"};
}

using Headers = std::vector<std::pair<std::string, std::string>>;
CallActionOutcome event(CallControl& control, const std::string& name, const Headers& headers) {
    std::vector<ami::Header> flat{{"Event", name}};
    for (const auto& [key, value] : headers) flat.push_back({key, value});
    return control.apply(ami::Message(ami::Message::Kind::event, flat));
}

CallControl with_all_rights() {
    CallControl control({});
    control.set_rights({"PJSIPNotify", "SIPnotify", "Hangup", "Park", "Originate", "BlindTransfer", "Atxfer",
                        "CancelAtxfer"});
    return control;
}

bridge::CallActionRequest request(CallAction control) {
    return {control, "anna@example.org", "202"};
}

bridge::PickupPhone phone(std::string context = {}, std::string exten = {}) {
    return {.channel = "PJSIP/202",
            .channel_id = "ctd-1",
            .caller_id = "201",
            .variables = {},
            .context = std::move(context),
            .exten = std::move(exten)};
}

auto begin(CallControl& control, CallAction what, const Standing& standing) {
    return what == CallAction::pickup ? control.begin_pickup(request(what), standing, phone(), true, now)
                                      : control.begin(request(what), standing, true, now);
}

// Anna asks a colleague: her channel is in another bridge since.
Standing consulting(CallControl& control) {
    EXPECT_TRUE(begin(control, CallAction::attended, ring(RingState::answered)));
    EXPECT_TRUE(
        event(control, "BridgeEnter", {{"Uniqueid", "1.1"}, {"BridgeUniqueid", "b2"}}).offers_changed);
    auto standing = ring(RingState::held);
    standing.bridge = "b2";
    return standing;
}

struct Possible {
    RingState state;
    bool asking;
    std::string offers;
    std::vector<CallAction> allowed;
};

class every_state : public testing::TestWithParam<Possible> {};

TEST_P(every_state, allows_what_it_offers_and_nothing_else) {
    const auto& given = GetParam();
    for (const auto what : all) {
        auto control = with_all_rights();
        auto standing = given.asking ? consulting(control) : ring(given.state);
        EXPECT_EQ(control.offers(standing), given.offers);
        const bool allowed = std::ranges::find(given.allowed, what) != given.allowed.end();
        const auto order = begin(control, what, standing);
        EXPECT_EQ(order.has_value(), allowed) << to_string(what);
        if (!order) {
            EXPECT_EQ(order.error().rule, "state") << to_string(what);
            EXPECT_EQ(order.error().condition, Condition::conflict);
        }
        EXPECT_EQ(control.waiting(), allowed ? 1U : 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    every, every_state,
    testing::Values(Possible{RingState::dialing, false, "hangup", {CallAction::hangup}},
                    Possible{RingState::ringing,
                             false,
                             "answer hangup",
                             {CallAction::answer, CallAction::hangup, CallAction::pickup}},
                    Possible{RingState::answered,
                             false,
                             "hangup hold park transfer consult",
                             {CallAction::hangup, CallAction::hold, CallAction::park, CallAction::blind,
                              CallAction::attended}},
                    Possible{RingState::held,
                             false,
                             "hangup unhold park transfer",
                             {CallAction::hangup, CallAction::unhold, CallAction::park, CallAction::blind}},
                    Possible{RingState::held,
                             true,
                             "hangup complete cancel",
                             {CallAction::hangup, CallAction::complete, CallAction::cancel}},
                    Possible{RingState::ended, false, "", {}}),
    [](const auto& one) {
        return std::string(to_string(one.param.state)) + (one.param.asking ? "_asking" : "");
    });

struct Way {
    CallAction control;
    RingState state;
    std::string action;
    Headers headers, proof;  // the proof begins with its event's name
};

class every_order : public testing::TestWithParam<Way> {
 protected:
    CallControl control = with_all_rights();
    Standing standing = ring(GetParam().state);
    std::uint64_t ticket = 0;
    void SetUp() override {
        const auto& way = GetParam();
        if (way.control == CallAction::complete || way.control == CallAction::cancel)
            standing = consulting(control);
        const auto order = begin(control, way.control, standing);
        ASSERT_TRUE(order) << order.error().text;
        ticket = order->ticket;
        EXPECT_EQ(order->action.name, way.action);
        for (const auto& header : way.headers) EXPECT_THAT(order->action.headers, testing::Contains(header));
    }
    CallActionOutcome proof() {
        auto headers = GetParam().proof;
        const auto name = headers.front().second;
        headers.erase(headers.begin());
        return event(control, name, headers);
    }
};

TEST_P(every_order, is_done_when_its_event_says_so_and_not_when_asterisk_took_it) {
    EXPECT_THAT(control.replied(ticket, ami::Reply::Outcome::success, "ok").answers, IsEmpty());
    EXPECT_THAT(event(control, "Newstate", {{"Uniqueid", "9.9"}, {"ChannelState", "6"}}).answers, IsEmpty());
    const auto out = proof();
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().ticket, ticket);
    EXPECT_FALSE(out.answers.front().refusal);
    EXPECT_EQ(control.waiting(), 0U);
    EXPECT_THAT(proof().answers, IsEmpty());
}

TEST_P(every_order, is_refused_with_the_words_of_asterisk) {
    const auto out = control.replied(ticket, ami::Reply::Outcome::refused, "Permission denied");
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().refusal->condition, Condition::forbidden);
    EXPECT_THAT(out.answers.front().refusal->text, HasSubstr("Permission denied"));
    EXPECT_THAT(proof().answers, IsEmpty());
}

TEST_P(every_order, is_given_up_at_its_deadline) {
    const auto deadline = control.next_deadline();
    EXPECT_EQ(deadline, now + (GetParam().control == CallAction::pickup ? 35s : 5s));
    EXPECT_THAT(control.tick(deadline - 1ms).answers, IsEmpty());
    const auto out = control.tick(deadline);
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().refusal->condition, Condition::remote_server_timeout);
    EXPECT_EQ(control.next_deadline(), Millis::max());
    EXPECT_EQ(out.hangups.size(), GetParam().control == CallAction::pickup ? 1U : 0U);
}

TEST_P(every_order, is_not_known_when_the_link_is_lost) {
    const auto out = control.link_lost();
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().refusal->condition, Condition::service_unavailable);
    EXPECT_EQ(control.waiting(), 0U);
}

TEST_P(every_order, ends_with_its_channel) {
    const auto out =
        event(control, "Hangup", {{"Uniqueid", GetParam().control == CallAction::pickup ? "ctd-1" : "1.1"}});
    ASSERT_EQ(out.answers.size(), 1U);
    if (GetParam().control == CallAction::hangup)
        EXPECT_FALSE(out.answers.front().refusal);
    else
        EXPECT_EQ(out.answers.front().refusal->rule, "ended");
}

TEST_P(every_order, waits_for_the_one_before_but_a_hangup_never_does) {
    const auto again = begin(control, GetParam().control, standing);
    if (GetParam().control == CallAction::hangup || GetParam().control == CallAction::pickup)
        EXPECT_TRUE(again);
    else
        EXPECT_EQ(again.error().rule, "busy");
    EXPECT_TRUE(begin(control, CallAction::hangup, standing));
}

INSTANTIATE_TEST_SUITE_P(
    every, every_order,
    testing::Values(Way{CallAction::answer,
                        RingState::ringing,
                        "PJSIPNotify",
                        {{"Channel", "PJSIP/201-00000001"}, {"Variable", "Event=talk"}},
                        {{"", "Newstate"}, {"Uniqueid", "1.1"}, {"ChannelState", "6"}}},
                    Way{CallAction::hangup,
                        RingState::ringing,
                        "Hangup",
                        {{"Channel", "1.1"}},
                        {{"", "Hangup"}, {"Uniqueid", "1.1"}}},
                    Way{CallAction::hold,
                        RingState::answered,
                        "PJSIPNotify",
                        {{"Channel", "PJSIP/201-00000001"}, {"Variable", "Event=hold"}},
                        {{"", "Hold"}, {"Uniqueid", "1.1"}}},
                    Way{CallAction::unhold,
                        RingState::held,
                        "PJSIPNotify",
                        {{"Variable", "Event=talk"}},
                        {{"", "Unhold"}, {"Uniqueid", "1.1"}}},
                    Way{CallAction::park,
                        RingState::answered,
                        "Park",
                        {{"Channel", "PJSIP/trunk-00000000"}, {"TimeoutChannel", "PJSIP/201-00000001"}},
                        {{"", "ParkedCall"}, {"ParkeeUniqueid", "1.0"}, {"ParkingSpace", "71"}}},
                    Way{CallAction::pickup,
                        RingState::ringing,
                        "Originate",
                        {{"Channel", "PJSIP/202"},
                         {"ChannelId", "ctd-1"},
                         {"Application", "PickupChan"},
                         {"Data", "PJSIP/201-00000001"}},
                        {{"", "Pickup"}, {"Uniqueid", "ctd-1"}, {"TargetUniqueid", "1.1"}}},
                    Way{CallAction::blind,
                        RingState::answered,
                        "BlindTransfer",
                        {{"Channel", "PJSIP/201-00000001"}, {"Context", "from-internal"}, {"Exten", "202"}},
                        {{"", "BlindTransfer"}, {"TransfererUniqueid", "1.1"}, {"Result", "Success"}}},
                    Way{CallAction::attended,
                        RingState::answered,
                        "Atxfer",
                        {{"Channel", "PJSIP/201-00000001"}, {"Exten", "202"}},
                        {{"", "BridgeEnter"}, {"Uniqueid", "1.1"}, {"BridgeUniqueid", "b2"}}},
                    Way{CallAction::complete,
                        RingState::held,
                        "Hangup",
                        {{"Channel", "1.1"}},
                        {{"", "AttendedTransfer"}, {"OrigTransfererUniqueid", "1.1"}, {"Result", "Success"}}},
                    Way{CallAction::cancel,
                        RingState::held,
                        "CancelAtxfer",
                        {{"Channel", "PJSIP/201-00000001"}},
                        {{"", "BridgeEnter"}, {"Uniqueid", "1.1"}, {"BridgeUniqueid", "b1"}}}),
    [](const auto& one) {
        std::string name(to_string(one.param.control));
        std::ranges::replace(name, '-', '_');
        return name;
    });

TEST(call_control, nothing_but_hangup_is_offered_before_the_rights_are_known) {
    const CallControl control({});
    EXPECT_EQ(control.offers(ring(RingState::ringing)), "hangup");
    EXPECT_THAT(control.features("PJSIP/201"), ElementsAre("hangup"));
}

TEST(call_control, a_missing_right_is_neither_offered_nor_tried) {
    struct Case {
        std::string right;
        RingState state;
        CallAction control;
        std::string offers;
    };
    const Case cases[] = {
        {"PJSIPNotify", RingState::ringing, CallAction::answer, "hangup"},
        {"PJSIPNotify", RingState::answered, CallAction::hold, "hangup park transfer consult"},
        {"PJSIPNotify", RingState::held, CallAction::unhold, "hangup park transfer"},
        {"Hangup", RingState::ringing, CallAction::hangup, "answer"},
        {"Park", RingState::answered, CallAction::park, "hangup hold transfer consult"},
        {"BlindTransfer", RingState::answered, CallAction::blind, "hangup hold park consult"},
        {"Atxfer", RingState::answered, CallAction::attended, "hangup hold park transfer"},
        {"Originate", RingState::ringing, CallAction::pickup, "answer hangup"},
    };
    for (const auto& one : cases) {
        std::set<std::string, std::less<>> rights{"PJSIPNotify",   "Hangup", "Park",        "Originate",
                                                  "BlindTransfer", "Atxfer", "CancelAtxfer"};
        rights.erase(one.right);
        CallControl control({});
        control.set_rights(rights);
        EXPECT_EQ(control.offers(ring(one.state)), one.offers) << one.right;
        const auto order = begin(control, one.control, ring(one.state));
        ASSERT_FALSE(order) << one.right;
        EXPECT_EQ(order.error().rule, "right");
        EXPECT_EQ(order.error().condition, Condition::forbidden);
        EXPECT_THAT(order.error().text, HasSubstr(one.right));
    }
}

TEST(call_control, phones_of_chan_sip_are_told_by_their_peer) {
    auto control = with_all_rights();
    const auto order = begin(control, CallAction::answer, ring(RingState::ringing, "SIP/201-00000001"));
    ASSERT_TRUE(order);
    EXPECT_EQ(order->action.name, "SIPnotify");
    EXPECT_THAT(order->action.headers,
                ElementsAre(Pair("Channel", "SIP/201"), Pair("Variable", "Event=talk")));
}

TEST(call_control, phones_that_take_no_commands_are_named) {
    auto control = with_all_rights();
    const auto standing = ring(RingState::ringing, "DAHDI/1-1");
    EXPECT_EQ(control.offers(standing), "hangup");
    EXPECT_EQ(begin(control, CallAction::answer, standing).error().rule, "phone");
}

TEST(call_control, somebody_elses_call_and_a_link_that_is_down) {
    auto control = with_all_rights();
    EXPECT_EQ(control.begin(request(CallAction::hold), std::nullopt, true, now).error().condition,
              Condition::item_not_found);
    EXPECT_EQ(
        control.begin(request(CallAction::hold), ring(RingState::answered), false, now).error().condition,
        Condition::service_unavailable);
}

TEST(call_control, a_transfer_needs_somebody_on_the_other_end) {
    auto control = with_all_rights();
    auto standing = ring(RingState::answered);
    standing.bridge.clear();
    EXPECT_EQ(begin(control, CallAction::blind, standing).error().condition, Condition::conflict);
    standing = consulting(control);
    standing.partner_uniqueid.clear();
    const auto order = begin(control, CallAction::complete, standing);
    EXPECT_EQ(order.error().rule, "partner");
    EXPECT_THAT(order.error().text, HasSubstr("not answered"));
}

TEST(call_control, a_transfer_that_fails_says_how) {
    for (const auto& [result, condition] :
         {std::pair{"Invalid", Condition::item_not_found}, std::pair{"Fail", Condition::undefined_condition},
          std::pair{"Not Permitted", Condition::undefined_condition}}) {
        auto control = with_all_rights();
        ASSERT_TRUE(begin(control, CallAction::blind, ring(RingState::answered)));
        const auto out = event(control, "BlindTransfer", {{"TransfererUniqueid", "1.1"}, {"Result", result}});
        ASSERT_EQ(out.answers.size(), 1U);
        EXPECT_EQ(out.answers.front().refusal->condition, condition);
        EXPECT_THAT(out.answers.front().refusal->text, HasSubstr(result));
    }
}

TEST(call_control, a_parked_call_has_its_slot_and_a_list_of_parked_calls_proves_nothing) {
    auto control = with_all_rights();
    ASSERT_TRUE(begin(control, CallAction::park, ring(RingState::held)));
    const Headers parked{{"ParkeeUniqueid", "1.0"}, {"ParkingSpace", "71"}};
    auto listed = parked;
    listed.emplace_back("ActionID", "x-1");
    EXPECT_THAT(event(control, "ParkedCall", listed).answers, IsEmpty());
    const auto out = event(control, "ParkedCall", parked);
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().slot, "71");
}

TEST(call_control, a_colleague_who_declines_gives_the_call_back) {
    auto control = with_all_rights();
    const auto asking = consulting(control);
    EXPECT_EQ(control.offers(asking), "hangup complete cancel");
    EXPECT_TRUE(
        event(control, "BridgeEnter", {{"Uniqueid", "1.1"}, {"BridgeUniqueid", "b1"}}).offers_changed);
    EXPECT_EQ(control.offers(ring(RingState::answered)), "hangup hold park transfer consult");
    EXPECT_EQ(begin(control, CallAction::complete, ring(RingState::answered)).error().rule, "state");
}

TEST(call_control, what_happened_in_a_gap_is_believed_when_the_consultation_is_asked_for) {
    auto control = with_all_rights();
    consulting(control);
    control.link_lost();
    EXPECT_EQ(control.offers(ring(RingState::answered)), "hangup hold park transfer consult");
}

TEST(call_control, a_pickup_by_the_dialplan_uses_its_code) {
    auto control = with_all_rights();
    const auto order = control.begin_pickup(request(CallAction::pickup), ring(RingState::ringing),
                                            phone("from-internal", "**201"), true, now);
    ASSERT_TRUE(order);
    EXPECT_THAT(order->action.headers,
                testing::IsSupersetOf({Pair("Context", "from-internal"), Pair("Exten", "**201")}));
    EXPECT_THAT(order->action.headers, testing::Not(testing::Contains(Pair("Application", testing::_))));
}

TEST(call_control, a_pickup_ends_with_the_call_it_was_for) {
    auto control = with_all_rights();
    ASSERT_TRUE(begin(control, CallAction::pickup, ring(RingState::ringing)));
    const auto out = event(control, "Hangup", {{"Uniqueid", "1.1"}});
    ASSERT_EQ(out.answers.size(), 1U);
    EXPECT_EQ(out.answers.front().refusal->rule, "ended");
    EXPECT_THAT(out.hangups, ElementsAre("ctd-1"));
}

TEST(colleagues, work_for_one_service_or_nobody_is_named) {
    const auto service = [](std::vector<crm::ServiceOperator> operators) {
        crm::Service one;
        one.operators = std::move(operators);
        return one;
    };
    const std::vector<crm::Service> none{service({})};
    const std::vector<crm::Service> two{service({{"anna", 0, true}, {"boris", 0, false}}),
                                        service({{"clara", 0, true}})};
    EXPECT_TRUE(bridge::are_colleagues({}, "anna", "clara"));
    EXPECT_TRUE(bridge::are_colleagues(none, "anna", "clara"));
    EXPECT_TRUE(bridge::are_colleagues(two, "anna", "boris"));
    EXPECT_FALSE(bridge::are_colleagues(two, "anna", "clara"));
    EXPECT_TRUE(bridge::supervises(two, "anna", "boris"));
    EXPECT_FALSE(bridge::supervises(two, "boris", "anna"));
    EXPECT_FALSE(bridge::supervises(two, "clara", "boris"));
    EXPECT_FALSE(bridge::supervises(none, "anna", "boris"));
}

}  // namespace
