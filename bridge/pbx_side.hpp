// One pbx of the daemon: its link, its AMI session and its desk, joined. Owner's thread only.
#pragma once

#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ami/session.hpp"
#include "bridge/agent_side.hpp"
#include "bridge/cleaner.hpp"
#include "bridge/config.hpp"
#include "bridge/desk.hpp"
#include "bridge/link.hpp"
#include "bridge/log.hpp"
#include "bridge/services.hpp"

namespace bridge {

class PbxSide final : public ami::SessionHandler {
 public:
    struct Events {
        std::function<void(PbxSide&, Outcome&&)> outcome;
        std::function<void(PbxSide&, bool up)> link;  // up: synchronised; changes only
        std::function<void(PbxSide&)> synced;         // the desk's picture is whole again
        std::function<void(PbxSide&, AgentOutcome&&)> agents;
        std::function<void(PbxSide&, const ami::Message&)> message{};  // every one, after the desk
    };

    PbxSide(boost::asio::io_context& io, const PbxConfig& config, AgentsConfig agents, Events events,
            Logger& log);
    ~PbxSide() override;
    PbxSide(const PbxSide&) = delete;
    PbxSide& operator=(const PbxSide&) = delete;

    void start(std::function<void()> first_attempt_decided);
    void stop();
    [[nodiscard]] const PbxConfig& config() const { return config_; }
    [[nodiscard]] Desk& desk() { return desk_; }
    [[nodiscard]] const Services& services() const { return services_; }
    // Replaces them; a session that is up is told which events it needs now.
    void set_services(const std::vector<crm::Service>& services);
    [[nodiscard]] const Desk& desk() const { return desk_; }
    [[nodiscard]] AgentSide& agents() { return agents_; }
    [[nodiscard]] const AgentSide& agents() const { return agents_; }
    [[nodiscard]] bool up() const { return up_; }
    [[nodiscard]] Millis since() const { return since_; }  // of the present link state, wall clock
    [[nodiscard]] const Link::Failure& failure() const { return link_->failure(); }
    [[nodiscard]] bool synced_once() const { return synced_once_; }
    [[nodiscard]] const std::deque<GapAccount>& last_gaps() const { return gaps_; }  // newest last

    // Whoever writes down what the pbx sends, from the next whole message on.
    struct Listener {
        virtual ~Listener() = default;
        virtual void heard(std::string_view clean, Millis now) = 0;  // steady clock; without secrets
        virtual void link_ended() = 0;
    };
    // Kept as long as the listener lives. The error says why not.
    std::expected<void, std::string> listen(const std::shared_ptr<Listener>& listener);
    [[nodiscard]] std::string version() const;  // of the AMI; empty without a link

    // Sends an action; `done` is called exactly once, never from inside: with link_lost when there is no
    // session.
    void submit(const ami::Action& action, ami::Session::Done done) {
        submit(action, false, std::move(done));
    }
    // An input of the desk that is not an AMI message; its deadlines are looked at afterwards.
    void apply(Outcome&& outcome);

    void on_message(const ami::Message& message) override;
    void on_state(ami::SessionState state, std::string_view detail) override;
    void on_sync_begin() override;
    void on_sync_end() override;

 private:
    [[nodiscard]] ami::Session* session() const;
    void heard(std::string_view bytes, Millis now);
    // A list's items are told by on_message(), to the agents only.
    void submit(const ami::Action& action, bool list, ami::Session::Done done);
    void arm();
    void ask_channels();  // for the desk: which channels live
    void set_up(bool up);
    void choose_events();

    struct Timer;
    boost::asio::io_context& io_;
    PbxConfig config_;
    Events events_;
    Logger& log_;
    Desk desk_;
    AgentSide agents_;
    Services services_;
    ami::SessionConfig session_config_;  // of the next session
    std::string session_events_;         // classes of the present one
    std::unique_ptr<Timer> timer_;
    std::set<std::string, std::less<>> agent_lists_;  // ActionIDs
    bool agents_linked_ = false;
    std::string channels_id_;  // ActionID of the list the desk asked for; its items are no news of channels
    bool up_ = false, synced_once_ = false;
    Millis since_;
    struct Ear {
        std::weak_ptr<Listener> listener;
        Cleaner cleaner;
    };
    std::vector<Ear> ears_;
    bool between_messages_ = false;
    std::deque<GapAccount> gaps_;
    std::unique_ptr<Link> link_;  // last: its end calls back
};

}  // namespace bridge
