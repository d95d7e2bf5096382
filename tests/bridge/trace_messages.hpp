// The messages of a recorded trace, each with the time of the chunk that completed it.
#pragma once

#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/parser.hpp"
#include "trace_files.hpp"

namespace traces {

// A message that owns its text.
class Block {
 public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    explicit Block(const ami::Message& message) : kind_(message.kind()) {
        for (const ami::Header& header : message.headers())
            texts_->emplace_back(std::string(header.name), std::string(header.value));
        view();
    }
    explicit Block(Headers event) : texts_(std::make_shared<Headers>(std::move(event))) { view(); }

    [[nodiscard]] ami::Message message() const { return {kind_, *views_}; }
    [[nodiscard]] const Headers& headers() const { return *texts_; }
    [[nodiscard]] std::string_view get(std::string_view name) const { return message().get(name); }

 private:
    void view() {
        for (const auto& [name, value] : *texts_) views_->push_back({name, value});
    }
    std::shared_ptr<Headers> texts_ = std::make_shared<Headers>();
    std::shared_ptr<std::vector<ami::Header>> views_ = std::make_shared<std::vector<ami::Header>>();
    ami::Message::Kind kind_ = ami::Message::Kind::event;
};

struct Timed {
    std::chrono::milliseconds at{0};
    Block block;
};

inline std::vector<Timed> messages(const Trace& trace) {
    const auto slurp = [](const std::filesystem::path& file) {
        std::ifstream in(file, std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    };
    const std::string bytes = slurp(trace.file(".ami"));
    std::vector<std::pair<std::size_t, long>> chunks;
    std::istringstream times(slurp(trace.file(".times")));
    long at = 0;
    for (std::size_t offset = 0; times >> offset >> at;) chunks.emplace_back(offset, at);
    std::vector<Timed> all;
    ami::Parser parser;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        const std::size_t to = i + 1 < chunks.size() ? chunks[i + 1].first : bytes.size();
        const std::chrono::milliseconds now(chunks[i].second - chunks.front().second);
        const auto fed =
            parser.feed(std::string_view(bytes).substr(chunks[i].first, to - chunks[i].first),
                        [&](const ami::Message& message) { all.push_back({now, Block(message)}); });
        EXPECT_TRUE(fed) << trace.name;
    }
    return all;
}

}  // namespace traces
