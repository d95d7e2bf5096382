// Two calls that turn out to be one.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

// A customer's call that joins an older one between colleagues is what the row tells of; only the id is the
// older one's.
void Desk::Impl::adopt(Talk& talk, const Talk& young, Call& call) {
    crm::CallRow row = young.row;
    row.id = talk.row.id;
    row.linkedid = talk.row.linkedid;
    if (row.request.empty()) row.request = talk.row.request;
    if (!row.answered && talk.row.answered) {
        row.answered = now;
        row.wait = now - row.started;
        row.answered_by = young.own ? std::string() : talk.row.answered_by;
    }
    talk.row = std::move(row);
    talk.own = young.own;
    talk.own_extension = young.own_extension;
    talk.outside = young.outside;
    talk.withheld = young.withheld;
    talk.looked_up = young.looked_up;
    talk.first_rung_user = young.first_rung_user;
    if (Leg* origin = model.find_leg(young.row.linkedid)) call.origin = origin;
}

void Desk::Impl::on_merged(const Change& change, Talk* talk) {
    const auto found = talks.find(change.text);
    if (found == talks.end() || talk == nullptr || &found->second == talk) return;
    Talk young = std::move(found->second);
    talks.erase(found);
    waiting.erase(change.text);
    reason(Why::merged, talk, {}, {}, Data{{Fact::from, young.row.id}, {Fact::into, talk->row.id}});

    if (talk->row.direction == crm::Direction::internal && young.row.direction != crm::Direction::internal) {
        adopt(*talk, young, *change.call);
        write(*talk);
    }
    if (syncing) ++merged_unseen;
    talk->unseen = talk->unseen || young.unseen;
    talk->blind_until = std::max(talk->blind_until, young.blind_until);
    young.row.merged_into = talk->row.id;
    young.row.ended = now;
    if (young.row.answered) {
        young.row.disposition = crm::Disposition::answered;
        young.row.talk = now - *young.row.answered;
    }
    write(young);

    if (!talk->row.answered && young.row.answered) {
        std::string jid = young.row.answered_by;
        for (const Ring& ring : young.rings)
            if (ring.own && ring.state != RingState::ended) jid = ring.jid;
        answered(*talk, jid, "the call that was merged into it is answered");
    }
    if (young.last_answer)
        talk->last_answer = std::max(talk->last_answer.value_or(Millis{0}), *young.last_answer);
    if (talk->row.request.empty()) talk->row.request = young.row.request;
    talk->ends.lost |= young.ends.lost;
    talk->ends.busy |= young.ends.busy;
    talk->ends.failed |= young.ends.failed;
    talk->ends.other |= young.ends.other;
    talk->touched = talk->touched || young.touched;
    if (talk->first_rung_user.empty()) talk->first_rung_user = young.first_rung_user;

    const std::string replaced = young.row.id;
    for (auto ring = young.rings.begin(); ring != young.rings.end();) {
        const auto next = std::next(ring);
        talk->rings.splice(talk->rings.end(), young.rings, ring);
        Ring& moved = talk->rings.back();
        moved.joined = true;
        for (RingLeg& one : moved.legs) {
            one.row.call = talk->row.id;
            write(*talk, one);
        }
        if (moved.announced && moved.live()) announce(*talk, moved, moved.state, now, replaced);
        ring = next;
    }
    party_changed(*talk);
}

}  // namespace bridge
