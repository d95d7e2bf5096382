// The index of telephone numbers: number -> records, in memory. A sorted array of 16 bytes a number and one
// packed text a record, so that a CRM of millions of records fits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/types.hpp"

namespace crm {

class Numbers;

// What the index and its cache know of a record.
struct IndexedRecord {
    std::string id, module, label, organization, owner, owner_user, owner_id;
    Millis modified{0};
    std::vector<std::string> numbers;  // keys: E.164, else digits; then ";" and the extension if there is one
    bool operator==(const IndexedRecord&) const = default;
};

// The key under which a stored number is found.
std::string number_key(const Number& stored);

// How a caller's number agrees with the keys of a record; nothing when it does not.
struct CallerKeys {
    CallerKeys(const Number& caller, const Numbers& numbers, std::string_view pbx);
    [[nodiscard]] std::optional<Quality> agrees(std::string_view key) const;
    [[nodiscard]] std::optional<Quality> agrees(const std::vector<std::string>& keys) const;

    std::string exact;                  // same E.164 or same digits, extension too
    std::string head;                   // the number without its extension, where it has one; also exact
    std::vector<std::string> national;  // digits of the same number in its country's own form
    std::string switchboard;            // "+420222333444;": extensions of this number; a guess
    std::string prefix, suffix;         // country code, last digits: a guess
};

struct IndexHit {
    IndexedRecord record;  // without numbers
    Quality quality = Quality::exact;
};

class Index {
 public:
    struct Change {
        std::string id;
        std::optional<IndexedRecord> now;  // absent: gone
    };
    void reserve(std::size_t records, std::size_t numbers);
    void add(const IndexedRecord& record);  // of a new index, followed by finish(); no id twice
    void finish();
    void apply(const std::vector<Change>& changes);

    // Guesses only where nothing better is found. In no order.
    [[nodiscard]] std::vector<IndexHit> find(const CallerKeys& caller) const;
    [[nodiscard]] std::size_t records() const { return live_; }
    [[nodiscard]] std::size_t numbers() const { return entries_.size(); }

 private:
    struct Entry {
        std::uint64_t key;
        std::uint32_t extension;  // 0: none
        std::uint32_t record;
        auto operator<=>(const Entry&) const = default;
    };
    static Entry entry(std::string_view key, std::uint32_t record);
    std::uint32_t put_record(const IndexedRecord& record);
    [[nodiscard]] std::string_view id_of(std::uint32_t record) const;
    [[nodiscard]] std::size_t slot(std::string_view id) const;
    void grow_slots(std::size_t records);
    void collect(std::string_view key, Quality quality, bool any_extension, std::vector<IndexHit>& out) const;

    std::vector<Entry> entries_;               // sorted
    std::vector<std::string> records_;         // packed; empty: free
    std::vector<std::uint32_t> free_, slots_;  // slots_: open addressing by id, place + 1
    std::size_t live_ = 0, used_slots_ = 0;
};

}  // namespace crm
