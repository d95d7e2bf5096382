// Which service a call belongs to, and which variables of the dialplan it brings.
#include "bridge/services.hpp"

#include <gmock/gmock.h>

#include "desk_events.hpp"
#include "trace_files.hpp"

namespace {

using desk_test::anna;
using desk_test::Exchange;
using testing::ElementsAre;
using testing::Pair;

crm::Service service(std::string name, std::vector<std::string> contexts, std::string queue = {}) {
    crm::Service one;
    one.name = std::move(name);
    one.contexts = std::move(contexts);
    one.queue = std::move(queue);
    return one;
}

struct Site : Exchange {
    explicit Site(std::vector<crm::Service> services) : Exchange("hq", desk_test::two_people()) {
        desk.set_services(std::move(services));
    }
    // The caller's channel executes something there.
    void enters(const std::string& context, const std::string& call = "1.0") {
        event("Newexten", {{"Context", context}, {"Uniqueid", call}, {"Linkedid", call}});
    }
    void joins(const std::string& queue, const std::string& call = "1.0") {
        event("QueueCallerJoin", {{"Queue", queue}, {"Uniqueid", call}, {"Linkedid", call}});
    }
    void sets(const std::string& name, const std::string& value, const std::string& channel = "1.0") {
        event("VarSet", {{"Variable", name}, {"Value", value}, {"Uniqueid", channel}, {"Linkedid", "1.0"}});
    }
    // What the pop says, after one rang.
    const bridge::Notice& pop() {
        ring("PJSIP/201-00000001", "1.1");
        return seen.notices.back();
    }
};

TEST(service_of_a_call, is_that_of_the_queue_it_joined_last_else_the_last_context_its_caller_entered) {
    struct Row {
        const char* what;
        std::vector<std::string> way;  // contexts, and queues with a "q:"
        const char* service;
        const char* queue;
    };
    const Row rows[] = {
        {"nothing", {}, "", ""},
        {"a context", {"ivr-sales"}, "sales", ""},
        {"the last context", {"ivr-sales", "ivr-help"}, "help", ""},
        {"entered once more", {"ivr-sales", "ivr-help", "ivr-sales"}, "sales", ""},
        {"a foreign context is none", {"ivr-sales", "macro-hangupcall"}, "sales", ""},
        {"a second context of one service", {"ivr-night"}, "help", ""},
        {"the queue before the context", {"q:q-help", "ivr-sales"}, "help", "q-help"},
        {"the last queue", {"q:q-help", "q:q-sales"}, "sales", "q-sales"},
        {"a queue of no service leaves the context", {"ivr-sales", "q:other"}, "sales", "other"},
        {"a service that is off is none", {"ivr-sales", "ivr-off", "q:q-off"}, "sales", "q-off"},
        {"one of another pbx is none", {"ivr-branch"}, "", ""},
        {"an outbound context says nothing of an inbound call", {"ivr-sales", "from-internal"}, "sales", ""},
    };
    auto off = service("off", {"ivr-off"}, "q-off");
    off.enabled = false;
    auto branch = service("branch", {"ivr-branch"});
    branch.pbx = "branch";
    auto out = service("out", {"from-internal"});
    out.direction = crm::Direction::outbound;
    for (const Row& row : rows) {
        SCOPED_TRACE(row.what);
        Site site({service("sales", {"ivr-sales"}, "q-sales"),
                   service("help", {"ivr-help", "ivr-night"}, "q-help"), off, branch, out});
        site.caller();
        for (const std::string& step : row.way)
            step.starts_with("q:") ? site.joins(step.substr(2)) : site.enters(step);
        const auto pop = site.pop();
        EXPECT_EQ(pop.service, row.service);
        EXPECT_EQ(pop.queue, row.queue);
        site.hangup("1.1", "1.0");
        site.hangup("1.0", "1.0");
        site.wait(std::chrono::seconds(1));
        EXPECT_EQ(site.row("hq:1.0")->service, row.service);
        EXPECT_EQ(site.row("hq:1.0")->queue, row.queue);
        EXPECT_EQ(site.because(bridge::Why::service_found), *row.service != '\0');
    }
}

TEST(service_of_a_call, is_seen_without_the_dialplan_class_where_another_event_names_the_context) {
    Site site({service("sales", {"from-trunk"}), service("ivr", {"ivr"})});
    site.caller();  // Newchannel: from-trunk
    EXPECT_EQ(site.pop().service, "sales");

    Site later({service("ivr", {"ivr"})});
    later.caller();
    later.channel("PJSIP/201-00000001", "1.1", "1.0", "Down");
    later.event("DialBegin", {{"Uniqueid", "1.0"},
                              {"Linkedid", "1.0"},
                              {"Context", "ivr"},
                              {"DestUniqueid", "1.1"},
                              {"DestLinkedid", "1.0"},
                              {"DestContext", "from-internal"}});
    later.state("1.1", "1.0", "Ringing");
    EXPECT_EQ(later.seen.notices.back().service, "ivr");
}

TEST(service_of_a_call, counts_the_contexts_of_the_callers_channel_alone) {
    Site site({service("sales", {"ivr-sales"}), service("phones", {"from-internal"})});
    site.caller();
    site.enters("ivr-sales");
    site.channel("Local/201@from-internal-00000001;2", "1.2", "1.0", "Ring");
    site.event("Newexten", {{"Context", "from-internal"}, {"Uniqueid", "1.2"}, {"Linkedid", "1.0"}});
    EXPECT_EQ(site.pop().service, "sales");
}

TEST(service_of_a_call, of_an_operators_own_call_is_an_outbound_one) {
    auto out = service("out", {"from-internal"});
    out.direction = crm::Direction::outbound;
    Site site({out, service("in", {"from-internal"})});
    for (const auto& [exten, expected] : {std::pair("07700900456", "out"), std::pair("202", "")}) {
        const std::string call = std::string(exten) + ".0";
        site.event("Newchannel", {{"Channel", "PJSIP/201-00000007"},
                                  {"ChannelStateDesc", "Ring"},
                                  {"CallerIDNum", "201"},
                                  {"Exten", exten},
                                  {"Context", "from-internal"},
                                  {"Uniqueid", call},
                                  {"Linkedid", call}});
        ASSERT_FALSE(site.seen.notices.empty());
        EXPECT_EQ(site.seen.notices.back().service, expected) << exten;
    }
}

TEST(service_of_a_call, is_the_one_a_click_to_dial_names) {
    auto out = service("out", {"from-internal"});
    out.direction = crm::Direction::outbound;
    auto campaign = out;
    campaign.name = "campaign";
    campaign.contexts = {"dial-campaign"};
    Site site({out, campaign});
    bridge::Dialing dialing;
    dialing.channel_id = "ctd-1";
    dialing.jid = anna;
    dialing.extension = "201";
    dialing.number = "+447700900456";
    dialing.service = "campaign";
    site.keep(site.desk.dial(dialing, site.now));
    site.channel("PJSIP/201-00000007", "ctd-1", "ctd-1", "Down");
    site.dial_begin({}, "ctd-1", "ctd-1");
    site.state("ctd-1", "ctd-1", "Ringing");
    site.enters("from-internal", "ctd-1");
    ASSERT_FALSE(site.seen.notices.empty());
    EXPECT_EQ(site.seen.notices.back().service, "campaign");
    EXPECT_EQ(site.row("hq:ctd-1")->service, "campaign");
}

TEST(service_of_a_call, stays_when_a_reload_takes_it_away_and_a_new_one_counts_from_then_on) {
    Site site({service("sales", {"ivr-sales"})});
    site.caller();
    site.enters("ivr-sales");
    EXPECT_EQ(site.pop().service, "sales");
    site.desk.set_services({service("help", {"ivr-help"})});
    site.state("1.1", "1.0", "Up");
    EXPECT_EQ(site.seen.notices.back().service, "sales");
    site.enters("ivr-help");
    site.hangup("1.1", "1.0");
    EXPECT_EQ(site.seen.notices.back().service, "help");
}

TEST(service_of_a_call, of_two_that_claim_the_same_is_the_first_by_name) {
    bridge::Services services;
    services.set({service("b", {"ivr"}, "q"), service("a", {"ivr"}, "q")}, "hq");
    EXPECT_EQ(services.of_queue("q")->name, "a");
    EXPECT_EQ(services.of_context("ivr", crm::Direction::inbound)->name, "a");
    EXPECT_EQ(services.of_context("ivr", crm::Direction::outbound), nullptr);
    EXPECT_EQ(services.of_queue(""), nullptr);
}

TEST(service_of_a_call, the_dialplans_events_are_wanted_only_where_a_service_needs_them) {
    bridge::Services services;
    EXPECT_FALSE(services.need_dialplan_events());
    services.set({service("queue", {}, "q")}, "hq");
    EXPECT_FALSE(services.need_dialplan_events());
    auto branch = service("branch", {"ivr"});
    branch.pbx = "branch";
    services.set({branch}, "hq");
    EXPECT_FALSE(services.need_dialplan_events());
    services.set({service("ivr", {"ivr"})}, "hq");
    EXPECT_TRUE(services.need_dialplan_events());
    auto variables = service("queue", {}, "q");
    variables.variables = {"ticket"};
    services.set({variables}, "hq");
    EXPECT_TRUE(services.need_dialplan_events());
}

// ---- variables ----

struct Collecting : Site {
    explicit Collecting(std::vector<std::string> variables = {"ticket", "Note", "CDR(calldata)"})
        : Site([&] {
              auto one = service("ivr", {"from-trunk"});
              one.variables = std::move(variables);
              return std::vector{one};
          }()) {
        caller();
    }
};

TEST(variables_of_a_call, are_those_its_service_lists_in_that_order_with_their_latest_value) {
    Collecting site;
    site.sets("__Note", "inherited");
    site.sets("ticket", "1");
    site.sets("ticket", "2");
    site.sets("CDR(calldata)", "x");
    site.sets("SIPCALLID", "not listed");
    site.sets("TICKET", "names are told by their letters");
    EXPECT_THAT(site.pop().variables,
                ElementsAre(Pair("ticket", "2"), Pair("Note", "inherited"), Pair("CDR(calldata)", "x")));
}

TEST(variables_of_a_call, come_from_every_way_a_dialplan_has) {
    Collecting site;
    site.event("UserEvent", {{"Channel", "PJSIP/trunk-00000000"},
                             {"Note", "a header before it is no variable"},
                             {"Uniqueid", "1.0"},
                             {"Linkedid", "1.0"},
                             {"UserEvent", "CtiCallData"},
                             {"Ticket", "4711"},
                             {"Other", "not listed"}});
    EXPECT_THAT(site.pop().variables, ElementsAre(Pair("ticket", "4711")));
    site.event("Newstate", {{"ChannelStateDesc", "Up"},
                            {"Uniqueid", "1.0"},
                            {"Linkedid", "1.0"},
                            {"ChanVariable", "Note=a \\\"quoted\\\" one"},
                            {"ChanVariable", "ticket="},
                            {"ChanVariable(PJSIP/trunk-00000000)", "CDR(calldata)=a=b"}});
    site.state("1.1", "1.0", "Up");
    EXPECT_THAT(
        site.seen.notices.back().variables,
        ElementsAre(Pair("ticket", "4711"), Pair("Note", "a \"quoted\" one"), Pair("CDR(calldata)", "a=b")));
}

TEST(variables_of_a_call, are_not_those_of_other_channels) {
    Collecting site;
    site.sets("ticket", "mine");
    site.channel("PJSIP/202-00000009", "1.9", "1.0", "Down");
    site.sets("ticket", "theirs", "1.9");
    EXPECT_THAT(site.pop().variables, ElementsAre(Pair("ticket", "mine")));
}

TEST(variables_of_a_call, one_that_was_emptied_is_gone) {
    Collecting site;
    site.sets("ticket", "1");
    site.sets("ticket", "");
    EXPECT_THAT(site.pop().variables, ElementsAre());
}

TEST(variables_of_a_call, are_read_as_asterisk_writes_them) {
    Collecting site;
    site.sets("ticket", R"(a\\b \"c\" d\'e)");
    site.sets("Note", "(null)");
    EXPECT_THAT(site.pop().variables, ElementsAre(Pair("ticket", R"(a\b "c" d'e)")));
}

TEST(variables_of_a_call, are_at_most_32_of_256_characters) {
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) names.push_back("v" + std::to_string(i));
    Collecting site(names);
    std::string wide;
    for (int i = 0; i < 300; ++i) wide += "\xC5\xBD";  // two bytes each
    for (const auto& name : names) site.sets(name, wide);
    const auto pop = site.pop();
    ASSERT_EQ(pop.variables.size(), 32U);
    EXPECT_EQ(pop.variables.back().first, "v31");
    EXPECT_EQ(pop.variables.back().second.size(), 512U);
}

