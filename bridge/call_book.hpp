// The rows of calls that go on, with the record each belongs to: the desk knows the call, the CRM room the
// record, and whichever comes later completes the row. Sans-I/O.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crm/types.hpp"

namespace bridge {

class CallBook {
 public:
    // Whose records come first, by service.
    using Modules = std::map<std::string, std::vector<std::string>, std::less<>>;
    void set_modules(Modules modules) { modules_ = std::move(modules); }

    // A row from the desk, completed by what is known of its party. `party`: its number as it was looked up.
    crm::CallRow row(crm::CallRow row, std::string_view party);
    // The match of a number became known: the rows that it completes, to be written again.
    std::vector<crm::CallRow> found(std::string_view pbx, std::string_view party, const crm::Lookup& lookup);

    // ---- over a restart ----
    // What the last run had not ended. A row of the same call gets from it what only that run could know.
    void restore(crm::CallRow row);
    void restore(crm::LegRow row, std::string_view pbx);
    // The desk's row of a leg, with what the last run knew.
    crm::LegRow leg(crm::LegRow row);
    struct Unfinished {
        std::vector<crm::CallRow> calls;
        std::vector<crm::LegRow> legs;
    };
    // The pbx has shown what goes on: restored rows that it did not speak of have ended unseen, between
    // `alive`, when the last run was last known to see them, and `now`. A row whose leg goes on in another
    // call was merged into that one.
    Unfinished unfinished(std::string_view pbx, crm::Millis alive, crm::Millis now);
    // Is anything of this pbx going on, as far as the log is concerned?
    [[nodiscard]] bool open(std::string_view pbx) const;

    // ---- what operators say of a call that goes on or has just ended ----
    // Its row as it was written last, of a merged call that of the older one; nullptr: it is not here.
    [[nodiscard]] const crm::CallRow* find(std::string_view id) const;
    [[nodiscard]] bool took_part(std::string_view id, std::string_view jid) const;
    void noted(const crm::CallRow& row);  // its note and code go on into the rows to come

    void tick(crm::Millis now);  // forgets calls that ended some time ago
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
    struct Entry {
        crm::CallRow row;
        std::string party;
        crm::Lookup lookup;                         // of the party
        std::set<std::string, std::less<>> people;  // JIDs that had a ring in it
    };
    struct OldLeg {
        crm::LegRow row;
        std::string pbx;
        bool seen = false;
    };
    // Not by the call: a merge moves the leg.
    static std::string key_of(const crm::LegRow& row) {
        return row.call.substr(0, row.call.find(':')) + '\n' + row.uniqueid + '\n' + row.jid;
    }
    void close(crm::CallRow& row, crm::Millis alive, crm::Millis now) const;
    void complete(Entry& entry) const;
    Modules modules_;
    std::map<std::string, Entry, std::less<>> entries_;  // by call id
    std::map<std::string, crm::CallRow, std::less<>> old_calls_;
    std::map<std::string, OldLeg, std::less<>> old_legs_;
    std::map<std::string, std::string, std::less<>> moved_;  // old call id: where a leg of it was seen since
};

// The record a call belongs to: the best match, unless it is only a guess. nullptr: none.
const crm::Match* record_of(const crm::Lookup& lookup);

}  // namespace bridge
