// Streams of events that no exchange sends: any event with any values, of attackers too, between lost links,
// answers nobody asked for and people who come and go. Whatever comes, the rules hold, and nothing is left.
#include <array>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "observed_desk.hpp"
#include "seeds.hpp"

namespace {

using namespace std::chrono_literals;
using recorded::Event;
using recorded::Millis;
using recorded::ObservedDesk;
using seeds::Random;

template <std::size_t size>
std::string one_of(Random& random, const std::array<const char*, size>& values) {
    return values[seeds::below(random, size)];
}

constexpr std::array names{"Newchannel",       "Newchannel",      "Newchannel",        "Newchannel",
                           "Newstate",         "Newstate",        "Newstate",          "NewCallerid",
                           "NewConnectedLine", "HangupRequest",   "SoftHangupRequest", "Hangup",
                           "Hangup",           "DialBegin",       "DialBegin",         "DialEnd",
                           "BridgeEnter",      "BridgeEnter",     "BridgeLeave",       "Hold",
                           "Unhold",           "BlindTransfer",   "AttendedTransfer",  "ParkedCall",
                           "Pickup",           "QueueCallerJoin", "QueueCallerLeave",  "QueueCallerAbandon",
                           "QueueEntry",       "AgentConnect",    "OriginateResponse", "VarSet",
                           "Newexten",         "Status",          "CoreShowChannel",   "StatusComplete",
                           "UserEvent",        "FullyBooted",     "Nonsense",          ""};
constexpr std::array channels{"PJSIP/201-00000001",
                              "PJSIP/201-00000002",
                              "SIP/202-00000003",
                              "PJSIP/202-00000004",
                              "PJSIP/203-00000005",
                              "PJSIP/trunk-00000006",
                              "SIP/provider-00000007",
                              "Local/201@internal-00000008;1",
                              "Local/201@internal-00000008;2",
                              "Local/202@internal-00000009;1",
                              "Local/202@internal-00000009;2",
                              "Local/201@x-0;3",
                              "Local/",
                              ";2",
                              "PJSIP/",
                              "PJSIP/201-",
                              "-",
                              "",
                              "PJSIP/201'; DROP TABLE cti_call; --",
                              "PJSIP/\xff\xfe-\x01"};
constexpr std::array numbers{"201",
                             "202",
                             "203",
                             "+447700900123",
                             "anonymous",
                             "<unknown>",
                             "",
                             "07700900456",
                             "'\"><script>",
                             "**201",
                             "s",
                             "h",
                             "9999999999999999999999999999999999999"};
constexpr std::array states{"Down", "Ring", "Ringing", "Ringing", "Up", "Up", "Busy", "Rsrvd", "", "\x7f"};
constexpr std::array statuses{"ANSWER", "CANCEL", "NOANSWER", "BUSY", "CHANUNAVAIL", "CONGESTION", "", "?"};
constexpr std::array causes{"0",  "1",  "16",  "17", "19",           "21", "23",
                            "26", "34", "127", "-1", "999999999999", "x"};
constexpr std::array others{"support",
                            "650",
                            "",
                            "Success",
                            "Failure",
                            "0",
                            "3",
                            "5",
                            "basic",
                            "base",
                            "1",
                            "100000000",
                            "-5",
                            "FROM_DID",
                            "CALLINGNUMPRES_SV",
                            "prohib_not_screened",
                            "(null)",
                            "32 (Presentation Prohibited)",
                            "00:00:10",
                            "s-1"};
constexpr std::array odd_headers{"Queue",   "Response",        "Result",   "Reason",   "BridgeType",
                                 "Seconds", "Duration",        "Wait",     "HoldTime", "Variable",
                                 "Value",   "CID-CallingPres", "ActionID", "Forward",  "DNID",
                                 "Context", "Uptime"};

// Few ids, so that they meet; some calls of ours, the second half of a Local channel, and none.
std::string any_id(Random& random) {
    static constexpr std::array special{"ctd-1", "ctd-2", "ctd-1;2", "<unknown>", "", "9.9", "~", "1.0~5"};
    return seeds::one_in(random, 8) ? one_of(random, special) : fmt::format("1.{}", seeds::below(random, 9));
}

Event any_event(Random& random) {
    Event::Headers headers{{"Event", one_of(random, names)}};
    const auto add = [&](const char* name, std::string value) {
        if (!seeds::one_in(random, 10)) headers.emplace_back(name, std::move(value));
    };
    add("Channel", one_of(random, channels));
    add("Uniqueid", any_id(random));
    add("Linkedid", any_id(random));
    add("ChannelStateDesc", one_of(random, states));
    add("CallerIDNum", one_of(random, numbers));
    add("CallerIDName", one_of(random, numbers));
    add("ConnectedLineNum", one_of(random, numbers));
    add("ConnectedLineName", one_of(random, channels));
    add("Exten", one_of(random, numbers));
    if (seeds::one_in(random, 2)) {
        add("DestUniqueid", any_id(random));
        add("DestLinkedid", any_id(random));
        add("DestChannel", one_of(random, channels));
        add("DialStatus", one_of(random, statuses));
    }
    add("BridgeUniqueid", fmt::format("b{}", seeds::below(random, 3)));
    add("Cause", one_of(random, causes));
    for (const char* header : {"TransfererUniqueid", "OrigTransfererUniqueid", "SecondTransfererUniqueid",
                               "ParkeeUniqueid", "TargetUniqueid"})
        if (seeds::one_in(random, 3)) add(header, any_id(random));
    for (const char* header : odd_headers)
        if (seeds::one_in(random, 3)) add(header, one_of(random, others));
    return Event(std::move(headers));
}

// What the daemon may do beside: dial, lose the link, read lists, change people.
void something_else(ObservedDesk& desk, Random& random) {
    switch (seeds::below(random, 8)) {
        case 0:
            desk.gap(desk.now() + 50ms);
            break;
        case 1:
            desk.take(desk.desk().dial({.channel_id = fmt::format("ctd-{}", random()),
                                        .jid = "anna@example.org",
                                        .extension = "201",
                                        .number = one_of(random, numbers),
                                        .request = "r",
                                        .module = {},
                                        .record = {},
                                        .label = {},
                                        .service = {}},
                                       desk.now()));
            break;
        case 2:
            desk.take(desk.desk().dial_failed(any_id(random), "refused", desk.now()));
            break;
        case 3:
            desk.take(desk.desk().link_lost(desk.now()));
            break;
        case 4:
            desk.desk().sync_begin(desk.now());
            break;
        case 5:
            desk.take(desk.desk().sync_end(desk.now()));
            break;
        case 6:
            desk.take(desk.desk().channels_listed(
                seeds::one_in(random, 2) ? std::nullopt : std::optional(std::vector{any_id(random)}),
                desk.now()));
            break;
        default: {
            std::vector<crm::Operator> people = traces::people();
            if (seeds::one_in(random, 2)) people.pop_back();
            if (seeds::one_in(random, 2)) people.front().active = false;
            if (seeds::one_in(random, 2)) people.back().extension = "201";
            desk.desk().set_people(std::move(people));
        }
    }
}

struct Step {
    Millis pause;
    std::uint64_t seed;  // of the event, or of what happens beside
    bool event;
};

recorded::Picture picture_of(const std::vector<Step>& steps) {
    ObservedDesk desk;
    for (const Step& step : steps) {
        Random random(step.seed);
        desk.wait(desk.now() + step.pause);
        if (step.event)
            desk.hear(any_event(random), desk.now() + step.pause);
        else
            something_else(desk, random);
    }
    return desk.finish();
}

std::string text_of(const Step& step) {
    Random random(step.seed);
    return fmt::format(
        "  after {} ms: {}\n", step.pause.count(),
        step.event ? any_event(random).text() : fmt::format("something else ({})", random() % 8));
}

std::vector<Step> reduced(std::vector<Step> steps) {
    for (std::size_t size = steps.size() / 2; size > 0; size = size > 1 ? size / 2 : 0)
        for (std::size_t from = 0; from < steps.size();) {
            std::vector<Step> fewer(steps);
            const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
            fewer.erase(first, first + static_cast<std::ptrdiff_t>(std::min(size, steps.size() - from)));
            if (!picture_of(fewer).faults.empty())
                steps = std::move(fewer);
            else
                from += size;
        }
    return steps;
}

TEST(random_streams, break_no_rule_and_leave_nothing) {
    seeds::each(1000, [](std::uint64_t seed) -> std::string {
        Random random(seed);
        static constexpr std::array pauses{1, 1, 2, 3, 20, 150, 400, 5000, 200000};
        std::vector<Step> steps(20 + seeds::below(random, 300));
        for (Step& step : steps)
            step = {Millis(pauses[seeds::below(random, pauses.size() - (seeds::one_in(random, 10) ? 0 : 3))]),
                    random(), !seeds::one_in(random, 25)};
        if (picture_of(steps).faults.empty()) return {};
        std::string lines;
        steps = reduced(steps);
        for (const Step& step : steps) lines += text_of(step);
        for (const std::string& fault : picture_of(steps).faults) lines += "  " + fault + '\n';
        return lines;
    });
}

}  // namespace
