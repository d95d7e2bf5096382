// Agent state by the phone, and what is said of a call that a chat line ordered.
#include "bridge/phone_orders.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/dial_outcomes.hpp"

namespace {

using bridge::AgentRequest;
using bridge::DialOutcomes;
using bridge::PhoneOrder;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = AgentRequest::Kind;

using Order = std::optional<std::expected<PhoneOrder, std::string>>;

// A message is a view of its headers.
Order read(std::vector<ami::Header> headers, std::string_view name = "UserEvent") {
    headers.insert(headers.begin(), {"Event", name});
    return bridge::phone_order(ami::Message(ami::Message::Kind::event, headers));
}
Order by_phone(const std::string& state, const std::string& who = {}) {
    return read({{"Channel", "PJSIP/203-00000001"},
                 {"Uniqueid", "1.0"},
                 {"UserEvent", "ctibridge-agent"},
                 {"State", state},
                 {"Operator", who},
                 {"Reason", "lunch"}});
}

TEST(phone_order, is_read_from_our_event_only) {
    EXPECT_FALSE(read({{"UserEvent", "Asked"}, {"State", "login"}}));
    EXPECT_FALSE(read({{"UserEvent", "ctibridge-agent"}}, "Newchannel"));
    const auto order = by_phone("not-ready", "201");
    ASSERT_TRUE(order && *order);
    EXPECT_EQ((*order)->kind, Kind::not_ready);
    EXPECT_EQ((*order)->who, "201");
    EXPECT_EQ((*order)->reason, "lunch");
    EXPECT_EQ((*order)->channel, "PJSIP/203-00000001");
}

TEST(phone_order, that_makes_no_sense_says_why) {
    EXPECT_THAT(by_phone("sleep")->error(), HasSubstr("`sleep` is no State"));
    EXPECT_THAT(by_phone("login", std::string(101, '1'))->error(), HasSubstr("100 bytes"));
    // another manager's session may send any UserEvent, without a channel
    EXPECT_THAT(read({{"UserEvent", "ctibridge-agent"}, {"State", "login"}})->error(), HasSubstr("no phone"));
}

struct Office {
    std::vector<crm::Operator> at_home{
        {.jid = "anna@x", .crm_user = "5", .pbx = "hq", .extension = "201"},
        {.jid = "boris@x", .crm_user = "6", .pbx = "hq", .extension = "202"},
        {.jid = "gone@x", .crm_user = "7", .pbx = "hq", .extension = "209", .active = false}};
    std::vector<crm::Operator> placed = at_home;
    std::vector<crm::Seat> seats{{.id = "window", .pbx = "hq", .extension = "203"}};

    [[nodiscard]] std::expected<AgentRequest, std::string> ask(Kind kind, std::string who,
                                                               std::string_view extension) const {
        PhoneOrder order;
        order.kind = kind;
        order.who = std::move(who);
        order.channel = "PJSIP/204-1";
        return bridge::request_of(order, extension, at_home, placed, seats);
    }
};

TEST(phone_request, sits_the_operator_down_where_the_phone_is) {
    const auto asked = Office().ask(Kind::login, "201", "203");
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->jid, "anna@x");
    EXPECT_EQ(asked->by, "anna@x");
    EXPECT_EQ(asked->seat, "window");
    EXPECT_EQ(asked->kind, Kind::login);
    EXPECT_EQ(Office().ask(Kind::login, "boris@x", "203")->jid, "boris@x");
    // a phone of one's own is no seat and needs none
    EXPECT_EQ(Office().ask(Kind::login, "", "201")->seat, "");
    EXPECT_EQ(Office().ask(Kind::login, "", "201")->jid, "anna@x");
}

TEST(phone_request, of_who_sits_there_needs_no_name) {
    Office office;
    office.placed[0].extension = "203";
    EXPECT_EQ(office.ask(Kind::logged_out, "", "203")->jid, "anna@x");
    EXPECT_EQ(office.ask(Kind::ready, "", "202")->jid, "boris@x");
}

TEST(phone_request, is_refused_with_a_sentence) {
    Office office;
    EXPECT_THAT(office.ask(Kind::login, "", "203").error(), HasSubstr("phone 203 is nobody's"));
    EXPECT_THAT(office.ask(Kind::login, "299", "203").error(),
                HasSubstr("no operator has the extension 299"));
    EXPECT_THAT(office.ask(Kind::login, "209", "203").error(),
                HasSubstr("no operator has the extension 209"));
    EXPECT_THAT(office.ask(Kind::login, "201", "202").error(), HasSubstr("phone 202 is no seat"));
    EXPECT_THAT(office.ask(Kind::login, "201", "").error(), HasSubstr("is no phone of an operator or seat"));
}

crm::CallRow ended(crm::Disposition disposition, const std::string& linkedid = "ctd-1") {
    crm::CallRow row;
    row.linkedid = linkedid;
    row.ended = crm::Millis{1};
    row.disposition = disposition;
    return row;
}

struct Told {
    DialOutcomes outcomes;
    std::vector<std::string> lines;
    Told() {
        outcomes.follow("ctd-1", "5550100", [this](const std::string& text) { lines.push_back(text); });
    }
    Told(const Told&) = delete;
    Told& operator=(const Told&) = delete;
};

TEST(dial_outcome, is_told_once_when_the_phone_never_rang) {
    Told told;
    auto going_on = ended(crm::Disposition::none);
    going_on.ended.reset();
    told.outcomes.ended(going_on);
    told.outcomes.ended(ended(crm::Disposition::failed, "ctd-2"));
    EXPECT_THAT(told.lines, IsEmpty());
    told.outcomes.ended(ended(crm::Disposition::failed));
    told.outcomes.ended(ended(crm::Disposition::failed));
    EXPECT_THAT(
        told.lines,
        ElementsAre("5550100 was not called: your phone did not ring. Is it switched on and registered?"));
    EXPECT_EQ(told.outcomes.size(), 0U);
}

TEST(dial_outcome, of_a_call_whose_phone_rang_is_the_other_side_s) {
    for (const auto& [disposition, line] :
         {std::pair(crm::Disposition::busy, "The call to 5550100 ended: busy."),
          std::pair(crm::Disposition::no_answer, "The call to 5550100 was not answered."),
          std::pair(crm::Disposition::failed, "The call to 5550100 failed.")}) {
        Told told;
        told.outcomes.rang("ctd-1");
        told.outcomes.rang("ctd-9");
        told.outcomes.ended(ended(disposition));
        EXPECT_THAT(told.lines, ElementsAre(line));
    }
}

TEST(dial_outcome, of_an_answered_call_needs_no_words) {
    Told told;
    told.outcomes.rang("ctd-1");
    told.outcomes.ended(ended(crm::Disposition::answered));
    EXPECT_THAT(told.lines, IsEmpty());
    EXPECT_EQ(told.outcomes.size(), 0U);
}

}  // namespace
