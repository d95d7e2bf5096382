// Is the operator there? Presence, pings, grace; and the end of the daemon itself.
#include <algorithm>

#include <fmt/format.h>

#include "bridge/agents_impl.hpp"

namespace bridge {

namespace {

constexpr std::size_t most_clients = 32;  // a hostile user can make up any number of resources

std::string_view bare_of(std::string_view jid) {
    return jid.substr(0, jid.find('/'));
}
std::string resource_of(std::string_view jid) {
    const auto slash = jid.find('/');
    std::string resource(slash == std::string_view::npos ? std::string_view{} : jid.substr(slash + 1));
    std::ranges::transform(resource, resource.begin(), [](unsigned char c) {
        return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    });
    return resource;
}

}  // namespace

void Agents::Impl::client_here(std::string_view full, std::string_view show, Millis now) {
    auto* agent = find(bare_of(full));
    if (agent == nullptr || full.find('/') == std::string_view::npos) return;
    auto& clients = agent->clients;
    auto known = clients.find(full);
    if (known == clients.end()) {
        if (clients.size() >= most_clients) return;
        known = clients.emplace(full, Client{.ping_at = now + config.ping}).first;
    }
    known->second.silent = 0;
    known->second.away = show == "away" || show == "dnd" || show == "xa";
    agent->gone_since = Millis::max();
    agent->gone_told = false;
    if (agent->signed_in()) agent->watched = true;
    touch(*agent);

    // A desktop that names its seat: the operator sits down with it, unless signed in somewhere else.
    const auto resource = resource_of(full);
    for (const auto& seat : seats)
        if (std::ranges::find(seat.keys, resource) != seat.keys.end() && !agent->signed_in())
            sit(*agent, seat.id, false, now);
    if (agent->resume != AgentBase::out && agent->base == AgentBase::not_ready && !agent->wish && !stopping)
        wish(*agent, {.goal = agent->resume, .by = agent->person.jid}, now);
    follow_presence(*agent, now);
}

void Agents::Impl::client_gone(Agent& agent, std::string_view full, SystemReason why, Millis now) {
    if (full.find('/') == std::string_view::npos)
        agent.clients.clear();
    else if (const auto client = agent.clients.find(full); client != agent.clients.end())
        agent.clients.erase(client);
    else
        return;
    touch(agent);
    if (agent.clients.empty() && agent.gone_since == Millis::max()) {
        agent.gone_since = now;
        agent.gone_why = why;
    }
    follow_presence(agent, now);
}

void Agents::Impl::pinged(std::string_view full, PingResult result, Millis now) {
    auto* agent = find(bare_of(full));
    if (agent == nullptr) return;
    const auto client = agent->clients.find(full);
    if (client == agent->clients.end()) return;
    client->second.asked = false;
    if (result == PingResult::here)
        client->second.silent = 0;
    else if (result == PingResult::gone)
        client_gone(*agent, full, SystemReason::client_gone, now);
    else if (++client->second.silent >= config.pings)
        client_gone(*agent, full, SystemReason::client_silent, now);
}

// Pings that are due, and who has been gone for too long.
void Agents::Impl::look_at_clients(Agent& agent, Millis now) {
    if (!messenger || stopping || agent.base == AgentBase::out) return;
    std::vector<std::string> silent;
    for (auto& [full, client] : agent.clients) {
        if (client.ping_at > now) continue;
        if (client.asked && ++client.silent >= config.pings) {
            silent.push_back(full);
            continue;
        }
        client.asked = true;
        client.ping_at = now + config.ping;
        out.pings.push_back(full);
    }
    for (const auto& full : silent) client_gone(agent, full, SystemReason::client_silent, now);
    take_out(agent, now);
}

// Nobody is at the desk: first no calls, later no place in the queues.
void Agents::Impl::take_out(Agent& agent, Millis now) {
    if (!agent.watched || agent.gone_since == Millis::max()) return;
    const auto late = agent.gone_since + config.grace;
    if (!agent.gone_told && late <= now) {
        agent.gone_told = true;
        const bool called =
            agent.base == AgentBase::ready || (agent.wish && agent.wish->goal == AgentBase::ready);
        const auto reason = system_reason(agent.gone_why);
        explain(Why::agent_taken_out, agent, reason.label, now);
        if (called)
            wish(agent, {.goal = AgentBase::not_ready, .reason = reason.code, .by = "system", .system = true},
                 now);
    }
    if (agent.gone_told && late + config.logout <= now) {
        // Asked for once; what cannot be done now is done at the next synchronisation.
        agent.gone_since = Millis::max();
        if (agent.wish && agent.wish->goal == AgentBase::out) return;
        explain(Why::agent_taken_out, agent, "signed out: nobody came back", now);
        wish(agent, {.goal = AgentBase::out, .by = "system", .system = true}, now);
    }
}

// The optional rule: away, dnd or xa of all clients is not-ready, but not what a client sets during a call.
void Agents::Impl::follow_presence(Agent& agent, Millis now) {
    if (!config.away || agent.clients.empty() || agent.in_call() || agent.wish) return;
    const bool away =
        std::ranges::all_of(agent.clients, [](const auto& client) { return client.second.away; });
    const auto code = system_reason(SystemReason::away).code;
    if (away && agent.base == AgentBase::ready && !agent.away_told) {
        agent.away_told = true;
        wish(agent, {.goal = AgentBase::not_ready, .reason = code, .by = "system", .system = true}, now);
    } else if (!away) {
        agent.away_told = false;
        if (agent.base == AgentBase::not_ready && agent.reason == code)
            wish(agent, {.goal = AgentBase::ready, .by = "system", .system = true}, now);
    }
}

void Agents::Impl::stop(Millis now) {
    stopping = true;
    if (config.at_stop == AtStop::keep) return;
    for (auto& [jid, agent] : agents) {
        const bool called = agent.base == AgentBase::ready;
        if (!called || !agent.joined) continue;
        wish(agent,
             {.goal = AgentBase::not_ready,
              .reason = system_reason(SystemReason::bridge_stopped).code,
              .by = "system",
              .system = true},
             now);
        agent.resume = AgentBase::ready;
        touch(agent);
    }
}

}  // namespace bridge
