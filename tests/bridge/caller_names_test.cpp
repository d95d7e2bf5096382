// Which caller gets a name on the phones, and before whom.
#include "bridge/caller_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bridge/dial_text.hpp"

namespace {

using bridge::audience_of;
using bridge::caller_name;
using bridge::dialplan_text;

crm::Match match(std::string label, std::string id = "12", crm::Quality quality = crm::Quality::exact) {
    crm::Match one;
    one.module = "Contacts";
    one.id = std::move(id);
    one.label = std::move(label);
    one.quality = quality;
    return one;
}
crm::Lookup found(std::vector<crm::Match> matches) {
    crm::Lookup lookup;
    lookup.number.e164 = "+447700900123";
    lookup.matches = std::move(matches);
    return lookup;
}

TEST(caller_name, is_the_label_of_the_only_record) {
    const auto name = caller_name(found({match("Ann Lee")}), true);
    ASSERT_TRUE(name);
    EXPECT_EQ(name->name, "Ann Lee");
    EXPECT_EQ(name->record, "12");
}

TEST(caller_name, is_never_one_of_several_a_guess_or_hidden) {
    EXPECT_EQ(caller_name(found({}), true).error(), "no record has the number");
    EXPECT_EQ(caller_name(found({match("A"), match("B", "13")}), true).error(), "2 records have the number");
    auto more = found({match("A")});
    more.more = 4;
    EXPECT_FALSE(caller_name(more, true));
    for (const auto quality : {crm::Quality::suffix, crm::Quality::national})
        EXPECT_FALSE(caller_name(found({match("A", "12", quality)}), true));
    EXPECT_FALSE(caller_name(found({match("A")}), false));
    auto hidden = found({match("A")});
    hidden.matches.front().may_see = false;
    EXPECT_FALSE(caller_name(hidden, true));
    EXPECT_FALSE(caller_name(found({match(" \n")}), true));
    auto inside = found({match("A")});
    inside.number.internal = true;
    EXPECT_FALSE(caller_name(inside, true));
}

TEST(caller_name, has_no_character_that_a_dialplan_or_display_takes_for_its_own) {
    EXPECT_EQ(dialplan_text("Ann \"A\" <Lee>; ${X}\r\nAction: Originate"),
              "Ann  A   Lee     X   Action: Originate");
    EXPECT_EQ(dialplan_text("Doležal"), "Doležal");
    std::string dots;
    for (int i = 0; i < 40; ++i) dots += "ž";
    EXPECT_EQ(dialplan_text("x" + dots, 64).size(), 63U) << "no half of a character";
    EXPECT_EQ(dialplan_text(dots, 64).size(), 64U);
}

TEST(audience, is_who_works_for_the_service_or_everybody_here) {
    std::map<std::string, crm::Operator, std::less<>> people;
    const auto add = [&](std::string jid, std::string user, std::string pbx, std::string extension,
                         bool active = true) {
        people[jid] = {.jid = jid,
                       .crm_user = std::move(user),
                       .pbx = std::move(pbx),
                       .extension = std::move(extension),
                       .active = active};
    };
    add("anna@x", "5", "hq", "201");
    add("boris@x", "6", "hq", "202");
    add("far@x", "7", "branch", "203");
    add("gone@x", "8", "hq", "204", false);
    add("deskless@x", "9", "hq", "");
    add("unknown@x", "", "hq", "205");
    EXPECT_THAT(audience_of(nullptr, "hq", people), testing::UnorderedElementsAre("5", "6", ""));
    crm::Service service;
    EXPECT_THAT(audience_of(&service, "hq", people), testing::UnorderedElementsAre("5", "6", ""));
    service.operators = {{.jid = "boris@x"}, {.jid = "far@x"}, {.jid = "nobody@x"}};
    EXPECT_THAT(audience_of(&service, "hq", people), testing::ElementsAre("6"));
}

}  // namespace
