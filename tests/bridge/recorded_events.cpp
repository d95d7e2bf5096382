#include "recorded_events.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "ami/parser.hpp"

namespace recorded {

namespace {

std::string content(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

// Offset and time of each piece as it was received.
std::vector<std::pair<std::size_t, Millis>> pieces_of(const traces::Trace& trace) {
    std::vector<std::pair<std::size_t, Millis>> pieces;
    std::ifstream times(trace.file(".times"));
    std::size_t offset = 0;
    std::int64_t at = 0;
    while (times >> offset >> at) pieces.emplace_back(offset, at);
    for (auto& piece : pieces) piece.second -= pieces.front().second;
    return pieces;
}

// Which events belong together: the same Linkedid, one channel in two calls, or two calls in one conference.
class Groups {
 public:
    int of(const Event& event) {
        const std::string_view linkedid = event.get("Linkedid"), other = event.get("DestLinkedid");
        for (const auto& [channel, call] : {std::pair(event.uniqueid, linkedid), {event.dest, other}})
            if (!channel.empty())
                join(name("c", channel), call.empty() ? name("c", channel) : name("l", call));
        if (!event.uniqueid.empty() && !event.dest.empty())
            join(name("c", event.uniqueid), name("c", event.dest));
        if (const auto bridge = event.get("BridgeUniqueid"); !bridge.empty() && !event.uniqueid.empty())
            join(name("c", event.uniqueid), name("b", bridge));
        for (const std::string_view header :
             {"Uniqueid", "DestUniqueid", "TransfererUniqueid", "OrigTransfererUniqueid", "ParkeeUniqueid"})
            if (const auto id = event.get(header); !id.empty()) return number(name("c", id));
        return -1;
    }
    int root(int at) {
        while (at >= 0 && parent_[static_cast<std::size_t>(at)] != at)
            at = parent_[static_cast<std::size_t>(at)];
        return at;
    }

 private:
    static std::string name(std::string_view kind, std::string_view id) {
        return std::string(kind).append(id);
    }
    int number(const std::string& id) {
        const auto [found, fresh] = numbers_.try_emplace(id, static_cast<int>(parent_.size()));
        if (fresh) parent_.push_back(found->second);
        return found->second;
    }
    void join(const std::string& a, const std::string& b) {
        const int from = root(number(a)), to = root(number(b));
        parent_[static_cast<std::size_t>(from)] = to;
    }
    std::unordered_map<std::string, int> numbers_;
    std::vector<int> parent_;
};

using Raw = std::vector<std::pair<Millis, Event::Headers>>;

Stream grouped(Raw&& raw) {
    Groups groups;
    std::vector<std::shared_ptr<Event>> events;
    Stream stream;
    for (auto& [at, headers] : raw) {
        auto& event = events.emplace_back(std::make_shared<Event>(std::move(headers)));
        event->group = groups.of(*event);
        stream.push_back({at, event, true});
    }
    for (auto& event : events) event->group = groups.root(event->group);
    return stream;
}

Stream load(const traces::Trace& trace) {
    const std::string bytes = content(trace.file(".ami"));
    const auto pieces = pieces_of(trace);
    Raw raw;
    ami::Parser parser;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::size_t from = std::min(pieces[i].first, bytes.size());
        const std::size_t to = i + 1 < pieces.size() ? pieces[i + 1].first : bytes.size();
        const auto fed =
            parser.feed(std::string_view(bytes).substr(from, to - from), [&](const ami::Message& message) {
                if (message.kind() != ami::Message::Kind::event) return;
                Event::Headers headers;
                for (const auto& [name, value] : message.headers()) headers.emplace_back(name, value);
                raw.emplace_back(pieces[i].second, std::move(headers));
            });
        if (!fed) throw std::runtime_error(trace.name + ": " + fed.error().text);
    }
    return grouped(std::move(raw));
}

}  // namespace

Event::Event(Headers of) : headers(std::move(of)) {
    for (const auto& [key, value] : headers) flat_.push_back({key, value});
    name = message().name();
    uniqueid = get("Uniqueid");
    dest = get("DestUniqueid");
}

std::string Event::text() const {
    std::string line(name);
    for (const char* header :
         {"Channel", "Uniqueid", "Linkedid", "DestChannel", "DestUniqueid", "ChannelStateDesc", "DialStatus",
          "BridgeUniqueid", "Cause", "Queue", "Response", "Variable"})
        if (const auto value = get(header); !value.empty())
            line.append(" ").append(header).append("=").append(value);
    return line;
}

const Stream& stream_of(const traces::Trace& trace) {
    static std::map<std::string, Stream> loaded;
    const auto [found, fresh] = loaded.try_emplace(trace.folder + '/' + trace.name);
    if (fresh) found->second = load(trace);
    return found->second;
}

Stream changed(const Stream& stream, const std::function<std::string(const std::string&)>& change) {
    Raw raw;
    for (const Moment& moment : stream) {
        Event::Headers headers = moment.event->headers;
        for (auto& [name, value] : headers)
            if (name != "Event") value = change(value);
        raw.emplace_back(moment.at, std::move(headers));
    }
    return grouped(std::move(raw));
}

Stream moved(const Stream& stream, Millis by, double pace) {
    Stream other = stream;
    for (Moment& moment : other)
        moment.at = by + Millis(static_cast<std::int64_t>(static_cast<double>(moment.at.count()) * pace));
    return other;
}

Stream together(const Stream& a, const Stream& b) {
    Stream both;
    std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both),
               [](const Moment& x, const Moment& y) { return x.at < y.at; });
    return both;
}

}  // namespace recorded
