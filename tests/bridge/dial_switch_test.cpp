// Dialling switched off and on, over restarts.
#include "bridge/dial_switch.hpp"

#include <gtest/gtest.h>

#include "bridge/row_memory.hpp"

using bridge::DialSwitch;
using bridge::Millis;

namespace {

struct Disk {
    std::map<std::string, crm::Owed> kept;  // by pbx
    DialSwitch dialing = make();
    DialSwitch make() {
        return DialSwitch({.keep = [this](const crm::Owed& owed) { kept[owed.pbx] = owed; },
                           .drop = [this](const crm::Owed& owed) { kept.erase(owed.pbx); }});
    }
    void restart() {
        dialing = make();
        for (const auto& [pbx, owed] : kept) {
            EXPECT_TRUE(bridge::is_row(owed)) << "it is no notice";
            EXPECT_TRUE(dialing.restore(owed));
        }
    }
};

TEST(dial_switch, each_order_has_its_scope) {
    struct Row {
        std::vector<std::pair<std::string, bool>> orders;  // pbx, on
        bool hq, branch;                                   // dialled afterwards
    };
    const Row rows[] = {
        {{}, true, true},
        {{{"", false}}, false, false},
        {{{"hq", false}}, false, true},
        {{{"hq", false}, {"hq", true}}, true, true},
        {{{"hq", false}, {"branch", true}}, false, true},
        {{{"", false}, {"", true}}, true, true},
        {{{"hq", false}, {"", true}}, true, true},
        {{{"", false}, {"hq", true}}, false, false},  // all means all, until all is on
        {{{"hq", false}, {"", false}, {"", true}}, true, true},
    };
    for (const auto& row : rows) {
        Disk disk;
        std::string words;
        for (const auto& [pbx, on] : row.orders) {
            disk.dialing.set(pbx, on, "admin@example.org", Millis{1000});
            words += pbx + (on ? " on " : " off ");
        }
        for (int restarts = 0; restarts < 2; ++restarts, disk.restart()) {
            EXPECT_EQ(disk.dialing.off("hq") == nullptr, row.hq) << words << restarts;
            EXPECT_EQ(disk.dialing.off("branch") == nullptr, row.branch) << words << restarts;
        }
    }
}

TEST(dial_switch, who_switched_it_off_and_when_outlives_the_daemon_and_a_second_order) {
    Disk disk;
    disk.dialing.set("hq", false, "admin@example.org", Millis{1795348800000});
    disk.dialing.set("hq", false, "other@example.org", Millis{1795348900000});
    disk.restart();
    ASSERT_NE(disk.dialing.off("hq"), nullptr);
    EXPECT_EQ(disk.dialing.off("hq")->by, "admin@example.org");
    EXPECT_EQ(disk.dialing.off("hq")->since, Millis{1795348800000});
    EXPECT_FALSE(disk.dialing.restore({{}, "hq", "agent anna@example.org", "anna@example.org", "<agent/>"}));
}

}  // namespace
