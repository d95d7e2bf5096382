// What the daemon decided beyond the desks, said for `explain`: the match, the form of a notice, what became
// of it.
#include <fmt/format.h>

#include "bridge/daemon_impl.hpp"

namespace bridge {

namespace {

Why why_of(const crm::Lookup& lookup) {
    switch (lookup.reason) {
        case crm::LookupReason::anonymous:
            return Why::party_withheld;
        case crm::LookupReason::internal:
            return Why::party_internal;
        case crm::LookupReason::too_short:
        case crm::LookupReason::not_a_number:
            return Why::party_no_number;
        case crm::LookupReason::nobody:
            return lookup.index_loaded ? Why::no_match : Why::index_not_loaded;
        case crm::LookupReason::matched:
            break;
    }
    if (!lookup.matches.front().may_see) return Why::match_hidden;
    if (lookup.matches.front().quality == crm::Quality::suffix) return Why::match_guess;
    return lookup.matches.size() > 1 ? Why::match_ambiguous : Why::match_chosen;
}

std::string labels_of(const crm::Lookup& lookup) {
    std::string labels;
    for (const auto& match : lookup.matches) {
        if (!labels.empty()) labels += ", ";
        labels += match.may_see ? match.label : fmt::format("(a record of {})", match.owner);
    }
    return labels;
}

// Where the answer is from, when it is not the usual way.
std::optional<Why> why_alone(crm::Asked asked) {
    switch (asked) {
        case crm::Asked::down:
            return Why::asked_database_down;
        case crm::Asked::too_late:
            return Why::asked_too_late;
        case crm::Asked::too_busy:
            return Why::asked_too_busy;
        case crm::Asked::failed:
            return Why::asked_failed;
        case crm::Asked::not_needed:
        case crm::Asked::confirmed:
            break;
    }
    return std::nullopt;
}

Why why_of(Recipient::Form form) {
    switch (form) {
        case Recipient::Form::console:
            return Why::pop_to_console;
        case Recipient::Form::spark:
            return Why::pop_to_spark;
        case Recipient::Form::everybody:
            return Why::pop_to_everybody;
        case Recipient::Form::doubtful:
            return Why::pop_to_doubtful;
        case Recipient::Form::by_mode:
            break;
    }
    return Why::pop_by_mode;
}

std::string_view name_of(PopMode mode) {
    static constexpr std::string_view names[] = {"auto", "rich", "spark", "plain"};
    return names[static_cast<std::size_t>(mode)];
}

}  // namespace

void Daemon::Impl::explain(Reason reason) {
    if (log.enabled(log_debug))
        log(log_debug, fmt::format("why={} call={} leg={} jid={} {}", to_string(reason.why), reason.call,
                                   reason.leg, reason.jid, sentence(reason)));
    auto keys = numbers_of(reason);
    reasons.add(std::move(reason), keys);
}

void Daemon::Impl::explain_match(const Notice& notice, const crm::Lookup& lookup) {
    if (notice.state != RingState::ringing && notice.state != RingState::dialing) return;
    const auto tell = [&](Why why, Data data) {
        explain({wall_now(), why, notice.id, notice.leg, notice.to, std::move(data)});
    };
    if (auto alone = why_alone(lookup.asked))
        tell(*alone,
             {{Fact::text, lookup.failure}, {Fact::after_ms, fmt::to_string(config.crm.budget.count())}});
    Data data{{Fact::number, notice.party_number},
              {Fact::text, lookup.asked == crm::Asked::confirmed ? "confirmed by the CRM's database"
                           : lookup.reason == crm::LookupReason::too_short
                               ? "it is too short to name one subscriber"
                           : lookup.reason == crm::LookupReason::not_a_number ? "it is no telephone number"
                                                                              : "from our own index"}};
    if (!lookup.colleague.empty()) data.push_back({Fact::name, lookup.colleague});
    if (!lookup.matches.empty()) {
        const auto& best = lookup.matches.front();
        data.insert(data.end(), {{Fact::label, lookup.matches.size() > 1 ? labels_of(lookup) : best.label},
                                 {Fact::organization, best.organization},
                                 {Fact::module, best.module},
                                 {Fact::record, best.id},
                                 {Fact::owner, best.owner},
                                 {Fact::quality, std::string(crm::name_of(best.quality))},
                                 {Fact::count, fmt::to_string(lookup.matches.size() + lookup.more)}});
    }
    tell(why_of(lookup), std::move(data));
}

void Daemon::Impl::told(const Notice& notice, Told what) {
    const auto tell = [&](Why why, Data data = {}) {
        data.push_back({Fact::state, std::string(to_string(notice.state))});
        if (notice.cause != Cause::none) data.push_back({Fact::cause, std::string(to_string(notice.cause))});
        explain({wall_now(), why, notice.id, notice.leg, notice.to, std::move(data)});
    };
    const bool begins = notice.state == RingState::ringing || notice.state == RingState::dialing;
    switch (what) {
        case Told::sent:
            for (const auto& recipient : recipients) {
                Data data{{Fact::to, recipient.to}, {Fact::mode, std::string(name_of(config.pop.mode))}};
                if (begins)
                    data.push_back({Fact::after_ms, fmt::to_string((wall_now() - notice.at).count())});
                tell(begins                             ? why_of(recipient.form)
                     : notice.state == RingState::ended ? Why::pop_withdrawn
                                                        : Why::update_sent,
                     std::move(data));
            }
            return;
        case Told::refused:
            return tell(
                Why::not_sent,
                {{Fact::text, "the XMPP stream did not take it, it is closing or its queue is full"}});
        case Told::xmpp_down:
            return tell(Why::not_told_xmpp_down);
        case Told::end_owed:
            return tell(Why::end_owed);
        case Told::end_of_unseen:
            return tell(Why::end_of_unseen);
        case Told::begin_confirmed:
            return tell(Why::pop_confirmed);
        case Told::begin_uncertain:
            return tell(Why::pop_unconfirmed);
        case Told::end_confirmed:
            return tell(Why::end_confirmed);
    }
}

}  // namespace bridge
