#include "bridge/trace.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include <fmt/format.h>

namespace bridge {

namespace {

constexpr Millis opening_span{5000};  // a recorder asks for its lists one after the other

}  // namespace

std::expected<std::string, std::string> read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    if (!in.is_open() || in.bad() || std::filesystem::is_directory(file))
        return std::unexpected(fmt::format("{}: cannot be read", file.string()));
    return bytes;
}

std::expected<std::vector<Arrival>, std::string> read_times(const std::filesystem::path& file) {
    const auto text = read_file(file);
    if (!text) return std::unexpected(text.error());
    std::vector<Arrival> arrivals;
    std::string_view rest = *text;
    for (std::size_t line = 1; !rest.empty(); ++line) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view row = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (row.empty()) continue;
        std::size_t offset = 0;
        std::int64_t at = 0;
        const char* stop = row.data() + row.size();
        const auto first = std::from_chars(row.data(), stop, offset);
        const bool tab = first.ec == std::errc{} && first.ptr != stop && *first.ptr == '\t';
        if (!tab || std::from_chars(first.ptr + 1, stop, at).ec != std::errc{} ||
            (!arrivals.empty() && offset < arrivals.back().offset))
            return std::unexpected(
                fmt::format("{}:{}: not a line of offset, tab, milliseconds", file.string(), line));
        arrivals.push_back({offset, Millis(at)});
    }
    if (!arrivals.empty())
        for (const Millis first = arrivals.front().at; Arrival & arrival : arrivals) arrival.at -= first;
    return arrivals;
}

std::expected<std::vector<Millis>, ami::ParseError> message_times(std::string_view bytes,
                                                                  const std::vector<Arrival>& arrivals) {
    std::vector<Millis> times;
    ami::Parser parser;
    Millis now{0};
    const auto count = [&](const ami::Message&) { times.push_back(now); };
    std::size_t from = 0;
    for (std::size_t i = 0; i < arrivals.size() && from < bytes.size(); ++i) {
        now = arrivals[i].at;
        const std::size_t to =
            i + 1 < arrivals.size() ? std::min(arrivals[i + 1].offset, bytes.size()) : bytes.size();
        if (to <= from) continue;
        if (auto fed = parser.feed(bytes.substr(from, to - from), count); !fed)
            return std::unexpected(fed.error());
        from = to;
    }
    return times;
}

std::expected<Trace, std::string> Trace::load(const std::filesystem::path& file,
                                              const std::optional<std::filesystem::path>& times) {
    const auto bytes = read_file(file);
    if (!bytes) return std::unexpected(bytes.error());
    std::vector<Arrival> arrivals;
    if (times) {
        auto when = read_times(*times);
        if (!when) return std::unexpected(when.error());
        arrivals = std::move(*when);
    }
    return make(file.string(), *bytes, arrivals);
}

std::expected<Trace, std::string> Trace::make(const std::string& name, std::string_view bytes,
                                              const std::vector<Arrival>& arrivals) {
    const auto completed = message_times(bytes, arrivals);
    if (!completed) return std::unexpected(fmt::format("{}: {}", name, completed.error().text));
    Trace trace;
    trace.bytes_.assign(bytes.begin(), bytes.end());
    std::string_view rest(trace.bytes_.data(), trace.bytes_.size());
    const std::size_t line = rest.find("\r\n");
    ami::Parser parser;
    if (line == std::string_view::npos || !parser.feed(rest.substr(0, line + 2), [](const auto&) {}) ||
        !parser.has_banner())
        return std::unexpected(
            fmt::format("{}: not an AMI session, the banner `Asterisk Call Manager/` is missing", name));
    trace.banner_ = rest.substr(0, line + 2);
    rest.remove_prefix(line + 2);
    for (std::size_t end = 0; (end = rest.find("\r\n\r\n")) != std::string_view::npos;) {
        while (rest.starts_with("\r\n")) rest.remove_prefix(2);
        end = rest.find("\r\n\r\n");
        if (end == std::string_view::npos) break;
        const std::size_t index = trace.blocks_.size();
        trace.blocks_.push_back(
            {rest.substr(0, end + 4), index < completed->size() ? (*completed)[index] : Millis{0}});
        rest.remove_prefix(end + 4);
    }
    trace.find_opening();
    return trace;
}

void Trace::find_opening() {
    BlockReader answers(banner_);
    for (const Block& block : blocks_)
        answers.read(block.bytes, [&](const ami::Message& message) {
            if (message.kind() == ami::Message::Kind::response && message.find("ActionID"))
                own_.emplace(message.get("ActionID"));
        });

    BlockReader reader(banner_);
    std::set<std::string, std::less<>> seen;  // channels that began in the recording
    std::set<std::string, std::less<>> done;  // lists
    std::size_t first_channel = blocks_.size();
    bool strangers = false;
    std::optional<Millis> first_list;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
        const Block& block = blocks_[i];
        if (first_list && block.at - *first_list > opening_span) break;
        reader.read(block.bytes, [&](const ami::Message& message) {
            if (message.is_event("Newchannel")) {
                first_channel = std::min(first_channel, i);
                seen.emplace(message.get("Uniqueid"));
            }
            if (!own_.contains(message.get("ActionID"))) return;
            if (message.is_event("Status") || message.is_event("CoreShowChannel"))
                strangers |= !seen.contains(message.get("Uniqueid"));
            if (std::ranges::find(lists, message.name()) == lists.end()) return;
            if (!first_list) first_list = block.at;
            if (done.emplace(message.name()).second) opening_ = i + 1;
        });
    }
    if (!strangers) opening_ = std::min(opening_, first_channel);
}

}  // namespace bridge
