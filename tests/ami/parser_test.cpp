#include "ami/parser.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "case_name.hpp"
#include "collect.hpp"

namespace {

using ami_test::parse;
using ami_test::parse_by;
using ami_test::parse_whole;
using ami_test::Result;
using testing::HasSubstr;
using Pairs = std::vector<std::pair<std::string, std::string>>;

const std::string banner = "Asterisk Call Manager/11.0.0\r\n";

TEST(parser, reads_banner_and_the_message_that_follows_without_an_empty_line) {
    const Result result =
        parse_whole(banner + "Response: Success\r\nActionID: cti-1\r\nMessage: hello\r\n\r\n");
    EXPECT_EQ(result.version, "11.0.0");
    EXPECT_EQ(result.error, "");
    ASSERT_EQ(result.messages.size(), 1U);
    EXPECT_EQ(result.messages[0].kind, static_cast<int>(ami::Message::Kind::response));
    EXPECT_EQ(result.messages[0].headers,
              (Pairs{{"Response", "Success"}, {"ActionID", "cti-1"}, {"Message", "hello"}}));
    EXPECT_EQ(result.pending, 0U);
}

struct HeaderCase {
    std::string name, block;
    Pairs headers;
    ami::Message::Kind kind = ami::Message::Kind::event;
};

class parser_headers : public testing::TestWithParam<HeaderCase> {};

TEST_P(parser_headers, are_kept_as_sent_however_divided) {
    const HeaderCase& given = GetParam();
    const std::string bytes = banner + given.block;
    for (const std::size_t size :
         {bytes.size(), std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}}) {
        const Result result = parse_by(bytes, size);
        EXPECT_EQ(result.error, "");
        ASSERT_EQ(result.messages.size(), 1U) << "chunks of " << size;
        EXPECT_EQ(result.messages[0].headers, given.headers) << "chunks of " << size;
        EXPECT_EQ(result.messages[0].kind, static_cast<int>(given.kind));
        EXPECT_EQ(result.pending, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    cases, parser_headers,
    testing::Values(
        HeaderCase{"bare_lf_before_crlf",
                   "Response: Success\r\nMessage: Park successful\n\r\nActionID: 1\r\n\r\n",
                   {{"Response", "Success"}, {"Message", "Park successful\n"}, {"ActionID", "1"}},
                   ami::Message::Kind::response},
        HeaderCase{"bare_lf_inside",
                   "Event: VarSet\r\nValue: a\nb: c\n\n\rd\r\n\r\n",
                   {{"Event", "VarSet"}, {"Value", "a\nb: c\n\n\rd"}}},
        HeaderCase{"line_that_begins_with_lf", "Event: X\r\n\nY: 1\r\n\r\n", {{"Event", "X"}, {"\nY", "1"}}},
        HeaderCase{"bare_cr_inside",
                   "Event: VarSet\r\nValue: a\rb\r\r\n\r\n",
                   {{"Event", "VarSet"}, {"Value", "a\rb\r"}}},
        HeaderCase{"repeated",
                   "Event: Status\r\nVariable: a=1\r\nVariable: b=2\r\nVariable: a=1\r\n\r\n",
                   {{"Event", "Status"}, {"Variable", "a=1"}, {"Variable", "b=2"}, {"Variable", "a=1"}}},
        HeaderCase{"empty_values", "Event: X\r\nA: \r\nB:\r\n\r\n", {{"Event", "X"}, {"A", ""}, {"B", ""}}},
        HeaderCase{"colons_and_blanks_in_values",
                   "Event: X\r\nAppData:  a: b::c \r\nB:c\r\n\r\n",
                   {{"Event", "X"}, {"AppData", " a: b::c "}, {"B", "c"}}},
        HeaderCase{"line_without_colon",
                   "Response: Follows\r\nno colon here\r\n--END COMMAND--\r\n\r\n",
                   {{"Response", "Follows"}, {"", "no colon here"}, {"", "--END COMMAND--"}},
                   ami::Message::Kind::response},
        HeaderCase{"neither_event_nor_response",
                   "Foo: bar\r\nEvent: late\r\n\r\n",
                   {{"Foo", "bar"}, {"Event", "late"}},
                   ami::Message::Kind::other},
        HeaderCase{"lower_case_event", "event: Hangup\r\n\r\n", {{"event", "Hangup"}}},
        HeaderCase{"empty_lines_before", "\r\n\r\nEvent: Hangup\r\n\r\n\r\n", {{"Event", "Hangup"}}},
        HeaderCase{"nul_and_invalid_utf8",
                   std::string("Event: X\r\nName: a\0b\xFF\xC3\r\n\r\n", 25),
                   {{"Event", "X"}, {"Name", std::string("a\0b\xFF\xC3", 5)}}}),
    ami_test::case_name);

TEST(parser, gives_the_same_for_every_way_to_cut_in_two) {
    const std::string bytes =
        banner + "Event: A\r\nX: 1\n\r\n\r\nResponse: Error\r\nMessage: \r\n\r\nEvent: part\r\nY";
    const Result whole = parse_whole(bytes);
    ASSERT_EQ(whole.messages.size(), 2U);
    ASSERT_EQ(whole.pending, 14U);
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        EXPECT_EQ(parse(bytes, [&](std::size_t i) { return i == 0 ? cut : bytes.size(); }), whole) << cut;
    }
}

// Random bytes from a small alphabet meet every branch; limits are small so that they are met too.
TEST(parser, gives_the_same_for_any_chunks_of_random_input) {
    std::mt19937 random(20261121);
    const std::string alphabet = "\r\r\r\n\n\n: aE";
    const ami::ParserLimits limits{.line = 12, .block = 40, .headers = 5};
    std::size_t errors = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string bytes = banner;
        const std::size_t length = random() % 120;
        for (std::size_t i = 0; i < length; ++i) {
            if (random() % 10 == 0) bytes += "Event: x\r\n";
            if (random() % 12 == 0) bytes += "\r\n\r\n";
            bytes += alphabet[random() % alphabet.size()];
        }
        const Result whole = parse_whole(bytes, limits);
        errors += whole.error.empty() ? 0 : 1;
        ASSERT_EQ(parse_by(bytes, 1, limits), whole) << testing::PrintToString(bytes);
        ASSERT_EQ(parse(
                      bytes, [&](std::size_t) { return random() % 9; }, limits),
                  whole)
            << testing::PrintToString(bytes);
    }
    EXPECT_GT(errors, 100U);
    EXPECT_LT(errors, 2900U);
}

