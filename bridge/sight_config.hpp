// `see` of the configuration: what operators may see (docs/design.md, section 13).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bridge {

struct SightConfig {
    enum class States : std::uint8_t { everybody, colleagues, nobody };
    bool queues = true;                 // names of queues
    States states = States::everybody;  // of whose phone and agent they see the state
    std::vector<std::string> masked;    // services whose outside numbers are masked; "*": of every call
    bool operator==(const SightConfig&) const = default;
};

}  // namespace bridge
