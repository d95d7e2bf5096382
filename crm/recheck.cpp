#include "crm/recheck.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <syslog.h>

#include "crm/people_feed.hpp"
#include "crm/people_source.hpp"

namespace crm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t longest_queue = 500;
constexpr std::size_t most_candidates = 20;

// Nobody waits longer than the budget: a server that does not answer is given up soon.
MysqlOptions options() {
    return {.connect_timeout = std::chrono::seconds(2),
            .read_timeout = std::chrono::seconds(1),
            .write_timeout = std::chrono::seconds(1)};
}

}  // namespace

struct Recheck::Impl {
    const Adapter& adapter;
    PeopleSource source;
    Log log;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<std::pair<RecheckQuestion, Answer>> queue;
    bool stopping = false;
    std::thread thread;
    Backoff backoff;
    Clock::time_point next_attempt{};
    std::string last_error;

    Impl(const Config& config, const Adapter& a, const Numbers& numbers, Log log_)
        : adapter(a),
          source(config, a, numbers, options(), [](int, std::string_view) {}),
          log(std::move(log_)) {}

    void run() {
        for (;;) {
            std::unique_lock lock(mutex);
            wake.wait(lock, [&] { return stopping || !queue.empty(); });
            if (stopping) return;
            auto [question, answer] = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            if (Clock::now() >= question.until) continue;
            answer(work(question));
        }
    }

    RecheckAnswer failed(const SqlError& error) {
        if (error.text != last_error)
            log(LOG_WARNING,
                fmt::format("a caller could not be confirmed at the CRM, the index answers: {}", error.text));
        last_error = error.text;
        RecheckAnswer out;
        out.error = error.text;
        return out;
    }

    RecheckAnswer work(const RecheckQuestion& question) {
        if (!source.connected()) {
            if (Clock::now() < next_attempt) return failed({SqlFault::lost, 0, last_error});
            if (auto done = source.connect(); !done) {
                next_attempt = Clock::now() + backoff.next();
                return failed(done.error());
            }
            backoff.succeeded();
        }
        RecheckAnswer out;
        bool found = false;
        const auto look = [&](const std::vector<std::string>& ids) -> Sql<void> {
            for (const auto& id : ids) {
                if (out.seen.size() >= most_candidates) break;
                const auto known = [&](const Index::Change& change) { return change.id == id; };
                if (std::ranges::any_of(out.seen, known)) continue;
                auto record = source.record(id);
                if (!record) return std::unexpected(record.error());
                if (*record && question.keys.agrees((*record)->numbers)) {
                    found = true;
                    if (auto done = see(question, **record, out); !done) return done;
                }
                out.seen.push_back({id, std::move(*record)});
            }
            return {};
        };
        if (auto done = look(question.ids); !done) return failed(done.error());
        if (!found) {
            auto ids = source.find_exact(question.number);
            if (!ids) return failed(ids.error());
            out.asked_find_exact = true;
            if (auto done = look(*ids); !done) return failed(done.error());
        }
        last_error.clear();
        return out;
    }

    Sql<void> see(const RecheckQuestion& question, const IndexedRecord& record, RecheckAnswer& out) {
        const auto subject = visibility_subject(adapter, record);
        if (question.ask_viewers) {
            if (question.viewers_known.contains(subject) || out.viewers.contains(subject)) return {};
            auto users = source.viewers(record.id);
            if (!users) return std::unexpected(users.error());
            out.viewers[subject] = std::move(*users);
            return {};
        }
        if (question.crm_user.empty()) return {};
        if (out.visible.contains(subject)) return {};
        if (const auto known = question.visible.find(subject); known != question.visible.end()) {
            out.visible[subject] = known->second;
            return {};
        }
        auto yes = source.may_see(question.crm_user, record.id);
        if (!yes) return std::unexpected(yes.error());
        out.visible[subject] = *yes;
        return {};
    }
};

Recheck::Recheck(const Config& config, const Adapter& adapter, const Numbers& numbers, Log log)
    : impl_(std::make_unique<Impl>(config, adapter, numbers, std::move(log))) {}
Recheck::~Recheck() {
    stop();
}

void Recheck::start() {
    if (!impl_->thread.joinable()) impl_->thread = std::thread([this] { impl_->run(); });
}

void Recheck::stop() {
    {
        const std::scoped_lock lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

bool Recheck::ask(RecheckQuestion question, Answer answer) {
    {
        const std::scoped_lock lock(impl_->mutex);
        if (impl_->queue.size() >= longest_queue) return false;
        impl_->queue.emplace_back(std::move(question), std::move(answer));
    }
    impl_->wake.notify_one();
    return true;
}

}  // namespace crm
