#include "crm/index.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "crm/numbers.hpp"

namespace {

using crm::IndexedRecord;
using crm::Quality;

crm::IndexedRecord record(std::string id, std::vector<std::string> numbers) {
    return {.id = id,
            .module = "Contacts",
            .label = "Label " + id,
            .organization = "Org",
            .owner = "anna",
            .owner_user = "5",
            .owner_id = "5",
            .modified = crm::Millis(1000),
            .numbers = std::move(numbers)};
}

class IndexTest : public testing::Test {
 protected:
    std::vector<std::string> find(std::string_view caller) {
        std::vector<std::string> out;
        for (const auto& hit : index.find(crm::CallerKeys(numbers.understand(caller, "hq"), numbers, "hq")))
            out.push_back(hit.record.id + " " + std::string(crm::name_of(hit.quality)));
        std::ranges::sort(out);
        return out;
    }
    using Found = std::vector<std::string>;
    crm::Numbers numbers{{{.pbx = "hq", .extensions = {"2??"}, .country = "GB"}}};
    crm::Index index;
};

TEST_F(IndexTest, returns_what_was_put_in) {
    const auto one = record("12", {"+442079460018"});
    index.add(one);
    index.finish();
    const auto hits = index.find(crm::CallerKeys(numbers.understand("02079460018", "hq"), numbers, "hq"));
    ASSERT_EQ(hits.size(), 1U);
    auto expected = one;
    expected.numbers.clear();
    EXPECT_EQ(hits[0].record, expected);
    EXPECT_EQ(hits[0].quality, Quality::exact);
    EXPECT_EQ(find("+442079460019"), Found{});
    EXPECT_EQ(find(""), Found{});
}

TEST_F(IndexTest, keeps_qualities_and_extensions_apart) {
    index.add(record("head", {"+442079460018"}));
    index.add(record("desk", {"+442079460018;12"}));
    index.add(record("zero", {"+442079460018;012"}));
    index.add(record("alone", {"+442079460099;7"}));
    index.add(record("foreign", {"0301234567"}));
    index.add(record("digits", {"00420123"}));
    index.finish();
    EXPECT_EQ(find("+442079460018"), Found{"head exact"});
    EXPECT_EQ(find("+442079460018 ext 12"), Found{"desk exact"});
    EXPECT_EQ(find("+442079460018 ext 012"), Found{"zero exact"});
    EXPECT_EQ(find("+442079460018 ext 99"), Found{"head exact"});
    EXPECT_EQ(find("+442079460099"), Found{"alone suffix"});
    EXPECT_EQ(find("+49301234567"), Found{"foreign national"});
    EXPECT_EQ(find("79460018"), Found{"head suffix"});
    EXPECT_EQ(find("0420123"), Found{});
}

TEST_F(IndexTest, changes_replace_and_remove_and_are_found_at_once) {
    for (int i = 0; i < 1000; ++i)
        index.add(record(std::to_string(i), {"+44207946" + std::to_string(1000 + i), "+442079470000"}));
    index.finish();
    EXPECT_EQ(index.records(), 1000U);
    EXPECT_EQ(index.numbers(), 2000U);
    EXPECT_EQ(find("+442079461005"), Found{"5 exact"});
    index.apply({{"5", record("5", {"+442079469999"})},
                 {"6", std::nullopt},
                 {"2000", record("2000", {"+442079461006"})},
                 {"3000", std::nullopt},
                 {"7", record("7", {})}});
    EXPECT_EQ(find("+442079461005"), Found{});
    EXPECT_EQ(find("+442079469999"), Found{"5 exact"});
    EXPECT_EQ(find("+442079461006"), Found{"2000 exact"});
    EXPECT_EQ(find("+442079461007"), Found{});
    EXPECT_EQ(find("+442079470000").size(), 997U);
    EXPECT_EQ(index.records(), 999U);
    // the last word on a record counts
    index.apply({{"5", record("5", {"+442079468888"})}, {"5", std::nullopt}});
    EXPECT_EQ(find("+442079468888"), Found{});
    for (int round = 0; round < 50; ++round)
        for (int i = 10; i < 60; ++i)
            index.apply(
                {{std::to_string(i),
                  record(std::to_string(i), {"+44207948" + std::to_string(1000 + (i * 7 + round) % 900)})}});
    EXPECT_EQ(index.records(), 998U);
    for (int i = 10; i < 60; ++i)
        EXPECT_EQ(find("+44207948" + std::to_string(1000 + (i * 7 + 49) % 900)),
                  Found{std::to_string(i) + " exact"});
}

TEST_F(IndexTest, a_label_may_hold_anything) {
    auto odd = record("1", {"+442079460018"});
    odd.label = std::string("a\0b", 3);
    odd.organization = "<&\"'>";
    index.add(odd);
    index.finish();
    const auto hits = index.find(crm::CallerKeys(numbers.understand("02079460018", "hq"), numbers, "hq"));
    ASSERT_EQ(hits.size(), 1U);
    EXPECT_EQ(hits[0].record.label, "a");
    EXPECT_EQ(hits[0].record.organization, "<&\"'>");
}

}  // namespace
