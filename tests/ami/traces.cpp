#include "traces.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace ami_test {

namespace {

const std::filesystem::path root = CTIBRIDGE_TRACES;

std::string read(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::vector<std::filesystem::path> all_traces() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        if (entry.path().extension() == ".ami") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

Trace read_trace(const std::filesystem::path& file) {
    Trace trace;
    trace.name = file.stem().string();
    trace.bytes = read(file);
    std::filesystem::path other = file;
    trace.actions = read(other.replace_extension(".actions"));
    std::ifstream times(other.replace_extension(".times"));
    std::size_t offset = 0;
    std::size_t last = 0;
    for (std::string milliseconds; times >> offset >> milliseconds; last = offset) {
        if (offset > last) trace.chunks.push_back(offset - last);
    }
    if (trace.bytes.size() > last) trace.chunks.push_back(trace.bytes.size() - last);
    return trace;
}

Trace load_trace(const std::string& name) {
    return read_trace(root / "ami-traces" / (name + ".ami"));
}

}  // namespace ami_test
