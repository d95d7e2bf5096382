// Every recorded session through the parser: nothing lost, the same for any chunks, and what an independent
// reading says.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collect.hpp"
#include "traces.hpp"

namespace {

using ami_test::load_trace;
using ami_test::parse;
using ami_test::parse_by;
using ami_test::parse_whole;
using ami_test::Parsed;
using ami_test::Trace;

std::vector<std::string_view> split(std::string_view text, std::string_view by) {
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; (at = text.find(by)) != std::string_view::npos;
         text.remove_prefix(at + by.size())) {
        parts.push_back(text.substr(0, at));
    }
    if (!text.empty()) parts.push_back(text);
    return parts;
}

// The plain reading: blocks end with an empty line, lines with CRLF, a header is `Name: value`.
std::vector<Parsed> read_plainly(std::string_view bytes) {
    bytes.remove_prefix(bytes.find("\r\n") + 2);
    std::vector<Parsed> messages;
    for (const std::string_view block : split(bytes, "\r\n\r\n")) {
        Parsed& parsed = messages.emplace_back();
        parsed.kind = static_cast<int>(block.starts_with("Event: ")      ? ami::Message::Kind::event
                                       : block.starts_with("Response: ") ? ami::Message::Kind::response
                                                                         : ami::Message::Kind::other);
        for (const std::string_view line : split(block, "\r\n")) {
            const std::size_t colon = line.find(": ");
            EXPECT_NE(colon, std::string_view::npos) << line;
            parsed.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
        }
    }
    return messages;
}

class trace : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(trace, gives_the_same_messages_whole_in_recorded_chunks_and_byte_by_byte) {
    const Trace recorded = ami_test::read_trace(GetParam());
    const auto whole = parse_whole(recorded.bytes);
    EXPECT_EQ(whole.error, "");
    EXPECT_EQ(whole.pending, 0U);
    EXPECT_TRUE(whole.messages == read_plainly(recorded.bytes));
    EXPECT_TRUE(parse(recorded.bytes, [&](std::size_t i) { return recorded.chunks.at(i); }) == whole);
    EXPECT_TRUE(parse_by(recorded.bytes, 1) == whole);
    EXPECT_TRUE(parse_by(recorded.bytes, 16384) == whole);
}

std::string trace_name(const testing::TestParamInfo<std::filesystem::path>& given) {
    std::string name = given.param.stem().string();
    std::ranges::replace(name, '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(recorded, trace, testing::ValuesIn(ami_test::all_traces()), trace_name);

// The number of blocks that the recording's own README counts.
TEST(traces, have_the_number_of_messages_their_description_gives) {
    const std::map<std::string, std::size_t> blocks{
        {"01-login-ping-logoff", 11},       {"01d-permissions-and-bad-actions", 40},
        {"02-inbound-answered", 93},        {"08-click-to-dial", 108},
        {"14b-ami-park-and-timeout", 175},  {"16b-odd-caller-names", 538},
        {"19-initial-sync-two-calls", 220}, {"23-load-queue-local-agents", 31768}};
    for (const auto& [name, count] : blocks) {
        EXPECT_EQ(parse_whole(load_trace(name).bytes).messages.size(), count) << name;
    }
    EXPECT_EQ(ami_test::all_traces().size(), 45U + 91U);
}

TEST(traces, hold_values_with_a_bare_line_feed) {
    std::vector<std::string> values;
    for (const std::string name : {"14b-ami-park-and-timeout", "19-initial-sync-two-calls"}) {
        for (const Parsed& parsed : parse_whole(load_trace(name).bytes).messages) {
            for (const auto& [header, value] : parsed.headers) {
                if (value.ends_with('\n')) values.push_back(value);
            }
        }
    }
    EXPECT_THAT(values, testing::ElementsAre("Park successful\n", "Unable to retrieve endpoint 999\n"));
}

}  // namespace
