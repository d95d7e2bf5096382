// What a trace tells does not depend on what is not certain in it: the order of events of different sources,
// an event that comes twice, what other calls do meanwhile, how fast the exchange is, which numbers and ids
// are in use.
#include <algorithm>
#include <map>
#include <regex>

#include <fmt/format.h>

#include "mutations.hpp"
#include "observed_desk.hpp"

namespace {

using namespace std::chrono_literals;
using recorded::Changes;
using recorded::Millis;
using recorded::ObservedDesk;
using recorded::Picture;
using recorded::Stream;
using seeds::Random;

constexpr Millis tolerance{30};  // span: an event that moves takes its time along

struct Recording {
    traces::Trace trace;
    Stream stream, calls;  // all events; those a call consists of
    Picture truth;
};

Picture picture_of(const Stream& stream) {
    ObservedDesk desk;
    desk.play(stream);
    return desk.finish();
}

const Recording& recording_of(const traces::Trace& trace) {
    static std::map<std::string, Recording> known;
    const auto [found, fresh] = known.try_emplace(trace.folder + trace.name);
    if (fresh) {
        const Stream& stream = recorded::stream_of(trace);
        found->second = {trace, stream, recorded::without_noise(stream), picture_of(stream)};
    }
    return found->second;
}

// The load trace is as long as all others together: now and then is enough.
const Recording& any_recording(Random& random) {
    static const std::vector<traces::Trace> all = traces::all();
    for (;;) {
        const traces::Trace& trace = all[seeds::below(random, all.size())];
        if (!trace.name.starts_with("23-load") || seeds::one_in(random, 30)) return recording_of(trace);
    }
}

const Stream& any_stream_of(const Recording& recording, Random& random) {
    return seeds::one_in(random, 4) ? recording.stream : recording.calls;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += "  " + line + '\n';
    return text;
}

using Check = std::function<std::vector<std::string>(const Stream&)>;

// The failure of a changed stream with no more changes than it needs.
std::string report(const Recording& recording, const Stream& stream, const Changes& changes,
                   const Check& check) {
    if (check(with(stream, changes)).empty()) return {};
    const Changes fewer =
        reduced(changes, [&](const Changes& some) { return !check(with(stream, some)).empty(); });
    return fmt::format("{}\n{}{}", recording.trace.name, text(stream, fewer),
                       joined(check(with(stream, fewer))));
}

std::string same_truth(const Recording& recording, const Stream& stream, const Changes& changes) {
    return report(recording, stream, changes, [&](const Stream& changed) {
        return differences(recording.truth, picture_of(changed), tolerance);
    });
}

TEST(order, every_trace_keeps_the_rules) {
    for (const traces::Trace& trace : traces::all())
        EXPECT_EQ(joined(recording_of(trace).truth.faults), "") << trace.name;
}

TEST(order, noise_says_nothing) {
    for (const traces::Trace& trace : traces::all()) {
        const Recording& recording = recording_of(trace);
        EXPECT_EQ(joined(differences(recording.truth, picture_of(recording.calls), Millis{0})), "")
            << trace.name;
    }
}

TEST(order, of_events_of_one_moment_changes_nothing) {
    seeds::each(300, [](std::uint64_t seed) {
        Random random(seed);
        const Recording& recording = any_recording(random);
        const Stream& stream = any_stream_of(recording, random);
        return same_truth(recording, stream, random_swaps(stream, random));
    });
}

TEST(order, an_event_that_comes_twice_changes_nothing) {
    seeds::each(300, [](std::uint64_t seed) {
        Random random(seed);
        const Recording& recording = any_recording(random);
        const Stream& stream = any_stream_of(recording, random);
        return same_truth(recording, stream, random_repeats(stream, random, 20));
    });
}

TEST(order, an_event_after_the_hangup_of_its_channel_changes_nothing) {
    seeds::each(300, [](std::uint64_t seed) {
        Random random(seed);
        const Recording& recording = any_recording(random);
        const Stream& stream = any_stream_of(recording, random);
        return same_truth(recording, stream, random_latecomers(stream, random, 20));
    });
}

// The rules hold, the same rings are told, and what other calls tell is the same.
std::string only_those_calls_differ(const Recording& recording, const Stream& stream,
                                    const Changes& changes) {
    const std::set<std::string> concerned = calls_of(stream, changes);
    const Picture others = without(recording.truth, concerned);
    return report(recording, stream, changes, [&](const Stream& changed) {
        Picture picture = picture_of(changed);
        const auto wrong = std::move(picture.faults);
        picture.faults.clear();
        auto lines = differences(others, without(std::move(picture), concerned), tolerance);
        lines.insert(lines.begin(), wrong.begin(), wrong.end());
        return lines;
    });
}

TEST(order, a_hangup_that_never_comes_ends_nothing_but_itself) {
    seeds::each(300, [](std::uint64_t seed) {
        Random random(seed);
        const Recording& recording = any_recording(random);
        const Stream& stream = any_stream_of(recording, random);
        return only_those_calls_differ(recording, stream, random_drops(stream, random, {"Hangup"}, 4));
    });
}

TEST(order, an_event_that_never_comes_breaks_no_rule) {
    static const std::set<std::string> dropped{"Newstate",
                                               "NewCallerid",
                                               "NewConnectedLine",
                                               "HangupRequest",
                                               "SoftHangupRequest",
                                               "DialBegin",
                                               "DialEnd",
                                               "BridgeEnter",
                                               "BridgeLeave",
                                               "Hold",
                                               "Unhold",
                                               "VarSet",
                                               "BlindTransfer",
                                               "AttendedTransfer",
                                               "ParkedCall",
                                               "Pickup",
                                               "AgentConnect",
                                               "QueueCallerAbandon",
                                               "QueueCallerLeave",
                                               "QueueCallerJoin",
                                               "OriginateResponse",
                                               "Newchannel"};
    seeds::each(300, [](std::uint64_t seed) {
        Random random(seed);
        const Recording& recording = any_recording(random);
        const Stream& stream = any_stream_of(recording, random);
        Changes changes = random_drops(stream, random, dropped, 4);
        if (seeds::one_in(random, 3)) {
            const Changes swaps = random_swaps(stream, random);
            changes.insert(changes.end(), swaps.begin(), swaps.end());
        }
        return only_those_calls_differ(recording, stream, changes);
    });
}

}  // namespace
