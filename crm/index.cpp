#include "crm/index.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <map>
#include <unordered_set>

#include "crm/number_text.hpp"
#include "crm/numbers.hpp"

namespace crm {
namespace {

constexpr std::size_t shortest_national = 7;  // digits that name a subscriber within a country
constexpr std::size_t shortest_foreign = 10;  // digits that may be an international number without its +
constexpr std::uint32_t gone = 0xffffffff;    // slot of an erased record

// Packed record: the fields in order, each ended by a zero byte (which texts of the database are kept free
// of).
std::string packed(const IndexedRecord& record) {
    std::string out;
    for (const auto* field : {&record.id, &record.module, &record.label, &record.organization, &record.owner,
                              &record.owner_user, &record.owner_id}) {
        out.append(*field, 0, field->find('\0'));
        out += '\0';
    }
    out += std::to_string(record.modified.count());
    out.shrink_to_fit();
    return out;
}
IndexedRecord unpacked(std::string_view text) {
    IndexedRecord out;
    for (auto* field :
         {&out.id, &out.module, &out.label, &out.organization, &out.owner, &out.owner_user, &out.owner_id}) {
        const auto end = text.find('\0');
        *field = text.substr(0, end);
        text.remove_prefix(end + 1);
    }
    std::int64_t modified = 0;
    std::from_chars(text.data(), text.data() + text.size(), modified);
    out.modified = Millis(modified);
    return out;
}

std::uint64_t fnv(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

enum Kind : std::uint64_t { international = 0, plain = 1, other = 2 };
constexpr unsigned kind_shift = 62;

}  // namespace

std::string number_key(const Number& stored) {
    auto key = stored.e164.value_or(stored.digits);
    if (!stored.extension.empty()) key += ";" + stored.extension;
    return key;
}

CallerKeys::CallerKeys(const Number& caller, const Numbers& numbers, std::string_view pbx) {
    if (caller.anonymous || caller.internal) return;
    exact = number_key(caller);
    const auto digits = only_digits(caller.digits);
    const auto bare = caller.e164.value_or(caller.digits);
    if (caller.extension.empty())
        switchboard = bare + ";";
    else
        head = bare;
    if (caller.e164) {
        const auto forms = Numbers::forms(caller);
        for (const auto* form : {&forms.national, &forms.trunk})
            if (form->size() >= shortest_national) national.push_back(*form);
    } else if (caller.digits == digits && digits.size() >= shortest_foreign && !digits.starts_with('0')) {
        national.push_back("+" + digits);
    }
    if (numbers.local_only(caller, pbx)) {
        prefix = "+" + numbers.country_code(pbx);
        suffix = digits;
    }
}

std::optional<Quality> CallerKeys::agrees(std::string_view key) const {
    if (exact.empty()) return std::nullopt;
    if (key == exact || (!head.empty() && key == head)) return Quality::exact;
    if (std::ranges::find(national, key) != national.end()) return Quality::national;
    if (!switchboard.empty() && key.starts_with(switchboard)) return Quality::suffix;
    if (!suffix.empty() && key.size() > prefix.size() + suffix.size() && key.starts_with(prefix) &&
        key.ends_with(suffix) && !key.contains(';'))
        return Quality::suffix;
    return std::nullopt;
}

std::optional<Quality> CallerKeys::agrees(const std::vector<std::string>& keys) const {
    std::optional<Quality> best;
    for (const auto& key : keys)
        if (const auto one = agrees(key); one && (!best || *one < *best)) best = one;
    return best;
}

Index::Entry Index::entry(std::string_view key, std::uint32_t record) {
    const auto semicolon = key.find(';');
    const auto number = key.substr(0, semicolon);
    Entry out{0, 0, record};
    if (semicolon != std::string_view::npos) {
        const auto extension = key.substr(semicolon + 1);
        // a leading 1 keeps leading zeros apart
        std::from_chars(extension.data(), extension.data() + std::min<std::size_t>(extension.size(), 8),
                        out.extension);
        std::uint32_t scale = 1;
        for (std::size_t i = 0; i < std::min<std::size_t>(extension.size(), 8); ++i) scale *= 10;
        out.extension += scale;
    }
    const bool plus = number.starts_with('+');
    const auto digits = plus ? number.substr(1) : number;
    const bool countable = !digits.empty() && digits.size() <= 17 &&
                           std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    if (!countable) {
        out.key = (fnv(number) >> 2U) | (std::uint64_t{other} << kind_shift);
        return out;
    }
    std::from_chars(digits.data(), digits.data() + digits.size(), out.key);
    if (plus) {
        out.key |= std::uint64_t{international} << kind_shift;
    } else {
        std::uint64_t scale = 1;
        for (std::size_t i = 0; i < digits.size(); ++i) scale *= 10;
        out.key = (out.key + scale) | (std::uint64_t{plain} << kind_shift);
    }
    return out;
}

std::string_view Index::id_of(std::uint32_t record) const {
    return std::string_view(records_[record]).substr(0, records_[record].find('\0'));
}

// The slot that holds `id`, else the free one where it would go.
std::size_t Index::slot(std::string_view id) const {
    std::optional<std::size_t> reusable;
    for (auto at = std::hash<std::string_view>{}(id) & (slots_.size() - 1);;
         at = (at + 1) & (slots_.size() - 1)) {
        if (slots_[at] == 0) return reusable.value_or(at);
        if (slots_[at] == gone) {
            if (!reusable) reusable = at;
        } else if (id_of(slots_[at] - 1) == id) {
            return at;
        }
    }
}

void Index::grow_slots(std::size_t records) {
    if (!slots_.empty() && records * 10 < slots_.size() * 7) return;
    std::size_t size = 64;
    while (size * 5 < (live_ + records / 4 + 1) * 10) size *= 2;
    slots_.assign(size, 0);
    used_slots_ = 0;
    for (std::uint32_t i = 0; i < records_.size(); ++i)
        if (!records_[i].empty()) {
            slots_[slot(id_of(i))] = i + 1;
            ++used_slots_;
        }
}

void Index::reserve(std::size_t records, std::size_t numbers) {
    records_.reserve(records);
    entries_.reserve(numbers);
}

std::uint32_t Index::put_record(const IndexedRecord& record) {
    grow_slots(used_slots_ + 1);
    std::uint32_t place = 0;
    if (free_.empty()) {
        place = static_cast<std::uint32_t>(records_.size());
        records_.emplace_back();
    } else {
        place = free_.back();
        free_.pop_back();
    }
    records_[place] = packed(record);
    const auto at = slot(id_of(place));
    if (slots_[at] == 0) ++used_slots_;
    slots_[at] = place + 1;
    ++live_;
    return place;
}

void Index::add(const IndexedRecord& record) {
    const auto place = put_record(record);
    for (const auto& key : record.numbers) entries_.push_back(entry(key, place));
}

void Index::finish() {
    std::ranges::sort(entries_);
    const auto twice = std::ranges::unique(entries_);
    entries_.erase(twice.begin(), twice.end());
    entries_.shrink_to_fit();
}

void Index::apply(const std::vector<Change>& changes) {
    if (changes.empty()) return;
    grow_slots(used_slots_ + 1);
    std::map<std::string_view, const Change*> last;
    for (const auto& change : changes) last[change.id] = &change;
    std::unordered_set<std::uint32_t> old;
    for (const auto& [id, change] : last) {
        const auto at = slot(id);
        if (slots_[at] == 0 || slots_[at] == gone) continue;
        const auto place = slots_[at] - 1;
        old.insert(place);
        slots_[at] = gone;
        records_[place].clear();
        records_[place].shrink_to_fit();
        --live_;
    }
    std::erase_if(entries_, [&](const Entry& e) { return old.contains(e.record); });
    free_.insert(free_.end(), old.begin(), old.end());
    const auto middle = static_cast<std::ptrdiff_t>(entries_.size());
    for (const auto& [id, change] : last)
        if (change->now && !change->now->numbers.empty()) add(*change->now);
    std::sort(entries_.begin() + middle, entries_.end());
    std::inplace_merge(entries_.begin(), entries_.begin() + middle, entries_.end());
    const auto twice = std::ranges::unique(entries_);
    entries_.erase(twice.begin(), twice.end());
}

void Index::collect(std::string_view key, Quality quality, bool any_extension,
                    std::vector<IndexHit>& out) const {
    const auto wanted = entry(key, 0);
    for (auto at = std::ranges::lower_bound(entries_, wanted); at != entries_.end() && at->key == wanted.key;
         ++at) {
        if (!any_extension && at->extension != wanted.extension) break;
        const auto known = [&](const IndexHit& hit) { return hit.record.id == id_of(at->record); };
        if (std::ranges::none_of(out, known)) out.push_back({unpacked(records_[at->record]), quality});
    }
}

std::vector<IndexHit> Index::find(const CallerKeys& caller) const {
    std::vector<IndexHit> out;
    if (caller.exact.empty()) return out;
    collect(caller.exact, Quality::exact, false, out);
    if (out.empty() && !caller.head.empty()) collect(caller.head, Quality::exact, false, out);
    for (const auto& key : caller.national) collect(key, Quality::national, false, out);
    if (!out.empty()) return out;
    if (!caller.switchboard.empty())
        collect(caller.switchboard.substr(0, caller.switchboard.size() - 1), Quality::suffix, true, out);
    if (out.empty() && !caller.suffix.empty()) {
        std::uint64_t scale = 1;
        std::uint64_t wanted = 0;
        for (std::size_t i = 0; i < caller.suffix.size(); ++i) scale *= 10;
        std::from_chars(caller.suffix.data(), caller.suffix.data() + caller.suffix.size(), wanted);
        for (const auto& e : entries_) {
            if ((e.key >> kind_shift) != international) break;  // sorted: these come first
            if (e.extension != 0 || e.key % scale != wanted) continue;
            if (std::to_string(e.key).starts_with(std::string_view(caller.prefix).substr(1))) {
                const auto known = [&](const IndexHit& hit) { return hit.record.id == id_of(e.record); };
                if (std::ranges::none_of(out, known))
                    out.push_back({unpacked(records_[e.record]), Quality::suffix});
            }
        }
    }
    return out;
}

}  // namespace crm
