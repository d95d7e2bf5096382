#include "bridge/notice_flow.hpp"

#include <algorithm>
#include <memory>

namespace bridge {

namespace {

// An answer this old is asked again when the same number calls anew: people edit records between two calls.
constexpr Millis fresh{5000};
// An answer nobody used for so long belongs to a call that is over.
constexpr Millis idle{30 * 60 * 1000};
constexpr std::size_t most_answers = 5000;

bool lookup_needed(const Notice& notice) {
    return !notice.withheld && !notice.party_number.empty();
}

crm::Lookup nobody_known() {
    crm::Lookup lookup;
    lookup.reason = crm::LookupReason::anonymous;
    lookup.number.anonymous = true;
    lookup.why = "the number is withheld";
    return lookup;
}

}  // namespace

NoticeFlow::NoticeFlow(Millis budget, Find find, Index index, Send send)
    : budget_(budget),
      find_(std::move(find)),
      index_(std::move(index)),
      send_(std::move(send)),
      alive_(std::make_shared<NoticeFlow*>(this)) {}

NoticeFlow::~NoticeFlow() {
    *alive_ = nullptr;
}

// Whether the beginning of another ring may have it. One the database did not confirm holds for its ring
// only.
bool NoticeFlow::usable(const Answer& answer, Millis now) {
    if (!answer.lookup || now - answer.at > fresh) return false;
    return answer.lookup->asked == crm::Asked::confirmed || answer.lookup->asked == crm::Asked::not_needed;
}

void NoticeFlow::prefetch(const std::string& number, const std::string& pbx, Millis now) {
    if (number.empty()) return;
    trim(now);
    Key key{pbx, number, {}};
    auto& answer = answers_[key];
    answer.used = now;
    if (!usable(answer, now)) ask(key, answer, now);
}

void NoticeFlow::add(Notice notice, const std::string& crm_user, Millis now) {
    trim(now);
    Key key{notice.pbx, notice.party_number, crm_user};
    Waiting waiting{std::move(notice), key, true, now + budget_};
    bool begins = waiting.notice.state == RingState::ringing || waiting.notice.state == RingState::dialing;
    if (lookup_needed(waiting.notice)) {
        auto& answer = answers_[key];
        answer.used = now;
        if (!answer.lookup || (begins && !usable(answer, now))) ask(key, answer, now);
        // Only the beginning of a ring is worth waiting for; later notices take what is known by then.
        waiting.settled = !begins || !answer.asked;
    }
    auto& queue = queues_[waiting.notice.to];
    queue.push_back(std::move(waiting));
    flush(queue);
}

void NoticeFlow::ask(const Key& key, Answer& answer, Millis now) {
    if (answer.asked) return;
    answer.asked = true;
    answer.at = now;
    const auto& [pbx, number, user] = key;
    find_(number, pbx, user, [alive = alive_, key](crm::Lookup lookup) {
        if (*alive != nullptr) (*alive)->arrived(key, std::move(lookup));
    });
}

void NoticeFlow::arrived(const Key& key, crm::Lookup lookup) {
    auto found = answers_.find(key);
    if (found == answers_.end()) return;
    found->second.lookup = std::move(lookup);
    found->second.asked = false;
    for (auto& [jid, queue] : queues_) {
        for (auto& waiting : queue)
            if (waiting.key == key) waiting.settled = true;
        flush(queue);
    }
}

void NoticeFlow::tick(Millis now) {
    for (auto& [jid, queue] : queues_) {
        for (auto& waiting : queue)
            if (waiting.deadline <= now) waiting.settled = true;
        flush(queue);
    }
    std::erase_if(queues_, [](const auto& entry) { return entry.second.empty(); });
}

Millis NoticeFlow::next_deadline() const {
    auto next = Millis::max();
    for (const auto& [jid, queue] : queues_)
        for (const auto& waiting : queue)
            if (!waiting.settled) next = std::min(next, waiting.deadline);
    return next;
}

void NoticeFlow::flush(std::deque<Waiting>& queue) {
    while (!queue.empty() && queue.front().settled) {
        auto waiting = std::move(queue.front());
        queue.pop_front();
        send_(waiting.notice, decide(waiting.notice, waiting.key));
    }
}

crm::Lookup NoticeFlow::decide(const Notice& notice, const Key& key) const {
    if (!lookup_needed(notice)) return nobody_known();
    const auto found = answers_.find(key);
    if (found != answers_.end() && found->second.lookup) return *found->second.lookup;
    auto lookup = index_(notice.party_number, notice.pbx, std::get<2>(key));
    if (found != answers_.end()) lookup.asked = crm::Asked::too_late;
    return lookup;
}

crm::Lookup NoticeFlow::lookup_of(const Notice& notice, const std::string& crm_user) const {
    return decide(notice, {notice.pbx, notice.party_number, crm_user});
}

void NoticeFlow::release() {
    for (auto& [jid, queue] : queues_) {
        for (auto& waiting : queue) waiting.settled = true;
        flush(queue);
    }
}

std::size_t NoticeFlow::waiting() const {
    std::size_t count = 0;
    for (const auto& [jid, queue] : queues_) count += queue.size();
    return count;
}

void NoticeFlow::trim(Millis now) {
    if (answers_.size() < most_answers) return;
    std::erase_if(answers_,
                  [&](const auto& entry) { return !entry.second.asked && now - entry.second.used > idle; });
    // A flood of callers within the half hour: the oldest goes, its later notices take the index.
    while (answers_.size() >= most_answers) {
        auto oldest = std::min_element(answers_.begin(), answers_.end(), [](const auto& a, const auto& b) {
            return a.second.used < b.second.used;
        });
        answers_.erase(oldest);
    }
}

}  // namespace bridge
