// The call log: facts become durable in the outbox (SQLite, WAL, FULL) before anything depends on them, then
// are applied to our tables and to the CRM's call list at least once, in order per call, with idempotent
// statements.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crm/config.hpp"
#include "crm/types.hpp"

namespace crm {

struct OutboxStatus {
    std::uint64_t depth = 0;      // facts not yet applied
    Millis oldest{0};             // time of the oldest, 0 when none
    std::uint64_t set_aside = 0;  // facts that can never be applied, kept with their error
    bool database_up = false;
    std::string last_error;
};

// Owner's thread; the disk and the database are worked on threads of its own, results arrive through `post`.
class CallLog {
 public:
    using Post = std::function<void(std::function<void()>)>;
    using Log = std::function<void(int priority, std::string_view line)>;
    using Durable = std::function<void(bool ok)>;  // on the owner's thread, after the commit (at latest 100
                                                   // ms after the call)

    CallLog(const Config& config, Post post,
            Log log);  // opens the outbox; throws std::runtime_error when it cannot
    ~CallLog();        // commits what was given to it, applies nothing more

    void start();
    void record(const CallRow& row, Durable durable = {});
    void record(const LegRow& row, Durable durable = {});
    void record(const DialRow& row, Durable durable = {});
    void record(const AgentRow& row, Durable durable = {});
    // About to be sent, non-terminal: send it after `durable`, so that its `ended` is not forgotten in a
    // crash.
    void owe(const Owed& owed, Durable durable = {});
    void settle(std::string_view jid, std::string_view pbx, std::string_view leg);  // its `ended` was sent
    [[nodiscard]] std::vector<Owed> owed() const;                                   // read at start
    [[nodiscard]] OutboxStatus status() const;
    void on_link(std::function<void(bool up, std::string detail)> changed);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// `ctibridge migrate`: creates or upgrades our tables; returns the lines to print, throws std::runtime_error
// with what to do.
std::vector<std::string> migrate(const Config& config);

}  // namespace crm
