#include "crm/fact.hpp"

#include <charconv>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "crm/text.hpp"

namespace crm {
namespace {

// What is longer can be no name, number or note of a person; the columns cut further.
constexpr std::size_t longest_text = 16'000;
constexpr std::size_t longest_id = 400;

void put(Fact& fact, std::string_view name, std::string_view text) {
    fact.values.set_or_null(name, clean_text(text, longest_text));
}
void put_time(Fact& fact, std::string_view name, const std::optional<Millis>& time) {
    fact.values.set(name, time ? SqlParam{sql_time(*time)} : SqlParam{});
}
void put_span(Fact& fact, std::string_view name, const std::optional<Millis>& span) {
    fact.values.set(name, span ? SqlParam{std::int64_t{span->count()}} : SqlParam{});
}
// Keys are never NULL.
void put_key(Fact& fact, std::string_view name, std::string_view text) {
    fact.values.set(name, clean_text(text, longest_id));
}
// CRM ids as numbers, so that no database has to guess what '12x' means: NULL when it is none.
void put_number(Fact& fact, std::string_view name, std::string_view text) {
    std::int64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    const bool good = !text.empty() && error == std::errc{} && stopped == end && number > 0;
    fact.values.set(name, good ? SqlParam{number} : SqlParam{});
}

std::optional<Millis> between(const std::optional<Millis>& from, const std::optional<Millis>& to) {
    if (!from || !to || *to < *from) return std::nullopt;
    return *to - *from;
}

}  // namespace

std::string_view to_string(Direction direction) {
    switch (direction) {
        case Direction::inbound:
            return "inbound";
        case Direction::outbound:
            return "outbound";
        case Direction::internal:
            return "internal";
    }
    return "inbound";
}

std::string_view to_string(Disposition disposition) {
    switch (disposition) {
        case Disposition::none:
            return "";
        case Disposition::answered:
            return "answered";
        case Disposition::no_answer:
            return "no-answer";
        case Disposition::busy:
            return "busy";
        case Disposition::abandoned:
            return "abandoned";
        case Disposition::failed:
            return "failed";
        case Disposition::lost:
            return "lost";
    }
    return "";
}

std::string sql_time(Millis since_1970) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_1970);
    const std::chrono::sys_days day{std::chrono::floor<std::chrono::days>(seconds)};
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{since_1970 -
                                      std::chrono::duration_cast<Millis>(day.time_since_epoch())};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

Fact fact_of(const CallRow& row) {
    Fact fact{FactKind::call, {}};
    put_key(fact, "id", row.id);
    put(fact, "pbx", row.pbx);
    put(fact, "linkedid", row.linkedid);
    put(fact, "merged_into", row.merged_into);
    put(fact, "direction", to_string(row.direction));
    put(fact, "caller_number", row.caller_number);
    put(fact, "caller_name", row.caller_name);
    put(fact, "dialed_number", row.dialed_number);
    put(fact, "service", row.service);
    put(fact, "queue", row.queue);
    put(fact, "module", row.module);
    put(fact, "record", row.record);
    put_number(fact, "record_id", row.record);
    put(fact, "label", row.label);
    put_time(fact, "started", row.started);
    put_time(fact, "answered", row.answered);
    put_time(fact, "ended", row.ended);
    put_time(fact, "ended_by", row.ended_by);
    put_span(fact, "wait_ms", row.wait);
    put_span(fact, "talk_ms", row.talk);
    put_span(fact, "billed_ms", row.talk ? row.talk : between(row.answered, row.ended));
    put_span(fact, "total_ms", between(row.started, row.ended));
    put(fact, "disposition", to_string(row.disposition));
    put(fact, "answered_by", row.answered_by);
    put(fact, "request", row.request);
    put(fact, "recording", row.recording);
    put(fact, "note", row.note);
    put(fact, "code", row.code);
    put(fact, "owner", row.crm_owner);
    put_number(fact, "owner_id", row.crm_owner);
    fact.values.set("to_crm", std::int64_t{row.to_crm});
    return fact;
}

