#include "ami/action.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "case_name.hpp"

namespace {

using ami::Action;
using testing::HasSubstr;

std::string encoded(const Action& action) {
    const auto bytes = ami::encode(action, "id-1");
    return bytes ? *bytes : "refused: " + bytes.error().field + ": " + bytes.error().text;
}

struct TypedCase {
    std::string name;
    Action action;
    std::string bytes;  // behind the ActionID, without the empty line
};

class typed_action : public testing::TestWithParam<TypedCase> {};

TEST_P(typed_action, is_written_as_asterisk_reads_it) {
    const TypedCase& given = GetParam();
    EXPECT_EQ(encoded(given.action),
              "Action: " + given.name + "\r\nActionID: id-1\r\n" + given.bytes + "\r\n");
}

INSTANTIATE_TEST_SUITE_P(
    all, typed_action,
    testing::Values(
        TypedCase{"Challenge", ami::challenge(), "AuthType: MD5\r\n"},
        TypedCase{"Login", ami::login("u", "s; \"x\" #", "call,agent"),
                  "Username: u\r\nSecret: s; \"x\" #\r\nEvents: call,agent\r\n"},
        TypedCase{"Login", ami::login_md5("bridge", ami::md5_key("129588831", "secret"), ""),
                  "AuthType: MD5\r\nUsername: bridge\r\nKey: 9e606d1fb008cac1012c9df4e3f1b86e\r\n"},
        TypedCase{"Events", ami::events("off"), "EventMask: off\r\n"}, TypedCase{"Ping", ami::ping(), ""},
        TypedCase{"Logoff", ami::logoff(), ""}, TypedCase{"ListCommands", ami::list_commands(), ""},
        TypedCase{"CoreSettings", ami::core_settings(), ""},
        TypedCase{"CoreShowChannels", ami::core_show_channels(), ""},
        TypedCase{"DeviceStateList", ami::device_state_list(), ""},
        TypedCase{"ExtensionStateList", ami::extension_state_list(), ""},
        TypedCase{"Status", ami::status({}), ""},
        TypedCase{"Status", ami::status({"direction", "did", "CDR(crmid)"}),
                  "Variables: direction,did,CDR(crmid)\r\n"},
        TypedCase{"Status", ami::status({"a"}, "PJSIP/201-1"), "Channel: PJSIP/201-1\r\nVariables: a\r\n"},
        TypedCase{"QueueStatus", ami::queue_status(), ""},
        TypedCase{"QueueStatus", ami::queue_status("support", "PJSIP/201"),
                  "Queue: support\r\nMember: PJSIP/201\r\n"},
        TypedCase{"QueueAdd",
                  ami::queue_add({.queue = "support",
                                  .interface = "PJSIP/203",
                                  .name = "Žofia, \"Z\" Nováková",
                                  .state_interface = "hint:203@ext-local",
                                  .penalty = 2,
                                  .paused = true}),
                  "Queue: support\r\nInterface: PJSIP/203\r\nPenalty: 2\r\nPaused: true\r\n"
                  "MemberName: Žofia, \"Z\" Nováková\r\nStateInterface: hint:203@ext-local\r\n"},
        TypedCase{"QueueRemove", ami::queue_remove("support", "PJSIP/203"),
                  "Queue: support\r\nInterface: PJSIP/203\r\n"},
        TypedCase{
            "QueuePause", ami::queue_pause("PJSIP/203", true, "Obedňajšia prestávka", "support"),
            "Interface: PJSIP/203\r\nPaused: true\r\nQueue: support\r\nReason: Obedňajšia prestávka\r\n"},
        TypedCase{"QueuePause", ami::queue_pause("PJSIP/203", false),
                  "Interface: PJSIP/203\r\nPaused: false\r\n"},
        TypedCase{"Hangup", ami::hangup("ctd-0001"), "Channel: ctd-0001\r\n"},
        TypedCase{"Hangup", ami::hangup("PJSIP/201-00000001", 17),
                  "Channel: PJSIP/201-00000001\r\nCause: 17\r\n"},
        TypedCase{"Setvar", ami::set_variable("ctd-1", "CDR(crmid)", "a,b; \"c\" \\"),
                  "Channel: ctd-1\r\nVariable: CDR(crmid)\r\nValue: a,b; \"c\" \\\r\n"},
        TypedCase{"Getvar", ami::get_variable("ctd-1", "CALLERID(num-pres)"),
                  "Channel: ctd-1\r\nVariable: CALLERID(num-pres)\r\n"},
        TypedCase{"Redirect", ami::redirect("PJSIP/trunk-1", "internal", "202"),
                  "Channel: PJSIP/trunk-1\r\nContext: internal\r\nExten: 202\r\nPriority: 1\r\n"},
        TypedCase{"BlindTransfer", ami::blind_transfer("PJSIP/201-1", "internal", "203"),
                  "Channel: PJSIP/201-1\r\nContext: internal\r\nExten: 203\r\n"},
        TypedCase{"Atxfer", ami::atxfer("PJSIP/201-1", "internal", "203"),
                  "Channel: PJSIP/201-1\r\nContext: internal\r\nExten: 203\r\n"},
        TypedCase{"CancelAtxfer", ami::cancel_atxfer("PJSIP/201-1"), "Channel: PJSIP/201-1\r\n"},
        TypedCase{"Park", ami::park("PJSIP/trunk-1", "PJSIP/201-1", std::chrono::seconds(5), "default"),
                  "Channel: PJSIP/trunk-1\r\nTimeoutChannel: PJSIP/201-1\r\nTimeout: 5000\r\nParkinglot: "
                  "default\r\n"},
        TypedCase{"PJSIPNotify", ami::pjsip_notify_endpoint("201", {{"Event", "talk"}}),
                  "Endpoint: 201\r\nVariable: Event=talk\r\n"},
        TypedCase{"PJSIPNotify", ami::pjsip_notify_channel("PJSIP/201-1", {{"Event", "hold"}}),
                  "Channel: PJSIP/201-1\r\nVariable: Event=hold\r\n"},
        TypedCase{"SIPnotify", ami::sip_notify("SIP/201", {{"Event", "talk"}}),
                  "Channel: SIP/201\r\nVariable: Event=talk\r\n"}));

TEST(originate, is_asynchronous_and_carries_its_variables) {
    ami::Originate request;
    request.channel = "PJSIP/201";
    request.context = "clicktodial";
    request.exten = "07700900456";
    request.caller_id = "\"Ben, Fox\" <07700900456>";
    request.timeout = std::chrono::seconds(25);
    request.channel_id = "ctd-0001";
    request.variables = {
        {"PJSIP_HEADER(add,Call-Info)", "<sip:x>;answer-after=0"}, {"CDR(crmid)", "12x45"}, {"__x", "a=b"}};
    EXPECT_EQ(
        encoded(ami::originate(request)),
        "Action: Originate\r\nActionID: id-1\r\nChannel: PJSIP/201\r\nContext: clicktodial\r\n"
        "Exten: 07700900456\r\nPriority: 1\r\nTimeout: 25000\r\nCallerID: \"Ben, Fox\" <07700900456>\r\n"
        "ChannelId: ctd-0001\r\nAsync: true\r\nVariable: "
        "PJSIP_HEADER(add,Call-Info)=<sip:x>;answer-after=0\r\n"
        "Variable: CDR(crmid)=12x45\r\nVariable: __x=a=b\r\n\r\n");
}

struct RefusedCase {
    std::string name;
    Action action;
    std::string field, says;
};

class refused_action : public testing::TestWithParam<RefusedCase> {};

TEST_P(refused_action, names_the_field_and_the_fault) {
    const auto bytes = ami::encode(GetParam().action, "id-1");
    ASSERT_FALSE(bytes) << *bytes;
    EXPECT_EQ(bytes.error().field, GetParam().field);
    EXPECT_THAT(bytes.error().text, HasSubstr(GetParam().says));
}

Action with(std::string name, std::string value) {
    return {"QueuePause", {{std::move(name), std::move(value)}}};
}
Action variable(std::string value) {
    return {"Originate", {{"vArIaBlE", std::move(value)}}};
}

INSTANTIATE_TEST_SUITE_P(
    all, refused_action,
    testing::Values(
        RefusedCase{"crlf", with("Reason", "x\r\nAction: Command\r\nCommand: core stop now"), "Reason",
                    "\\x0d"},
        RefusedCase{"lf", with("Reason", "x\ny"), "Reason", "at byte 1 (\\x0a)"},
        RefusedCase{"cr", with("Reason", "x\r"), "Reason", "\\x0d"},
        RefusedCase{"nul", with("Reason", std::string("a\0b", 3)), "Reason", "\\x00"},
        RefusedCase{"tab", with("Reason", "a\tb"), "Reason", "\\x09"},
        RefusedCase{"escape", with("Reason", "\x1b[2J"), "Reason", "\\x1b"},
        RefusedCase{"delete", with("Reason", "a\x7f"), "Reason", "\\x7f"},
        RefusedCase{"next_line_c1", with("Reason", "a\xC2\x85"), "Reason", "control character"},
        RefusedCase{"crlf_in_a_name", with("Reason: x\r\nAction", "Command"), "Reason: x\\x0d\\x0aAction",
                    "other than letters"},
        RefusedCase{"colon_in_a_name", with("Reason: x", "y"), "Reason: x", "other than letters"},
        RefusedCase{"no_name", with("", "y"), "", "has no name"},
        RefusedCase{"second_action", with("aCTION", "Command"), "aCTION", "encoder alone"},
        RefusedCase{"second_actionid", with("actionid", "x"), "actionid", "encoder alone"},
        RefusedCase{"line_of_1023", with("Reason", std::string(1015, 'x')), "Reason",
                    "1023 bytes, 1022 are allowed"},
        RefusedCase{"no_action_name", Action{"", {}}, "Action", "has no name"},
        RefusedCase{"crlf_in_the_action_name", Action{"Ping\r\nX: y", {}}, "Action", "other than letters"},
        RefusedCase{"long_action_name", Action{std::string(1100, 'A'), {}}, "Action", "too long"},
        RefusedCase{"too_many_lines", Action{"Ping", {119, {"A", "b"}}}, "Action",
                    "121 lines, 120 are allowed"},
        RefusedCase{"comma_in_a_variable", variable("note=Smith, John"), "vArIaBlE",
                    "comma in the variable's value"},
        RefusedCase{"comma_in_parentheses_of_a_value", variable("note=f(a,b)"), "vArIaBlE", "comma"},
        RefusedCase{"comma_in_a_plain_name", variable("a,b=c"), "vArIaBlE", "comma in the variable's name"},
        RefusedCase{"comma_behind_the_parentheses", variable("F(x),SHELL(y)=c"), "vArIaBlE",
                    "comma in the variable's name"},
        RefusedCase{"open_parenthesis", variable("F(x=c"), "vArIaBlE", "open parenthesis"},
        RefusedCase{"quote_in_a_variable", variable("x=\"y\""), "vArIaBlE", "quote or backslash"},
        RefusedCase{"backslash_in_a_variable", variable("x=a\\b"), "vArIaBlE", "quote or backslash"},
        RefusedCase{"quote_in_a_variable_name", variable("x\"=y"), "vArIaBlE", "quote or backslash"},
        RefusedCase{"comma_in_a_notify", ami::pjsip_notify_endpoint("201", {{"Event", "a,b"}}), "Variable",
                    "comma"},
        RefusedCase{"comma_in_setvar_name", ami::set_variable("c", "a,b", "x"), "Variable", "comma"},
        RefusedCase{"setvar_without_channel", ami::set_variable("", "GLOBAL", "x"), "Channel", "global"},
        RefusedCase{"setvar_lower_case", Action{"SETVAR", {{"Variable", "x"}}}, "Channel", "global"},
        RefusedCase{"hangup_of_a_pattern", ami::hangup("/^PJSIP/"), "Channel", "pattern"},
        RefusedCase{"hangup_of_nothing", ami::hangup(""), "Channel", "missing"}),
    ami_test::case_name);

TEST(encode, accepts_what_lies_just_within_its_limits) {
    EXPECT_TRUE(ami::encode(with("Reason", std::string(1014, 'x')), "id"));
    EXPECT_TRUE(ami::encode(Action{"Ping", {118, {"A", "b"}}}, "id"));
    EXPECT_TRUE(ami::encode(variable("PJSIP_HEADER(add,Call-Info)=<sip:x>"), "id"));
    EXPECT_TRUE(ami::encode(with("MemberName", "Ďábel 日本 😀"), "id"));
}

TEST(encode, refuses_a_hostile_action_id) {
    for (const std::string& id : {std::string("a\r\nb"), std::string(1100, 'x')}) {
        const auto bytes = ami::encode(ami::ping(), id);
        ASSERT_FALSE(bytes);
        EXPECT_EQ(bytes.error().field, "ActionID");
    }
}

// Whatever is put in: refused, or the output is exactly the lines asked for.
TEST(encode, never_lets_one_field_become_two_lines) {
    for (int c = 0; c < 256; ++c) {
        const std::string value = std::string("a") + static_cast<char>(c) + "b";
        const auto bytes = ami::encode(with("Reason", value), "id");
        if (c < 0x20 || c == 0x7F) {
            EXPECT_FALSE(bytes) << c;
        } else {
            ASSERT_TRUE(bytes) << c;
            EXPECT_EQ(*bytes, "Action: QueuePause\r\nActionID: id\r\nReason: " + value + "\r\n\r\n");
        }
        const auto named = ami::encode(with(value, "x"), "id");
        EXPECT_EQ(named.has_value(), std::isalnum(c) != 0 || c == '-' || c == '_') << c;
    }
}

}  // namespace
