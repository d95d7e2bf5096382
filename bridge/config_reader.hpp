// Typed reading of a YAML tree: every fault is collected with file, line, key, what is wrong and what to do.
// A table row per key (Row) names the member that takes the value. Private to the .cpp files that read one:
// the only header that shows yaml-cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "bridge/config_values.hpp"
#include "bridge/printable.hpp"

namespace bridge {

class ConfigReader {
 public:
    ConfigReader(std::filesystem::path file, bool with_secrets)
        : file_(std::move(file)), with_secrets_(with_secrets) {}

    void fault(const YAML::Node& node, std::string_view what) { errors_.push_back(line(node, what)); }
    void warn(const YAML::Node& node, std::string_view what) { warnings_.push_back(line(node, what)); }
    [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

    // While it lives, faults name this key below the present one.
    class Inside {
     public:
        Inside(ConfigReader& reader, std::string_view key) : reader_(reader), length_(reader.path_.size()) {
            if (!reader.path_.empty() && !key.starts_with('[')) reader.path_ += '.';
            reader.path_ += key;
        }
        ~Inside() { reader_.path_.resize(length_); }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;

     private:
        ConfigReader& reader_;
        std::size_t length_;
    };

    // A scalar that is text: nullopt after a fault. Control characters are refused, for they reach AMI and
    // XMPP.
    std::optional<std::string> text(const YAML::Node& node, bool may_be_empty = false);
    std::optional<bool> yes_no(const YAML::Node& node);
    std::optional<long long> number(const YAML::Node& node, long long least, long long most);
    std::optional<std::chrono::milliseconds> span(const YAML::Node& node);
    std::optional<std::string> secret(const YAML::Node& node, bool may_be_empty = false);
    std::optional<std::filesystem::path> path(
        const YAML::Node& node);  // relative ones: beside the configuration
    // Calls `each` for every element with the path set; a fault when the node is no list.
    template <class Each>
    void list(const YAML::Node& node, Each each);
    // A list of different texts; `wrong` says what is wrong with one, empty when nothing is.
    void texts(const YAML::Node& node, std::vector<std::string>& into,
               std::string (*wrong)(std::string_view));

 private:
    [[nodiscard]] std::string line(const YAML::Node& node, std::string_view what) const;
    std::filesystem::path file_;
    bool with_secrets_;
    std::string path_;
    std::vector<std::string> errors_, warnings_;
};

std::string_view kind_of(const YAML::Node& node);

struct YamlLimits {
    std::string_view missing;  // what to do where there is no such file
    std::uintmax_t megabytes = 1;
    std::size_t values = 100000;  // aliases counted with all they stand for
};
// The error is one line with file and line, and what to do.
std::expected<YAML::Node, std::string> load_yaml(const std::filesystem::path& file, const YamlLimits& limits);

template <class T>
struct Row {
    std::string_view key;
    void (*read)(ConfigReader&, const YAML::Node&, T&);
    bool required = false;
};

// Reads a map by its table. Unknown and repeated keys are faults; so are required ones that are missing.
template <class T>
void read_map(ConfigReader& reader, const YAML::Node& node, std::span<const Row<T>> rows, T& into) {
    std::vector<std::string_view> known;
    for (const auto& row : rows) known.push_back(row.key);
    if (!node.IsMap()) {
        reader.fault(node,
                     fmt::format("is {}, but must hold keys: {}", kind_of(node), fmt::join(known, ", ")));
        return;
    }
    std::vector<bool> seen(rows.size());
    for (const auto& entry : node) {
        if (!entry.first.IsScalar()) {
            reader.fault(entry.first, "has a key that is no word; keys are plain words");
            continue;
        }
        std::string key = entry.first.Scalar();
        auto row = std::find(known.begin(), known.end(), key);
        ConfigReader::Inside inside(reader, printable(key));
        if (row == known.end()) {
            auto near = nearest(key, known);
            reader.fault(entry.first,
                         near.empty() ? fmt::format("is unknown here; known are {}", fmt::join(known, ", "))
                                      : fmt::format("is unknown here; did you mean `{}`?", near));
            continue;
        }
        auto index = static_cast<std::size_t>(row - known.begin());
        if (seen[index]) {
            reader.fault(entry.first, "is given twice; delete one of the two");
            continue;
        }
        seen[index] = true;
        if (entry.second.IsNull()) {  // its own place would be that of the next key
            reader.fault(entry.first, "has no value; give one or delete the key");
            continue;
        }
        rows[index].read(reader, entry.second, into);
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].required && !seen[i]) {
            ConfigReader::Inside inside(reader, rows[i].key);
            reader.fault(node, "is missing; add it");
        }
}

template <class Each>
void ConfigReader::list(const YAML::Node& node, Each each) {
    if (!node.IsSequence()) {
        fault(node, fmt::format("is {}, but must be a list: [a, b]", kind_of(node)));
        return;
    }
    std::size_t index = 0;
    for (const auto& item : node) {
        Inside inside(*this, fmt::format("[{}]", index++));
        each(item);
    }
}

}  // namespace bridge
