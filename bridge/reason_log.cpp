#include "bridge/reason_log.hpp"

#include <algorithm>

namespace bridge {

namespace {

constexpr std::size_t index_share = 96;  // bytes of the index for a key of one reason, about

std::string key_text(ReasonLog::Key key, std::string_view value) {
    return static_cast<char>(key) + std::string(value);
}

std::vector<std::string> keys_of(const Reason& reason, const std::vector<std::string>& numbers) {
    using Key = ReasonLog::Key;
    std::vector<std::string> keys;
    const auto put = [&](Key key, std::string_view value) {
        if (value.empty()) return;
        auto text = key_text(key, value);
        if (std::find(keys.begin(), keys.end(), text) == keys.end()) keys.push_back(std::move(text));
    };
    put(Key::call, reason.call);
    if (reason.why == Why::merged) {  // of both calls
        put(Key::call, reason.value(Fact::from));
        put(Key::call, reason.value(Fact::into));
    }
    put(Key::leg, reason.leg);
    put(Key::jid, reason.jid);
    if (reason.why == Why::link_up || reason.why == Why::link_down) put(Key::link, "all");
    for (const auto& number : numbers) put(Key::number, number);
    return keys;
}

std::size_t bytes_of(const Reason& reason, const std::vector<std::string>& keys) {
    std::size_t bytes = sizeof(Reason) + reason.call.capacity() + reason.leg.capacity() +
                        reason.jid.capacity() + reason.data.capacity() * sizeof(Datum);
    for (const auto& one : reason.data) bytes += one.value.capacity();
    for (const auto& key : keys) bytes += sizeof(std::string) + 2 * key.capacity() + index_share;
    return bytes;
}

}  // namespace

void ReasonLog::add(Reason reason, const std::vector<std::string>& numbers) {
    // Foreign text may be long; what a sentence shows of it is short.
    for (auto& one : reason.data)
        if (one.value.size() > 1000) one.value = one.value.substr(0, 1000);
    Entry fresh{std::move(reason), {}, 0, false};
    fresh.keys = keys_of(fresh.reason, numbers);
    fresh.bytes = bytes_of(fresh.reason, fresh.keys);
    const auto order = first_ + entries_.size();
    for (const auto& key : fresh.keys) index_[key].orders.push_back(order);
    bytes_ += fresh.bytes;
    ++live_;
    const std::string call = fresh.reason.call.empty() ? std::string() : fresh.keys.front();
    entries_.push_back(std::move(fresh));
    if (!call.empty()) crop_call(call);
    while (live_ > limits_.reasons || (bytes_ > limits_.bytes && entries_.size() > 1)) evict();
}

std::vector<ReasonLog::Found> ReasonLog::find(Key key, std::string_view value) const {
    std::vector<Found> found;
    const auto posting = index_.find(key_text(key, value));
    if (posting == index_.end()) return found;
    for (std::size_t i = posting->second.head; i < posting->second.orders.size(); ++i) {
        const auto order = posting->second.orders[i];
        const auto& one = entries_[order - first_];
        if (!one.dropped) found.push_back({order, &one.reason});
    }
    return found;
}

// Drops the oldest reason of a call behind those that tell how it began.
void ReasonLog::crop_call(const std::string& key) {
    auto& posting = index_[key];
    if (posting.orders.size() - posting.head <= limits_.per_call) return;
    const auto victim =
        posting.orders.begin() +
        static_cast<std::ptrdiff_t>(posting.head + std::min(limits_.kept_first, limits_.per_call - 1));
    release(entry(*victim));
    posting.orders.erase(victim);
}

// Its place and its keys stay until it is the oldest.
void ReasonLog::release(Entry& one) {
    one.dropped = true;
    one.reason = {};
    const auto kept = bytes_of(one.reason, one.keys);
    bytes_ -= one.bytes - kept;
    one.bytes = kept;
    --live_;
}

void ReasonLog::evict() {
    Entry& oldest = entries_.front();
    for (const auto& key : oldest.keys) {
        const auto found = index_.find(key);
        if (found == index_.end()) continue;
        auto& posting = found->second;
        if (posting.head < posting.orders.size() && posting.orders[posting.head] == first_) ++posting.head;
        if (posting.head == posting.orders.size()) {
            index_.erase(found);
        } else if (posting.head > 32 && posting.head * 2 > posting.orders.size()) {
            posting.orders.erase(posting.orders.begin(),
                                 posting.orders.begin() + static_cast<std::ptrdiff_t>(posting.head));
            posting.head = 0;
        }
    }
    bytes_ -= oldest.bytes;
    if (!oldest.dropped) {
        --live_;
        since_ = std::max(since_, oldest.reason.at);
    }
    entries_.pop_front();
    ++first_;
}

}  // namespace bridge
