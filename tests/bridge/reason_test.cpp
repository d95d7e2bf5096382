#include "bridge/reason.hpp"

#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ami/parser.hpp"
#include "bridge/desk.hpp"
#include "trace_files.hpp"

using bridge::Fact;
using bridge::Reason;
using bridge::Why;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

std::vector<Why> all_whys() {
    std::vector<Why> all;
    for (std::size_t i = 0; i < bridge::why_count; ++i) all.push_back(static_cast<Why>(i));
    return all;
}

// The names in { }; `needed`: only those outside of [ ].
std::vector<std::string> names_in(std::string_view pattern, bool needed) {
    std::vector<std::string> names;
    bool optional = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '[') optional = true;
        if (pattern[i] == ']') optional = false;
        if (pattern[i] != '{' || pattern.substr(i).starts_with("{{")) {
            if (pattern[i] == '{') i = pattern.find("}}", i) + 1;
            continue;
        }
        const auto end = pattern.find('}', i);
        if (!needed || !optional) names.emplace_back(pattern.substr(i + 1, end - i - 1));
        i = end;
    }
    return names;
}

Reason full(Why why) {
    Reason reason{
        .at = {}, .why = why, .call = "hq:1.0", .leg = "1.1", .jid = "anna@example.org", .data = {}};
    for (std::size_t i = 0; i < bridge::fact_count; ++i)
        reason.data.push_back(
            {static_cast<Fact>(i), "<" + std::string(to_string(static_cast<Fact>(i))) + ">"});
    return reason;
}

std::string value_of(const Reason& reason, const std::string& name) {
    if (name == "call") return reason.call;
    if (name == "leg") return reason.leg;
    if (name == "jid") return reason.jid;
    for (const auto& one : reason.data)
        if (to_string(one.fact) == name) return one.value;
    return {};
}

TEST(reason, every_why_and_every_fact_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    for (const Why why : all_whys()) EXPECT_TRUE(names.insert(to_string(why)).second) << to_string(why);
    names.clear();
    for (std::size_t i = 0; i < bridge::fact_count; ++i)
        EXPECT_TRUE(names.insert(to_string(static_cast<Fact>(i))).second) << i;
    EXPECT_FALSE(names.contains(""));
}

TEST(reason, every_sentence_ends_and_names_only_what_there_is) {
    std::set<std::string> known{"call", "leg", "jid"};
    for (std::size_t i = 0; i < bridge::fact_count; ++i) known.emplace(to_string(static_cast<Fact>(i)));
    for (const Why why : all_whys()) {
        for (const auto pattern : {bridge::sentence_pattern(why), bridge::advice_pattern(why)})
            for (const auto& name : names_in(pattern, false))
                EXPECT_TRUE(known.contains(name)) << to_string(why) << ": " << name;
        const auto text = sentence(full(why));
        EXPECT_TRUE(text.ends_with('.') || text.ends_with(".)")) << text;
        EXPECT_THAT(text, Not(testing::AnyOf(HasSubstr("{"), HasSubstr("["), HasSubstr("]")))) << text;
        const auto todo = advice(full(why));
        EXPECT_TRUE(todo.empty() || todo.ends_with('.') || todo.ends_with('?')) << todo;
    }
}

TEST(reason, what_kept_an_operator_uninformed_says_what_to_do) {
    for (const Why why : all_whys())
        if (bridge::weight(why) == bridge::Weight::blocker) {
            EXPECT_FALSE(bridge::advice_pattern(why).empty()) << to_string(why);
        }
}

TEST(reason, parts_without_their_fact_are_left_out) {
    Reason reason{.at = {}, .why = Why::caller_known, .call = {}, .leg = {}, .jid = {}, .data = {}};
    reason.data = {{Fact::number, "+447700900123"}, {Fact::name, "Ann"}, {Fact::dialed, "0207"}};
    EXPECT_EQ(sentence(reason), "A call came from +447700900123 (Ann), the number dialled is 0207.");
    reason.data = {{Fact::number, "+447700900123"}, {Fact::name, ""}, {Fact::dialed, ""}};
    EXPECT_EQ(sentence(reason), "A call came from +447700900123.");
}

TEST(reason, foreign_text_forges_no_line) {
    Reason reason{.at = {}, .why = Why::caller_known, .call = {}, .leg = {}, .jid = {}, .data = {}};
    reason.data = {{Fact::number, "1\n2\x1b[31m"}, {Fact::name, "{jid} [x] \xff" + std::string(5000, 'y')}};
    const auto text = sentence(reason);
    EXPECT_THAT(text, HasSubstr(R"(1\x0A2\x1B[31m ({jid} [x] \xFFyyy)"));
    EXPECT_LT(text.size(), 600U);
}

TEST(reason, a_device_is_its_channel_without_the_serial_number) {
    EXPECT_EQ(bridge::device_of("PJSIP/201-0000002a"), "PJSIP/201");
    EXPECT_EQ(bridge::device_of("SIP/trunk-uk-0000002a"), "SIP/trunk-uk");
    EXPECT_EQ(bridge::device_of("PJSIP/201"), "PJSIP/201");
    EXPECT_EQ(bridge::device_of("no-channel"), "no-channel");
    EXPECT_EQ(bridge::device_of(""), "");
}

// Everything a desk decides on the recorded calls has the data that its sentence needs.
TEST(reason, every_reason_of_every_trace_fills_its_sentence) {
    std::set<Why> met;
    for (const auto& trace : traces::all()) {
        bridge::Desk desk(
            {.pbx = "hq", .channels = {"PJSIP/{extension}", "SIP/{extension}"}, .extensions = {}});
        desk.set_people(traces::people());
        std::ifstream file(trace.file(".ami"), std::ios::binary);
        const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
        ami::Parser parser;
        bridge::Outcome seen;
        const auto fed = parser.feed(
            bytes, [&](const ami::Message& message) { seen.append(desk.apply(message, bridge::Millis{1})); });
        ASSERT_TRUE(fed) << trace.name;
        seen.append(desk.tick(bridge::Millis{1'000'000}));
        for (const auto& reason : seen.reasons) {
            met.insert(reason.why);
            for (const auto& name : names_in(bridge::sentence_pattern(reason.why), true))
                EXPECT_FALSE(value_of(reason, name).empty())
                    << trace.name << ": " << to_string(reason.why) << " lacks " << name;
        }
    }
    EXPECT_GT(met.size(), 15U);
}

}  // namespace