struct LimitCase {
    std::string name, block;
    std::string error;  // empty: accepted
};

class parser_limits : public testing::TestWithParam<LimitCase> {};

TEST_P(parser_limits, are_exact_and_say_what_and_where) {
    const ami::ParserLimits limits{.line = 20, .block = 60, .headers = 4};
    const std::string bytes = banner + "Event: first\r\n\r\n" + GetParam().block;
    for (const std::size_t size : {bytes.size(), std::size_t{1}, std::size_t{5}}) {
        const Result result = parse_by(bytes, size, limits);
        EXPECT_EQ(result.error, GetParam().error) << "chunks of " << size;
        EXPECT_EQ(result.messages.size(), GetParam().error.empty() ? 2U : 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(
    cases, parser_limits,
    testing::Values(LimitCase{"line_of_the_limit", "Event: 7890123456789\r\n\r\n", ""},
                    LimitCase{"line_over_the_limit", "Event: x\r\nE: 34567890123456789x\r\n\r\n",
                              "line 2 of message 2 has more than 20 bytes"},
                    LimitCase{"line_that_never_ends", "Event: " + std::string(1000, 'x'),
                              "line 1 of message 2 has more than 20 bytes"},
                    LimitCase{"line_of_bare_lf", std::string(1000, '\n'),
                              "line 1 of message 2 has more than 20 bytes"},
                    LimitCase{"headers_of_the_limit", "Event: x\r\nb\r\nc\r\nd\r\n\r\n", ""},
                    LimitCase{"headers_over_the_limit", "Event: x\r\nb\r\nc\r\nd\r\ne\r\n\r\n",
                              "message 2 has more than 4 lines"},
                    LimitCase{"block_over_the_limit",
                              "Event: 78901234567\r\nE: 34567890123456\r\nE: 34567890123456\r\nE: 1\r\n\r\n",
                              "message 2 has more than 60 bytes"}),
    ami_test::case_name);

struct StrangerCase {
    std::string name, bytes, says;
};

class parser_strangers : public testing::TestWithParam<StrangerCase> {};

TEST_P(parser_strangers, are_named_and_stay_refused) {
    const std::string& bytes = GetParam().bytes;
    const Result whole = parse_whole(bytes);
    EXPECT_THAT(whole.error, HasSubstr("does not speak AMI"));
    EXPECT_THAT(whole.error, HasSubstr(GetParam().says));
    EXPECT_TRUE(std::ranges::all_of(whole.error, [](char c) { return c >= 0x20 && c < 0x7F; }))
        << whole.error;
    EXPECT_TRUE(whole.messages.empty());
    EXPECT_EQ(parse_by(bytes, 1), whole);

    ami::Parser parser;
    const auto none = [](const ami::Message&) { ADD_FAILURE(); };
    EXPECT_FALSE(parser.feed(bytes, none));
    const auto again = parser.feed(banner + "Event: x\r\n\r\n", none);
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().text, whole.error);
    parser.reset();
    EXPECT_TRUE(parser.feed(banner, none));
    EXPECT_TRUE(parser.has_banner());
}

INSTANTIATE_TEST_SUITE_P(
    cases, parser_strangers,
    testing::Values(
        StrangerCase{"ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "\"SSH-2.0-OpenSSH_9.2p1 Debian-2\""},
        StrangerCase{"http", "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", "HTTP/1.1 400"},
        StrangerCase{"no_banner", "Response: Success\r\n\r\n", "\"Response: Success\""},
        StrangerCase{"banner_without_version", "Asterisk Call Manager\r\n", "instead of"},
        StrangerCase{"lf_only", "Asterisk Call Manager/11.0.0\nResponse: Success\n\n", "LF instead of CRLF"},
        StrangerCase{"tls_alert_and_noise", std::string("\x15\x03\x01\x00\x02\x02\x46\n", 8),
                     "\\x15\\x03\\x01\\x00"},
        StrangerCase{"endless_first_line", std::string(5000, 'A'), "AAAA"},
        StrangerCase{"banner_with_endless_version", "Asterisk Call Manager/" + std::string(200, '1') + "\r\n",
                     "Asterisk Call Manager/1"}),
    ami_test::case_name);

TEST(parser, keeps_odd_versions_printable) {
    EXPECT_EQ(parse_whole("Asterisk Call Manager/1.1\r\n").version, "1.1");
    EXPECT_EQ(parse_whole("Asterisk Call Manager Proxy/1.22\r\n").version, "1.22");
    EXPECT_EQ(parse_whole("Asterisk Call Manager/\x1b[2J\r\n").version, "\\x1b[2J");
}

TEST(parser, hands_out_messages_before_the_fault) {
    const Result result =
        parse_by(banner + "Event: a\r\n\r\nEvent: b\r\n\r\n" + std::string(70000, 'x'), 4096);
    EXPECT_EQ(result.messages.size(), 2U);
    EXPECT_EQ(result.error, "line 1 of message 3 has more than 65536 bytes");
}

TEST(parser, takes_a_block_of_megabytes_in_small_pieces) {
    std::string bytes = banner + "Response: Success\r\n";
    for (int i = 0; i < 100000; ++i) bytes += "Output: line " + std::to_string(i) + " of a big site\r\n";
    bytes += "\r\n";
    const Result result = parse_by(bytes, 16384);
    EXPECT_EQ(result.error, "");
    ASSERT_EQ(result.messages.size(), 1U);
    EXPECT_EQ(result.messages[0].headers.size(), 100001U);
    EXPECT_EQ(result.messages[0].headers.back().second, "line 99999 of a big site");
}

}  // namespace
