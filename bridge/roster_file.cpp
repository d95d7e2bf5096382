#include "bridge/roster_file.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "bridge/config_reader.hpp"
#include "bridge/page_url.hpp"
#include "crm/roster.hpp"

namespace bridge {

namespace {

using Node = YAML::Node;
using Reader = ConfigReader;

// ---- single values ----

using Wrong = std::string (*)(std::string_view);

constexpr std::string_view plain_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";

std::string wrong_length(std::string_view text, std::size_t most) {
    return text.size() > most ? fmt::format("is longer than {} bytes", most) : std::string();
}

std::string wrong_name(std::string_view text) {
    if (text.starts_with(' ') || text.ends_with(' ')) return "begins or ends with a blank";
    return wrong_length(text, 100);
}

// Contexts, queues and modules: names that are part of actions and of addresses.
std::string wrong_word(std::string_view text) {
    if (text.find_first_not_of(plain_letters) != std::string_view::npos)
        return "may hold letters, digits, _ - . only";
    return wrong_length(text, 100);
}

std::string wrong_variable(std::string_view text) {
    // it stands in a list of the AMI, separated by commas, and before an equals sign
    if (text.find_first_of(",= |&\"'<>\\{}") != std::string_view::npos || text.starts_with('_'))
        return "is no name of a variable; write it as in the dialplan, without leading underscores";
    return wrong_length(text, 64);
}

std::string wrong_extension(std::string_view text) {
    if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*#+-_.") !=
        std::string_view::npos)
        return "may hold letters, digits and * # + - _ . only";
    return wrong_length(text, 40);
}

std::string wrong_device(std::string_view text) {
    const auto slash = text.find('/');
    const bool form = slash != 0 && slash != std::string_view::npos && slash + 1 < text.size() &&
                      text.find_first_of(" &,|\"'<>\\") == std::string_view::npos;
    return form ? wrong_length(text, 190) : "is no device; write it like PJSIP/anna-desk";
}

std::string wrong_jid(std::string_view text) {
    const auto at = text.find('@');
    const bool form = at != 0 && at != std::string_view::npos && at + 1 < text.size() &&
                      text.find('@', at + 1) == std::string_view::npos &&
                      text.find_first_of("/ <>&'\"") == std::string_view::npos;
    return form ? wrong_length(text, 255) : "is no bare JID; write it like anna@example.org";
}

std::string wrong_key(std::string_view text) {
    return text.find('/') != std::string_view::npos ? "is no MAC and no host name" : wrong_length(text, 190);
}

std::string wrong_language(std::string_view text) {
    return text.size() > 20 || text.find_first_not_of(plain_letters) != std::string_view::npos
               ? "must be a language tag like en or de-AT"
               : std::string();
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

template <auto Member, Wrong wrong, class T>
void put(Reader& reader, const Node& node, T& into) {
    auto value = reader.text(node);
    if (!value) return;
    if (auto what = wrong(*value); !what.empty()) return reader.fault(node, what);
    into.*Member = std::move(*value);
}

template <auto Member, Wrong wrong, class T>
void put_lower(Reader& reader, const Node& node, T& into) {
    put<Member, wrong>(reader, node, into);
    into.*Member = lower(into.*Member);
}

template <auto Member, Wrong wrong, class T>
void put_texts(Reader& reader, const Node& node, T& into) {
    reader.texts(node, into.*Member, wrong);
}

template <auto Member, class T>
void put_flag(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.yes_no(node)) into.*Member = *value;
}

template <auto Member, auto... all, class T>
void put_word(Reader& reader, const Node& node, T& into) {
    const auto value = reader.text(node);
    if (!value) return;
    std::string known;
    for (const auto one : {all...}) {
        if (*value == name_of(one)) {
            into.*Member = one;
            return;
        }
        known += fmt::format("{}{}", known.empty() ? "" : ", ", name_of(one));
    }
    reader.fault(node, fmt::format("must be one of {}", known));
}

// ---- operators and seats ----

constexpr Row<crm::Operator> operator_rows[] = {
    {"jid", put_lower<&crm::Operator::jid, wrong_jid, crm::Operator>, true},
    {"crm_user", put<&crm::Operator::crm_user, wrong_word, crm::Operator>},
    {"pbx", put<&crm::Operator::pbx, wrong_word, crm::Operator>},
    {"extension", put<&crm::Operator::extension, wrong_extension, crm::Operator>},
    {"devices", put_texts<&crm::Operator::devices, wrong_device, crm::Operator>},
    {"name", put<&crm::Operator::name, wrong_name, crm::Operator>},
    {"role", put_word<&crm::Operator::role, crm::Role::agent, crm::Role::supervisor, crm::Role::administrator,
                      crm::Role::application>},
    {"active", put_flag<&crm::Operator::active, crm::Operator>},
};

constexpr Row<crm::Seat> seat_rows[] = {
    {"id", put<&crm::Seat::id, wrong_word, crm::Seat>, true},
    {"pbx", put<&crm::Seat::pbx, wrong_word, crm::Seat>},
    {"extension", put<&crm::Seat::extension, wrong_extension, crm::Seat>, true},
    {"devices", put_texts<&crm::Seat::devices, wrong_device, crm::Seat>},
    {"keys", put_texts<&crm::Seat::keys, wrong_key, crm::Seat>},
    {"place", put<&crm::Seat::place, wrong_name, crm::Seat>},
};

// ---- services ----

constexpr std::size_t most_variables = 32;

constexpr Row<crm::ServiceOperator> member_rows[] = {
    {"jid", put_lower<&crm::ServiceOperator::jid, wrong_jid, crm::ServiceOperator>, true},
    {"penalty",
     [](Reader& r, const Node& n, crm::ServiceOperator& one) {
         if (auto value = r.number(n, 0, 1000)) one.penalty = static_cast<int>(*value);
     }},
    {"supervisor", put_flag<&crm::ServiceOperator::supervisor, crm::ServiceOperator>},
};

constexpr Row<crm::WrapUpCode> code_rows[] = {
    {"code", put<&crm::WrapUpCode::code, wrong_word, crm::WrapUpCode>, true},
    {"label", put<&crm::WrapUpCode::label, wrong_name, crm::WrapUpCode>},
};

constexpr Row<crm::Service> wrap_up_rows[] = {
    {"time",
     [](Reader& r, const Node& n, crm::Service& one) {
         const auto value = r.span(n);
         if (!value) return;
         if (value->count() % 1000 != 0 || *value > std::chrono::hours(1))
             return r.fault(n, "must be whole seconds, at most 1h");
         one.wrap_up = *value;
     }},
    {"codes",
     [](Reader& r, const Node& n, crm::Service& one) {
         r.list(n, [&](const Node& item) {
             crm::WrapUpCode code;
             read_map<crm::WrapUpCode>(r, item, code_rows, code);
             const auto same = [&](const auto& other) { return other.code == code.code; };
             if (std::any_of(one.codes.begin(), one.codes.end(), same))
                 return r.fault(item, "has a code that is there already");
             one.codes.push_back(std::move(code));
         });
     }},
};

constexpr Row<crm::Service> pop_rows[] = {
    {"rule",
     put_word<&crm::Service::pop, crm::PopRule::ringing, crm::PopRule::answered, crm::PopRule::never>},
    {"modules", put_texts<&crm::Service::modules, wrong_word, crm::Service>},
    {"url",
     put<&crm::Service::url, [](std::string_view text) { return wrong_length(text, 800); }, crm::Service>},
};

void put_direction(Reader& reader, const Node& node, crm::Service& one) {
    const auto value = reader.text(node);
    if (!value) return;
    if (*value != "inbound" && *value != "outbound") return reader.fault(node, "must be inbound or outbound");
    one.direction = *value == "outbound" ? crm::Direction::outbound : crm::Direction::inbound;
}

void put_members(Reader& reader, const Node& node, crm::Service& one) {
    reader.list(node, [&](const Node& item) {
        crm::ServiceOperator member;
        read_map<crm::ServiceOperator>(reader, item, member_rows, member);
        const auto same = [&](const auto& other) { return other.jid == member.jid; };
        if (std::any_of(one.operators.begin(), one.operators.end(), same))
            return reader.fault(item, "names an operator who is there already");
        one.operators.push_back(std::move(member));
    });
}

constexpr Row<crm::Service> service_rows[] = {
    {"name", put<&crm::Service::name, wrong_name, crm::Service>, true},
    {"pbx", put<&crm::Service::pbx, wrong_word, crm::Service>},
    {"contexts", put_texts<&crm::Service::contexts, wrong_word, crm::Service>},
    {"direction", put_direction},
    {"queue", put<&crm::Service::queue, wrong_word, crm::Service>},
    {"enabled", put_flag<&crm::Service::enabled, crm::Service>},
    {"language", put<&crm::Service::language, wrong_language, crm::Service>},
    {"skill", put<&crm::Service::skill, wrong_name, crm::Service>},
    {"variables", put_texts<&crm::Service::variables, wrong_variable, crm::Service>},
    {"pop", [](Reader& r, const Node& n, crm::Service& one) { read_map<crm::Service>(r, n, pop_rows, one); }},
    {"wrap_up",
     [](Reader& r, const Node& n, crm::Service& one) { read_map<crm::Service>(r, n, wrap_up_rows, one); }},
    {"caller_id", put<&crm::Service::caller_id, wrong_name, crm::Service>},
    {"operators", put_members},
};

// ---- the whole ----

class Checker {
 public:
    Checker(Reader& reader, const RosterSite& site) : reader_(reader), site_(site) {}

