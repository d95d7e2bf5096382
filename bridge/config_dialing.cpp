#include "bridge/config_dialing.hpp"

#include <type_traits>

namespace bridge {

namespace {

using Node = YAML::Node;
using Reader = ConfigReader;

constexpr std::string_view dialled = "0123456789+*#";
constexpr std::size_t longest_emergency = 6;

void put_front(Reader& reader, const Node& node, DialRewrite& rewrite) {
    auto value = reader.text(node);
    if (!value) return;
    if (value->find_first_not_of(dialled) != std::string::npos)
        return reader.fault(node, "must be the front of a number");
    rewrite.from = *value;
}
void put_replacement(Reader& reader, const Node& node, DialRewrite& rewrite) {
    auto value = reader.text(node, true);
    if (!value) return;
    if (value->find_first_not_of(dialled) != std::string::npos)
        return reader.fault(node, "may have digits, +, * and # only");
    rewrite.to = *value;
}
constexpr Row<DialRewrite> rewrite_rows[] = {{"from", put_front, true}, {"to", put_replacement, true}};

// The general rules and those of one service or operator have these keys in common.
template <auto Member, class T>
void put_patterns(Reader& reader, const Node& node, T& into) {
    into.*Member = read_patterns(reader, node);
}
template <auto Member, long long Most, class T>
void put_count(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.number(node, 1, Most)) into.*Member = static_cast<unsigned>(*value);
}
template <auto Member, class T>
void put_hours(Reader& reader, const Node& node, T& into) {
    WeekHours hours;
    reader.list(node, [&](const Node& item) {
        auto value = reader.text(item);
        if (!value) return;
        if (auto added = hours.add(*value); !added) reader.fault(item, added.error());
    });
    into.*Member = std::move(hours);
}

constexpr Row<DialRules> rules_rows[] = {
    {"allow", put_patterns<&DialRules::allow>},
    {"deny", put_patterns<&DialRules::deny>},
    {"hours", put_hours<&DialRules::hours>},
    {"per_minute", put_count<&DialRules::per_minute, 1000>},
    {"concurrent", put_count<&DialRules::concurrent, 100>},
};

using RulesByName = std::map<std::string, DialRules, std::less<>>;
template <RulesByName DialingConfig::* Member>
void put_rules(Reader& reader, const Node& node, DialingConfig& into) {
    if (!node.IsMap())
        return reader.fault(node, "is no list of names with their rules, like {sales: {per_minute: 5}}");
    for (const auto& entry : node) {
        auto name = reader.text(entry.first);
        if (!name) continue;
        if constexpr (std::is_same_v<
                          std::integral_constant<RulesByName DialingConfig::*, Member>,
                          std::integral_constant<RulesByName DialingConfig::*, &DialingConfig::operators>>) {
            if (name->find('@') == std::string::npos)
                reader.fault(entry.first, "is no operator's address; write it like anna@example.org");
            for (char& c : *name)
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        Reader::Inside inside(reader, *name);
        read_map<DialRules>(reader, entry.second, rules_rows, (into.*Member)[*name]);
    }
}

void put_rewrite(Reader& reader, const Node& node, DialingConfig& into) {
    reader.list(node, [&](const Node& item) {
        DialRewrite rewrite;
        read_map<DialRewrite>(reader, item, rewrite_rows, rewrite);
        into.rewrite.push_back(rewrite);
    });
}

void put_emergency(Reader& reader, const Node& node, DialingConfig& into) {
    into.emergency.clear();
    reader.list(node, [&](const Node& item) {
        auto value = reader.text(item);
        if (!value) return;
        if (value->size() > longest_emergency || value->find_first_not_of("0123456789") != std::string::npos)
            return reader.fault(item, "is no emergency number: digits as they are dialled, 6 at most");
        into.emergency.push_back(*value);
    });
}

constexpr Row<DialingConfig> dialing_rows[] = {
    {"allow", put_patterns<&DialingConfig::allow>},
    {"deny", put_patterns<&DialingConfig::deny>},
    {"rewrite", put_rewrite},
    {"per_minute", put_count<&DialingConfig::per_minute, 1000>},
    {"concurrent", put_count<&DialingConfig::concurrent, 100>},
    {"hours", put_hours<&DialingConfig::hours>},
    {"emergency", put_emergency},
    {"services", put_rules<&DialingConfig::services>},
    {"operators", put_rules<&DialingConfig::operators>},
};

}  // namespace

std::vector<std::string> read_patterns(Reader& reader, const Node& node) {
    std::vector<std::string> patterns;
    reader.list(node, [&](const Node& item) {
        auto value = reader.text(item);
        if (!value) return;
        if (value->find_first_not_of("0123456789+*#?") != std::string::npos)
            return reader.fault(
                item, "is no pattern of numbers; use digits, +, #, ? for one digit, * for any rest");
        if (value->rfind('+') != std::string::npos && value->rfind('+') != 0)
            return reader.fault(item, "has a + that is not at the front");
        patterns.push_back(std::move(*value));
    });
    return patterns;
}

void read_dialing(Reader& reader, const Node& node, DialingConfig& into) {
    read_map<DialingConfig>(reader, node, dialing_rows, into);
}

}  // namespace bridge
