// Calls of the agents, as the desk tells them, and the work after them.
#include <algorithm>

#include "bridge/agents_impl.hpp"

namespace bridge {

Millis Agents::Impl::wrap_up_of(std::string_view service) const {
    const auto found = std::ranges::find(services, service, &crm::Service::name);
    return service.empty() || found == services.end() ? Millis{0} : found->wrap_up;
}

void Agents::Impl::notice(const Notice& notice, Millis now) {
    auto* agent = find(notice.to);
    if (agent == nullptr) return;
    touch(*agent);
    if (notice.state != RingState::ended) {
        auto& ring = agent->rings[notice.leg];
        ring.state = notice.state;
        ring.talked |= notice.state == RingState::answered || notice.state == RingState::held;
        if (ring.talked) agent->wrap_span = std::max(agent->wrap_span, wrap_up_of(notice.service));
        // Paused while talking: between the end of the call and a pause sent then, a queue would call again.
        if (agent->wrap_span.count() > 0 && agent->base == AgentBase::ready && !agent->wish) hold(*agent);
        return;
    }
    if (agent->rings.erase(notice.leg) == 0 || agent->in_call()) return;
    const auto span = std::exchange(agent->wrap_span, Millis{0});
    if (agent->wish || agent->base != AgentBase::ready) return;
    if (span.count() > 0) {
        agent->wrap_began = now;
        agent->wrap_until = std::max(agent->wrap_until, now + span);
        hold(*agent);
    } else if (agent->wrap_until.count() > 0 && agent->wrap_until <= now) {
        end_wrap_up(*agent, now);
    }
}

void Agents::Impl::hold(Agent& agent) {
    for (auto& member : agent.members) {
        if (!member.want.in || member.want.paused) continue;
        member.want = {
            .in = true, .paused = true, .wrap_up = true, .reason = system_reason(SystemReason::wrap_up).code};
        member.tries = 0;
    }
}

void Agents::Impl::end_wrap_up(Agent& agent, Millis now) {
    if (agent.wish) return;
    wish(agent, {.goal = AgentBase::ready, .by = "system", .system = true, .wrap_up_over = true}, now);
}

}  // namespace bridge
