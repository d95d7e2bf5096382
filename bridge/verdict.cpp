#include "bridge/verdict.hpp"

#include <fmt/format.h>

namespace bridge {

namespace {

constexpr int chain_most = 32;  // Local channels between a caller and a phone
constexpr Millis at_once{500};  // losers of a race end this long after the answer at the latest

const Leg* above(const Leg& leg) {
    if (leg.dialer != nullptr) return leg.dialer;
    return leg.second_half ? leg.sibling : nullptr;
}

// ITU-T Q.850: what cannot be reached.
bool is_failure(int cause) {
    switch (cause) {
        case 1:
        case 2:
        case 3:
        case 20:
        case 22:
        case 25:
        case 27:
        case 28:
        case 29:
        case 34:
        case 38:
        case 41:
        case 42:
        case 43:
        case 44:
        case 47:
        case 50:
        case 52:
        case 57:
        case 58:
        case 63:
        case 65:
        case 66:
        case 69:
        case 79:
        case 88:
        case 111:
            return true;
        default:
            return false;
    }
}

// The only causes that can be believed on every driver.
std::optional<Verdict> by_cause(const Leg& leg) {
    switch (leg.cause) {
        case 17:
            return Verdict{Cause::busy, "Hangup cause 17"};
        case 21:
            return Verdict{Cause::rejected, "Hangup cause 21"};
        case 23:
            return Verdict{Cause::transferred, "Hangup cause 23"};
        case 26:
            return Verdict{Cause::answered_elsewhere, "Hangup cause 26"};
        default:
            return std::nullopt;
    }
}

// A queue or ring group that gave up says so on the leg, or on the Local half above it.
bool dial_gave_up(const Leg& leg) {
    const Leg* at = &leg;
    for (int i = 0; at != nullptr && i < chain_most; ++i, at = above(*at))
        if (at->dial_status == "NOANSWER") return true;
    return false;
}

// Did the partner that left the bridge first go on elsewhere?
std::optional<bool> goes_on(const Leg& partner) {
    if (partner.ended || partner.hangup_requested || partner.soft_hangup) return false;
    if (!partner.bridge.empty()) return true;
    for (const Leg* other : partner.call->legs)
        if (other->dialer == &partner && other->alive()) return true;
    return std::nullopt;
}

std::optional<Verdict> talking_leg_ended(const Leg& leg, const Circumstances& known) {
    if (leg.transferred) return Verdict{Cause::transferred, "it transferred or parked its call"};
    if (leg.left_by == nullptr && leg.partner_hung_up)
        return Verdict{Cause::hangup, "the other side asked for the hangup"};
    // A transfer of the last milliseconds of a gap would look the same; a hangup behind one is far more
    // likely.
    if (leg.hung_up_talking) return Verdict{Cause::hangup, "this side asked for the hangup"};
    if (leg.hangup_requested || leg.left_by == nullptr) return Verdict{Cause::hangup, "Hangup", false};
    const std::optional<bool> elsewhere = goes_on(*leg.left_by);
    if (!elsewhere && !known.late) return std::nullopt;
    if (elsewhere.value_or(true))
        return Verdict{Cause::transferred, "the other side was led elsewhere", elsewhere.has_value()};
    return Verdict{Cause::hangup, "the other side hung up"};
}

// The events of an end come in one moment; when a gap has cut it, what was not seen decides nothing.
std::optional<Verdict> unless_cut(const Leg& leg, std::optional<Verdict> verdict,
                                  const Circumstances& known) {
    if (!verdict || verdict->sure || !known.blind_until || *leg.ended > *known.blind_until + at_once)
        return verdict;
    return Verdict{Cause::lost, "its end began while the link was down"};
}

}  // namespace

const Leg* root_of(const Leg& leg) {
    const Leg* at = above(leg);
    if (at == nullptr) return nullptr;
    for (int i = 0; i < chain_most; ++i) {
        const Leg* next = above(*at);
        if (next == nullptr) return at;
        at = next;
    }
    return nullptr;
}

std::string local_exten(const Leg& origin) {
    if (!origin.local) return {};
    const std::size_t from = origin.channel.find('/') + 1;
    return origin.channel.substr(from, origin.channel.find('@') - from);
}

std::optional<bool> behind_originate(const Leg& leg) {
    const Leg* origin = leg.call->origin;
    if (origin == nullptr || !origin->local) return false;
    if (leg.dialer == nullptr) return leg.listed ? std::optional(true) : std::nullopt;
    const Leg* at = leg.dialer;
    for (int i = 0; at != nullptr && i < chain_most; ++i, at = above(*at)) {
        if (at == origin) return false;
        if (at == origin->sibling) return true;
    }
    return false;
}

namespace {

std::optional<Verdict> called_end(const Leg& leg, const Circumstances& known) {
    if (leg.up) return talking_leg_ended(leg, known);
    if (leg.picked_up) return Verdict{Cause::answered_elsewhere, "picked up by another phone"};
    if (leg.forwarded) return Verdict{Cause::transferred, "the phone forwarded the call"};
    if (auto verdict = by_cause(leg)) return verdict;
    if (known.other_answered && *leg.ended + at_once >= *known.other_answered &&
        *leg.ended - *known.other_answered <= at_once)
        return Verdict{Cause::answered_elsewhere, "somebody else answered"};
    if (dial_gave_up(leg)) return Verdict{leg.rang ? Cause::no_answer : Cause::failed, "DialStatus NOANSWER"};
    if (leg.dial_status == "CHANUNAVAIL" || leg.dial_status == "CONGESTION" || is_failure(leg.cause))
        return Verdict{Cause::failed, fmt::format("Hangup cause {} {}", leg.cause, leg.dial_status)};
    if (leg.cause == 127) return Verdict{Cause::cancelled, "Hangup cause 127"};
    const Leg* origin = leg.call->origin;
    for (const Leg* one : {origin, root_of(leg)})
        if (one != nullptr && one != &leg && (one->hangup_requested || one->ended))
            return Verdict{Cause::cancelled, "the caller gave up", one->hangup_requested.has_value()};
    if (leg.cause == 19) return Verdict{Cause::no_answer, "Hangup cause 19"};
    if (!known.late) return std::nullopt;
    return Verdict{leg.rang ? Cause::no_answer : Cause::failed,
                   fmt::format("Hangup cause {}, the call goes on", leg.cause), false};
}

std::optional<Verdict> own_end(const Leg& leg, bool answered, const Circumstances& known) {
    if (answered) return talking_leg_ended(leg, known);
    if (leg.transferred) return Verdict{Cause::transferred, "it transferred its call"};

    const Leg* far = nullptr;
    for (const Leg* other : leg.call->legs)
        if (other != &leg && !other->local && other->dialed && other->dialer != nullptr &&
            !behind_originate(*other).value_or(true))
            far = other;
    if (far != nullptr ? far->lost : known.unseen && leg.up)
        return Verdict{Cause::lost, "what became of the far end was not seen"};
    if (far != nullptr) {
        if (far->cause == 17 || far->dial_status == "BUSY")
            return Verdict{far->cause == 21 ? Cause::rejected : Cause::busy, "the far end is busy"};
        if (far->cause == 21) return Verdict{Cause::rejected, "the far end rejected"};
        if (is_failure(far->cause) || far->dial_status == "CONGESTION" || far->dial_status == "CHANUNAVAIL")
            return Verdict{Cause::failed, fmt::format("Hangup cause {} of the far end", far->cause)};
        if (far->dial_status == "NOANSWER")
            return Verdict{Cause::no_answer, "DialStatus NOANSWER of the far end"};
        return Verdict{Cause::cancelled, "the operator gave up", false};
    }
    // the OriginateResponse, which comes in no fixed order, knows what was to be dialled
    const Call& call = *leg.call;
    if (leg.originated && !call.originate_failure && !call.originate_success && !known.late)
        return std::nullopt;
    if (leg.cause == 17 || leg.dial_status == "BUSY") return Verdict{Cause::busy, "the own phone is busy"};
    if (leg.cause == 21) return Verdict{Cause::rejected, "the own phone rejected"};
    const bool was_rung = leg.originated || leg.dialer != nullptr;
    if (!was_rung) {
        if (is_failure(leg.cause)) return Verdict{Cause::failed, fmt::format("Hangup cause {}", leg.cause)};
        return leg.hangup_requested && !leg.up ? Verdict{Cause::cancelled, "the operator gave up", false}
                                               : Verdict{Cause::hangup, "Hangup", false};
    }
    if (leg.up) return Verdict{Cause::hangup, "nobody else was called", false};
    if (const auto reason = leg.call->originate_failure) {
        if (*reason == 3) return Verdict{Cause::no_answer, "OriginateResponse reason 3"};
        if (*reason == 5) return Verdict{Cause::busy, "OriginateResponse reason 5"};
        if (leg.cause == 19) return Verdict{Cause::no_answer, "Hangup cause 19"};
        if (is_failure(leg.cause) || *reason == 8)
            return Verdict{Cause::failed, fmt::format("Hangup cause {}", leg.cause)};
        return Verdict{Cause::cancelled, "hung up while the own phone rang"};
    }
    if (leg.cause == 19) return Verdict{Cause::no_answer, "Hangup cause 19"};
    if (is_failure(leg.cause)) return Verdict{Cause::failed, fmt::format("Hangup cause {}", leg.cause)};
    if (!known.late) return std::nullopt;
    return Verdict{Cause::no_answer, fmt::format("Hangup cause {}", leg.cause), false};
}

}  // namespace

std::optional<Verdict> called_leg_ended(const Leg& leg, const Circumstances& known) {
    return unless_cut(leg, called_end(leg, known), known);
}

std::optional<Verdict> own_leg_ended(const Leg& leg, bool answered, const Circumstances& known) {
    return unless_cut(leg, own_end(leg, answered, known), known);
}

}  // namespace bridge
