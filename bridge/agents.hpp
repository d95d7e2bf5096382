// The operators of one pbx as agents of its queues, without sockets or clocks: who is signed in, ready,
// paused or wrapping up, and what Asterisk must be asked so that its queue members say the same
// (docs/design.md, section 10).
//
// Two pictures are kept of every queue member: what Asterisk shows (events and lists, the only proof there
// is) and what is wanted. One planner turns each difference into one action at a time per operator, at most
// `window` at once. An agent's state follows from what Asterisk shows, never from what was asked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/action.hpp"
#include "ami/message.hpp"
#include "bridge/agent_words.hpp"
#include "bridge/agents_config.hpp"
#include "bridge/notice.hpp"
#include "bridge/reason.hpp"
#include "crm/types.hpp"

namespace bridge {

// Queries answer with a list: submit them so; their items come in by apply() like all messages.
struct AgentAction {
    std::uint64_t ticket = 0;
    ami::Action action{};
    bool list = false;
};
enum class AgentReply : std::uint8_t { success, refused, timeout, link_lost };

// A new place of an operator: the desk and the dialer have to know.
struct AgentMove {
    std::string jid{}, seat{}, extension{};
    std::vector<std::string> devices{};
};

// What outlives the daemon, per operator. In force, not wished.
struct AgentMemory {
    struct Member {
        std::string queue{}, interface{}, reason{};
        bool in = false, added = false, paused = false, held = false, wrap_up = false, followed = false;
        bool operator==(const Member&) const = default;
    };
    std::string jid{}, seat{}, reason{}, by{};
    AgentBase base = AgentBase::out, resume = AgentBase::out;  // resume: what the stop of the daemon ended
    Millis since{0}, wrap_until{0};
    bool watched = false, joined = false;
    std::vector<Member> members{};
    bool operator==(const AgentMemory&) const = default;
};

// What the daemon must do after an input, everything in order.
struct AgentOutcome {
    std::vector<AgentAction> actions{};
    std::vector<AgentAnswer> answers{};  // exactly one per request
    std::vector<AgentPicture> pictures{};
    std::vector<AgentEvent> events{};
    std::vector<AgentMove> moves{};
    std::vector<AgentMemory> memories{};  // changed; `base` out without members: may be forgotten
    std::vector<std::string> pings{};     // full JIDs to ask whether they are there
    std::vector<Reason> reasons{};        // every decision; differences put right and changes by others too
    void append(AgentOutcome&& other);
};

class Agents {
 public:
    explicit Agents(AgentsConfig config);
    ~Agents();
    Agents(Agents&&) noexcept;

    void configure(AgentsConfig config);  // a reload
    // Those of this pbx; replaces all. Who is gone is taken out of the queues.
    AgentOutcome set_roster(std::vector<crm::Operator> operators, std::vector<crm::Service> services,
                            std::vector<crm::Seat> seats, Millis now);
    // What an earlier daemon remembered; before the first synchronisation, after the first set_roster().
    AgentOutcome restore(const std::vector<AgentMemory>& memories, Millis now);
    [[nodiscard]] std::vector<AgentMemory> snapshot() const;

    AgentOutcome request(const AgentRequest& request, Millis now);

    AgentOutcome apply(const ami::Message& message, Millis now);
    AgentOutcome replied(std::uint64_t ticket, AgentReply reply, std::string_view text, Millis now);
    AgentOutcome link_lost(Millis now);
    void sync_begin(Millis now);
    AgentOutcome sync_end(Millis now);

    AgentOutcome notice(const Notice& notice, Millis now);  // rings and calls of an operator, from the desk

    AgentOutcome client_here(std::string_view full_jid, std::string_view show, Millis now);
    AgentOutcome client_gone(std::string_view full_jid, Millis now);  // full, or bare: all of them
    AgentOutcome pinged(std::string_view full_jid, PingResult result, Millis now);
    AgentOutcome messenger_lost(Millis now);  // nobody can be seen: nobody is taken out
    AgentOutcome messenger_back(Millis now);

    AgentOutcome tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;  // Millis::max() when none

    // Nothing more is started afterwards but what takes people out. Call tick() and replied() until
    // stopped().
    AgentOutcome stop(Millis now);
    [[nodiscard]] bool stopped() const;

    [[nodiscard]] std::optional<AgentPicture> picture(std::string_view jid) const;
    [[nodiscard]] std::vector<AgentPicture> pictures() const;
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> seated() const;  // JID, seat
    [[nodiscard]] std::size_t in_flight() const;
    [[nodiscard]] bool synced() const;
    // Whether `by` may change the state of `jid`: supervisors of a service of theirs.
    [[nodiscard]] bool responsible(std::string_view by, std::string_view jid) const;

    struct Impl;  // of its source files

 private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace bridge
