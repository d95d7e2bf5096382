#include "bridge/agent_stanzas.hpp"

#include <gtest/gtest.h>
#include <pugixml.hpp>

using bridge::AgentPicture;
using bridge::AgentState;
using bridge::Millis;

namespace {

constexpr Millis noon{1795348800000};  // 2026-11-22T12:00:00Z

TEST(agent_stanzas, the_seats_of_this_exchange_can_be_chosen) {
    const std::vector<crm::Seat> seats = {{.id = "4", .extension = "204", .place = "window <2>"},
                                          {.id = "b1", .pbx = "branch", .extension = "301"},
                                          {.id = "5", .pbx = "hq"}};
    EXPECT_EQ(bridge::seats_of("hq", seats),
              "<seat id='4' extension='204' place='window &lt;2&gt;'/><seat id='5'/>");
    EXPECT_EQ(bridge::seats_of("hq", {}), "");
}

TEST(agent_stanzas, the_picture_is_whole) {
    AgentPicture picture{.jid = "anna@example.org",
                         .pbx = "hq",
                         .extension = "204",
                         .seat = "4",
                         .state = AgentState::wrap_up,
                         .since = noon,
                         .until = noon + Millis{30000},
                         .reason = "lunch",
                         .number = 7,
                         .pending = "not-ready",
                         .by = "clara@example.org",
                         .actions = "ready extend"};
    picture.services = {{.name = "help", .state = AgentPicture::Service::State::in, .penalty = 2},
                        {.name = "gone",
                         .state = AgentPicture::Service::State::failed,
                         .text = "Unable to add interface: No such queue"}};
    EXPECT_EQ(bridge::agent_element(picture, "6f2c", 12),
              "<agent xmlns='urn:ctibridge:1' jid='anna@example.org' state='wrap-up' "
              "since='2026-11-22T12:00:00.000Z' until='2026-11-22T12:00:30.000Z' reason='lunch' number='7' "
              "pending='not-ready' by='clara@example.org' pbx='hq' extension='204' seat='4' "
              "actions='ready extend' epoch='6f2c' seq='12'><service name='help' state='in' penalty='2'/>"
              "<service name='gone' state='failed' penalty='0' text='Unable to add interface: No such "
              "queue'/></agent>");
}

TEST(agent_stanzas, what_is_not_so_is_not_there) {
    EXPECT_EQ(bridge::agent_element({.jid = "a@x", .pbx = "hq"}, "1", 0),
              "<agent xmlns='urn:ctibridge:1' jid='a@x' state='logged-out' pbx='hq' epoch='1' seq='0'/>");
}

TEST(agent_stanzas, foreign_text_stays_text_and_short) {
    AgentPicture picture{.jid = "a@x", .reason = std::string("<x a='\x01") + std::string(5000, 'y')};
    pugi::xml_document document;
    const auto message = bridge::agent_message("cti", "a@x/d", bridge::agent_element(picture, "1", 0));
    ASSERT_TRUE(document.load_string(message.c_str())) << message;
    const std::string reason = document.child("message").child("agent").attribute("reason").as_string();
    EXPECT_TRUE(reason.starts_with("<x a='y")) << reason;
    EXPECT_LT(message.size(), 1000U);
}

TEST(agent_stanzas, me_names_services_codes_and_reasons) {
    const std::vector<crm::Service> services{{.name = "help",
                                              .queue = "help",
                                              .wrap_up = std::chrono::seconds(30),
                                              .codes = {{"sale", "Sold & sent"}},
                                              .language = "sk",
                                              .operators = {{.jid = "anna@x", .penalty = 2}}},
                                             {.name = "campaign",
                                              .direction = crm::Direction::outbound,
                                              .operators = {{.jid = "anna@x", .supervisor = true}}},
                                             {.name = "others", .operators = {{.jid = "boris@x"}}}};
    EXPECT_EQ(bridge::services_of("anna@x", services),
              "<service name='help' direction='inbound' queue='help' language='sk' penalty='2' "
              "wrap-up='30'><code code='sale' label='Sold &amp; sent'/></service>"
              "<service name='campaign' direction='outbound' supervisor='true'/>");
    const std::vector<bridge::AgentReason> reasons{{"lunch", "Lunch break", 7}, {"meeting", "", 0}};
    EXPECT_EQ(bridge::reasons_of(reasons),
              "<reason code='lunch' label='Lunch break' number='7'/><reason code='meeting'/>");
}

}  // namespace
