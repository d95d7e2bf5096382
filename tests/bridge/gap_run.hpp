// A trace through the desk, with gaps: the link is lost, events go unseen, the lists of a SwitchState are
// read.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "bridge/desk.hpp"
#include "switch_state.hpp"

namespace test {

inline std::string text(const std::optional<Millis>& time) {
    return time ? std::to_string(time->count()) : std::string("-");
}

inline std::string text(const bridge::Notice& n) {
    return fmt::format(
        "{} {} {}{} {} {} {} ext {} party {}/{} dialed {} queue {}/{} far {} shared {} at {} from {} {}",
        n.to, n.leg, n.id, n.replaces.empty() ? "" : " replaces " + n.replaces, to_string(n.state),
        bridge::word(n.direction), to_string(n.cause), n.extension, n.party_number, n.party_name, n.dialed,
        n.queue, n.waited.value_or(-1), n.far_end, n.shared, n.at.count(), n.started.count(), n.actions);
}

inline std::string text(const crm::CallRow& r) {
    return fmt::format(
        "{} into {} {} {} '{}' -> {} queue {} start {} answered {} ended {} wait {} talk {} {} by {} "
        "crm {} {}",
        r.id, r.merged_into, bridge::word(r.direction), r.caller_number, r.caller_name, r.dialed_number,
        r.queue, r.started.count(), text(r.answered), text(r.ended), text(r.wait), text(r.talk),
        bridge::word(r.disposition), r.answered_by, r.to_crm, r.crm_owner);
}

inline std::string text(const crm::LegRow& r) {
    return fmt::format("{} {} {} ext {} offered {} answered {} ended {} {}", r.call, r.uniqueid, r.jid,
                       r.extension, text(r.offered), text(r.answered), text(r.ended), r.cause);
}

using Messages = std::vector<traces::Timed>;

class GapRun {
 public:
    GapRun() : desk_(bridge::DeskConfig{}) { desk_.set_people(traces::people()); }

    void feed(const traces::Timed& one) {
        tick(one.at);
        keep(desk_.apply(one.block.message(), one.at));
    }
    void lose(Millis at) {
        tick(at);
        keep(desk_.link_lost(at));
    }
    void sync(const std::vector<Block>& lists, Millis at) {
        tick(at);
        desk_.sync_begin(at);
        for (const Block& item : lists) keep(desk_.apply(item.message(), at));
        keep(desk_.sync_end(at));
    }
    // The link breaks again after some of the items.
    void broken_sync(const std::vector<Block>& lists, std::size_t items, Millis at) {
        tick(at);
        desk_.sync_begin(at);
        for (std::size_t i = 0; i < items; ++i) keep(desk_.apply(lists[i].message(), at));
        keep(desk_.link_lost(at));
    }
    void finish() { tick(Millis::max() - Millis{1}); }

    [[nodiscard]] bridge::Desk& desk() { return desk_; }
    [[nodiscard]] const std::vector<bridge::Notice>& notices() const { return notices_; }
    [[nodiscard]] const std::map<std::string, crm::CallRow>& calls() const { return calls_; }
    [[nodiscard]] const std::map<std::string, crm::LegRow>& legs() const { return legs_; }  // "uniqueid jid"
    [[nodiscard]] std::size_t said() const { return said_; }  // grows with everything the desk tells

    // Everything told, one line each: notices in order, then the last state of each row.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const auto& notice : notices_) all.push_back("notice " + text(notice));
        for (const auto& [id, row] : calls_) all.push_back("call " + text(row));
        for (const auto& [id, row] : legs_) all.push_back("leg " + text(row));
        return all;
    }

 private:
    void tick(Millis until) {
        for (Millis due = desk_.next_deadline(); due <= until && due != Millis::max();
             due = desk_.next_deadline())
            keep(desk_.tick(due));
    }
    void keep(bridge::Outcome&& outcome) {
        said_ += outcome.notices.size() + outcome.calls.size() + outcome.legs.size();
        for (auto& notice : outcome.notices) notices_.push_back(std::move(notice));
        for (auto& row : outcome.calls) calls_[row.id] = std::move(row);
        for (auto& row : outcome.legs) legs_[row.uniqueid + ' ' + row.jid] = std::move(row);
    }

    bridge::Desk desk_;
    std::vector<bridge::Notice> notices_;
    std::map<std::string, crm::CallRow> calls_;
    std::map<std::string, crm::LegRow> legs_;
    std::size_t said_ = 0;
};

}  // namespace test
