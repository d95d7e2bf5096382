// The inside of Agents, shared by its source files.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/agents.hpp"

namespace bridge {

struct Agents::Impl {
    // ---- what is known ----

    // A queue member as Asterisk shows it.
    struct Seen {
        bool in = false, dynamic = true, paused = false;
        std::optional<std::string> reason{};  // of the pause; none: this Asterisk does not tell
        int penalty = 0;
        std::string name{};
    };
    // As it shall be. Changed by requests, by the system, and by others whose change is followed.
    struct Want {
        bool in = false, paused = false;
        bool wrap_up = false;   // paused for work after the call only: the agent is ready underneath
        bool followed = false;  // another program's doing: nothing to put right when it is undone
        std::string reason{};
    };
    struct Member {
        std::string queue{}, interface{};
        int penalty = 0;       // of the roster
        bool planned = false;  // a queue of the operator at the present place; else it is only left
        Seen seen{};
        Want want{};
        bool added = false;         // by us
        bool held = false;          // paused by us: only what we paused is unpaused
        std::string held_reason{};  // with this text
        bool listed = false;        // in the list being read
        unsigned tries = 0;         // actions since somebody asked, or since the last synchronisation
        std::string failure{};      // Asterisk's refusal: nothing more is tried
        AgentRefusal refusal = AgentRefusal::undefined;
        std::string note{};  // a change by another program
    };
    enum class Step : std::uint8_t { add, remove, pause, unpause, penalty };
    struct Plan {
        Member* member = nullptr;  // nullptr: there is something to do, but not yet
        Step step = Step::add;
    };
    // The one action of an operator that is on its way.
    struct Busy {
        std::uint64_t ticket = 0;
        Step step = Step::add;
        std::string queue{}, interface{}, reason{};
        int penalty = 0;
        bool replied = false;            // Asterisk said "Success": its event is the proof
        bool asking = false;             // the queue is asked what became of it
        Millis deadline{Millis::max()};  // when the proof is overdue
    };
    // What was asked for and is not in force yet.
    struct Wish {
        AgentBase goal = AgentBase::ready;
        std::string reason{}, by{};
        bool system = false;
        bool wrap_up_over = false;  // ends the wrap-up and nothing else
        bool force = false;         // a supervisor's `ready` ends the pauses of other programs too
        bool applied = false;       // the members' wants say so
        std::vector<std::uint64_t> tokens{};
        std::map<std::pair<std::string, std::string>, Want> before{};
    };
    struct Ring {
        RingState state = RingState::ringing;
        bool talked = false;
    };
    struct Client {
        Millis ping_at{0};
        unsigned silent = 0;
        bool asked = false, away = false;
    };
    struct Agent {
        crm::Operator person{};
        bool known = true;  // in the roster; else only taken out
        std::string seat{}, extension{}, interface{}, state_interface{};
        std::vector<std::string> aliases{};  // interfaces that mean this operator's phone
        std::vector<Member> members{};

        AgentBase base = AgentBase::out;
        std::string reason{}, by{};
        bool joined = false;   // signed in by request: new services are joined too
        bool foreign = false;  // another program has changed something since the last settling
        std::optional<Wish> wish{};
        std::optional<Busy> busy{};
        bool in_line = false;

        std::map<std::string, Ring, std::less<>> rings{};  // by leg
        Millis wrap_span{0};                               // asked for by the services of this call
        Millis wrap_began{0}, wrap_until{0};

        std::map<std::string, Client, std::less<>> clients{};  // by full JID
        bool watched = false;                                  // was there with a client: its end is theirs
        Millis gone_since{Millis::max()};                      // the last client's end
        SystemReason gone_why = SystemReason::client_gone;
        bool gone_told = false, away_told = false;
        AgentBase resume = AgentBase::out;

        AgentState begun = AgentState::logged_out;  // what is in force and written down, beside what is asked
        std::string begun_reason{};
        AgentPicture shown{};
        AgentMemory kept{};
        [[nodiscard]] bool in_call() const { return !rings.empty(); }
        [[nodiscard]] bool signed_in() const {
            return base != AgentBase::out || (wish && wish->goal != AgentBase::out);
        }
    };

    explicit Impl(AgentsConfig given) : config(std::move(given)) {}

