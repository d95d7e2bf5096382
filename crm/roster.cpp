#include "crm/roster.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "crm/number_text.hpp"
#include "crm/text.hpp"

namespace crm {
namespace {

constexpr std::size_t longest = 1000;

// One line: it goes into stanzas, logs and actions of the AMI.
std::string text(const SqlParams& values, std::string_view name) {
    auto out = clean_text(values.text(name), longest);
    std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return std::string(trimmed(out));
}

int number(const SqlParams& values, std::string_view name) {
    const auto digits = values.text(name);
    int out = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return out;
}

bool flag(const SqlParams& values, std::string_view name) {
    return number(values, name) != 0;
}

template <class Enum>
Enum word(const SqlParams& values, std::string_view name, std::initializer_list<Enum> all) {
    for (const Enum one : all)
        if (name_of(one) == values.text(name)) return one;
    return *all.begin();
}

SqlParam number_text(std::int64_t value) {
    return std::to_string(value);
}

SqlParams params(std::initializer_list<std::pair<std::string_view, std::string_view>> texts) {
    SqlParams out;
    for (const auto& [name, value] : texts) out.set_or_null(name, value);
    return out;
}

// A list that belongs to `owner`, in its order.
void put_list(std::vector<RosterRow>& rows, std::string_view kind, std::string_view owner_name,
              std::string_view owner, std::string_view name, const std::vector<std::string>& values) {
    std::int64_t place = 0;
    for (const auto& value : values) {
        auto row = params({{owner_name, owner}, {name, value}});
        row.set("place", number_text(place++));
        rows.push_back({std::string(kind), std::move(row)});
    }
}

void put(std::vector<RosterRow>& rows, const Operator& one) {
    rows.push_back({"operator", values_of(one)});
    put_list(rows, "operator_device", "jid", one.jid, "device", one.devices);
}

void put(std::vector<RosterRow>& rows, const Service& one) {
    auto row = params({{"name", one.name},
                       {"pbx", one.pbx},
                       {"direction", one.direction == Direction::outbound ? "outbound" : "inbound"},
                       {"queue", one.queue},
                       {"language", one.language},
                       {"skill", one.skill},
                       {"pop_rule", name_of(one.pop)},
                       {"url", one.url},
                       {"caller_id", one.caller_id}});
    row.set("wrap_up_s", number_text(one.wrap_up.count() / 1000));
    row.set("enabled", number_text(one.enabled ? 1 : 0));
    rows.push_back({"service", std::move(row)});
    put_list(rows, "service_context", "service", one.name, "context", one.contexts);
    put_list(rows, "service_variable", "service", one.name, "variable", one.variables);
    put_list(rows, "service_module", "service", one.name, "module", one.modules);
    std::int64_t place = 0;
    for (const auto& code : one.codes) {
        auto values = params({{"service", one.name}, {"code", code.code}, {"label", code.label}});
        values.set("place", number_text(place++));
        rows.push_back({"service_code", std::move(values)});
    }
    for (const auto& person : one.operators) {
        auto values = params({{"service", one.name}, {"jid", person.jid}});
        values.set("penalty", number_text(person.penalty));
        values.set("supervisor", number_text(person.supervisor ? 1 : 0));
        rows.push_back({"service_operator", std::move(values)});
    }
}

void put(std::vector<RosterRow>& rows, const Seat& one) {
    rows.push_back(
        {"seat",
         params({{"id", one.id}, {"pbx", one.pbx}, {"extension", one.extension}, {"place", one.place}})});
    put_list(rows, "seat_device", "seat", one.id, "device", one.devices);
    put_list(rows, "seat_key", "seat", one.id, "seat_key", one.keys);
}

// ---- from rows ----

struct Building {
    std::map<std::string, Operator> operators;
    std::map<std::string, Service> services;
    std::map<std::string, Seat> seats;
};

void add_operator(Building& to, const SqlParams& row) {
    auto one = operator_of(row);
    const auto jid = one.jid;
    if (!jid.empty()) to.operators[jid] = std::move(one);
}

void add_service(Building& to, const SqlParams& row) {
    Service one{.name = text(row, "name"),
                .pbx = text(row, "pbx"),
                .direction = text(row, "direction") == "outbound" ? Direction::outbound : Direction::inbound,
                .queue = text(row, "queue"),
                .enabled = flag(row, "enabled"),
                .pop = word(row, "pop_rule", {PopRule::ringing, PopRule::answered, PopRule::never}),
                .url = text(row, "url"),
                .caller_id = text(row, "caller_id"),
                .wrap_up = std::chrono::seconds(std::clamp(number(row, "wrap_up_s"), 0, 86400)),
                .language = text(row, "language"),
                .skill = text(row, "skill")};
    const auto name = one.name;
    if (!name.empty()) to.services[name] = std::move(one);
}

void add_seat(Building& to, const SqlParams& row) {
    Seat one{.id = text(row, "id"),
             .pbx = text(row, "pbx"),
             .extension = text(row, "extension"),
             .place = text(row, "place")};
    const auto id = one.id;
    if (!id.empty()) to.seats[id] = std::move(one);
}

template <class Owner>
Owner* owner(std::map<std::string, Owner>& all, const std::string& key) {
    const auto found = all.find(key);
    return found == all.end() ? nullptr : &found->second;
}

template <auto Member, class Owner>
void add_text(std::map<std::string, Owner>& all, const std::string& key, std::string value) {
    if (auto* one = owner(all, key); one != nullptr && !value.empty())
        (one->*Member).push_back(std::move(value));
}

struct Kind {
    std::string_view name;
    void (*add)(Building&, const SqlParams&);
};

const Kind kinds[] = {
    {"operator", add_operator},
    {"operator_device",
     [](Building& to, const SqlParams& row) {
         add_text<&Operator::devices>(to.operators, lower_ascii(text(row, "jid")), text(row, "device"));
     }},
    {"service", add_service},
    {"service_context",
     [](Building& to, const SqlParams& row) {
         add_text<&Service::contexts>(to.services, text(row, "service"), text(row, "context"));
     }},
    {"service_variable",
     [](Building& to, const SqlParams& row) {
         add_text<&Service::variables>(to.services, text(row, "service"), text(row, "variable"));
     }},
    {"service_module",
     [](Building& to, const SqlParams& row) {
         add_text<&Service::modules>(to.services, text(row, "service"), text(row, "module"));
     }},
    {"service_code",
     [](Building& to, const SqlParams& row) {
         if (auto* one = owner(to.services, text(row, "service")))
             one->codes.push_back({text(row, "code"), text(row, "label")});
     }},
    {"service_operator",
     [](Building& to, const SqlParams& row) {
         if (auto* one = owner(to.services, text(row, "service")))
             one->operators.push_back(
                 {lower_ascii(text(row, "jid")), number(row, "penalty"), flag(row, "supervisor")});
     }},
    {"seat", add_seat},
    {"seat_device",
     [](Building& to, const SqlParams& row) {
         add_text<&Seat::devices>(to.seats, text(row, "seat"), text(row, "device"));
     }},
    {"seat_key",
     [](Building& to, const SqlParams& row) {
         add_text<&Seat::keys>(to.seats, text(row, "seat"), lower_ascii(text(row, "seat_key")));
     }},
};

// ---- differences ----

std::string_view key_column(std::string_view kind) {
    if (kind.starts_with("operator")) return "jid";
    if (kind == "seat") return "id";
    if (kind == "service") return "name";
    return kind.starts_with("seat") ? "seat" : "service";
}

// What of one entry is told: each column, and each list as one.
using Told = std::map<std::string, std::string>;
using Entries = std::map<RosterKey, Told>;

Entries told(const Roster& roster) {
    Entries out;
    for (const auto& row : rows_of(roster)) {
        const auto key_name = key_column(row.kind);
        const auto owner = owner_of(row);
        const auto& main = owner.first;
        auto& entry = out[owner];
        if (main == row.kind) {
            for (const auto& [name, value] : row.values.all())
                if (name != key_name) entry[name] = row.values.text(name);
            continue;
        }
        std::string item;
        for (const auto& [name, value] : row.values.all()) {
            const auto shown = row.values.text(name);
            if (name != key_name && name != "place" && !shown.empty())
                item += (item.empty() ? "" : "/") + shown;
        }
        auto& list = entry[row.kind.substr(main.size() + 1) + "s"];
        list += (list.empty() ? "" : ", ") + item;
    }
    return out;
}

}  // namespace

const std::vector<std::string>& roster_kinds() {
    static const auto names = [] {
        std::vector<std::string> out;
        for (const auto& kind : kinds) out.emplace_back(kind.name);
        return out;
    }();
    return names;
}

RosterKey owner_of(const RosterRow& row) {
    return {row.kind.substr(0, row.kind.find('_')), row.values.text(key_column(row.kind))};
}

SqlParams values_of(const Operator& one) {
    auto values = params({{"jid", one.jid},
                          {"crm_user", one.crm_user},
                          {"pbx", one.pbx},
                          {"extension", one.extension},
                          {"name", one.name},
                          {"role", name_of(one.role)}});
    values.set("active", number_text(one.active ? 1 : 0));
    return values;
}

Operator operator_of(const SqlParams& values) {
    return {.jid = lower_ascii(text(values, "jid")),
            .crm_user = text(values, "crm_user"),
            .pbx = text(values, "pbx"),
            .extension = text(values, "extension"),
            .name = text(values, "name"),
            .active = flag(values, "active"),
            .role = word(values, "role",
                         {Role::agent, Role::supervisor, Role::administrator, Role::application})};
}

std::vector<RosterRow> rows_of(const Roster& roster) {
    std::vector<RosterRow> rows;
    for (const auto& one : roster.operators) put(rows, one);
    for (const auto& one : roster.services) put(rows, one);
    for (const auto& one : roster.seats) put(rows, one);
    return rows;
}

Roster roster_of(const std::vector<RosterRow>& rows) {
    Building building;
    for (const auto& kind : kinds)
        for (const auto& row : rows)
            if (row.kind == kind.name) kind.add(building, row.values);
    Roster out;
    for (auto& [key, one] : building.operators) out.operators.push_back(std::move(one));
    for (auto& [key, one] : building.services) out.services.push_back(std::move(one));
    for (auto& [key, one] : building.seats) out.seats.push_back(std::move(one));
    sort(out);
    return out;
}

void sort(Roster& roster) {
    std::ranges::stable_sort(roster.operators, {}, &Operator::jid);
    std::ranges::stable_sort(roster.services, {}, &Service::name);
    std::ranges::stable_sort(roster.seats, {}, &Seat::id);
    for (auto& service : roster.services)
        std::ranges::stable_sort(service.operators, {}, &ServiceOperator::jid);
}

std::vector<std::string> differences(const Roster& from, const Roster& to) {
    const auto before = told(from), after = told(to);
    std::vector<std::string> lines;
    for (const auto& [key, entry] : after)
        if (!before.contains(key)) lines.push_back(fmt::format("+ {} {}", key.first, key.second));
    for (const auto& [key, entry] : before) {
        const auto now = after.find(key);
        if (now == after.end()) {
            lines.push_back(fmt::format("- {} {}", key.first, key.second));
            continue;
        }
        std::vector<std::string> changes;
        Told names = entry;
        names.insert(now->second.begin(), now->second.end());
        for (const auto& [name, ignored] : names) {
            const auto value = [&](const Told& of) {
                const auto found = of.find(name);
                return found == of.end() || found->second.empty() ? std::string("nothing") : found->second;
            };
            if (value(entry) != value(now->second))
                changes.push_back(fmt::format("{} {} -> {}", name, value(entry), value(now->second)));
        }
        if (!changes.empty())
            lines.push_back(fmt::format("~ {} {}: {}", key.first, key.second, fmt::join(changes, "; ")));
    }
    return lines;
}

std::vector<RosterKey> changed_keys(const Roster& from, const Roster& to) {
    const auto before = told(from), after = told(to);
    std::vector<RosterKey> keys;
    for (const auto& [key, entry] : before)
        if (const auto now = after.find(key); now == after.end() || now->second != entry) keys.push_back(key);
    for (const auto& [key, entry] : after)
        if (!before.contains(key)) keys.push_back(key);
    return keys;
}

}  // namespace crm
