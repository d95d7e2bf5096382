// Asterisk is started anew in the middle of calls, and its Uniqueids come again: the old calls end as lost,
// the new ones are others, told as if there had never been any.
#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "observed_desk.hpp"
#include "seeds.hpp"

namespace {

using namespace std::chrono_literals;
using recorded::Millis;
using recorded::ObservedDesk;
using recorded::Picture;
using recorded::Stream;
using seeds::Random;

recorded::Event booted(int uptime) {
    return recorded::Event({{"Event", "FullyBooted"}, {"Uptime", std::to_string(uptime)}});
}

// As a picture that began at 0, of calls whose ids were never used before.
Picture told_afresh(const Picture& later, Millis by) {
    Picture picture;
    picture.faults = later.faults;
    const auto fresh = [](const std::string& id) {
        return id.empty() ? id : "hq:" + recorded::linkedid_of(id);
    };
    const auto earlier = [&](auto&... times) {
        const auto move = [&](auto& at) {
            if constexpr (requires { *at; }) {
                if (at) *at -= by;
            } else {
                at -= by;
            }
        };
        (move(times), ...);
    };
    for (auto [id, row] : later.calls) {
        row.id = fresh(id);
        row.merged_into = fresh(row.merged_into);
        earlier(row.started, row.answered, row.ended);
        picture.calls.emplace(row.id, row);
    }
    for (auto [key, row] : later.legs) {
        row.call = fresh(row.call);
        earlier(row.offered, row.answered, row.ended);
        picture.legs.emplace(row.call + ' ' + row.uniqueid + ' ' + row.jid, row);
    }
    for (auto [key, notices] : later.notices) {
        for (bridge::Notice& notice : notices) {
            notice.id = fresh(notice.id);
            earlier(notice.at, notice.started);
        }
        picture.notices.emplace(key, notices);
    }
    return picture;
}

// The trace up to a cut, what happens between, and the whole trace again with the same ids.
std::string again_after(Random& random, const std::function<void(ObservedDesk&)>& between) {
    static const std::vector<traces::Trace> all = traces::all();
    const traces::Trace& trace = all[seeds::below(random, all.size())];
    if (trace.name.starts_with("23-load")) return {};
    const Stream& stream = recorded::stream_of(trace);
    if (stream.empty()) return {};
    ObservedDesk once;
    once.play(stream);
    const Picture truth = once.finish();

    ObservedDesk desk;
    const std::size_t cut = seeds::below(random, stream.size());
    desk.play({stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(cut)});
    between(desk);
    const Picture before = desk.taken();
    const Millis by = desk.now() + 1s;
    desk.play(recorded::moved(stream, by));
    auto wrong = differences(truth, told_afresh(desk.finish(), by), Millis{0});
    wrong.insert(wrong.end(), before.faults.begin(), before.faults.end());
    for (const auto& [id, row] : before.calls)
        if (!row.ended) wrong.push_back(id + " did not end before");
    std::string lines;
    for (const std::string& line : wrong) lines += "  " + line + '\n';
    return lines.empty() ? lines : fmt::format("{} cut at {}\n{}", trace.name, cut, lines);
}

TEST(restart, of_asterisk_makes_other_calls_of_the_same_ids) {
    seeds::each(200, [](std::uint64_t seed) {
        Random random(seed);
        return again_after(random, [&](ObservedDesk& desk) {
            desk.take(desk.desk().link_lost(desk.now()));
            const Millis down(2000 + static_cast<int>(seeds::below(random, 20000)));
            desk.wait(desk.now() + down);
            desk.hear(booted(1), desk.now() + down);
            // what is told before the lists is told of new channels already
            desk.restarted();
        });
    });
}

TEST(restart, without_fullybooted_the_lists_tell_it) {
    seeds::each(200, [](std::uint64_t seed) {
        Random random(seed);
        return again_after(random, [](ObservedDesk& desk) { desk.restarted(); });
    });
}

TEST(restart, that_was_none_ends_nothing) {
    const Stream stream = [] {
        Stream one;
        recorded::Event::Headers headers{{"Event", "Newchannel"},
                                         {"Channel", "PJSIP/trunk-00000001"},
                                         {"Uniqueid", "1.0"},
                                         {"Linkedid", "1.0"},
                                         {"ChannelStateDesc", "Ring"},
                                         {"Exten", "02079460201"},
                                         {"CallerIDNum", "+447700900123"}};
        one.push_back({Millis{0}, std::make_shared<recorded::Event>(headers)});
        return one;
    }();
    ObservedDesk desk;
    desk.play(stream);
    desk.take(desk.desk().link_lost(1s));
    desk.hear(booted(3600), 5s);  // up for an hour: it was only the link
    desk.hear(booted(3), 5s);     // up for three seconds: perhaps before the link was lost
    EXPECT_EQ(desk.desk().calls(), 1U);
    desk.hear(booted(2), 5s);
    EXPECT_EQ(desk.desk().calls(), 0U);
}

}  // namespace