    // ---- people and places (agents.cpp, agents_seats.cpp) ----
    void set_roster(std::vector<crm::Operator> operators, std::vector<crm::Service> given,
                    std::vector<crm::Seat> places, Millis now);
    void restore(const AgentMemory& memory, Millis now);
    void place(Agent& agent);  // extension and interfaces of person and seat
    void refit(Agent& agent);  // members of services and place
    void index();
    [[nodiscard]] Agent* find(std::string_view jid);
    [[nodiscard]] Agent* holder(std::string_view queue, std::string_view interface,
                                std::string_view member_name);
    [[nodiscard]] bool still_taken(const Agent& agent, const Member& member);
    [[nodiscard]] const crm::Seat* seat_of(std::string_view id) const;
    std::optional<AgentFault> sit(Agent& agent, const std::string& seat, bool may_displace, Millis now);
    void move(Agent& agent, const std::string& seat);
    Member& member_of(Agent& agent, const std::string& queue, const std::string& interface);
    [[nodiscard]] Member* find_member(Agent& agent, std::string_view queue, std::string_view interface);
    [[nodiscard]] std::string member_name(const Agent& agent) const;

    // ---- requests (agents_requests.cpp) ----
    void request(const AgentRequest& request, Millis now);
    std::optional<AgentFault> extend(Agent& agent, Millis span, Millis now);
    [[nodiscard]] bool responsible(std::string_view by, std::string_view jid) const;
    void answer(std::uint64_t token, std::optional<AgentFault> fault);

    // ---- wishes (agents_wishes.cpp) ----
    void wish(Agent& agent, Wish given, Millis now);
    void aim(Agent& agent);  // the members' wants of the wish
    bool settle(Agent& agent, Millis now);
    void resolve(Agent& agent, Millis now);
    void refuse(Agent& agent, Millis now);
    void promise(Agent& agent, Millis now);
    bool adopt(Agent& agent, Millis now);
    void force(Agent& agent, AgentBase base, const std::string& reason, const std::string& by, Millis now);
    [[nodiscard]] static AgentBase derive(const Agent& agent);
    [[nodiscard]] AgentFault fault_of(const Agent& agent) const;

    // ---- actions (agents_actions.cpp) ----
    void advance(Agent& agent, Millis now);
    std::optional<Plan> plan(Agent& agent);
    void follow(Agent& agent, Member& member);
    void submit(Agent& agent, const Plan& next);
    void pump();
    void replied(std::uint64_t ticket, AgentReply reply, std::string_view text, Millis now);
    void refused(Agent& agent, Member& member, std::string_view text, Millis now);
    void asked(Agent& agent, Member& member, AgentReply reply, std::string_view text);
    void query(Agent& agent);
    [[nodiscard]] static bool proven(const Member& member, const Busy& busy);

    // ---- what Asterisk shows (agents_queues.cpp) ----
    void apply(const ami::Message& message, Millis now);
    void observe(const ami::Message& message, bool in, bool list, bool only_unknown, Millis now);
    void done(Agent& agent, Member& member);
    void changed_by_others(Agent& agent, Member& member, const Seen& before, Millis now);
    void recognise(Agent& agent, Member& member);
    void compare(Agent& agent, Millis now);
    void relist();
    void list_begins();
    void list_ends(Millis now);
    void link_lost(Millis now);

    // ---- calls (agents_calls.cpp) ----
    void notice(const Notice& notice, Millis now);
    void hold(Agent& agent);
    void end_wrap_up(Agent& agent, Millis now);
    [[nodiscard]] Millis wrap_up_of(std::string_view service) const;

    // ---- clients (agents_clients.cpp) ----
    void client_here(std::string_view full, std::string_view show, Millis now);
    void client_gone(Agent& agent, std::string_view full, SystemReason why, Millis now);
    void pinged(std::string_view full, PingResult result, Millis now);
    void look_at_clients(Agent& agent, Millis now);
    void take_out(Agent& agent, Millis now);
    void follow_presence(Agent& agent, Millis now);
    void stop(Millis now);

    // ---- what is told (agents_pictures.cpp) ----
    [[nodiscard]] static AgentState state_of(const Agent& agent);
    [[nodiscard]] AgentPicture picture(const Agent& agent) const;
    [[nodiscard]] AgentMemory memory(const Agent& agent) const;
    void tell(Agent& agent, Millis now);
    void explain(Why why, const Agent& agent, std::string data, Millis now);

    void touch(Agent& agent) { touched.insert(agent.person.jid); }
    void tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;
    AgentOutcome finish(Millis now);  // works off what was touched, and hands the outcome out

    AgentsConfig config;
    std::map<std::string, Agent, std::less<>> agents{};
    std::vector<crm::Service> services{};  // enabled ones
    std::vector<crm::Seat> seats{};
    std::multimap<std::string, std::string, std::less<>> by_interface{};  // -> JID
    std::map<std::uint64_t, std::string> tickets{};                       // -> JID
    std::deque<std::string> line;                                         // JIDs that wait for the window
    std::set<std::string, std::less<>> touched;
    std::uint64_t last_ticket = 0, list_ticket = 0;
    bool linked = false, synced = false, listing = false, list_complete = false;
    bool list_again = false;  // people came while the list was being read
    bool messenger = false, stopping = false;
    AgentOutcome out;
};

}  // namespace bridge