TEST(variables_of_a_call, are_known_from_the_lists_of_a_sync) {
    Site site([] {
        auto one = service("ivr", {"ivr"});
        one.variables = {"ticket"};
        return std::vector{one};
    }());
    site.desk.sync_begin(site.now);
    site.event("Status", {{"Channel", "PJSIP/trunk-00000000"},
                          {"ChannelStateDesc", "Up"},
                          {"CallerIDNum", "+447700900123"},
                          {"Context", "ivr"},
                          {"Exten", "s"},
                          {"Uniqueid", "1.0"},
                          {"Linkedid", "1.0"},
                          {"Seconds", "5"},
                          {"Variable", "ticket=a\\b"},
                          {"Variable", "FROM_DID=(null)"}});
    site.event("Status", {{"Channel", "PJSIP/201-00000001"},
                          {"ChannelStateDesc", "Ringing"},
                          {"Context", "from-internal"},
                          {"Uniqueid", "1.1"},
                          {"Linkedid", "1.0"},
                          {"Seconds", "3"}});
    site.event("StatusComplete", {});
    site.keep(site.desk.sync_end(site.now));
    ASSERT_FALSE(site.seen.notices.empty());
    EXPECT_EQ(site.seen.notices.back().service, "ivr");
    EXPECT_THAT(site.seen.notices.back().variables, ElementsAre(Pair("ticket", "a\\b")));
}

