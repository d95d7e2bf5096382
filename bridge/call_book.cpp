#include "bridge/call_book.hpp"

#include <algorithm>
#include <optional>

#include "bridge/ranking.hpp"

namespace bridge {

namespace {

// A match that takes longer has been answered by the index long before; a note is written in the wrap-up.
constexpr crm::Millis kept_after_end{600000};

}  // namespace

const crm::Match* record_of(const crm::Lookup& lookup) {
    if (lookup.matches.empty() || lookup.matches.front().quality == crm::Quality::suffix) return nullptr;
    return &lookup.matches.front();
}

namespace {

template <class Value>
void fill(Value& into, const Value& from) {
    if (into.empty()) into = from;
}
// The run that saw the call from its beginning knows better when things happened.
void earlier(std::optional<crm::Millis>& into, const std::optional<crm::Millis>& from) {
    if (from && (!into || *from < *into)) into = from;
}

}  // namespace

crm::CallRow CallBook::row(crm::CallRow row, std::string_view party) {
    if (auto old = old_calls_.find(row.id); old != old_calls_.end()) {
        const auto& before = old->second;
        row.direction = before.direction;
        row.started = std::min(row.started, before.started);
        earlier(row.answered, before.answered);
        if (!row.wait) row.wait = before.wait;
        if (row.ended && row.answered) {
            row.talk = *row.ended - *row.answered;
            row.disposition = crm::Disposition::answered;  // this run may have seen no more than its end
        }
        for (auto text :
             {&crm::CallRow::caller_number, &crm::CallRow::caller_name, &crm::CallRow::dialed_number,
              &crm::CallRow::service, &crm::CallRow::queue, &crm::CallRow::module, &crm::CallRow::record,
              &crm::CallRow::label, &crm::CallRow::answered_by, &crm::CallRow::request,
              &crm::CallRow::crm_owner, &crm::CallRow::note, &crm::CallRow::code})
            fill(row.*text, before.*text);
        row.to_crm = row.to_crm || before.to_crm;
        old->second.ended = row.ended;
    }
    auto& entry = entries_[row.id];
    entry.party = party;
    fill(row.note, entry.row.note);
    fill(row.code, entry.row.code);
    if (!row.merged_into.empty())
        if (auto older = entries_.find(row.merged_into); older != entries_.end())
            older->second.people.insert(entry.people.begin(), entry.people.end());
    entry.row = std::move(row);
    if (entry.row.record.empty()) complete(entry);
    return entry.row;
}

// The desk may have told the service only now.
void CallBook::complete(Entry& entry) const {
    auto lookup = entry.lookup;
    if (const auto modules = modules_.find(entry.row.service); modules != modules_.end())
        prefer_modules(lookup, modules->second);
    const auto* match = record_of(lookup);
    if (match == nullptr) return;
    entry.row.module = match->module;
    entry.row.record = match->id;
    entry.row.label = match->label;
}

std::vector<crm::CallRow> CallBook::found(std::string_view pbx, std::string_view party,
                                          const crm::Lookup& lookup) {
    std::vector<crm::CallRow> changed;
    if (record_of(lookup) == nullptr) return changed;
    for (auto& [id, entry] : entries_) {
        if (entry.row.pbx != pbx || entry.party != party || !entry.row.record.empty()) continue;
        entry.lookup = lookup;
        complete(entry);
        changed.push_back(entry.row);
    }
    return changed;
}

void CallBook::restore(crm::CallRow row) {
    auto id = row.id;
    old_calls_[id] = std::move(row);
}

void CallBook::restore(crm::LegRow row, std::string_view pbx) {
    auto key = key_of(row);
    old_legs_[key] = OldLeg{std::move(row), std::string(pbx), false};
}

const crm::CallRow* CallBook::find(std::string_view id) const {
    auto found = entries_.find(id);
    if (found != entries_.end() && !found->second.row.merged_into.empty())
        found = entries_.find(found->second.row.merged_into);
    return found == entries_.end() ? nullptr : &found->second.row;
}

bool CallBook::took_part(std::string_view id, std::string_view jid) const {
    const auto* row = find(id);
    return row != nullptr && entries_.find(row->id)->second.people.contains(jid);
}

void CallBook::noted(const crm::CallRow& row) {
    if (auto found = entries_.find(row.id); found != entries_.end()) {
        found->second.row.note = row.note;
        found->second.row.code = row.code;
    }
}

crm::LegRow CallBook::leg(crm::LegRow row) {
    if (auto call = entries_.find(row.call); call != entries_.end()) call->second.people.insert(row.jid);
    auto old = old_legs_.find(key_of(row));
    if (old == old_legs_.end()) return row;
    old->second.seen = true;
    earlier(row.offered, old->second.row.offered);
    earlier(row.answered, old->second.row.answered);
    if (old->second.row.call != row.call) moved_[old->second.row.call] = row.call;
    if (row.ended) old_legs_.erase(old);
    return row;
}

// What was known before stays true: a call that was answered is answered, however it ended.
void CallBook::close(crm::CallRow& row, crm::Millis alive, crm::Millis now) const {
    row.ended = std::max({row.started, row.answered.value_or(row.started), alive});
    row.ended_by = std::max(*row.ended, now);
    if (row.answered) row.talk = *row.ended - *row.answered;
    if (const auto moved = moved_.find(row.id); moved != moved_.end()) row.merged_into = moved->second;
    if (row.answered)
        row.disposition = crm::Disposition::answered;
    else if (row.merged_into.empty())
        row.disposition = crm::Disposition::lost;
}

CallBook::Unfinished CallBook::unfinished(std::string_view pbx, crm::Millis alive, crm::Millis now) {
    Unfinished rows;
    for (auto it = old_legs_.begin(); it != old_legs_.end();) {
        auto& [row, leg_pbx, seen] = it->second;
        if (leg_pbx != pbx || seen) {
            ++it;
            continue;
        }
        row.ended = std::max({row.offered.value_or(alive), row.answered.value_or(alive), alive});
        row.ended_by = std::max(*row.ended, now);
        row.cause = "lost";
        if (const auto moved = moved_.find(row.call); moved != moved_.end()) row.call = moved->second;
        rows.legs.push_back(std::move(row));
        it = old_legs_.erase(it);
    }
    for (auto it = old_calls_.begin(); it != old_calls_.end();) {
        auto& row = it->second;
        if (row.pbx != pbx || entries_.contains(row.id)) {
            ++it;
            continue;
        }
        close(row, alive, now);
        rows.calls.push_back(std::move(row));
        it = old_calls_.erase(it);
    }
    return rows;
}

bool CallBook::open(std::string_view pbx) const {
    return std::ranges::any_of(
        entries_, [&](const auto& entry) { return entry.second.row.pbx == pbx && !entry.second.row.ended; });
}

void CallBook::tick(crm::Millis now) {
    std::erase_if(entries_, [&](const auto& entry) {
        const auto& ended = entry.second.row.ended;
        return ended && now - *ended > kept_after_end;
    });
    // An old row is needed as long as its call goes on.
    std::erase_if(old_calls_,
                  [&](const auto& old) { return old.second.ended && !entries_.contains(old.first); });
}

}  // namespace bridge
