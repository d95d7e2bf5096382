#include "bridge/config_see.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::SightConfig;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::pair<SightConfig, std::vector<std::string>> read(const char* yaml) {
    bridge::ConfigReader reader("c.yaml", true);
    SightConfig config;
    read_see(reader, YAML::Load(yaml), config);
    return {config, reader.errors()};
}

TEST(config_see, every_key_is_taken) {
    const auto [config, faults] = read("{queues: false, states: colleagues, masked: [help line, '*']}");
    EXPECT_THAT(faults, IsEmpty());
    EXPECT_FALSE(config.queues);
    EXPECT_EQ(config.states, SightConfig::States::colleagues);
    EXPECT_THAT(config.masked, ElementsAre("help line", "*"));
    EXPECT_EQ(read("{states: nobody}").first.states, SightConfig::States::nobody);
    EXPECT_EQ(read("{states: everybody}").first, SightConfig{});
}

TEST(config_see, faults_say_what_to_do) {
    const std::pair<const char*, const char*> all[] = {
        {"{states: friends}", "everybody, colleagues, nobody"},
        {"{queues: perhaps}", "queues"},
        {"{masked: all}", "masked"},
        {"{number: all}", "number"},
    };
    for (const auto& [yaml, words] : all) {
        const auto faults = read(yaml).second;
        ASSERT_EQ(faults.size(), 1U) << yaml;
        EXPECT_THAT(faults.front(), HasSubstr(words));
    }
}

}  // namespace
