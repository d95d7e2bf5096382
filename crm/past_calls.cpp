#include "crm/past_calls.hpp"

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <syslog.h>

#include "crm/people_feed.hpp"

namespace crm {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t longest_queue = 200;
constexpr unsigned most_calls = 100;

MysqlOptions options() {
    return {.connect_timeout = std::chrono::seconds(2),
            .read_timeout = std::chrono::seconds(3),
            .write_timeout = std::chrono::seconds(3)};
}

std::optional<Millis> millis(const Rows& rows, std::size_t row, std::string_view column) {
    const auto value = rows.integer(row, column);
    return value ? std::optional(Millis(*value)) : std::nullopt;
}

Direction direction_of(std::string_view word) {
    if (word == "outbound") return Direction::outbound;
    return word == "internal" ? Direction::internal : Direction::inbound;
}

Disposition disposition_of(std::string_view word) {
    static constexpr std::pair<std::string_view, Disposition> words[] = {
        {"answered", Disposition::answered}, {"no-answer", Disposition::no_answer},
        {"busy", Disposition::busy},         {"abandoned", Disposition::abandoned},
        {"failed", Disposition::failed},     {"lost", Disposition::lost}};
    for (const auto& [name, disposition] : words)
        if (name == word) return disposition;
    return Disposition::none;
}

PastCall call_of(const Rows& rows, std::size_t i) {
    PastCall call;
    auto& row = call.row;
    const std::pair<std::string_view, std::string*> texts[] = {{"id", &row.id},
                                                               {"pbx", &row.pbx},
                                                               {"linkedid", &row.linkedid},
                                                               {"caller_number", &row.caller_number},
                                                               {"caller_name", &row.caller_name},
                                                               {"dialed_number", &row.dialed_number},
                                                               {"service", &row.service},
                                                               {"queue", &row.queue},
                                                               {"module", &row.module},
                                                               {"record", &row.record},
                                                               {"label", &row.label},
                                                               {"answered_by", &row.answered_by},
                                                               {"request", &row.request},
                                                               {"recording", &row.recording},
                                                               {"note", &row.note},
                                                               {"code", &row.code},
                                                               {"leg", &call.leg},
                                                               {"extension", &call.extension},
                                                               {"cause", &call.cause},
                                                               {"claimed_by", &call.claimed_by}};
    for (const auto& [column, text] : texts) *text = rows.text(i, column);
    row.direction = direction_of(rows.text(i, "direction"));
    row.disposition = disposition_of(rows.text(i, "disposition"));
    row.started = millis(rows, i, "started_ms").value_or(Millis(0));
    row.answered = millis(rows, i, "answered_ms");
    row.ended = millis(rows, i, "ended_ms");
    row.wait = millis(rows, i, "wait_ms");
    row.talk = millis(rows, i, "talk_ms");
    row.to_crm = rows.integer(i, "in_crm").value_or(0) != 0;
    call.claimed_at = millis(rows, i, "claimed_ms");
    return call;
}

}  // namespace

struct PastCalls::Impl {
    using Work = std::function<void(const std::optional<SqlError>& unreachable)>;

    Post post;
    Log log;
    Mysql link;
    Statement all, missed, abandoned, claim_put, claim_state, claim_concerned, call, last;
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Work> queue;
    bool stopping = false;
    std::thread thread;
    Backoff backoff;
    Clock::time_point next_attempt{};
    std::string last_error;

    Impl(const Config& config, Post post_, Log log_)
        : post(std::move(post_)), log(std::move(log_)), link(config.own, config.sql_dir, options()) {
        const SqlFiles files(config.sql_dir, "ctibridge/past");
        const std::pair<std::string_view, Statement*> statements[] = {{"all", &all},
                                                                      {"missed", &missed},
                                                                      {"abandoned", &abandoned},
                                                                      {"claim_put", &claim_put},
                                                                      {"claim_state", &claim_state},
                                                                      {"claim_concerned", &claim_concerned},
                                                                      {"call", &call},
                                                                      {"last_operator", &last}};
        for (const auto& [name, statement] : statements) *statement = files.one(name);
    }

    void run() {
        for (;;) {
            std::unique_lock lock(mutex);
            wake.wait(lock, [&] { return stopping || !queue.empty(); });
            if (stopping) return;
            auto work = std::move(queue.front());
            queue.pop_front();
            lock.unlock();
            work(connected());
        }
    }

