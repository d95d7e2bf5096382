// The inputs of Agents, each worked off to its outcome.
#include <algorithm>

#include "bridge/agents_impl.hpp"
#include "bridge/append.hpp"

namespace bridge {

void AgentOutcome::append(AgentOutcome&& other) {
    move_behind(actions, other.actions);
    move_behind(answers, other.answers);
    move_behind(pictures, other.pictures);
    move_behind(events, other.events);
    move_behind(moves, other.moves);
    move_behind(memories, other.memories);
    move_behind(pings, other.pings);
    move_behind(reasons, other.reasons);
}

Agents::Agents(AgentsConfig config) : impl_(std::make_unique<Impl>(std::move(config))) {}
Agents::~Agents() = default;
Agents::Agents(Agents&&) noexcept = default;

void Agents::configure(AgentsConfig config) {
    impl_->config = std::move(config);
}

AgentOutcome Agents::set_roster(std::vector<crm::Operator> operators, std::vector<crm::Service> services,
                                std::vector<crm::Seat> seats, Millis now) {
    impl_->set_roster(std::move(operators), std::move(services), std::move(seats), now);
    return impl_->finish(now);
}

AgentOutcome Agents::restore(const std::vector<AgentMemory>& memories, Millis now) {
    for (const auto& memory : memories) impl_->restore(memory, now);
    impl_->index();
    impl_->relist();
    return impl_->finish(now);
}

std::vector<AgentMemory> Agents::snapshot() const {
    std::vector<AgentMemory> all;
    for (const auto& [jid, agent] : impl_->agents)
        if (auto memory = impl_->memory(agent);
            memory.base != AgentBase::out || !memory.members.empty() || !memory.seat.empty())
            all.push_back(std::move(memory));
    return all;
}

AgentOutcome Agents::request(const AgentRequest& request, Millis now) {
    impl_->request(request, now);
    return impl_->finish(now);
}

AgentOutcome Agents::apply(const ami::Message& message, Millis now) {
    impl_->apply(message, now);
    return impl_->finish(now);
}

AgentOutcome Agents::replied(std::uint64_t ticket, AgentReply reply, std::string_view text, Millis now) {
    impl_->replied(ticket, reply, text, now);
    return impl_->finish(now);
}

AgentOutcome Agents::link_lost(Millis now) {
    impl_->link_lost(now);
    return impl_->finish(now);
}

void Agents::sync_begin(Millis) {
    impl_->linked = true;
    impl_->list_begins();
}

AgentOutcome Agents::sync_end(Millis now) {
    impl_->list_ends(now);
    return impl_->finish(now);
}

AgentOutcome Agents::notice(const Notice& notice, Millis now) {
    impl_->notice(notice, now);
    return impl_->finish(now);
}

AgentOutcome Agents::client_here(std::string_view full_jid, std::string_view show, Millis now) {
    impl_->client_here(full_jid, show, now);
    return impl_->finish(now);
}

AgentOutcome Agents::client_gone(std::string_view full_jid, Millis now) {
    if (auto* agent = impl_->find(full_jid.substr(0, full_jid.find('/'))))
        impl_->client_gone(*agent, full_jid, SystemReason::client_gone, now);
    return impl_->finish(now);
}

AgentOutcome Agents::pinged(std::string_view full_jid, PingResult result, Millis now) {
    impl_->pinged(full_jid, result, now);
    return impl_->finish(now);
}

AgentOutcome Agents::messenger_lost(Millis now) {
    impl_->messenger = false;
    return impl_->finish(now);
}

AgentOutcome Agents::messenger_back(Millis now) {
    impl_->messenger = true;
    for (auto& [jid, agent] : impl_->agents) {
        // What was heard before proves nothing: everybody is asked, and gets the whole grace again.
        for (auto& [full, client] : agent.clients) client = {.ping_at = now, .away = client.away};
        if (agent.gone_since != Millis::max() && !agent.gone_told) agent.gone_since = now;
        impl_->touch(agent);
    }
    return impl_->finish(now);
}

AgentOutcome Agents::tick(Millis now) {
    impl_->tick(now);
    return impl_->finish(now);
}

Millis Agents::next_deadline() const {
    return impl_->next_deadline();
}

AgentOutcome Agents::stop(Millis now) {
    impl_->stop(now);
    return impl_->finish(now);
}

bool Agents::stopped() const {
    if (!impl_->stopping) return false;
    if (!impl_->linked) return true;
    return impl_->line.empty() && std::ranges::none_of(impl_->agents, [](const auto& entry) {
               return entry.second.busy.has_value();
           });
}

std::optional<AgentPicture> Agents::picture(std::string_view jid) const {
    const auto* agent = impl_->find(jid);
    if (agent == nullptr) return std::nullopt;
    return impl_->picture(*agent);
}

std::vector<AgentPicture> Agents::pictures() const {
    std::vector<AgentPicture> all;
    for (const auto& [jid, agent] : impl_->agents) all.push_back(impl_->picture(agent));
    return all;
}

std::vector<std::pair<std::string, std::string>> Agents::seated() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& [jid, agent] : impl_->agents)
        if (!agent.seat.empty()) all.emplace_back(jid, agent.seat);
    return all;
}

std::size_t Agents::in_flight() const {
    return impl_->tickets.size();
}

bool Agents::synced() const {
    return impl_->synced;
}

bool Agents::responsible(std::string_view by, std::string_view jid) const {
    return impl_->responsible(by, jid);
}

// ---- time ----

void Agents::Impl::tick(Millis now) {
    for (auto& [jid, agent] : agents) {
        if (agent.busy && agent.busy->deadline <= now) {
            // Asterisk said yes and the event did not come: the queue itself is asked.
            query(agent);
            touch(agent);
        }
        if (agent.wrap_until.count() > 0 && agent.wrap_until <= now && !agent.in_call())
            end_wrap_up(agent, now);
        look_at_clients(agent, now);
    }
}

Millis Agents::Impl::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [jid, agent] : agents) {
        if (agent.busy) next = std::min(next, agent.busy->deadline);
        if (agent.wrap_until.count() > 0 && !agent.in_call() && !agent.wish)
            next = std::min(next, agent.wrap_until);
        if (!messenger || stopping || agent.base == AgentBase::out) continue;
        if (agent.watched && agent.gone_since != Millis::max())
            next = std::min(next,
                            agent.gone_since + config.grace + (agent.gone_told ? config.logout : Millis{0}));
        for (const auto& [full, client] : agent.clients) next = std::min(next, client.ping_at);
    }
    return next;
}

AgentOutcome Agents::Impl::finish(Millis now) {
    std::set<std::string, std::less<>> changed;
    do {
        while (!touched.empty()) {
            const auto jid = touched.extract(touched.begin()).value();
            if (auto* agent = find(jid)) advance(*agent, now);
            changed.insert(jid);
        }
        pump();
    } while (!touched.empty());
    for (const auto& jid : changed) {
        auto* agent = find(jid);
        if (agent == nullptr) continue;
        tell(*agent, now);
        const bool in_a_queue = std::ranges::any_of(agent->members, [](const auto& m) { return m.seen.in; });
        if (agent->known || agent->busy || agent->in_line || in_a_queue) continue;
        agents.erase(jid);
        index();
    }
    return std::exchange(out, {});
}

}  // namespace bridge