Fact fact_of(const LegRow& row) {
    Fact fact{FactKind::leg, {}};
    put_key(fact, "call", row.call);
    put_key(fact, "uniqueid", row.uniqueid);
    put_key(fact, "jid", row.jid);
    put(fact, "extension", row.extension);
    put_time(fact, "offered", row.offered);
    put_time(fact, "answered", row.answered);
    put_time(fact, "ended", row.ended);
    put_time(fact, "ended_by", row.ended_by);
    put(fact, "cause", row.cause);
    return fact;
}

Fact fact_of(const DialRow& row) {
    Fact fact{FactKind::dial, {}};
    put_key(fact, "id", row.id);
    put(fact, "jid", row.jid);
    put(fact, "pbx", row.pbx);
    put(fact, "extension", row.extension);
    put(fact, "number", row.number);
    put(fact, "dialed", row.dialed);
    put(fact, "module", row.module);
    put(fact, "record", row.record);
    put(fact, "service", row.service);
    put(fact, "outcome", row.outcome);
    put_time(fact, "at", row.at);
    put(fact, "action", row.action);
    put(fact, "call", row.call);
    put(fact, "asked_by", row.asked_by);
    return fact;
}

Fact fact_of(const AgentRow& row) {
    Fact fact{FactKind::agent, {}};
    put_key(fact, "jid", row.jid);
    put(fact, "pbx", row.pbx);
    put(fact, "extension", row.extension);
    put(fact, "seat", row.seat);
    put_key(fact, "state", row.state);
    put(fact, "reason", row.reason);
    put(fact, "by_jid", row.by);
    put_time(fact, "at", row.at);
    return fact;
}

std::string_view name_of_key(FactKind kind) {
    switch (kind) {
        case FactKind::leg:
            return "call";
        case FactKind::agent:
            return "jid";
        case FactKind::call:
        case FactKind::dial:
            break;
    }
    return "id";
}

// name 0x00 kind length ':' bytes, again and again; kind: n null, i integer, s text.
std::string encode(const SqlParams& values) {
    std::string out;
    for (const auto& [name, value] : values.all()) {
        const char kind = std::holds_alternative<std::monostate>(value) ? 'n'
                          : std::holds_alternative<std::int64_t>(value) ? 'i'
                                                                        : 's';
        const auto text = values.text(name);
        out += name;
        out += '\0';
        out += kind;
        out += std::to_string(text.size());
        out += ':';
        out += text;
    }
    return out;
}

std::optional<SqlParams> decode_params(std::string_view bytes) {
    SqlParams out;
    while (!bytes.empty()) {
        const auto name_end = bytes.find('\0');
        const auto colon = bytes.find(':', name_end == std::string_view::npos ? name_end : name_end + 1);
        if (colon == std::string_view::npos || colon < name_end + 2) return std::nullopt;
        const auto name = bytes.substr(0, name_end);
        const char kind = bytes[name_end + 1];
        const auto digits = bytes.substr(name_end + 2, colon - name_end - 2);
        std::size_t size = 0;
        const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
        if (error != std::errc{} || stopped != digits.data() + digits.size()) return std::nullopt;
        if (size > bytes.size() - colon - 1) return std::nullopt;
        const auto text = bytes.substr(colon + 1, size);
        if (kind == 'n' && size == 0) {
            out.set(name, {});
        } else if (kind == 's') {
            out.set(name, std::string(text));
        } else if (kind == 'i') {
            std::int64_t number = 0;
            const auto [last, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (fault != std::errc{} || last != text.data() + text.size()) return std::nullopt;
            out.set(name, number);
        } else {
            return std::nullopt;
        }
        bytes.remove_prefix(colon + 1 + size);
    }
    return out;
}

}  // namespace crm
