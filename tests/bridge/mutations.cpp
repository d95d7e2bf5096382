#include "mutations.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

namespace recorded {

namespace {

using namespace std::chrono_literals;
constexpr Millis moment{5};      // span: events this near may have raced
constexpr Millis farthest{10};   // span: no event moves farther
constexpr Millis latest{10000};  // span: behind the Hangup

enum class Relation : std::uint8_t {
    self,  // both of one channel (of a dial: of the channel that dials)
    dest,  // a dial, and an event of the channel it rings
    call,  // other channels of one call
};

// Kinds of events that were seen in both orders, next to each other within 5 ms, in the 136 traces (Asterisk
// 16, 18 and 22, chan_sip and PJSIP), with how often in each. Not in the list, so never swapped: Newchannel
// before everything of its channel and before the dials that name it; DialBegin before DialEnd;
// QueueCallerJoin, -Abandon, -Leave and AgentConnect among each other; Newstate Up before DialEnd ANSWER (751
// to 0); AgentConnect before BridgeEnter (316 to 0). Events of different calls, Cdr, CEL, states of devices
// and members, and VarSet, Newexten and UserEvent of another channel float freely.
struct Race {
    Relation relation;
    std::string_view first, second;
    int seen, other_way;
};
constexpr std::array races{
    Race{Relation::call, "AttendedTransfer", "SoftHangupRequest", 1, 4},
    Race{Relation::call, "BlindTransfer", "BridgeLeave", 12, 1},
    Race{Relation::call, "BlindTransfer", "ParkedCall", 2, 1},
    Race{Relation::call, "BridgeEnter", "BridgeEnter", 388, 2},
    Race{Relation::call, "BridgeEnter", "BridgeLeave", 13, 22},
    Race{Relation::call, "BridgeEnter", "DialEnd", 13, 11},
    Race{Relation::call, "BridgeEnter", "Hangup", 11, 18},
    Race{Relation::call, "BridgeEnter", "HangupRequest", 1, 1},
    Race{Relation::call, "BridgeEnter", "NewConnectedLine", 4, 2},
    Race{Relation::call, "BridgeEnter", "Newstate", 13, 109},
    Race{Relation::call, "BridgeEnter", "OriginateResponse", 2, 4},
    Race{Relation::call, "BridgeEnter", "SoftHangupRequest", 12, 2},
    Race{Relation::call, "BridgeLeave", "Hangup", 120, 473},
    Race{Relation::call, "BridgeLeave", "HangupRequest", 19, 1},
    Race{Relation::call, "BridgeLeave", "NewCallerid", 3, 1},
    Race{Relation::call, "BridgeLeave", "NewConnectedLine", 2, 4},
    Race{Relation::call, "BridgeLeave", "ParkedCall", 2, 3},
    Race{Relation::call, "BridgeLeave", "SoftHangupRequest", 17, 36},
    Race{Relation::call, "DialBegin", "Hangup", 2, 1},
    Race{Relation::call, "DialBegin", "NewConnectedLine", 2, 688},
    Race{Relation::call, "DialBegin", "Newchannel", 46, 1},
    Race{Relation::call, "DialBegin", "Newstate", 270, 21},
    Race{Relation::call, "DialEnd", "Hangup", 7, 25},
    Race{Relation::call, "DialEnd", "Newstate", 21, 45},
    Race{Relation::call, "Hangup", "Hangup", 1, 1},
    Race{Relation::call, "Hangup", "HangupRequest", 63, 563},
    Race{Relation::call, "Hangup", "NewCallerid", 1, 1},
    Race{Relation::call, "Hangup", "NewConnectedLine", 2, 6},
    Race{Relation::call, "Hangup", "Newstate", 8, 5},
    Race{Relation::call, "Hangup", "QueueCallerLeave", 3, 1},
    Race{Relation::call, "Hangup", "SoftHangupRequest", 124, 113},
    Race{Relation::call, "HangupRequest", "NewCallerid", 1, 1},
    Race{Relation::call, "NewCallerid", "NewConnectedLine", 5, 353},
    Race{Relation::call, "NewCallerid", "Newchannel", 53, 731},
    Race{Relation::call, "NewCallerid", "OriginateResponse", 2, 5},
    Race{Relation::call, "NewConnectedLine", "Newstate", 144, 17},
    Race{Relation::call, "NewConnectedLine", "OriginateResponse", 18, 2},
    Race{Relation::call, "NewConnectedLine", "SoftHangupRequest", 2, 4},
    Race{Relation::call, "Newstate", "OriginateResponse", 28, 35},
    Race{Relation::dest, "DialBegin", "Newstate", 417, 10},
    Race{Relation::dest, "DialBegin", "OriginateResponse", 33, 13},
    Race{Relation::dest, "DialEnd", "OriginateResponse", 242, 17},
    Race{Relation::self, "DialEnd", "NewConnectedLine", 9, 20},
    Race{Relation::self, "Hangup", "OriginateResponse", 1, 6},
    Race{Relation::self, "HangupRequest", "SoftHangupRequest", 11, 3},
    Race{Relation::self, "NewCallerid", "Newstate", 14, 108},
    Race{Relation::self, "NewCallerid", "OriginateResponse", 2, 6},
    Race{Relation::self, "NewConnectedLine", "Newstate", 24, 356},
    Race{Relation::self, "NewConnectedLine", "OriginateResponse", 5, 1},
    Race{Relation::self, "Newstate", "OriginateResponse", 17, 32},
};

// Events that change a channel, a dial, a bridge or a queue.
bool is_of_model(std::string_view name) {
    static const std::set<std::string_view> names{
        "Newchannel",    "Newstate",          "NewCallerid",      "NewConnectedLine",
        "HangupRequest", "SoftHangupRequest", "Hangup",           "DialBegin",
        "DialEnd",       "BridgeEnter",       "BridgeLeave",      "Hold",
        "Unhold",        "BlindTransfer",     "AttendedTransfer", "ParkedCall",
        "Pickup",        "QueueCallerJoin",   "QueueCallerLeave", "QueueCallerAbandon",
        "AgentConnect",  "OriginateResponse"};
    return names.contains(name);
}

// The order of a stream's events with the places of each.
class Order {
 public:
    explicit Order(const Stream& stream) : stream_(stream), at_(stream.size()), place_(stream.size()) {
        for (std::size_t i = 0; i < stream.size(); ++i) at_[i] = place_[i] = i;
    }
    [[nodiscard]] std::size_t event_at(std::size_t place) const { return at_[place]; }
    [[nodiscard]] std::size_t size() const { return at_.size(); }
    bool swap(std::size_t event, std::size_t other) {
        const std::size_t place = place_[event];
        if (place + 1 >= at_.size() || at_[place + 1] != other) return false;
        const Moment &a = stream_[event], &b = stream_[other];
        const Millis left = stream_[place].at, right = stream_[place + 1].at;
        if (right - left > moment || std::chrono::abs(right - a.at) > farthest ||
            std::chrono::abs(left - b.at) > farthest || !may_swap(*a.event, *b.event))
            return false;
        std::swap(at_[place], at_[place + 1]);
        std::swap(place_[event], place_[other]);
        return true;
    }

