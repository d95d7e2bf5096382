#include "bridge/config_see.hpp"

#include <algorithm>
#include <iterator>

namespace bridge {

namespace {

using Node = YAML::Node;
using Reader = ConfigReader;

void put_states(Reader& reader, const Node& node, SightConfig& into) {
    static constexpr std::pair<std::string_view, SightConfig::States> words[] = {
        {"everybody", SightConfig::States::everybody},
        {"colleagues", SightConfig::States::colleagues},
        {"nobody", SightConfig::States::nobody}};
    auto word = reader.text(node);
    if (!word) return;
    const auto* known =
        std::ranges::find(words, *word, &std::pair<std::string_view, SightConfig::States>::first);
    if (known == std::end(words)) return reader.fault(node, "must be one of everybody, colleagues, nobody");
    into.states = known->second;
}

constexpr Row<SightConfig> rows[] = {
    {"queues",
     [](Reader& reader, const Node& node, SightConfig& into) {
         if (auto yes = reader.yes_no(node)) into.queues = *yes;
     }},
    {"states", put_states},
    {"masked",
     [](Reader& reader, const Node& node, SightConfig& into) {
         reader.list(node, [&](const Node& item) {
             if (auto text = reader.text(item)) into.masked.push_back(*text);
         });
     }},
};

}  // namespace

void read_see(ConfigReader& reader, const YAML::Node& node, SightConfig& into) {
    read_map<SightConfig>(reader, node, rows, into);
}

}  // namespace bridge
