// An AMI session as a state machine without sockets or clocks: banner, login, FullyBooted, initial sync,
// keepalive, actions and their answers. Whoever owns the connection calls opened/received/closed/tick and
// sends what take_output() returns; reconnecting is the owner's (bridge), by the class of the failure.
// Source: Asterisk documentation "AMI v2 Specification"; behaviour measured on Asterisk 16, 18 and 22.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ami/action.hpp"
#include "ami/message.hpp"

namespace ami {

using Millis = std::chrono::milliseconds;  // a time: milliseconds of a steady clock; a span where it says so

// booting: logged in, waiting for FullyBooted. syncing: the initial lists are being read.
enum class SessionState : std::uint8_t { closed, banner, login, booting, syncing, up };

std::string_view to_string(SessionState state);

// Why a session ended or could not begin; decides how the owner reconnects.
enum class Failure : std::uint8_t {
    network,      // refused, reset, closed, silent: try again with the usual backoff
    not_ami,      // the peer is not Asterisk's AMI, or sent what no parser could read
    credentials,  // login refused: configuration; slow retry
    shutdown,     // Asterisk said it stops
};

std::string_view to_string(Failure failure);

// What the session is told to do; every field has a documented default.
struct SessionConfig {
    std::string username;
    std::string secret;
    bool md5 = true;  // login by MD5 challenge (the secret never travels); false: plain Secret
    // Classes that travel; `dialplan` only when a service needs VarSet. `system` brings FullyBooted and
    // Shutdown.
    std::string events = "system,call,agent,user,cdr";
    // Variables asked for each channel in the initial Status (FROM_DID, CALLINGNUMPRES_SV, ...).
    std::vector<std::string> sync_variables;
    Millis answer_deadline{
        5000};  // span: an action without a response, a list without its next item has failed
    Millis list_deadline{60000};   // span: a list that is not complete after this time has failed
    Millis login_deadline{10000};  // span: from connection to logged in
    // Span: how long FullyBooted is waited for after the login. A user without read class `system` never gets
    // it; when it comes later the lists are read once more.
    Millis boot_grace{3000};
    Millis keepalive{10000};  // span: Ping after this much silence; two unanswered ones end the session
    std::size_t open_actions = 500;  // more that wait for an answer are refused
    std::string action_id_prefix;    // empty: random. Every session sees every OriginateResponse of the pbx
};

// The answer to an action. `ok` is Asterisk's word (`Response: Success` or `Goodbye`).
struct Reply {
    enum class Outcome : std::uint8_t { success, refused, timeout, link_lost };
    Outcome outcome = Outcome::link_lost;
    std::string message;  // Asterisk's text, or ours for timeout and link_lost; printable
    // The response itself (Getvar's `Value`, ListCommands' rights); only during the call, null for timeout
    // and link_lost.
    const Message* response = nullptr;
    std::size_t items = 0;  // of a list
    [[nodiscard]] bool ok() const { return outcome == Outcome::success; }
};

// Called by the session, on the thread that drives it. A handler must not call back into
// opened/received/closed/tick; submit() is allowed.
class SessionHandler {
 public:
    virtual ~SessionHandler() = default;
    // Every event and every list item, of the initial sync too, in the order received.
    virtual void on_message(const Message& message) = 0;
    // State changes, and news within a state (the same state again): a list that was refused, Asterisk
    // shutting down. `up` means: logged in, booted, initial sync done; its detail names the versions and the
    // lists that are missing. `closed`: detail says why. `detail` is printable.
    virtual void on_state(SessionState state, std::string_view detail) = 0;
    // Just before the first sync message is handed out / just after the last. No end comes when the link is
    // lost. Live events come in between. A late FullyBooted brings a second pair.
    virtual void on_sync_begin() {}
    virtual void on_sync_end() {}
};

// For one connection; opened() begins anew. Destroy it after closed(): open actions of a session destroyed
// before get no answer.
class Session {
 public:
    using Done = std::function<void(const Reply&)>;
    using Item = std::function<void(const Message&)>;

    Session(SessionConfig config, SessionHandler& handler);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void opened(Millis now);  // the connection is there (TLS, if any, is done)
    void received(std::string_view bytes, Millis now);
    void closed(std::string_view reason, Millis now);  // every open action is answered with link_lost
    void tick(Millis now);                             // call at next_deadline() at the latest
    [[nodiscard]] Millis next_deadline() const;        // Millis::max() when nothing is waited for

    [[nodiscard]] std::string take_output();  // bytes to write; empty when none
    [[nodiscard]] bool wants_close() const;  // the owner must close the connection (after writing the output)
    [[nodiscard]] Failure failure() const;   // why, after wants_close() or closed()
    [[nodiscard]] const std::string& failure_text() const;  // the same for a person; empty before

    // Sends an action through the choke point (action.hpp); the error names the field that was refused and
    // nothing is sent; field "session": not logged in, or too many actions wait. Returns the ActionID. `done`
    // is called exactly once, with the response, never within submit(); `done` may be empty.
    std::expected<std::string, ActionError> submit(const Action& action, Millis now, Done done = {});
    // The same for an action that answers with a list: `item` for each of its items (on_message() gets them
    // too), `done` after the last. `items` of the reply counts them.
    std::expected<std::string, ActionError> submit_list(const Action& action, Millis now, Item item,
                                                        Done done);

    [[nodiscard]] SessionState state() const;
    [[nodiscard]] const std::string& version() const;           // AMI version of the banner
    [[nodiscard]] const std::string& asterisk_version() const;  // empty until CoreSettings was answered
    // Asterisk refuses every action because it stops once the last call has ended. The link is alive.
    [[nodiscard]] bool shutting_down() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ami