 private:
    const Stream& stream_;
    std::vector<std::size_t> at_, place_;
};

// A repeated event does not overtake a later one of its channel.
std::size_t room_behind(const Stream& stream, std::size_t place) {
    const Event& event = *stream[place].event;
    std::size_t room = 0;
    for (std::size_t i = place + 1; i < stream.size() && stream[i].at - stream[place].at <= farthest; ++i) {
        const Event& later = *stream[i].event;
        const bool same = later.group == event.group && is_of_model(later.name) && later.group >= 0;
        if (same && !may_swap(event, later)) break;
        ++room;
    }
    return room;
}

}  // namespace

bool may_swap(const Event& first, const Event& second) {
    if (!first.get("ActionID").empty() && first.name != "OriginateResponse") return false;
    if (!second.get("ActionID").empty() && second.name != "OriginateResponse") return false;
    if (first.group < 0 || second.group < 0 || first.group != second.group) return true;
    const bool one_channel = !first.uniqueid.empty() && first.uniqueid == second.uniqueid;
    if (!is_of_model(first.name) || !is_of_model(second.name)) return !one_channel;
    const bool rings = (!first.dest.empty() && first.dest == second.uniqueid) ||
                       (!second.dest.empty() && second.dest == first.uniqueid);
    if (!first.dest.empty() && first.dest == second.dest) return false;
    const Relation relation = one_channel ? Relation::self : rings ? Relation::dest : Relation::call;
    return std::any_of(races.begin(), races.end(), [&](const Race& race) {
        return race.relation == relation && ((race.first == first.name && race.second == second.name) ||
                                             (race.first == second.name && race.second == first.name));
    });
}

Stream without_noise(const Stream& stream) {
    Stream calls;
    for (const Moment& moment : stream)
        if (is_of_model(moment.event->name) || !moment.event->get("ActionID").empty() ||
            (moment.event->name == "VarSet" &&
             (moment.event->get("Variable").ends_with("FROM_DID") ||
              moment.event->get("Variable").ends_with("CALLINGNUMPRES_SV"))))
            calls.push_back(moment);
    return calls;
}

Changes random_swaps(const Stream& stream, seeds::Random& random) {
    Order order(stream);
    Changes changes;
    const std::size_t passes = 1 + seeds::below(random, 6), sparse = 1 + seeds::below(random, 6);
    for (std::size_t pass = 0; pass < passes; ++pass)
        for (std::size_t place = 0; place + 1 < order.size(); ++place) {
            if (!seeds::one_in(random, sparse)) continue;
            const std::size_t event = order.event_at(place), other = order.event_at(place + 1);
            if (order.swap(event, other)) changes.push_back({Change::Kind::swap, event, other});
        }
    return changes;
}

Changes random_repeats(const Stream& stream, seeds::Random& random, std::size_t most) {
    Changes changes;
    for (std::size_t i = 1 + seeds::below(random, most); i > 0 && !stream.empty(); --i) {
        const std::size_t event = seeds::below(random, stream.size());
        if (!stream[event].event->get("ActionID").empty()) continue;
        const std::size_t room = room_behind(stream, event);
        changes.push_back(
            {Change::Kind::repeat, event, seeds::one_in(random, 2) ? 0 : seeds::below(random, room + 1)});
    }
    return changes;
}

Changes random_drops(const Stream& stream, seeds::Random& random, const std::set<std::string>& names,
                     std::size_t most) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < stream.size(); ++i)
        if (names.contains(std::string(stream[i].event->name))) places.push_back(i);
    Changes changes;
    for (std::size_t i = 1 + seeds::below(random, most); i > 0 && !places.empty(); --i)
        changes.push_back({Change::Kind::drop, places[seeds::below(random, places.size())]});
    return changes;
}