    // Several may need a name of the pbx: without one nobody knows which.
    void pbx(const Node& node, const std::string& name, bool needed) {
        if (site_.pbx.empty()) return;
        if (name.empty()) {
            if (needed && site_.pbx.size() > 1)
                fault(node, "pbx", fmt::format("is missing; name one of {}", fmt::join(site_.pbx, ", ")));
        } else if (std::find(site_.pbx.begin(), site_.pbx.end(), name) == site_.pbx.end()) {
            fault(node, "pbx",
                  fmt::format("is `{}`, which the configuration does not have; it has {}", name,
                              fmt::join(site_.pbx, ", ")));
        }
    }

    // The same thing twice: `what` names it in the second one's fault.
    void once(const Node& node, std::string_view key, const std::string& value) {
        if (value.empty()) return;
        const auto [before, fresh] = seen_.try_emplace(std::string(key) + '\n' + value, line_of(node));
        if (!fresh)
            fault(node, std::string(key.substr(0, key.find(' '))),
                  fmt::format("is `{}` as in line {} already", value.substr(value.rfind('\n') + 1),
                              before->second));
    }

    void service(const Node& node, const crm::Service& one) {
        pbx(node, one.pbx, true);
        once(node, "name", one.name);
        if (one.direction == crm::Direction::outbound && !one.queue.empty())
            fault(node, "queue", "belongs to a service that takes calls; this one is outbound");
        if (one.direction == crm::Direction::inbound && !one.caller_id.empty())
            fault(node, "caller_id", "belongs to a service that makes calls; this one is inbound");
        if (one.variables.size() > most_variables)
            fault(node, "variables", fmt::format("are more than {}", most_variables));
        if (one.url.empty()) return claims(node, one);
        if (auto what = fault_of_page(one.url, one.variables, site_.schemes); !what.empty()) {
            Reader::Inside inside(reader_, "pop");
            fault(node["pop"], "url", what);
        }
        claims(node, one);
    }

