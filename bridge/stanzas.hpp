// Notices as stanzas (docs/design.md, section 5). Every text of others passes xmpp::Xml; lengths are bounded
// so that a message stays below 16 kB whatever a caller calls himself.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/audience.hpp"
#include "bridge/config.hpp"
#include "bridge/notice.hpp"
#include "bridge/sight.hpp"
#include "crm/types.hpp"

namespace bridge {

struct StanzaStyle {
    std::string component;  // our domain: `from` of everything
    std::string epoch;
    std::string language = "en";  // of the body: en, sk, cs, de; others read English
    MissedMode missed = MissedMode::notice;
    std::map<std::string, std::string> devices;  // pbx -> channel pattern, for phone-event's `device`
    std::vector<std::string> schemes{};          // of pages that services open, beside http and https
    const Sight* sight = nullptr;                // what operators may see; null: everything
};

class Stanzas {
 public:
    static constexpr std::size_t largest = 16UL * 1024 - 1;  // bytes of a message

    explicit Stanzas(StanzaStyle style) : style_(std::move(style)) {}
    void configure(StanzaStyle style) { style_ = std::move(style); }

    // The message of a notice to one recipient.
    [[nodiscard]] std::string notice(const Notice& notice, const crm::Lookup& lookup,
                                     const Recipient& recipient) const;

    // <call/> alone: answer to a dial request, and part of <calls/>.
    [[nodiscard]] std::string call(const Notice& notice, const crm::Lookup& lookup) const;
    // Answer to <calls/>: the elements of call() and link_now(), and the number of notices to this JID so
    // far.
    [[nodiscard]] std::string calls(std::uint64_t seq, std::span<const std::string> calls) const;

    static std::string link_now(std::string_view kind, std::string_view name, bool up, Millis since);

    // Messages to a console.
    [[nodiscard]] std::string sync(std::string_view to, std::uint64_t seq) const;
    // `kind`: "pbx" or "crm".
    [[nodiscard]] std::string link(std::string_view to, std::uint64_t seq, std::string_view kind,
                                   std::string_view name, bool up, Millis since) const;

 private:
    [[nodiscard]] std::string written(const Notice& notice, const crm::Lookup& lookup,
                                      const Recipient& recipient) const;
    StanzaStyle style_;
};

// The notice with the line for a person: of the ring, or of its answer where the service says so.
bool is_pop(const Notice& notice);

// An unanswered call from outside or a colleague that is over for this operator. A round of a queue that
// timed out is none: the caller still waits. Nor is one that a colleague answered or the operator rejected.
bool is_missed(const Notice& notice);

// 2026-11-20T15:08:49.305Z
std::string iso8601(Millis time);

}  // namespace bridge