Changes random_latecomers(const Stream& stream, seeds::Random& random, std::size_t most) {
    std::map<std::string_view, std::size_t> end;  // of each channel
    for (std::size_t i = 0; i < stream.size(); ++i)
        if (stream[i].event->name == "Hangup") end[stream[i].event->uniqueid] = i;
    Changes changes;
    for (std::size_t i = 1 + seeds::below(random, most); i > 0 && !stream.empty(); --i) {
        const std::size_t event = seeds::below(random, stream.size());
        const Event& late = *stream[event].event;
        if (late.uniqueid.empty() || !end.contains(late.uniqueid) ||
            (!late.dest.empty() && !end.contains(late.dest)))
            continue;
        std::size_t place = std::max(event, end[late.uniqueid]);
        if (!late.dest.empty()) place = std::max(place, end[late.dest]);
        std::size_t room = 0;
        while (place + room + 1 < stream.size() && stream[place + room + 1].at - stream[place].at <= latest)
            ++room;
        changes.push_back({Change::Kind::late, event, place - event + seeds::below(random, room + 1)});
    }
    return changes;
}

std::set<std::string> calls_of(const Stream& stream, const Changes& changes) {
    std::set<int> groups;
    for (const Change& change : changes) groups.insert(stream[change.event].event->group);
    std::set<std::string> calls;
    for (const Moment& moment : stream)
        if (groups.contains(moment.event->group))
            for (const char* header : {"Linkedid", "DestLinkedid", "Uniqueid"})
                if (const auto id = moment.event->get(header); !id.empty()) calls.emplace(id);
    return calls;
}

Stream with(const Stream& stream, const Changes& changes) {
    Order order(stream);
    std::set<std::size_t> dropped;
    std::multimap<std::size_t, std::shared_ptr<const Event>> repeated;  // behind the event in that place
    for (const Change& change : changes)
        if (change.kind == Change::Kind::swap) order.swap(change.event, change.other);
    for (const Change& change : changes) {
        if (change.kind == Change::Kind::drop) dropped.insert(change.event);
        if (change.kind == Change::Kind::repeat || change.kind == Change::Kind::late)
            repeated.emplace(change.event + change.other, stream[change.event].event);
    }
    Stream other;
    for (std::size_t place = 0; place < order.size(); ++place) {
        const std::size_t event = order.event_at(place);
        other.push_back({stream[place].at, stream[event].event, !dropped.contains(event)});
        const auto [from, to] = repeated.equal_range(place);
        for (auto it = from; it != to; ++it) other.push_back({stream[place].at, it->second, true});
    }
    return other;
}

Changes reduced(Changes changes, const std::function<bool(const Changes&)>& wrong) {
    for (std::size_t size = changes.size() / 2; size > 0; size = size > 1 ? size / 2 : 0)
        for (std::size_t from = 0; from < changes.size();) {
            Changes fewer(changes);
            const auto first = fewer.begin() + static_cast<std::ptrdiff_t>(from);
            fewer.erase(first, first + static_cast<std::ptrdiff_t>(std::min(size, changes.size() - from)));
            if (wrong(fewer))
                changes = std::move(fewer);
            else
                from += size;
        }
    return changes;
}

std::string text(const Stream& stream, const Changes& changes) {
    static constexpr std::array words{"swapped", "repeated", "dropped", "late"};
    std::string lines;
    for (const Change& change : changes) {
        const Moment& moment = stream[change.event];
        lines += fmt::format("  {} at {} ms: {}\n", words[static_cast<std::size_t>(change.kind)],
                             moment.at.count(), moment.event->text());
        if (change.kind == Change::Kind::swap)
            lines += fmt::format("      with {} ms: {}\n", stream[change.other].at.count(),
                                 stream[change.other].event->text());
        if (change.kind != Change::Kind::swap && change.other > 0)
            lines += fmt::format("      {} events later\n", change.other);
    }
    return lines;
}

}  // namespace recorded
