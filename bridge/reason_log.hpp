// The reasons of the recent past, for `explain`: bounded by count, by bytes and per call, found quickly by
// call, channel, JID, number or link. Memory only: what is in it is personal.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/reason.hpp"

namespace bridge {

class ReasonLog {
 public:
    struct Limits {
        std::size_t reasons = 20000;
        std::size_t bytes = 16UL << 20U;  // of memory, about
        std::size_t per_call = 2000;  // a queue that goes round all night must not push out everybody else
        std::size_t kept_first = 50;  // of such a call: how it began stays
    };
    enum class Key : char { call = 'c', leg = 'l', jid = 'j', number = 'n', link = 'k' };
    struct Found {
        std::uint64_t order = 0;  // grows with each reason ever added
        const Reason* reason = nullptr;
    };

    explicit ReasonLog(Limits limits, std::chrono::milliseconds since) : limits_(limits), since_(since) {}
    ReasonLog() : ReasonLog(Limits{}, std::chrono::milliseconds{0}) {}

    // `numbers`: the numbers it is about, in the form they are asked for.
    void add(Reason reason, const std::vector<std::string>& numbers = {});
    // In the order they were added; valid until the next add().
    [[nodiscard]] std::vector<Found> find(Key key, std::string_view value) const;

    [[nodiscard]] std::size_t size() const { return live_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] const Limits& limits() const { return limits_; }
    // Whatever was decided since then is here, but for the middle of calls with very many reasons.
    [[nodiscard]] std::chrono::milliseconds since() const { return since_; }

 private:
    struct Entry {
        Reason reason;
        std::vector<std::string> keys;
        std::size_t bytes = 0;
        bool dropped = false;
    };
    struct Posting {
        std::vector<std::uint64_t> orders;
        std::size_t head = 0;  // those before are gone
    };
    [[nodiscard]] Entry& entry(std::uint64_t order) { return entries_[order - first_]; }
    void crop_call(const std::string& key);
    void evict();
    void release(Entry& entry);

    Limits limits_;
    std::chrono::milliseconds since_;
    std::deque<Entry> entries_;
    std::uint64_t first_ = 0;  // order of entries_.front()
    std::map<std::string, Posting, std::less<>> index_;
    std::size_t live_ = 0, bytes_ = 0;
};

}  // namespace bridge
