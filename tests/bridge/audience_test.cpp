// Who gets which form, by what is known of an operator's clients and by pop.mode.
#include "bridge/audience.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bridge {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

const std::string anna = "anna@example.org";

Notice notice(RingState state = RingState::ringing, std::string leg = "1.1") {
    Notice notice;
    notice.to = anna;
    notice.pbx = "hq";
    notice.leg = std::move(leg);
    notice.id = "hq:1.0";
    notice.state = state;
    return notice;
}

xmpp::Presence presence(const std::string& from, const std::string& type = "") {
    return {from, xmpp::bare_jid(from), "cti.example.org", type, "", "", 0};
}

std::vector<std::string> forms(Audience& audience, const Notice& n) {
    std::vector<std::string> all;
    for (const auto& r : audience.recipients(n)) {
        all.push_back(r.to + (r.call ? " call" : "") + (r.phone_event ? " phone" : "") +
                      (r.body ? " body" : ""));
    }
    return all;
}

struct ModeCase {
    PopMode mode;
    bool console, spark;
    std::vector<std::string> wanted;
};

TEST(audience, every_mode_and_every_mix_of_clients) {
    const std::string console = anna + "/console call", spark = anna + "/Spark phone";
    const ModeCase rows[] = {
        {PopMode::automatic, false, false, {anna + " call phone body"}},
        {PopMode::automatic, true, false, {console}},
        {PopMode::automatic, false, true, {spark}},
        {PopMode::automatic, true, true, {spark, console}},
        {PopMode::rich, false, false, {anna + " call"}},
        {PopMode::rich, true, true, {console}},
        {PopMode::rich, false, true, {anna + " call"}},
        {PopMode::spark, false, false, {anna + " phone"}},
        {PopMode::spark, true, false, {console, anna + " phone"}},
        {PopMode::spark, true, true, {spark, console}},
        {PopMode::plain, false, false, {anna + " call phone body"}},
        {PopMode::plain, true, false, {console, anna + " phone body"}},
        {PopMode::plain, false, true, {anna + " call phone body"}},
    };
    for (const auto& row : rows) {
        Audience audience(row.mode);
        if (row.console) audience.presence(presence(anna + "/console"));
        if (row.spark) audience.phone_query(anna + "/Spark", 0ms);
        EXPECT_EQ(forms(audience, notice()), row.wanted) << int(row.mode) << row.console << row.spark;
    }
}

TEST(audience, a_client_that_leaves_is_forgotten) {
    Audience audience(PopMode::automatic);
    audience.presence(presence(anna + "/a"));
    audience.presence(presence(anna + "/b"));
    audience.presence(presence("bob@example.org/a"));
    EXPECT_THAT(audience.consoles(anna), ElementsAre(anna + "/a", anna + "/b"));
    audience.presence(presence(anna + "/a", "unavailable"));
    EXPECT_THAT(audience.consoles(anna), ElementsAre(anna + "/b"));
    audience.presence(presence(anna, "unavailable"));  // of the whole account
    EXPECT_THAT(audience.consoles(anna), IsEmpty());
    EXPECT_THAT(audience.consoles(), ElementsAre("bob@example.org/a"));
}

TEST(audience, subscriptions_probes_and_bare_presence_make_no_console) {
    Audience audience(PopMode::automatic);
    for (const std::string type : {"subscribe", "subscribed", "probe", "error"})
        audience.presence(presence(anna + "/a", type));
    audience.presence(presence(anna));
    EXPECT_THAT(audience.consoles(), IsEmpty());
}

TEST(audience, nobody_hears_on_phone_twice_and_all_that_did_hear_hang_up) {
    Audience audience(PopMode::automatic);
    audience.phone_query(anna + "/Spark", 0ms);
    EXPECT_THAT(forms(audience, notice(RingState::ringing)), ElementsAre(anna + "/Spark phone"));
    EXPECT_THAT(forms(audience, notice(RingState::answered)), ElementsAre(anna + "/Spark phone"));
    EXPECT_THAT(forms(audience, notice(RingState::held)), IsEmpty());
    EXPECT_THAT(forms(audience, notice(RingState::answered)), IsEmpty());
    audience.presence(presence(anna + "/Spark", "unavailable"));
    audience.presence(presence(anna + "/console"));
    EXPECT_THAT(forms(audience, notice(RingState::ended)),
                UnorderedElementsAre(anna + "/console call", anna + "/Spark phone"));
}

TEST(audience, a_spark_unknown_at_the_ring_hears_the_hang_up_by_the_bare_jid) {
    Audience audience(PopMode::automatic);
    EXPECT_THAT(forms(audience, notice(RingState::answered)), ElementsAre(anna + " call phone body"));
    audience.phone_query(anna + "/Spark", 0ms);
    EXPECT_THAT(forms(audience, notice(RingState::answered)), IsEmpty()) << "it has heard already";
    EXPECT_THAT(forms(audience, notice(RingState::ended)),
                UnorderedElementsAre(anna + "/Spark phone", anna + " phone"));
}

