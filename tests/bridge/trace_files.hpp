// The recorded traces of tests/data, and one replay of them as parsed JSON lines.
#pragma once

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include "bridge/replay.hpp"

namespace traces {

inline const std::filesystem::path root = CTIBRIDGE_TRACES;

struct Trace {
    std::string folder, name;
    [[nodiscard]] std::filesystem::path file(const char* extension) const {
        return root / folder / (name + extension);
    }
};

inline void PrintTo(const Trace& trace, std::ostream* out) {
    *out << trace.folder << '/' << trace.name;
}

inline std::vector<Trace> all() {
    std::vector<Trace> found;
    for (const char* folder : {"ami-traces", "ami-traces-more"})
        for (const auto& entry : std::filesystem::directory_iterator(root / folder))
            if (entry.path().extension() == ".ami") found.push_back({folder, entry.path().stem().string()});
    std::sort(found.begin(), found.end(), [](const Trace& a, const Trace& b) {
        return std::tie(a.folder, a.name) < std::tie(b.folder, b.name);
    });
    return found;
}

// A name googletest accepts.
inline std::string test_name(const Trace& trace) {
    std::string name = (trace.folder == "ami-traces" ? "plain_" : "more_") + trace.name;
    std::replace_if(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
    return name;
}

inline std::vector<crm::Operator> people() {
    return {{"anna@example.org", "5", "hq", "201", {}, true},
            {"zofia@example.org", "6", "hq", "202", {}, true},
            {"peter@example.org", "7", "hq", "203", {}, true}};
}

inline std::string named_after(const testing::TestParamInfo<Trace>& parameter) {
    return test_name(parameter.param);
}

struct Replayed {
    int status = 0;
    std::string out, err;
};

inline Replayed replay(const Trace& trace, std::size_t chunk = 0, bool explain = false) {
    bridge::ReplayOptions options;
    options.trace = trace.file(".ami");
    options.times = trace.file(".times");
    options.operators = people();
    options.chunk = chunk;
    options.explain = explain;
    std::ostringstream out, err;
    const int status = bridge::replay(options, out, err);
    return {status, out.str(), err.str()};
}

// JSON is YAML.
inline std::vector<YAML::Node> lines(const std::string& text) {
    std::vector<YAML::Node> nodes;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);)
        if (!line.empty() && line.front() != '#') nodes.push_back(YAML::Load(line));
    return nodes;
}

inline std::string text(const YAML::Node& node) {
    return !node || node.IsNull() ? std::string("null") : node.Scalar();
}

}  // namespace traces
