#include "bridge/ranking.hpp"

#include <algorithm>
#include <tuple>

namespace bridge {

void prefer_modules(crm::Lookup& lookup, std::span<const std::string> modules) {
    if (modules.empty()) return;
    const auto rank = [&](const crm::Match& match) {
        return std::tuple(match.quality, std::find(modules.begin(), modules.end(), match.module));
    };
    std::stable_sort(lookup.matches.begin(), lookup.matches.end(),
                     [&](const crm::Match& a, const crm::Match& b) { return rank(a) < rank(b); });
}

}  // namespace bridge