TEST(audience, the_phone_event_keeps_its_call_id_when_calls_merge) {
    Audience audience(PopMode::automatic);
    EXPECT_EQ(audience.recipients(notice(RingState::ringing))[0].phone_call_id, "hq:1.0");
    auto merged = notice(RingState::answered);
    merged.id = "hq:0.5";
    EXPECT_EQ(audience.recipients(merged)[0].phone_call_id, "hq:1.0");
    EXPECT_EQ(audience.recipients(notice(RingState::ringing, "2.1"))[0].phone_call_id, "hq:1.0");
}

TEST(audience, two_rings_are_told_apart) {
    Audience audience(PopMode::automatic);
    audience.phone_query(anna + "/Spark", 0ms);
    EXPECT_EQ(forms(audience, notice(RingState::answered, "1.1")).size(), 1U);
    EXPECT_EQ(forms(audience, notice(RingState::answered, "2.1")).size(), 1U);
}

TEST(audience, after_an_outage_clients_are_asked_whether_they_are_still_there) {
    Audience audience(PopMode::automatic);
    audience.presence(presence(anna + "/console"));
    EXPECT_THAT(audience.due(1000ms), IsEmpty());
    EXPECT_EQ(audience.next_deadline(), Millis::max());
    audience.link_up();
    EXPECT_LE(audience.next_deadline(), 1000ms);
    EXPECT_THAT(audience.due(1000ms), ElementsAre(anna + "/console"));
    EXPECT_THAT(audience.due(1001ms), IsEmpty());
    // Until it has answered a pop goes everywhere: a console that is gone would swallow it.
    EXPECT_THAT(forms(audience, notice()),
                UnorderedElementsAre(anna + "/console call", anna + " call phone body"));
    audience.answered(anna + "/console", true);
    EXPECT_THAT(forms(audience, notice(RingState::ringing, "2.1")), ElementsAre(anna + "/console call"));
    audience.link_up();
    audience.answered(anna + "/console", false);
    EXPECT_THAT(audience.consoles(), IsEmpty());
}

TEST(audience, sparks_are_asked_every_minute) {
    Audience audience(PopMode::automatic);
    audience.phone_query(anna + "/Spark", 0ms);
    EXPECT_THAT(audience.due(59s), IsEmpty());
    EXPECT_THAT(audience.due(60s), ElementsAre(anna + "/Spark"));
    EXPECT_EQ(audience.next_deadline(), 120s);
    audience.answered(anna + "/Spark", false);
    EXPECT_EQ(audience.next_deadline(), Millis::max());
    EXPECT_THAT(forms(audience, notice()), ElementsAre(anna + " call phone body"));
}

TEST(audience, made_up_resources_are_bounded) {
    Audience audience(PopMode::automatic);
    for (int i = 0; i < 1000; ++i) audience.presence(presence(anna + "/" + std::to_string(i)));
    EXPECT_EQ(audience.consoles().size(), 32U);
    for (int i = 0; i < 1000; ++i) audience.phone_query("bob@example.org/" + std::to_string(i), 0ms);
    EXPECT_EQ(audience.due(1h).size(), 32U);
}

// A service's pop rule: consoles get every notice, Spark and plain clients what is to be shown.
TEST(audience, a_service_may_be_shown_when_it_is_answered_or_never) {
    const auto told = [](crm::PopRule rule, RingState state, Audience& audience, bool just_answered = false) {
        auto one = notice(state);
        one.pop = rule;
        one.just_answered = just_answered;
        return forms(audience, one);
    };
    using Told = std::vector<std::string>;
    const Told both{anna + "/Spark phone", anna + "/console call"}, console{anna + "/console call"};
    const auto present = [](Audience& audience) {
        audience.presence(presence(anna + "/console"));
        audience.phone_query(anna + "/Spark", 0ms);
    };
    Audience answered(PopMode::automatic);
    present(answered);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::ringing, answered), console);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::answered, answered, true), both);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::ended, answered), both);
    Audience missed(PopMode::automatic);
    present(missed);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::ringing, missed), console);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::ended, missed), console);
    Audience never(PopMode::automatic);
    present(never);
    for (const auto state : {RingState::ringing, RingState::answered, RingState::ended})
        EXPECT_EQ(told(crm::PopRule::never, state, never), console);
    Audience nobody(PopMode::automatic);
    EXPECT_EQ(told(crm::PopRule::never, RingState::ringing, nobody), Told{anna + " call"});
    Audience plain(PopMode::plain);
    EXPECT_EQ(told(crm::PopRule::answered, RingState::ringing, plain), Told{anna + " call"});
    EXPECT_EQ(told(crm::PopRule::answered, RingState::answered, plain, true),
              Told{anna + " call phone body"});
}

}  // namespace
}  // namespace bridge
