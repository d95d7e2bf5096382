// The agents of one pbx in the daemon: their actions go out and come back as replies, every request gets its
// one answer, deadlines ring. Owner's thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "ami/session.hpp"
#include "bridge/agents.hpp"

namespace boost::asio {
class io_context;
}

namespace bridge {

class AgentSide {
 public:
    struct Ports {
        // The answer is told exactly once, never from inside.
        std::function<void(const ami::Action&, bool list, ami::Session::Done)> submit;
        // All of an outcome but actions and answers.
        std::function<void(AgentOutcome&&)> told;
    };
    // No fault: in force, or promised for the end of the call.
    using Answered = std::function<void(const std::optional<AgentFault>&)>;

    AgentSide(boost::asio::io_context& io, AgentsConfig config, Ports ports);
    ~AgentSide();
    AgentSide(const AgentSide&) = delete;
    AgentSide& operator=(const AgentSide&) = delete;

    [[nodiscard]] Agents& agents() { return agents_; }
    [[nodiscard]] const Agents& agents() const { return agents_; }
    // Of every input but request().
    void apply(AgentOutcome&& outcome);
    void ask(AgentRequest request, Answered answered);  // its token is set here
    void close();                                       // nothing rings any more

 private:
    void perform(const AgentAction& action);
    void arm();

    struct Timer;
    Agents agents_;
    Ports ports_;
    std::unique_ptr<Timer> timer_;
    std::map<std::uint64_t, Answered> open_;  // by token
    std::uint64_t last_token_ = 0;
};

}  // namespace bridge
