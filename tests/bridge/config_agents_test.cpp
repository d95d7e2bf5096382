#include "bridge/config_agents.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::AgentsConfig;
using bridge::Millis;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

struct Read {
    AgentsConfig config;
    std::vector<std::string> faults;
};
Read read(const char* yaml) {
    bridge::ConfigReader reader("c.yaml", true);
    Read result;
    read_agents(reader, YAML::Load(yaml), result.config);
    result.faults = reader.errors();
    return result;
}

TEST(config_agents, every_key_is_taken) {
    const auto [config, faults] = read(
        "reasons: [{code: lunch, label: 'Oběd', number: 7}, {code: meeting}]\n"
        "grace: 5s\nlogout: 2m\nping: 30s\nlongest_wrap_up: 1h\nstop: keep\naway: true");
    EXPECT_THAT(faults, testing::IsEmpty());
    EXPECT_THAT(config.reasons, ElementsAre(bridge::AgentReason{"lunch", "Oběd", 7},
                                            bridge::AgentReason{"meeting", "meeting", 0}));
    EXPECT_EQ(config.grace, Millis{5000});
    EXPECT_EQ(config.logout, Millis{120000});
    EXPECT_EQ(config.ping, Millis{30000});
    EXPECT_EQ(config.longest_wrap_up, Millis{3600000});
    EXPECT_EQ(config.at_stop, bridge::AtStop::keep);
    EXPECT_TRUE(config.away);
}

TEST(config_agents, faults_say_what_to_do) {
    struct Row {
        const char *yaml, *fault;
    };
    constexpr Row rows[] = {
        {"reasons: [{label: Lunch}]", "reasons[0].code: is missing; add it"},
        {"reasons: [{code: a b}]", "reasons[0].code: may have 40 letters, digits, - _ . at most"},
        {"reasons: [{code: client-gone}]", "reasons[0].code: is a reason of the system's own"},
        {"reasons: [{code: a}, {code: a}]", "reasons[1]: gives the code `a` a second time"},
        {"reasons: [{code: a, number: 901}]", "reasons[0].number: must be a whole number from 1 to 899"},
        {"reasons: lunch", "reasons: is "},
        {"grace: soon", "grace: is not a span of time"},
        {"ping: 10ms", "ping: is shorter than a second"},
        {"stop: logout", "stop: must be one of not-ready, keep"},
        {"away: sometimes", "away: "},
        {"graze: 5s", "graze: is unknown here; did you mean `grace`?"},
    };
    for (const auto& row : rows)
        EXPECT_THAT(read(row.yaml).faults, ElementsAre(HasSubstr(row.fault))) << row.yaml;
}

}  // namespace
