// Property tests by seed. A failing seed is replayed with CTIBRIDGE_SEED=N, alone; CTIBRIDGE_SEEDS=N runs N
// of them from CTIBRIDGE_SEED (or 1) on.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace seeds {

using Random = std::mt19937_64;

inline std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

inline std::size_t below(Random& random, std::size_t limit) {
    return static_cast<std::size_t>(random() % limit);
}

inline bool one_in(Random& random, std::size_t of) {
    return below(random, of) == 0;
}

// `check` says what is wrong, nothing if all is right. Ends at the third failure.
inline void each(std::uint64_t count, const std::function<std::string(std::uint64_t seed)>& check) {
    const bool single = std::getenv("CTIBRIDGE_SEED") != nullptr;
    const std::uint64_t first = number_in("CTIBRIDGE_SEED", 1);
    count = number_in("CTIBRIDGE_SEEDS", single ? 1 : count);
    int failures = 0;
    for (std::uint64_t seed = first; seed < first + count && failures < 3; ++seed) {
        const std::string wrong = check(seed);
        if (wrong.empty()) continue;
        ++failures;
        ADD_FAILURE() << "CTIBRIDGE_SEED=" << seed << '\n' << wrong;
    }
}

}  // namespace seeds