    std::optional<SqlError> connected() {
        if (link.connected()) return {};
        if (Clock::now() < next_attempt) return SqlError{SqlFault::lost, 0, last_error};
        if (auto done = link.connect(); !done) {
            next_attempt = Clock::now() + backoff.next();
            if (done.error().text != last_error)
                log(LOG_WARNING, fmt::format("calls of the past cannot be read: {}", done.error().text));
            last_error = done.error().text;
            return done.error();
        }
        backoff.succeeded();
        last_error.clear();
        return {};
    }

    // `work` on the thread of the database, its answer on the owner's.
    template <class T>
    void ask(Answer<T> answer, std::function<Sql<T>()> work) {
        auto give = [post = post, answer = std::move(answer)](Sql<T> result) {
            post([answer, result = std::move(result)]() mutable { answer(std::move(result)); });
        };
        std::unique_lock lock(mutex);
        if (queue.size() >= longest_queue) {
            lock.unlock();
            return give(std::unexpected(
                SqlError{SqlFault::retry, 0, "too many questions wait for the database; try again"}));
        }
        queue.push_back([this, give = std::move(give),
                         work = std::move(work)](const std::optional<SqlError>& unreachable) {
            if (unreachable) return give(std::unexpected(*unreachable));
            auto result = work();
            // A connection that broke while nobody asked: once more over a new one.
            if (!result && result.error().fault == SqlFault::lost && !connected()) result = work();
            give(std::move(result));
        });
        lock.unlock();
        wake.notify_one();
    }

    Sql<std::vector<PastCall>> read(const Statement& statement, const SqlParams& params) {
        auto rows = link.run(statement, params);
        if (!rows) return std::unexpected(rows.error());
        std::vector<PastCall> calls;
        for (std::size_t i = 0; i < rows->size(); ++i) calls.push_back(call_of(*rows, i));
        return calls;
    }

    Sql<Claim> take(const SqlParams& params) {
        auto put = link.run(claim_put, params);
        if (!put) return std::unexpected(put.error());
        auto state = link.run(claim_state, params);
        if (!state) return std::unexpected(state.error());
        Claim claim;
        if (state->empty()) return claim;
        claim.known = true;
        claim.by = state->text(0, "jid");
        claim.at = millis(*state, 0, "at_ms");
        auto concerned = link.run(claim_concerned, params);
        if (!concerned) return std::unexpected(concerned.error());
        for (std::size_t i = 0; i < concerned->size(); ++i)
            claim.concerned.push_back(concerned->text(i, "jid"));
        return claim;
    }
};

PastCalls::PastCalls(const Config& config, Post post, Log log)
    : impl_(std::make_shared<Impl>(config, std::move(post), std::move(log))) {
    impl_->thread = std::thread([self = impl_.get()] { self->run(); });
}

PastCalls::~PastCalls() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_one();
    impl_->thread.join();
}

void PastCalls::history(const PastQuestion& question, Answer<std::vector<PastCall>> answer) {
    SqlParams params{{"jid", question.jid},
                     {"pbx", question.pbx},
                     {"max", std::int64_t{std::clamp(question.max, 1U, most_calls)}}};
    params.set_or_null("before", question.before);
    const auto& statement = question.kind == PastKind::missed      ? impl_->missed
                            : question.kind == PastKind::abandoned ? impl_->abandoned
                                                                   : impl_->all;
    impl_->ask<std::vector<PastCall>>(std::move(answer), [self = impl_.get(), &statement, params] {
        return self->read(statement, params);
    });
}

void PastCalls::claim(const std::string& jid, const std::string& pbx, const std::string& call,
                      Answer<Claim> answer) {
    const SqlParams params{{"jid", jid}, {"pbx", pbx}, {"call", call}};
    impl_->ask<Claim>(std::move(answer), [self = impl_.get(), params] { return self->take(params); });
}

void PastCalls::finished(const std::string& jid, bool anybody, const std::string& call,
                         Answer<std::optional<PastCall>> answer) {
    const SqlParams params{{"jid", jid}, {"anybody", std::int64_t{anybody}}, {"call", call}};
    impl_->ask<std::optional<PastCall>>(
        std::move(answer), [self = impl_.get(), params]() -> Sql<std::optional<PastCall>> {
            auto calls = self->read(self->call, params);
            if (!calls) return std::unexpected(calls.error());
            return calls->empty() ? std::optional<PastCall>() : std::optional(std::move(calls->front()));
        });
}

void PastCalls::last_operator(const std::string& number, Answer<std::string> answer) {
    const SqlParams params{{"number", number}};
    impl_->ask<std::string>(std::move(answer), [self = impl_.get(), params]() -> Sql<std::string> {
        auto rows = self->link.run(self->last, params);
        if (!rows) return std::unexpected(rows.error());
        return rows->empty() ? std::string() : rows->text(0, "jid");
    });
}

}  // namespace crm
