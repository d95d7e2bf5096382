#include "bridge/herald.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace bridge {

namespace {

// One ping of the server confirms all that ended within this span.
constexpr Millis mark_delay{150};

bool is_end(const Notice& notice) {
    return notice.state == RingState::ended;
}

}  // namespace

std::uint64_t Herald::next_seq(std::string_view jid) {
    auto found = seq_.find(jid);
    if (found == seq_.end()) found = seq_.emplace(std::string(jid), 0).first;
    return ++found->second;
}

std::uint64_t Herald::seq(std::string_view jid) const {
    auto found = seq_.find(jid);
    return found == seq_.end() ? 0 : found->second;
}

void Herald::restore(const std::vector<crm::Owed>& owed) {
    for (const auto& debt : owed) {
        auto& open = open_[{debt.jid, debt.pbx, debt.leg}];
        open.last = ports_.recall(debt);
    }
}

void Herald::notice(const Notice& notice, const crm::Lookup& lookup) {
    Key key{notice.to, notice.pbx, notice.leg};
    auto open = open_.find(key);
    auto waiting = steps_.find(notice.to);
    bool behind = waiting != steps_.end() && !waiting->second.empty();
    if (is_end(notice) && open == open_.end() && !behind) {
        // Never shown, so nothing to take back; the gap in seq tells a console that it missed something.
        next_seq(notice.to);
        tell(notice, Told::end_of_unseen);
        return;
    }
    if (!is_end(notice) && !up_) {
        next_seq(notice.to);
        tell(notice, Told::xmpp_down);
        if (open != open_.end()) open->second.last = notice;
        return;
    }
    bool owe_first = !is_end(notice) && open == open_.end();
    if (!owe_first && !behind) return deliver(notice, lookup);

    auto next = std::make_shared<Step>(Step{notice, lookup, !owe_first});
    steps_[notice.to].push_back(next);
    if (!owe_first) return;
    open_[key] = Open{notice, lookup, Phase::going_on, 0, 0};
    ports_.owe({notice.to, notice.pbx, notice.leg, notice.id, ports_.keep(notice)}, [this, next](bool) {
        // A disk that fails is told elsewhere; the operator gets the pop all the same.
        next->durable = true;
        step(next->notice.to);
    });
}

void Herald::step(std::string_view jid) {
    auto found = steps_.find(jid);
    if (found == steps_.end()) return;
    auto& queue = found->second;
    while (!queue.empty() && queue.front()->durable) {
        auto next = queue.front();
        queue.pop_front();
        deliver(next->notice, next->lookup);
    }
    if (queue.empty()) steps_.erase(found);
}

void Herald::deliver(const Notice& notice, const crm::Lookup& lookup) {
    auto found = open_.find({notice.to, notice.pbx, notice.leg});
    if (found == open_.end() || found->second.phase == Phase::ended_sent) return;
    auto& open = found->second;
    open.last = notice;
    open.lookup = lookup;
    if (is_end(notice)) {
        open.phase = Phase::ended_unsent;
        send_ended(open);
    } else if (open.phase == Phase::going_on) {
        send_begin(open);
    }
}

bool Herald::send_all(Notice notice, const crm::Lookup& lookup) {
    notice.seq = next_seq(notice.to);
    if (!up_) {
        tell(notice, is_end(notice) ? Told::end_owed : Told::xmpp_down);
        return false;
    }
    bool sent = true;
    for (const auto& stanza : ports_.render(notice, lookup)) sent = ports_.send(stanza) && sent;
    tell(notice, sent ? Told::sent : Told::refused);
    return sent;
}

void Herald::need_mark() {
    if (!std::exchange(unmarked_, true)) mark_at_ = ports_.now() + mark_delay;
}

void Herald::send_begin(Open& open) {
    const bool begins = open.last.state == RingState::ringing || open.last.state == RingState::dialing;
    if (!send_all(open.last, open.lookup) || !begins) return;
    open.begun = round_;
    need_mark();
}

void Herald::send_ended(Open& open) {
    if (!send_all(open.last, open.lookup)) return;
    open.phase = Phase::ended_sent;
    open.round = round_;
    need_mark();
}

void Herald::tick(Millis now) {
    if (!unmarked_ || now < mark_at_ || !up_) return;
    unmarked_ = false;
    auto round = round_++;
    ports_.mark([this, round, connection = connection_](bool read) { marked(round, connection, read); });
}

void Herald::marked(std::uint64_t round, std::uint64_t connection, bool read) {
    for (auto it = open_.begin(); it != open_.end();) {
        auto& open = it->second;
        if (open.begun == round) {
            open.begun = 0;
            tell(open.last, read ? Told::begin_confirmed : Told::begin_uncertain);
        }
        if (open.phase != Phase::ended_sent || open.round != round) {
            ++it;
        } else if (read) {
            ports_.settle(std::get<0>(it->first), std::get<1>(it->first), std::get<2>(it->first));
            tell(open.last, Told::end_confirmed);
            it = open_.erase(it);
        } else {
            // The server may not have read it: once more on the next connection.
            open.phase = Phase::ended_unsent;
            if (up_ && connection != connection_) send_ended(open);
            ++it;
        }
    }
}

Millis Herald::next_deadline() const {
    return unmarked_ && up_ ? mark_at_ : Millis::max();
}

void Herald::up() {
    up_ = true;
    ++connection_;
    for (auto& [key, open] : open_)
        if (open.phase != Phase::going_on) {
            open.phase = Phase::ended_unsent;
            send_ended(open);
        }
}

void Herald::down() {
    up_ = false;
    unmarked_ = false;
    for (auto& [key, open] : open_) {
        if (open.phase == Phase::ended_sent) open.phase = Phase::ended_unsent;
        if (std::exchange(open.begun, 0) != 0) tell(open.last, Told::begin_uncertain);
    }
    // What waits for the disk is owed already; its beginning would be stale when XMPP is back.
    for (auto& [jid, queue] : steps_)
        std::erase_if(queue, [this](const auto& waiting) {
            if (is_end(waiting->notice)) return false;
            tell(waiting->notice, Told::xmpp_down);
            return true;
        });
    for (auto& [jid, queue] : steps_)
        for (auto& waiting : queue) waiting->durable = true;
    std::vector<std::string> jids;
    for (auto& [jid, queue] : steps_) jids.push_back(jid);
    for (const auto& jid : jids) step(jid);
}

void Herald::reconcile(std::string_view pbx, const std::vector<Notice>& current) {
    std::set<Key> alive;
    for (const auto& ring : current) alive.insert({ring.to, ring.pbx, ring.leg});
    for (auto& [key, open] : open_) {
        if (std::get<1>(key) != pbx || open.phase != Phase::going_on || alive.contains(key)) continue;
        open.last.state = RingState::ended;
        open.last.cause = Cause::lost;
        open.last.at = ports_.now();
        open.last.actions.clear();
        open.last.far_end.clear();
        open.phase = Phase::ended_unsent;
        if (up_) send_ended(open);
    }
}

void Herald::shown(const Notice& notice) {
    Key key{notice.to, notice.pbx, notice.leg};
    if (is_end(notice) || open_.contains(key)) return;
    open_[key] = Open{notice, {}, Phase::going_on, 0, 0};
    ports_.owe({notice.to, notice.pbx, notice.leg, notice.id, ports_.keep(notice)}, [](bool) {});
}

}  // namespace bridge
