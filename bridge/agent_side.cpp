#include "bridge/agent_side.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bridge/link.hpp"

namespace bridge {

struct AgentSide::Timer {
    explicit Timer(boost::asio::io_context& io) : timer(io) {}
    boost::asio::steady_timer timer;
    Millis armed{Millis::max()};
    bool closed = false;
};

AgentSide::AgentSide(boost::asio::io_context& io, AgentsConfig config, Ports ports)
    : agents_(std::move(config)), ports_(std::move(ports)), timer_(std::make_unique<Timer>(io)) {}
AgentSide::~AgentSide() = default;

namespace {

AgentReply reply_of(ami::Reply::Outcome outcome) {
    switch (outcome) {
        case ami::Reply::Outcome::success:
            return AgentReply::success;
        case ami::Reply::Outcome::refused:
            return AgentReply::refused;
        case ami::Reply::Outcome::timeout:
            return AgentReply::timeout;
        case ami::Reply::Outcome::link_lost:
            break;
    }
    return AgentReply::link_lost;
}

}  // namespace

void AgentSide::perform(const AgentAction& action) {
    ports_.submit(action.action, action.list, [this, ticket = action.ticket](const ami::Reply& reply) {
        apply(agents_.replied(ticket, reply_of(reply.outcome), reply.message, wall_now()));
    });
}

void AgentSide::apply(AgentOutcome&& outcome) {
    const auto actions = std::exchange(outcome.actions, {});
    const auto answers = std::exchange(outcome.answers, {});
    ports_.told(std::move(outcome));
    for (const auto& answer : answers)
        if (auto asked = open_.extract(answer.token)) asked.mapped()(answer.fault);
    for (const auto& action : actions) perform(action);
    arm();
}

void AgentSide::ask(AgentRequest request, Answered answered) {
    request.token = ++last_token_;
    open_.emplace(request.token, std::move(answered));
    apply(agents_.request(request, wall_now()));
}

void AgentSide::arm() {
    const auto when = agents_.next_deadline();
    if (timer_->closed || when == timer_->armed) return;
    timer_->armed = when;
    timer_->timer.cancel();
    if (when == Millis::max()) return;
    timer_->timer.expires_after(std::max(when - wall_now(), Millis{0}));
    timer_->timer.async_wait([this](boost::system::error_code error) {
        if (error) return;
        timer_->armed = Millis::max();
        apply(agents_.tick(wall_now()));
    });
}

void AgentSide::close() {
    timer_->closed = true;
    timer_->timer.cancel();
}

}  // namespace bridge
