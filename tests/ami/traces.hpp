// Recorded sessions (tests/data/README.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace ami_test {

struct Trace {
    std::string name;
    std::string bytes;                // what the server sent
    std::string actions;              // what the client sent
    std::vector<std::size_t> chunks;  // sizes of the recorded reads
};

std::vector<std::filesystem::path> all_traces();
Trace read_trace(const std::filesystem::path& file);
// One of ami-traces/ by its name without `.ami`.
Trace load_trace(const std::string& name);

}  // namespace ami_test
