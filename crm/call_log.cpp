#include "crm/call_log.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "crm/applier.hpp"
#include "crm/outbox.hpp"

namespace crm {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds idle_check{10'000};
constexpr milliseconds first_delay{200}, longest_delay{10'000};
constexpr std::size_t batch_size = 64;
constexpr int patience = 5;  // attempts, for what is neither the link's fault nor clearly the value's
constexpr int duplicate_patience = 1000;
constexpr int log_error = 3, log_warning = 4, log_notice = 5;

// How long to wait before the next attempt: at once, then doubling.
class Backoff {
 public:
    milliseconds next() {
        const auto now = delay_;
        delay_ = std::min(std::max(delay_ * 2, first_delay), longest_delay);
        return now;
    }
    void reset() { delay_ = milliseconds{0}; }

 private:
    milliseconds delay_{0};
};

}  // namespace

struct CallLog::Impl {
    // Outlives the log in functions that were posted already.
    struct Listener {
        std::function<void(bool, std::string)> changed;
    };

    Post post;
    Log log;
    Outbox outbox;
    Applier applier;
    std::shared_ptr<Listener> listener = std::make_shared<Listener>();

    mutable std::mutex mutex;
    std::condition_variable stop_asked;
    bool stopping = false;
    bool up = false, known = false;  // known: the first attempt has been decided
    std::string last_error;
    std::thread thread;

    Impl(const Config& config, Post p, Log l)
        : post(std::move(p)),
          log(std::move(l)),
          outbox(config.state, config.sql_dir, post, log),
          applier(config) {}

    void stop() {
        {
            const std::scoped_lock guard(mutex);
            stopping = true;
        }
        stop_asked.notify_all();
        outbox.wake();
        if (thread.joinable()) thread.join();
    }

    // --- the applier's thread ---
    bool pause(milliseconds time) {  // false: stop
        std::unique_lock guard(mutex);
        return !stop_asked.wait_for(guard, time, [&] { return stopping; });
    }
    void link(bool now_up, const std::string& detail) {
        bool changed = false;
        {
            const std::scoped_lock guard(mutex);
            changed = !std::exchange(known, true) || up != now_up;
            up = now_up;
            last_error = now_up ? std::string() : detail;
        }
        if (!changed) return;
        log(now_up ? log_notice : log_warning,
            fmt::format("call log: database {}: {}", now_up ? "up" : "down", detail));
        post([target = std::weak_ptr(listener), now_up, detail] {
            if (const auto here = target.lock(); here && here->changed) here->changed(now_up, detail);
        });
    }
    void complain(const std::string& text) {
        const std::scoped_lock guard(mutex);
        last_error = text;
    }

    void loop() {
        Backoff backoff;
        std::int64_t after = 0;
        while (pause(applier.connected() ? milliseconds{0} : backoff.next())) {
            if (!applier.connected()) {
                if (auto connected = applier.connect(); !connected) {
                    link(false, connected.error().text);
                    continue;
                }
                link(true, applier.address());
            }
            const auto facts = outbox.next(after, batch_size, idle_check);
            if (facts.empty()) {
                if (auto alive = applier.ping(); !alive) lost(alive.error());
                continue;
            }
            for (const auto& stored : facts) {
                if (!settle(stored)) break;
                after = stored.seq;
                backoff.reset();
            }
        }
    }
    void lost(const SqlError& error) {
        applier.disconnect();
        link(false, error.text);
    }

    // Applied or set aside: true. False: the link is gone, or we stop; the fact stays where it is.
    bool settle(const StoredFact& stored) {
        if (!stored.readable)
            return set_aside(stored, "the outbox holds it in a form this program does not know");
        Backoff wait;
        wait.next();
        for (int attempt = 1;; ++attempt) {
            auto done = applier.apply(stored);
            if (done) {
                outbox.done(stored.seq);
                return true;
            }
            const auto& error = done.error();
            switch (error.fault) {
                case SqlFault::lost:
                case SqlFault::configuration:
                    lost(error);
                    return false;
                case SqlFault::data:
                    return give_up(stored, error);
                case SqlFault::duplicate:  // the next attempt takes the next id
                    if (attempt >= duplicate_patience) return give_up(stored, error);
                    continue;
                case SqlFault::other:
                    if (attempt >= patience) return give_up(stored, error);
                    break;
                case SqlFault::retry:
                    break;
            }
            complain(error.text);
            if (attempt == patience) log(log_warning, "call log: still trying: " + error.text);
            if (!pause(wait.next())) return false;
        }
    }
    bool give_up(const StoredFact& stored, const SqlError& error) {
        if (stored.fact.kind == FactKind::call) {
            auto own = applier.apply_own(stored);
            if (!own && own.error().fault == SqlFault::lost) {
                lost(own.error());
                return false;
            }
        }
        return set_aside(stored, error.text);
    }
    bool set_aside(const StoredFact& stored, const std::string& why) {
        log(log_error, fmt::format("call log: fact {} of {} is set aside: {}", stored.seq,
                                   stored.fact.values.text(name_of_key(stored.fact.kind)), why));
        complain(why);
        outbox.set_aside(stored.seq, why);
        return true;
    }
};

CallLog::CallLog(const Config& config, Post post, Log log)
    : impl_(std::make_unique<Impl>(config, std::move(post), std::move(log))) {}
CallLog::~CallLog() {
    impl_->stop();
}

void CallLog::start() {
    if (!impl_->thread.joinable()) impl_->thread = std::thread([impl = impl_.get()] { impl->loop(); });
}

void CallLog::record(const CallRow& row, Durable durable) {
    impl_->outbox.put(fact_of(row), std::move(durable));
}
void CallLog::record(const LegRow& row, Durable durable) {
    impl_->outbox.put(fact_of(row), std::move(durable));
}
void CallLog::record(const DialRow& row, Durable durable) {
    impl_->outbox.put(fact_of(row), std::move(durable));
}
void CallLog::record(const AgentRow& row, Durable durable) {
    impl_->outbox.put(fact_of(row), std::move(durable));
}
void CallLog::owe(const Owed& owed, Durable durable) {
    impl_->outbox.owe(owed, std::move(durable));
}
void CallLog::settle(std::string_view jid, std::string_view pbx, std::string_view leg) {
    impl_->outbox.settle(jid, pbx, leg);
}
std::vector<Owed> CallLog::owed() const {
    return impl_->outbox.owed();
}

OutboxStatus CallLog::status() const {
    const auto counts = impl_->outbox.counts();
    const std::scoped_lock guard(impl_->mutex);
    return {counts.depth, counts.oldest, counts.set_aside, impl_->up,
            counts.disk_error.empty() ? impl_->last_error : counts.disk_error};
}

void CallLog::on_link(std::function<void(bool up, std::string detail)> changed) {
    impl_->listener->changed = std::move(changed);
}

}  // namespace crm
