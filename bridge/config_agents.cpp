#include "bridge/config_agents.hpp"

#include <algorithm>

namespace bridge {

namespace {

using Node = YAML::Node;
using Reader = ConfigReader;

constexpr std::size_t longest_code = 40;
constexpr long long most_number = 899;  // from 901 on they are the system's own
constexpr Millis shortest_ping{1000};

bool is_system_code(std::string_view code) {
    for (auto reason :
         {SystemReason::client_gone, SystemReason::client_silent, SystemReason::bridge_stopped,
          SystemReason::static_member, SystemReason::away, SystemReason::seat_taken, SystemReason::wrap_up})
        if (system_reason(reason).code == code) return true;
    return false;
}

void put_code(Reader& reader, const Node& node, AgentReason& into) {
    static constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    auto code = reader.text(node);
    if (!code) return;
    if (code->size() > longest_code || code->find_first_not_of(allowed) != std::string::npos)
        return reader.fault(
            node, "may have 40 letters, digits, - _ . at most; what people read is the label, in any words");
    if (is_system_code(*code)) return reader.fault(node, "is a reason of the system's own; take another");
    into.code = *code;
}

constexpr Row<AgentReason> reason_rows[] = {
    {"code", put_code, true},
    {"label",
     [](Reader& reader, const Node& node, AgentReason& into) {
         if (auto text = reader.text(node)) into.label = *text;
     }},
    {"number",
     [](Reader& reader, const Node& node, AgentReason& into) {
         if (auto number = reader.number(node, 1, most_number)) into.number = static_cast<int>(*number);
     }},
};

void put_reasons(Reader& reader, const Node& node, AgentsConfig& into) {
    reader.list(node, [&](const Node& item) {
        AgentReason reason;
        read_map<AgentReason>(reader, item, reason_rows, reason);
        if (std::ranges::find(into.reasons, reason.code, &AgentReason::code) != into.reasons.end())
            return reader.fault(item, fmt::format("gives the code `{}` a second time", reason.code));
        if (reason.label.empty()) reason.label = reason.code;
        into.reasons.push_back(std::move(reason));
    });
}

template <Millis AgentsConfig::* Member>
void put_span(Reader& reader, const Node& node, AgentsConfig& into) {
    if (auto span = reader.span(node)) into.*Member = *span;
}

void put_ping(Reader& reader, const Node& node, AgentsConfig& into) {
    auto span = reader.span(node);
    if (span && *span < shortest_ping) return reader.fault(node, "is shorter than a second");
    if (span) into.ping = *span;
}

void put_stop(Reader& reader, const Node& node, AgentsConfig& into) {
    auto word = reader.text(node);
    if (!word) return;
    if (*word != "not-ready" && *word != "keep") return reader.fault(node, "must be one of not-ready, keep");
    into.at_stop = *word == "keep" ? AtStop::keep : AtStop::not_ready;
}

constexpr Row<AgentsConfig> rows[] = {
    {"reasons", put_reasons},
    {"grace", put_span<&AgentsConfig::grace>},
    {"logout", put_span<&AgentsConfig::logout>},
    {"ping", put_ping},
    {"longest_wrap_up", put_span<&AgentsConfig::longest_wrap_up>},
    {"stop", put_stop},
    {"away",
     [](Reader& reader, const Node& node, AgentsConfig& into) {
         if (auto yes = reader.yes_no(node)) into.away = *yes;
     }},
};

}  // namespace

void read_agents(ConfigReader& reader, const YAML::Node& node, AgentsConfig& into) {
    read_map<AgentsConfig>(reader, node, rows, into);
}

}  // namespace bridge
