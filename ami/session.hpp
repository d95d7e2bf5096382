// An AMI session as a state machine without sockets or clocks: banner, login, FullyBooted, initial sync,
// keepalive, actions and their answers. Whoever owns the connection calls opened/received/closed/tick and
// sends what take_output() returns; reconnecting is the owner's (bridge), by the class of the failure.
#pragma once

#include <chrono>
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

enum class SessionState : std::uint8_t { closed, banner, login, booting, syncing, up };

// Why a session ended or could not begin; decides how the owner reconnects.
enum class Failure : std::uint8_t {
    network,      // refused, reset, closed, silent: try again with the usual backoff
    not_ami,      // the peer is not Asterisk's AMI, or sent what no parser could read
    credentials,  // login refused: configuration; slow retry
    shutdown,     // Asterisk said it stops
};

// What the session is told to do; every field has a documented default.
struct SessionConfig {
    std::string username;
    std::string secret;
    bool md5 = true;  // login by MD5 challenge (the secret never travels); false: plain Secret
    std::string events = "system,call,agent,user,cdr";  // EventMask: classes that travel; `dialplan` only
                                                        // when a service needs VarSet
    std::vector<std::string> sync_variables;  // variables asked for each channel in the initial Status
                                              // (FROM_DID, CALLINGNUMPRES_SV, ...)
    Millis answer_deadline{5000};             // span: an action without a response after this time has failed
    Millis login_deadline{10000};             // span: from connection to logged in
    Millis keepalive{10000};  // span: Ping after this much silence; two unanswered ones end the session
};

// The answer to an action. `ok` is Asterisk's word (`Response: Success` or `Goodbye`), or false for a
// deadline or a lost link.
struct Reply {
    enum class Outcome : std::uint8_t { success, refused, timeout, link_lost };
    Outcome outcome = Outcome::link_lost;
    std::string message;  // Asterisk's text, or ours for timeout/link_lost
    [[nodiscard]] bool ok() const { return outcome == Outcome::success; }
};

// Called by the session, on the thread that drives it. A handler must not call back into
// opened/received/closed/tick; submit() is allowed.
class SessionHandler {
 public:
    virtual ~SessionHandler() = default;
    // Every event and every list item, of the initial sync too, in the order received.
    virtual void on_message(const Message& message) = 0;
    // State changes. `up` means: logged in, booted, initial sync complete.
    virtual void on_state(SessionState state, std::string_view detail) = 0;
    // Just before the first sync message is handed out / just after the last.
    virtual void on_sync_begin() {}
    virtual void on_sync_end() {}
};

class Session {
 public:
    using Done = std::function<void(const Reply&)>;

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

    // Sends an action through the choke point (action.hpp); the error names the field that was refused and
    // nothing is sent. Returns the ActionID. `done` is called exactly once, with the response; `done` may be
    // empty.
    std::expected<std::string, ActionError> submit(const Action& action, Millis now, Done done = {});

    [[nodiscard]] SessionState state() const;
    [[nodiscard]] const std::string& version() const;  // AMI version of the banner

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace ami
