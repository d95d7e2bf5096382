// Changes to a recorded stream that a real exchange, or a bad day, may bring about: other orders within the
// measured bounds, repeated events, events that never come or come when their
// channel is over. A change is a value, so that a failure can be
// reduced to the changes it needs.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "recorded_events.hpp"
#include "seeds.hpp"

namespace recorded {

struct Change {
    enum class Kind : std::uint8_t { swap, repeat, drop, late };
    Kind kind;
    std::size_t event;      // its place in the recorded stream
    std::size_t other = 0;  // swap: the event directly behind it; repeat, late: how many events later
};
using Changes = std::vector<Change>;

// May two events that follow each other within milliseconds come the other way round?
bool may_swap(const Event& first, const Event& second);

// Only the events that a call consists of: what lies between them hinders swaps.
Stream without_noise(const Stream& stream);

Changes random_swaps(const Stream& stream, seeds::Random& random);
Changes random_repeats(const Stream& stream, seeds::Random& random, std::size_t most);
// Of events that are named so.
Changes random_drops(const Stream& stream, seeds::Random& random, const std::set<std::string>& names,
                     std::size_t most);

// Events that come once more when their channels are over.
Changes random_latecomers(const Stream& stream, seeds::Random& random, std::size_t most);

// A swap is done only if the two still follow each other and may swap.
Stream with(const Stream& stream, const Changes& changes);

// The fewest of `changes` with which `wrong` is still true.
Changes reduced(Changes changes, const std::function<bool(const Changes&)>& wrong);
std::string text(const Stream& stream, const Changes& changes);

// Linkedids of all calls the changed events belong to, now or later.
std::set<std::string> calls_of(const Stream& stream, const Changes& changes);

}  // namespace recorded
