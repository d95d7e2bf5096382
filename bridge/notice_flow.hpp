// Between desk and stanza: a pop waits for its match, but never longer than the budget, and notices to one
// JID keep their order. Sans-I/O: lookups are asked through functions, time is an argument.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "bridge/notice.hpp"
#include "crm/types.hpp"

namespace bridge {

class NoticeFlow {
 public:
    // Asks the CRM room; the answer comes through `answered` later, never from inside.
    using Find = std::function<void(const std::string& number, const std::string& pbx,
                                    const std::string& crm_user, std::function<void(crm::Lookup)> answered)>;
    // From memory, at once.
    using Index =
        std::function<crm::Lookup(std::string_view number, std::string_view pbx, std::string_view crm_user)>;
    using Send = std::function<void(const Notice& notice, const crm::Lookup& lookup)>;

    NoticeFlow(Millis budget, Find find, Index index, Send send);
    ~NoticeFlow();
    NoticeFlow(const NoticeFlow&) = delete;
    NoticeFlow& operator=(const NoticeFlow&) = delete;

    void set_budget(Millis budget) { budget_ = budget; }
    // A caller's channel appeared: ask now, before any phone rings.
    void prefetch(const std::string& number, const std::string& pbx, Millis now);
    // Sends it when its match is known, at the latest after the budget, and after all earlier ones of its
    // JID. `crm_user`: whose visibility counts (empty: everything is shown).
    void add(Notice notice, const std::string& crm_user, Millis now);
    void tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;  // Millis::max() when nothing waits

    // The match of a notice that was sent or waits; from the index when it was never asked.
    [[nodiscard]] crm::Lookup lookup_of(const Notice& notice, const std::string& crm_user) const;
    void release();  // the XMPP link is down: nothing is worth waiting for
    [[nodiscard]] std::size_t waiting() const;
    [[nodiscard]] std::size_t known() const { return answers_.size(); }

 private:
    using Key = std::tuple<std::string, std::string, std::string>;  // pbx, number, crm user
    struct Answer {
        std::optional<crm::Lookup> lookup;
        bool asked = false;  // an answer is on its way
        Millis at{0};        // when it was asked
        Millis used{0};
    };
    struct Waiting {
        Notice notice;
        Key key;
        bool settled = false;  // its match is decided
        Millis deadline{0};
    };
    [[nodiscard]] static bool usable(const Answer& answer, Millis now);
    void ask(const Key& key, Answer& answer, Millis now);
    void arrived(const Key& key, crm::Lookup lookup);
    void flush(std::deque<Waiting>& queue);
    void trim(Millis now);
    [[nodiscard]] crm::Lookup decide(const Notice& notice, const Key& key) const;

    Millis budget_;
    Find find_;
    Index index_;
    Send send_;
    std::map<Key, Answer> answers_;
    std::map<std::string, std::deque<Waiting>, std::less<>> queues_;  // by JID
    std::shared_ptr<NoticeFlow*> alive_;  // answers may come after the flow is gone
};

}  // namespace bridge
