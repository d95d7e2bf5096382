// Lines as contacts: who gets which presence, over links that are lost and daemons that end.
#include "bridge/line_contacts.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

using bridge::LineContacts;
using bridge::LinePlace;
using bridge::LineState;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

namespace {

const std::string anna = "anna@example.org", ben = "ben@example.org";

struct House {
    std::map<std::string, LineState, std::less<>> states{{"201", LineState::idle}, {"202", LineState::busy}};
    std::set<std::string> denied;
    bool exchange_known = true, disk = true, slow_disk = false;
    std::size_t room = 1'000'000;
    std::vector<std::string> sent;
    std::map<std::string, crm::Owed> kept;  // by line and subscriber
    std::vector<std::function<void()>> on_disk;
    LineContacts contacts = make();

    LineContacts make() {
        return LineContacts(
            "cti.example.org",
            {.known =
                 [this](std::string_view line) {
                     if (!exchange_known) return LineContacts::Known::later;
                     return states.contains(line) ? LineContacts::Known::yes : LineContacts::Known::no;
                 },
             .state =
                 [this](std::string_view line) {
                     const auto found = states.find(line);
                     return !exchange_known || found == states.end() ? LineState::unknown : found->second;
                 },
             .may_see = [this](std::string_view jid,
                               std::string_view) { return !denied.contains(std::string(jid)); },
             .send =
                 [this](std::string_view stanza) {
                     if (room == 0) return false;
                     --room;
                     sent.emplace_back(stanza);
                     return true;
                 },
             .keep =
                 [this](const crm::Owed& owed, std::function<void(bool)> durable) {
                     if (disk) kept[owed.pbx + " " + owed.leg] = owed;
                     if (!durable) return;
                     if (slow_disk)
                         on_disk.push_back([durable, ok = disk] { durable(ok); });
                     else
                         durable(disk);
                 },
             .drop = [this](const crm::Owed& owed) { kept.erase(owed.pbx + " " + owed.leg); }});
    }
    void restart() {
        contacts = make();
        for (const auto& [key, owed] : kept) EXPECT_TRUE(contacts.restore(owed));
    }
    void hear(const std::string& type, const std::string& from, const std::string& line) {
        contacts.presence(line, {.from = from,
                                 .bare = from.substr(0, from.find('/')),
                                 .to = line + "@cti.example.org",
                                 .type = type,
                                 .show = {},
                                 .status = {}});
    }
    // "201 anna: subscribed", "201 anna: free/away", of what was sent since the last time.
    std::vector<std::string> told() {
        std::vector<std::string> lines;
        for (const auto& stanza : sent) {
            pugi::xml_document document;
            EXPECT_TRUE(document.load_string(stanza.c_str())) << stanza;
            const auto node = document.child("presence");
            const std::string from = node.attribute("from").value(), to = node.attribute("to").value();
            std::string what = node.attribute("type").value();
            if (const auto line = node.child("line")) {
                EXPECT_STREQ(line.attribute("xmlns").value(), "urn:ctibridge:1");
                EXPECT_TRUE(from.ends_with("@cti.example.org/line")) << from;
                what += (what.empty() ? "" : " ") + std::string(line.attribute("state").value());
                if (const auto show = node.child("show")) what += std::string("/") + show.text().get();
            } else {
                EXPECT_TRUE(from.ends_with("@cti.example.org")) << from;
            }
            EXPECT_FALSE(std::string(node.attribute("id").value()).empty());
            lines.push_back(from.substr(0, from.find('@')) + " " + to.substr(0, to.find('@')) + ": " + what);
        }
        sent.clear();
        return lines;
    }
};

TEST(line_contacts, every_state_of_a_line_has_its_presence) {
    const std::pair<LineState, std::string> all[] = {
        {LineState::unknown, "201 anna: unavailable unknown"},
        {LineState::unavailable, "201 anna: unavailable unregistered"},
        {LineState::idle, "201 anna: idle"},
        {LineState::held, "201 anna: busy/dnd"},
        {LineState::ringing, "201 anna: ringing/away"},
        {LineState::busy, "201 anna: busy/dnd"},
    };
    for (const auto& [state, presence] : all) {
        House house;
        house.contacts.up();
        house.states["201"] = state;
        house.hear("subscribe", anna, "201");
        EXPECT_THAT(house.told(), ElementsAre("201 anna: subscribed", presence));
    }
}

TEST(line_contacts, a_subscriber_is_told_each_change_once) {
    House house;
    house.contacts.up();
    house.hear("subscribe", anna, "201");
    house.hear("subscribe", ben, "201");
    house.told();
    EXPECT_FALSE(house.contacts.look());
    EXPECT_THAT(house.told(), IsEmpty());
    house.states["201"] = LineState::ringing;
    house.contacts.look();
    EXPECT_THAT(house.told(), UnorderedElementsAre("201 anna: ringing/away", "201 ben: ringing/away"));
    house.states["201"] = LineState::busy;
    house.contacts.look();
    house.states["201"] = LineState::held;  // looks the same
    house.contacts.look();
    EXPECT_THAT(house.told(), UnorderedElementsAre("201 anna: busy/dnd", "201 ben: busy/dnd"));
}

TEST(line_contacts, what_they_ask_is_answered_as_rfc_6121_says) {
    House house;
    house.contacts.up();
    house.hear("subscribe", anna, "999");
    EXPECT_THAT(house.told(), ElementsAre("999 anna: unsubscribed")) << "no such line";
    house.denied = {ben};
    house.hear("subscribe", ben, "201");
    EXPECT_THAT(house.told(), ElementsAre("201 ben: unsubscribed")) << "not to be seen by them";
    EXPECT_TRUE(house.kept.empty());
    house.hear("probe", anna + "/desk", "201");
    EXPECT_THAT(house.told(), ElementsAre("201 anna: unsubscribed")) << "a probe without subscription";
    house.hear("unsubscribe", anna, "201");
    EXPECT_THAT(house.told(), IsEmpty());

    house.hear("subscribe", anna, "201");
    house.told();
    house.hear("subscribe", anna, "201");
    EXPECT_THAT(house.told(), ElementsAre("201 anna: subscribed", "201 anna: idle")) << "a second time";
    EXPECT_EQ(house.contacts.subscriptions(), 1U);
    house.hear("probe", anna + "/desk", "201");
    EXPECT_NE(house.sent.at(0).find("to='anna@example.org/desk'"), std::string::npos) << house.sent.at(0);
    EXPECT_THAT(house.told(), ElementsAre("201 anna: idle"));
    for (const auto* type : {"", "unavailable", "subscribed", "unsubscribed", "error", "nonsense"}) {
        house.hear(type, anna + "/desk", "201");
        EXPECT_THAT(house.told(), IsEmpty()) << type;
    }
    house.hear("unsubscribe", anna, "201");
    EXPECT_THAT(house.told(), ElementsAre("201 anna: unavailable unknown"));
    EXPECT_TRUE(house.kept.empty());
    house.states["201"] = LineState::busy;
    house.contacts.look();
    EXPECT_THAT(house.told(), IsEmpty());
    EXPECT_EQ(house.contacts.subscriptions(), 0U);
}

TEST(line_contacts, subscriptions_outlive_the_daemon) {
    House house;
    house.contacts.up();
    house.hear("subscribe", anna, "201");
    house.hear("subscribe", ben, "202");
    house.told();
    house.contacts.farewell();
    EXPECT_THAT(house.told(),
                UnorderedElementsAre("201 anna: unavailable unknown", "202 ben: unavailable unknown"));
    house.restart();
    EXPECT_EQ(house.contacts.subscriptions(), 2U);
    house.contacts.look();
    EXPECT_THAT(house.told(), IsEmpty()) << "the messenger is not there yet";
    house.contacts.up();
    house.contacts.look();
    EXPECT_THAT(house.told(), UnorderedElementsAre("201 anna: idle", "202 ben: busy/dnd"));
}

TEST(line_contacts, a_new_stream_tells_everybody_anew) {
    House house;
    house.contacts.up();
    house.hear("subscribe", anna, "201");
    house.told();
    house.contacts.down();
    house.states["201"] = LineState::busy;
    house.contacts.look();
    house.states["201"] = LineState::idle;
    EXPECT_THAT(house.told(), IsEmpty());
    house.contacts.up();
    house.contacts.look();
    EXPECT_THAT(house.told(), ElementsAre("201 anna: idle")) << "told although it is what it was";
}

TEST(line_contacts, one_is_subscribed_when_the_disk_has_it) {
    House house;
    house.contacts.up();
    house.slow_disk = true;
    house.hear("subscribe", anna, "201");
    house.contacts.look();
    EXPECT_THAT(house.told(), IsEmpty());
    for (const auto& one : std::exchange(house.on_disk, {})) one();
    EXPECT_THAT(house.told().at(0), "201 anna: subscribed");
    house.disk = false;
    house.hear("subscribe", ben, "201");
    for (const auto& one : std::exchange(house.on_disk, {})) one();
    EXPECT_THAT(house.told(), ElementsAre("201 ben: unsubscribed"));
    house.disk = true;
    house.hear("subscribe", ben, "201");
    house.hear("unsubscribe", ben, "201");
    house.told();
    for (const auto& one : std::exchange(house.on_disk, {})) one();
    EXPECT_THAT(house.told(), IsEmpty()) << "taken back meanwhile";
    EXPECT_EQ(house.contacts.subscriptions(), 1U);
}

TEST(line_contacts, who_asks_before_the_exchange_is_known_is_answered_then) {
    House house;
    house.contacts.up();
    house.exchange_known = false;
    house.hear("subscribe", anna, "201");
    house.hear("subscribe", anna, "999");
    house.hear("probe", anna + "/desk", "201");
    house.contacts.look();
    EXPECT_THAT(house.told(), IsEmpty());
    house.restart();
    house.contacts.up();
    house.contacts.look();
    EXPECT_THAT(house.told(), IsEmpty());
    house.exchange_known = true;
    house.contacts.look();
    EXPECT_THAT(house.told(),
                UnorderedElementsAre("201 anna: subscribed", "201 anna: idle", "999 anna: unsubscribed"));
    EXPECT_EQ(house.kept.size(), 1U);
    house.restart();
    house.contacts.up();
    house.contacts.look();
    EXPECT_THAT(house.told(), ElementsAre("201 anna: idle")) << "what was answered stays answered";
}

TEST(line_contacts, who_may_not_see_any_more_sees_nothing_and_stays_subscribed) {
    House house;
    house.contacts.up();
    house.hear("subscribe", anna, "201");
    house.told();
    house.denied = {anna};
    house.contacts.review();
    house.contacts.look();
    EXPECT_THAT(house.told(), ElementsAre("201 anna: unavailable unknown"));
    house.states["201"] = LineState::ringing;
    house.contacts.look();
    house.hear("probe", anna + "/desk", "201");
    EXPECT_THAT(house.told(), ElementsAre("201 anna: unavailable unknown"));
    house.denied.clear();
    house.contacts.review();
    house.contacts.look();
    EXPECT_THAT(house.told(), ElementsAre("201 anna: ringing/away"));
}

TEST(line_contacts, what_the_stream_does_not_take_is_told_later) {
    House house;
    house.contacts.up();
    for (int i = 0; i < 50; ++i) house.hear("subscribe", fmt::format("user{}@example.org", i), "201");
    house.told();
    house.states["201"] = LineState::busy;
    house.room = 20;
    EXPECT_TRUE(house.contacts.look());
    EXPECT_EQ(house.told().size(), 20U);
    house.room = 1000;
    EXPECT_FALSE(house.contacts.look());
    EXPECT_EQ(house.told().size(), 30U) << "nobody twice, nobody left out";
}

TEST(line_contacts, made_up_contacts_do_not_fill_the_memory) {
    House house;
    house.contacts.up();
    for (std::size_t i = 0; i < LineContacts::most_lines_of_one + 10; ++i)
        house.states[fmt::format("3{:05}", i)] = LineState::idle;
    for (const auto& [line, state] : house.states) house.hear("subscribe", anna, line);
    EXPECT_EQ(house.contacts.subscriptions(), LineContacts::most_lines_of_one);
    house.told();
    house.hear("subscribe", ben, "201");
    EXPECT_THAT(house.told(), ElementsAre("201 ben: subscribed", "201 ben: idle"));
}

TEST(line_contacts, rows_of_others_are_not_theirs) {
    House house;
    EXPECT_FALSE(
        house.contacts.restore({{}, "hq", "agent anna@example.org", "anna@example.org", "<agent/>"}));
    EXPECT_FALSE(house.contacts.restore({anna, "hq", "line x", "hq:1", "<ring/>"}));
    EXPECT_EQ(house.contacts.subscriptions(), 0U);
}

TEST(line_contacts, a_line_is_found_by_its_extension_or_with_its_exchange) {
    const std::vector<std::string> names{"hq", "Branch"};
    const std::set<std::pair<std::string, std::string>> phones{
        {"hq", "201"}, {"hq", "202"}, {"Branch", "202"}, {"Branch", "301"}};
    const auto has = [&](std::string_view pbx, std::string_view extension) {
        return phones.contains({std::string(pbx), std::string(extension)});
    };
    const std::pair<const char*, std::optional<LinePlace>> all[] = {
        {"201", LinePlace{"hq", "201"}},
        {"301", LinePlace{"Branch", "301"}},
        {"202", std::nullopt},
        {"hq.202", LinePlace{"hq", "202"}},
        {"branch.202", LinePlace{"Branch", "202"}},
        {"hq.301", std::nullopt},
        {"203", std::nullopt},
        {"", std::nullopt},
        {"hq.", std::nullopt},
        {"201&pjsip/301", std::nullopt},
        {"branch.hq.202", std::nullopt},
    };
    for (const auto& [line, place] : all) EXPECT_EQ(bridge::place_of_line(line, names, has), place) << line;
}

}  // namespace
