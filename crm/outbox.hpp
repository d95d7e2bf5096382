// Facts that wait on disk until the database has them, and the notices whose `ended` is still owed. One
// SQLite file in the state directory, written by one thread: a fact is committed at once when the disk is
// idle and joins the next commit when not.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crm/fact.hpp"
#include "crm/types.hpp"

namespace crm {

struct StoredFact {
    std::int64_t seq = 0;
    std::int64_t revision = 0;  // grows with every fact ever given to this outbox
    Fact fact;
    bool readable = true;  // false: the bytes on disk are of no form we know
};

struct OutboxCounts {
    std::uint64_t depth = 0;  // neither applied nor set aside
    Millis oldest{0};         // 0 when there is none
    std::uint64_t set_aside = 0;
    std::uint64_t refused = 0;  // given while the queue before the disk was full: lost, and said so
    std::string disk_error;     // empty while commits succeed
};

// put, owe, settle, owed, counts: the owner's thread. next, done, set_aside: the applier's thread.
class Outbox {
 public:
    using Post = std::function<void(std::function<void()>)>;
    using Log = std::function<void(int priority, std::string_view line)>;
    using Durable = std::function<void(bool ok)>;
    static constexpr std::size_t queue_limit = 100'000;  // facts not yet on disk; more are refused

    // Opens or creates `state`/outbox.sqlite. Throws std::runtime_error with what to do.
    Outbox(const std::filesystem::path& state, const std::filesystem::path& sql_dir, Post post, Log log);
    ~Outbox();  // commits what was given

    // `durable(true)` after the commit; `durable(false)` when a commit failed: the fact stays in memory and
    // is tried again.
    void put(const Fact& fact, Durable durable = {});
    void owe(const Owed& owed, Durable durable = {});
    void settle(std::string_view jid, std::string_view pbx, std::string_view leg);
    [[nodiscard]] std::vector<Owed> owed() const;
    [[nodiscard]] OutboxCounts counts() const;

    // Facts on disk after `seq`, in order; waits at most `wait` for the first. Empty: none came, or wake()
    // was called.
    std::vector<StoredFact> next(std::int64_t after, std::size_t limit, std::chrono::milliseconds wait);
    void wake();
    void done(std::int64_t seq);  // applied: forget it
    void set_aside(std::int64_t seq,
                   const std::string& error);  // can never be applied: keep it with its error

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