TEST(variables_of_a_call, of_two_that_become_one_the_older_has_the_word) {
    Collecting site;
    site.sets("ticket", "older");
    site.channel("PJSIP/trunk-00000005", "2.0", "2.0", "Ring", "+447700900124", "02079460202");
    site.event("VarSet",
               {{"Variable", "ticket"}, {"Value", "younger"}, {"Uniqueid", "2.0"}, {"Linkedid", "2.0"}});
    site.event("VarSet", {{"Variable", "Note"}, {"Value", "kept"}, {"Uniqueid", "2.0"}, {"Linkedid", "2.0"}});
    site.enter("1.0", "1.0", "b");
    site.enter("2.0", "2.0", "b");
    EXPECT_THAT(site.pop().variables, ElementsAre(Pair("ticket", "older"), Pair("Note", "kept")));
}

// ---- devices that no pattern names ----

TEST(devices_of_an_operator, ring_as_their_extension_does) {
    auto people = desk_test::two_people();
    people[0].devices = {"PJSIP/anna-home", "IAX2/anna"};
    Exchange hq("hq", people);
    hq.caller();
    hq.ring("PJSIP/anna-home-00000003", "1.1");
    EXPECT_THAT(hq.told(anna), ElementsAre("ringing 1.1"));
    EXPECT_EQ(hq.seen.notices.back().extension, "201");
    hq.ring("IAX2/anna-00000004", "1.2");  // a second phone of the same person: the same ring
    EXPECT_THAT(hq.told(anna), ElementsAre("ringing 1.1"));
    hq.ring("PJSIP/anna-00000005", "1.3");  // somebody else's
    EXPECT_THAT(hq.told(anna), ElementsAre("ringing 1.1"));
    hq.channel("PJSIP/anna-home-00000006", "5.0", "5.0", "Ring", "201", "07700900456");
    EXPECT_EQ(hq.told(anna).back(), "dialing 5.0");
}

