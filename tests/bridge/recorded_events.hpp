// The events of the recorded traces with their times, as values that tests reorder, drop and rename.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/message.hpp"
#include "trace_files.hpp"

namespace recorded {

using Millis = std::chrono::milliseconds;

// One event. Immutable, so that thousands of orders of a trace share it.
struct Event {
    using Headers = std::vector<std::pair<std::string, std::string>>;

    explicit Event(Headers of);
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    const Headers headers;
    std::string_view name, uniqueid, dest;  // Event, Uniqueid, DestUniqueid; empty when absent
    int group = -1;                         // events of calls that merge sooner or later have the same one
    [[nodiscard]] std::string_view get(std::string_view header) const { return message().get(header); }
    [[nodiscard]] ami::Message message() const { return {ami::Message::Kind::event, flat_}; }
    [[nodiscard]] std::string text() const;  // one line, for a report of a failure

 private:
    std::vector<ami::Header> flat_;
};

struct Moment {
    Millis at;
    std::shared_ptr<const Event> event;
    bool heard = true;  // false: it happened, and nobody was told
};
using Stream = std::vector<Moment>;

// Events of a trace in the order received, responses left out. Read once.
const Stream& stream_of(const traces::Trace& trace);

// The same with every header value changed by `change`.
Stream changed(const Stream& stream, const std::function<std::string(const std::string&)>& change);

// The same later or earlier, faster or slower.
Stream moved(const Stream& stream, Millis by, double pace = 1.0);

// Both, by time; what has the same time stays in its order, `a` first.
Stream together(const Stream& a, const Stream& b);

}  // namespace recorded
