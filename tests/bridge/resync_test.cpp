// A link that breaks anywhere in any recorded trace: after the lists were read, the rest of the trace ends in
// the same notices and rows.
#include <algorithm>
#include <cstdlib>
#include <random>

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gap_run.hpp"

namespace {

using test::GapRun;
using test::Messages;
using test::Millis;
using test::SwitchState;
using traces::Block;
using traces::Trace;

unsigned long number_from(const char* variable, unsigned long otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoul(text, nullptr, 10);
}

std::vector<Block> shuffled_lists(const SwitchState& pbx, Millis now, std::mt19937_64& random) {
    // Asterisk lists channels in no order
    auto status = pbx.status(now, {"FROM_DID", "CALLINGNUMPRES_SV"});
    auto channels = pbx.channels(now);
    std::shuffle(status.begin(), status.end() - 1, random);
    std::shuffle(channels.begin(), channels.end() - 1, random);
    std::vector<Block> all(std::move(status));
    for (const auto& list : {channels, pbx.queues(now), pbx.devices(), pbx.hints()})
        all.insert(all.end(), list.begin(), list.end());
    return all;
}

class resync : public testing::TestWithParam<Trace> {};

// ---- the picture itself

TEST_P(resync, the_picture_of_asterisk_foresees_every_linkedid) {
    SwitchState pbx;
    for (const auto& one : traces::messages(GetParam())) pbx.follow(one.block, one.at);
    EXPECT_THAT(pbx.surprises(), testing::IsEmpty());
}

// ---- gaps without an event

// Where a cut can matter: the picture or what was told changed since the last one.
std::vector<std::size_t> cuts_of(const Messages& messages, std::size_t most, std::mt19937_64& random) {
    std::vector<std::size_t> cuts;
    SwitchState pbx;
    bool whole = true;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const std::size_t before = pbx.version(), taught = pbx.taught();
        const bool dialplan = messages[i].block.message().is_event("Newexten");
        pbx.follow(messages[i].block, messages[i].at);
        if (pbx.taught() != taught) whole = false;  // calls of before the trace, in its own lists
        if (messages[i].block.message().is_event("QueueStatusComplete")) whole = true;
        if (pbx.taught() != taught) cuts.clear();
        if (whole && pbx.version() != before && !dialplan) cuts.push_back(i + 1);
    }
    if (cuts.size() > most) {
        std::shuffle(cuts.begin(), cuts.end(), random);
        cuts.resize(most);
        std::sort(cuts.begin(), cuts.end());
    }
    return cuts;
}

std::vector<std::string> difference(std::vector<std::string> wanted, std::vector<std::string> got) {
    std::vector<std::string> lines;
    for (const auto& line : wanted)
        if (std::find(got.begin(), got.end(), line) == got.end()) lines.push_back("missing " + line);
    for (const auto& line : got)
        if (std::find(wanted.begin(), wanted.end(), line) == wanted.end()) lines.push_back("extra   " + line);
    if (lines.empty() && wanted != got) lines.push_back("the same, in another order or number");
    return lines;
}

TEST_P(resync, an_empty_gap_anywhere_changes_nothing) {
    const Messages messages = traces::messages(GetParam());
    std::mt19937_64 random(number_from("CTIBRIDGE_SEED", 1));
    GapRun whole;
    for (const auto& one : messages) whole.feed(one);
    whole.finish();
    const auto wanted = whole.lines();

    const std::size_t most = messages.size() > 5000 ? 3 : number_from("CTIBRIDGE_CUTS", 100000);
    SwitchState pbx;
    std::size_t followed = 0, failures = 0;
    for (const std::size_t cut : cuts_of(messages, most, random)) {
        GapRun run;
        for (; followed < cut; ++followed) pbx.follow(messages[followed].block, messages[followed].at);
        for (std::size_t i = 0; i < cut; ++i) run.feed(messages[i]);
        const Millis at = messages[cut - 1].at;
        run.lose(at);
        const auto lists = shuffled_lists(pbx, at, random);
        if (random() % 4 == 0) run.broken_sync(lists, random() % lists.size(), at);
        run.sync(lists, at);
        for (std::size_t i = cut; i < messages.size(); ++i) run.feed(messages[i]);
        run.finish();
        const auto lines = run.lines();
        if (lines == wanted) continue;
        ADD_FAILURE() << "cut behind event " << cut << " (" << messages[cut - 1].block.message().name()
                      << " at " << at.count() << " ms)\n"
                      << fmt::format("{}", fmt::join(difference(wanted, lines), "\n"));
        if (++failures == 5) FAIL() << "more of the same is not shown";
    }
}

INSTANTIATE_TEST_SUITE_P(traces, resync, testing::ValuesIn(traces::all()), traces::named_after);

}  // namespace