// ---- recorded calls ----

traces::Replayed played(const traces::Trace& trace, std::vector<crm::Service> services) {
    bridge::ReplayOptions options;
    options.trace = trace.file(".ami");
    options.times = trace.file(".times");
    options.operators = traces::people();
    options.services = std::move(services);
    std::ostringstream out, err;
    const int status = bridge::replay(options, out, err);
    return {status, out.str(), err.str()};
}

TEST(services_in_traces, digits_typed_at_a_service_line_are_on_the_pop) {
    auto line = service("service line", {"service"});
    line.variables = {"calldata", "digits", "Note", "did"};
    auto trunk = service("trunk", {"from-trunk"});
    const auto result = played({"ami-traces", "15-service-digits-calldata"}, {line, trunk});
    ASSERT_EQ(result.status, 0) << result.err;
    const auto nodes = traces::lines(result.out);
    ASSERT_FALSE(nodes.empty());
    const auto pop = nodes.front()["notice"];
    EXPECT_EQ(traces::text(pop["state"]), "ringing");
    EXPECT_EQ(traces::text(pop["service"]), "service line");
    EXPECT_EQ(traces::text(pop["variables"]["calldata"]), "4711");
    EXPECT_EQ(traces::text(pop["variables"]["digits"]), "4711");
    EXPECT_EQ(traces::text(pop["variables"]["Note"]), "ticket \xC5\xBDlt\xC3\xA1 l\xC3\xADnia");
    EXPECT_EQ(traces::text(pop["variables"]["did"]), "02079460300");
    for (const auto& node : nodes) {
        if (!node["call"]) continue;
        EXPECT_EQ(traces::text(node["call"]["service"]), "service line");
    }
}

