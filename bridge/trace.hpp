// A recorded AMI session: the bytes Asterisk sent, when they came, and the blocks they consist of.
// Written by `ctibridge record` (bridge/recorder.hpp); read by `replay` in all its forms.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ami/parser.hpp"

namespace bridge {

using Millis = std::chrono::milliseconds;

struct Arrival {  // one read of the recorder
    std::size_t offset;
    Millis at;
};

// The whole file; the error names it.
std::expected<std::string, std::string> read_file(const std::filesystem::path& file);

// Lines of offset, TAB, milliseconds; times count from the first line. The error names file and line.
std::expected<std::vector<Arrival>, std::string> read_times(const std::filesystem::path& file);

// When each message of the trace was complete: the time of the read with its last byte, however the bytes
// are fed later.
std::expected<std::vector<Millis>, ami::ParseError> message_times(std::string_view bytes,
                                                                  const std::vector<Arrival>& arrivals);

// A trace in the pieces that can be sent again. Owns its bytes; the views of the blocks stay valid when it
// is moved.
class Trace {
 public:
    // The lists of an initial synchronisation, by the events that end them.
    static constexpr std::array<std::string_view, 5> lists{"StatusComplete", "CoreShowChannelsComplete",
                                                           "QueueStatusComplete", "DeviceStateListComplete",
                                                           "ExtensionStateListComplete"};
    struct Block {
        std::string_view bytes;  // with its empty line
        Millis at;               // when it was complete; 0 without times
    };
    // `name` is what errors call it.
    static std::expected<Trace, std::string> make(const std::string& name, std::string_view bytes,
                                                  const std::vector<Arrival>& arrivals);
    // The error names the file and what is wrong with it.
    static std::expected<Trace, std::string> load(const std::filesystem::path& file,
                                                  const std::optional<std::filesystem::path>& times);

    [[nodiscard]] std::string_view banner() const { return banner_; }  // with its line end
    [[nodiscard]] const std::vector<Block>& blocks() const { return blocks_; }
    // The recorder's own ActionIDs.
    [[nodiscard]] const std::set<std::string, std::less<>>& own() const { return own_; }
    // Blocks before which the recorder's first lists were complete: what went on before it came. 0 when it
    // asked for none before the first call it saw begin.
    [[nodiscard]] std::size_t opening() const { return opening_; }

 private:
    std::vector<char> bytes_;  // not a string: a short one would move its bytes
    std::string_view banner_;
    std::vector<Block> blocks_;
    std::set<std::string, std::less<>> own_;
    std::size_t opening_ = 0;

    void find_opening();
};

// Parses the blocks of a trace one at a time; each gives one message.
class BlockReader {
 public:
    explicit BlockReader(std::string_view banner) {
        (void)parser_.feed(banner, [](const auto&) {});
    }
    template <class Sink>
    void read(std::string_view block, const Sink& sink) {
        (void)parser_.feed(block, [&](const ami::Message& message) { sink(message); });
    }

 private:
    ami::Parser parser_;
};

}  // namespace bridge
