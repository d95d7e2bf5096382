// The caller who waits, for the name on the phones; and the name we gave is not read back as the network's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "desk_events.hpp"

namespace {

using namespace desk_test;
using bridge::WaitingCaller;

crm::Service service(std::string name, std::string queue, std::vector<std::string> contexts = {}) {
    crm::Service one;
    one.name = std::move(name);
    one.pbx = "hq";
    one.queue = std::move(queue);
    one.contexts = std::move(contexts);
    return one;
}

// +447700900123 calls; the network says that it is BEN FOX. 201 is Anna's.
struct Caller : Exchange {
    explicit Caller(std::vector<crm::Service> services, const std::string& name = "BEN FOX")
        : Exchange("hq", two_people()) {
        desk.set_services(std::move(services));
        channel("PJSIP/trunk-00000001", "1.0", "1.0", "Ring", "+447700900123", "02079460600", name);
    }
    void join(const std::string& queue) {
        event("QueueCallerJoin", {{"Queue", queue}, {"Uniqueid", "1.0"}, {"Linkedid", "1.0"}});
    }
    void shows(const std::string& name) {
        event("NewCallerid", {{"Uniqueid", "1.0"},
                              {"Linkedid", "1.0"},
                              {"CallerIDNum", "+447700900123"},
                              {"CallerIDName", name}});
    }
    [[nodiscard]] WaitingCaller waiting() const {
        return {"hq:1.0", "1.0", "+447700900123", "line", "support"};
    }
    [[nodiscard]] std::string shown_to_anna() {
        ring("PJSIP/201-00000002", "1.1");
        return seen.notices.back().party_name;
    }
};

TEST(caller_waits, is_told_when_the_service_is_known_and_again_at_the_next_queue) {
    Caller call({service("line", "support", {"from-trunk"}), service("other", "orders")});
    ASSERT_EQ(call.seen.callers.size(), 1U);
    EXPECT_EQ(call.seen.callers[0].channel, "1.0");
    EXPECT_EQ(call.seen.callers[0].number, "+447700900123");
    EXPECT_EQ(call.seen.callers[0].service, "line");
    call.join("support");
    call.join("orders");
    call.join("orders");
    ASSERT_EQ(call.seen.callers.size(), 3U);
    EXPECT_EQ(call.seen.callers[1].queue, "support");
    EXPECT_EQ(call.seen.callers[2].service, "other");
}

TEST(caller_waits, is_not_told_of_a_direct_call_nor_of_an_own_one) {
    Caller call({service("line", "support")});
    call.ring("PJSIP/201-00000002", "1.1");
    EXPECT_TRUE(call.seen.callers.empty());
    Exchange own("hq", two_people());
    own.desk.set_services({service("line", "support", {"from-trunk"})});
    own.channel("PJSIP/202-00000001", "2.0", "2.0", "Ring", "202", "201");
    EXPECT_TRUE(own.seen.callers.empty());
}

TEST(caller_waits, is_not_told_of_somebody_who_does_not_show_a_number) {
    Exchange e("hq", two_people());
    e.desk.set_services({service("line", "support", {"from-trunk"})});
    e.channel("PJSIP/trunk-00000001", "1.0", "1.0", "Ring", "anonymous", "02079460600");
    EXPECT_TRUE(e.seen.callers.empty());
}

struct NameCase {
    std::string what, network, shown;  // by the network first; when the name is given
    std::string given;                 // what is set
    std::string after;                 // what comes back
    std::string pop;                   // what the operator is shown as the caller's name
};
std::ostream& operator<<(std::ostream& out, const NameCase& one) {
    return out << one.what;
}

class given_name : public testing::TestWithParam<NameCase> {};

TEST_P(given_name, is_not_the_network_s) {
    const auto& one = GetParam();
    Caller call({service("line", "support")}, one.network);
    call.join("support");
    if (one.shown != one.network) call.shows(one.shown);
    const auto set = call.desk.name_caller(call.waiting(), "Ann Lee");
    ASSERT_TRUE(set);
    EXPECT_EQ(*set, one.given);
    call.shows(one.after);
    EXPECT_EQ(call.shown_to_anna(), one.pop);
    call.hangup("1.1", "1.0");
    call.hangup("1.0", "1.0");
    call.now += 1s;
    call.keep(call.desk.tick(call.now));
    EXPECT_EQ(call.seen.calls.back().caller_name, one.pop);
}

INSTANTIATE_TEST_SUITE_P(
    cases, given_name,
    testing::Values(NameCase{"plain", "BEN FOX", "BEN FOX", "Ann Lee", "Ann Lee", "BEN FOX"},
                    NameCase{"nameless", "<unknown>", "<unknown>", "Ann Lee", "Ann Lee", ""},
                    NameCase{"prefix_before", "BEN FOX", "SALES:BEN FOX", "SALES:Ann Lee", "SALES:Ann Lee",
                             "SALES:BEN FOX"},
                    NameCase{"prefix_and_number", "<unknown>", "Q651:+447700900123", "Q651:Ann Lee",
                             "Q651:Ann Lee", "Q651:+447700900123"},
                    NameCase{"prefix_after", "BEN FOX", "BEN FOX", "Ann Lee", "SALES:Ann Lee",
                             "SALES:BEN FOX"},
                    // a colon in the network's own name is nobody's prefix
                    NameCase{"own_colon", "BANK: BEN", "BANK: BEN", "Ann Lee", "Ann Lee", "BANK: BEN"},
                    // the name of somebody else ends alike
                    NameCase{"ends_alike", "BEN FOX", "BEN FOX", "Ann Lee", "Joann Lee", "Joann Lee"}),
    [](const auto& one) { return one.param.what; });

TEST(given_name, of_a_colleague_who_has_the_same_name_stays) {
    Caller call({service("line", "support")});
    call.join("support");
    ASSERT_TRUE(call.desk.name_caller(call.waiting(), "Zofia Lee"));
    call.shows("Zofia Lee");
    EXPECT_EQ(call.shown_to_anna(), "BEN FOX");
    Exchange other("hq", two_people());
    call.channel("PJSIP/299-00000009", "9.0", "9.0", "Ring", "299", "201", "Zofia Lee");
    call.channel("PJSIP/201-00000010", "9.1", "9.0", "Down");
    call.dial_begin("9.0", "9.1", "9.0");
    call.state("9.1", "9.0", "Ringing");
    EXPECT_EQ(call.seen.notices.back().party_name, "Zofia Lee");
}

TEST(given_name, is_known_after_a_restart_by_the_variable_on_the_channel) {
    Exchange e("hq", two_people());
    e.desk.set_services({service("line", "support")});
    e.desk.sync_begin(e.now);
    e.event("Status", {{"Channel", "PJSIP/trunk-00000001"},
                       {"ChannelStateDesc", "Up"},
                       {"CallerIDNum", "+447700900123"},
                       {"CallerIDName", "Ann Lee"},
                       {"Uniqueid", "1.0"},
                       {"Linkedid", "1.0"},
                       {"Variable", "CTI_NAME=Ann Lee"}});
    e.event("Status", {{"Channel", "PJSIP/201-00000002"},
                       {"ChannelStateDesc", "Ringing"},
                       {"CallerIDNum", "201"},
                       {"ConnectedLineNum", "+447700900123"},
                       {"ConnectedLineName", "Ann Lee"},
                       {"Uniqueid", "1.1"},
                       {"Linkedid", "1.0"}});
    e.keep(e.desk.sync_end(e.now));
    ASSERT_FALSE(e.seen.calls.empty());
    for (const auto& row : e.seen.calls) EXPECT_EQ(row.caller_name, "");
    for (const auto& notice : e.seen.notices) EXPECT_EQ(notice.party_name, "");
}

TEST(given_name, can_be_taken_back_and_is_not_given_to_who_is_gone) {
    Caller call({service("line", "support")});
    call.join("support");
    EXPECT_FALSE(call.desk.network_name(call.waiting()));
    ASSERT_TRUE(call.desk.name_caller(call.waiting(), "Ann Lee"));
    call.shows("Ann Lee");
    EXPECT_EQ(call.desk.network_name(call.waiting()), "BEN FOX");
    call.hangup("1.0", "1.0");
    EXPECT_FALSE(call.desk.name_caller(call.waiting(), "Ann Lee"));
    EXPECT_FALSE(call.desk.network_name(call.waiting()));
}

}  // namespace