 private:
    // A queue or context that two enabled services claim would belong to neither for certain.
    void claims(const Node& node, const crm::Service& one) {
        if (!one.enabled) return;
        once(node, "queue of " + one.pbx, one.queue);
        for (const auto& context : one.contexts)
            once(node, fmt::format("contexts of {} {}", one.pbx, static_cast<int>(one.direction)), context);
    }
    static int line_of(const Node& node) { return node.Mark().line + 1; }
    void fault(const Node& node, std::string_view key, std::string_view what) {
        Reader::Inside inside(reader_, key);
        const bool there = node.IsMap() && node[std::string(key)];
        reader_.fault(there ? node[std::string(key)] : node, what);
    }
    Reader& reader_;
    const RosterSite& site_;
    std::map<std::string, int> seen_;
};

struct Draft {
    crm::Roster roster;
    const RosterSite* site = nullptr;
};

template <class One, std::size_t size, class Check>
void read_all(Reader& reader, const Node& node, const Row<One> (&rows)[size], std::vector<One>& into,
              const RosterSite& site, Check check) {
    Checker checker(reader, site);
    reader.list(node, [&](const Node& item) {
        One one;
        const auto faults = reader.errors().size();
        read_map<One>(reader, item, rows, one);
        if (reader.errors().size() == faults) check(checker, item, one);
        into.push_back(std::move(one));
    });
}

void put_operators(Reader& reader, const Node& node, Draft& draft) {
    read_all(reader, node, operator_rows, draft.roster.operators, *draft.site,
             [](Checker& checker, const Node& item, const crm::Operator& one) {
                 checker.pbx(item, one.pbx, false);
                 checker.once(item, "jid", one.jid);
             });
}

void put_services(Reader& reader, const Node& node, Draft& draft) {
    read_all(reader, node, service_rows, draft.roster.services, *draft.site,
             [](Checker& checker, const Node& item, const crm::Service& one) { checker.service(item, one); });
}

void put_seats(Reader& reader, const Node& node, Draft& draft) {
    read_all(reader, node, seat_rows, draft.roster.seats, *draft.site,
             [](Checker& checker, const Node& item, crm::Seat& one) {
                 for (auto& key : one.keys) key = lower(key);
                 checker.pbx(item, one.pbx, true);
                 checker.once(item, "id", one.id);
                 checker.once(item, "extension of " + one.pbx, one.extension);
                 for (const auto& key : one.keys) checker.once(item, "keys", key);
             });
}

constexpr Row<Draft> top_rows[] = {
    {"operators", put_operators},
    {"services", put_services},
    {"seats", put_seats},
};

}  // namespace

namespace {
constexpr YamlLimits limits{
    .missing = "name the file with operators, services and seats", .megabytes = 32, .values = 2'000'000};
}

bool is_roster(const std::filesystem::path& file) {
    const auto root = load_yaml(file, limits);
    return root && root->IsMap();
}

std::expected<crm::Roster, std::vector<std::string>> load_roster(const std::filesystem::path& file,
                                                                 const RosterSite& site) {
    auto root = load_yaml(file, limits);
    if (!root) return std::unexpected(std::vector{root.error()});
    Reader reader(file, false);
    Draft draft{{}, &site};
    if (!root->IsNull()) read_map<Draft>(reader, *root, top_rows, draft);
    if (!reader.errors().empty()) return std::unexpected(reader.errors());
    crm::sort(draft.roster);
    return std::move(draft.roster);
}

}  // namespace bridge