// The contexts of a FreePBX: what a caller passes on the way, subroutines included.
TEST(services_in_traces, calls_of_a_freepbx_belong_to_the_contexts_and_queues_of_their_way) {
    struct Row {
        const char* trace;
        const char* service;
        const char* queue;
    };
    auto out = service("out", {"from-internal"});
    out.direction = crm::Direction::outbound;
    const std::vector<crm::Service> services{service("trunk", {"from-trunk"}),
                                             service("queues", {"ext-queues"}, "650"),
                                             service("groups", {"ext-group"}), out};
    for (const Row& row :
         {Row{"22-q01-queue-local-answered", "queues", "650"},
          Row{"16-q01-queue-local-answered", "queues", "650"}, Row{"18-q03-queue-abandoned", "queues", "650"},
          Row{"22-q02-queue-ring-no-answer-next", "queues", "651"},  // by its context
          Row{"22-f02-ringgroup-ringall-answered", "groups", "null"},
          Row{"16-f01-direct-answered", "trunk", "null"}, Row{"22-o01-outbound-answered", "out", "null"},
          Row{"18-i01-internal", "null", "null"}}) {
        const auto result = played({"ami-traces-more", row.trace}, services);
        ASSERT_EQ(result.status, 0) << row.trace << result.err;
        bool seen = false;
        for (const auto& node : traces::lines(result.out)) {
            const auto entry = node["notice"] ? node["notice"] : node["call"];
            if (!entry) continue;
            if (node["call"] && traces::text(entry["merged_into"]) != "null") continue;
            seen = true;
            EXPECT_EQ(traces::text(entry["service"]), row.service) << row.trace << traces::text(entry["id"]);
            EXPECT_EQ(traces::text(entry["queue"]), row.queue) << row.trace;
        }
        EXPECT_TRUE(seen) << row.trace;
    }
}

}  // namespace
