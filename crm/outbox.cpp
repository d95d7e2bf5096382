#include "crm/outbox.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "crm/sqlite.hpp"

namespace crm {
namespace {

constexpr std::int64_t layout = 1;
constexpr auto lazy_delay = std::chrono::milliseconds(50);  // what frees space only, may share a commit
constexpr auto retry_delay = std::chrono::seconds(1);
constexpr int log_error = 3, log_notice = 5;

Millis now() {
    return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}
std::int64_t now_micros() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Two daemons on one state directory would apply each other's facts.
class Lock {
 public:
    explicit Lock(const std::filesystem::path& file)
        : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        if (fd_ < 0)
            throw std::runtime_error(
                fmt::format("{}: cannot be made: {}; the daemon's account must be able to write its folder",
                            file.string(), std::generic_category().message(errno)));
        if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            ::close(fd_);
            throw std::runtime_error(fmt::format(
                "{}: another ctibridge runs with this state directory; stop it or give this one its own",
                file.string()));
        }
    }
    ~Lock() { ::close(fd_); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

 private:
    int fd_;
};

enum class Kind : std::uint8_t { put, owe, settle, done, set_aside };

struct Work {
    Kind kind;
    SqlParams params;
    Outbox::Durable durable;
};

}  // namespace

struct Outbox::Impl {
    using Key = std::tuple<std::string, std::string, std::string>;

    std::filesystem::path file;
    Post post;
    Log log;
    std::unique_ptr<Sqlite> writer, reader;  // one per thread
    std::unique_ptr<Lock> lock;
    Statement put_sql, clock_sql, next_sql, done_sql, aside_sql, owe_sql, settle_sql;

    // The owner's thread only.
    std::map<Key, Owed> owed;
    std::int64_t revision = 0;

    mutable std::mutex mutex;
    std::condition_variable work_came, facts_came;
    std::vector<Work> queue;
    std::size_t facts_queued = 0;  // in `queue` and in the writer's hands
    bool urgent = false, stopping = false, woken = false, behind = false;
    std::int64_t committed = 0;  // highest sequence number on disk
    OutboxCounts counts;
    std::map<std::int64_t, Millis> waiting;  // facts on disk by sequence number, for the age of the oldest
    Millis oldest_at_start{0};
    std::uint64_t depth_at_start = 0;
    std::thread thread;

    Impl(const std::filesystem::path& state, const std::filesystem::path& sql_dir, Post p, Log l)
        : file(state / "outbox.sqlite"), post(std::move(p)), log(std::move(l)) {
        const SqlFiles files(sql_dir, "ctibridge/outbox");
        put_sql = files.one("put");
        clock_sql = files.one("put_clock");
        next_sql = files.one("next");
        done_sql = files.one("done");
        aside_sql = files.one("set_aside");
        owe_sql = files.one("owe");
        settle_sql = files.one("settle");
        writer = std::make_unique<Sqlite>(file);
        lock = std::make_unique<Lock>(state / "outbox.lock");
        prepare(files);
        reader = std::make_unique<Sqlite>(file);
    }

    template <class T>
    static T must(Sql<T> result) {
        if (!result) throw std::runtime_error(result.error().text);
        if constexpr (!std::is_void_v<T>) return std::move(*result);
    }

    void prepare(const SqlFiles& files) {
        const auto version = must(writer->version());
        if (version > layout)
            throw std::runtime_error(
                fmt::format("{}: its layout is {}, this ctibridge knows {}: it was written by a newer "
                            "version, use that one",
                            file.string(), version, layout));
        for (const auto& statement : files.all("schema")) must(writer->run(statement));
        must(writer->set_version(layout));
        const auto again = must(writer->run(files.one("try_again"))).affected();
        if (again > 0)
            log(log_notice, fmt::format("outbox: {} facts that were set aside are tried again", again));
        const auto rows = must(writer->run(files.one("counts")));
        depth_at_start = static_cast<std::uint64_t>(rows.integer(0, "depth").value_or(0));
        counts.depth = depth_at_start;
        oldest_at_start = Millis{rows.integer(0, "oldest").value_or(0)};
        revision = must(writer->run(files.one("clock"))).integer(0, "revision").value_or(0);
        const auto open = must(writer->run(files.one("owed")));
        for (std::size_t i = 0; i < open.size(); ++i) {
            Owed one{open.text(i, "jid"), open.text(i, "pbx"), open.text(i, "leg"), open.text(i, "id"),
                     open.text(i, "stanza")};
            owed.emplace(Key{one.jid, one.pbx, one.leg}, std::move(one));
        }
        committed = rows.integer(0, "last").value_or(0);
    }

    void give(Work work, bool now_please) {
        {
            const std::scoped_lock guard(mutex);
            queue.push_back(std::move(work));
            urgent = urgent || now_please;
        }
        work_came.notify_one();
    }

    // --- the writer's thread ---
    void write_loop() {
        std::vector<Work> batch;
        for (;;) {
            bool last = false;
            {
                std::unique_lock guard(mutex);
                const auto ready = [&] { return urgent || stopping; };
                if (batch.empty()) {
                    work_came.wait(guard, [&] { return !queue.empty() || stopping; });
                    work_came.wait_for(guard, lazy_delay, ready);
                } else {
                    work_came.wait_for(guard, retry_delay, [&] { return stopping; });
                }
                std::ranges::move(queue, std::back_inserter(batch));
                queue.clear();
                urgent = false;
                last = stopping;
            }
            if (!batch.empty()) write(batch);
            if (last) return;
        }
    }

    void write(std::vector<Work>& batch) {
        std::vector<std::pair<std::int64_t, Millis>> stored;
        auto result = transaction(batch, stored);
        tell(batch, result.has_value());
        const auto facts = std::ranges::count(batch, Kind::put, &Work::kind);
        {
            const std::scoped_lock guard(mutex);
            if (!result) {
                counts.disk_error = result.error().text;
            } else {
                counts.disk_error.clear();
                facts_queued -= static_cast<std::size_t>(facts);
                for (const auto& [seq, at] : stored) waiting.emplace(seq, at);
                if (!stored.empty()) committed = stored.back().first;
            }
        }
        if (result) {
            if (behind) log(log_notice, "outbox: commits succeed again");
            behind = false;
            batch.clear();
            if (!stored.empty()) facts_came.notify_one();
        } else if (!std::exchange(behind, true)) {
            log(log_error,
                fmt::format("outbox: facts stay in memory until a commit succeeds: {}", result.error().text));
        }
    }

    Sql<void> transaction(const std::vector<Work>& batch,
                          std::vector<std::pair<std::int64_t, Millis>>& stored) {
        auto done = writer->begin();
        for (auto work = batch.begin(); done && work != batch.end(); ++work) {
            done = perform(*work);
            if (done && work->kind == Kind::put)
                stored.emplace_back(writer->last_insert_id(),
                                    Millis{std::get<std::int64_t>(*work->params.find("at"))});
        }
        if (done) done = writer->commit();
        if (!done) writer->rollback();
        return done;
    }
    Sql<void> perform(const Work& work) {
        static constexpr std::array statements = {&Impl::put_sql, &Impl::owe_sql, &Impl::settle_sql,
                                                  &Impl::done_sql, &Impl::aside_sql};
        if (work.kind == Kind::put)
            if (auto clock = writer->run(clock_sql, work.params); !clock)
                return std::unexpected(clock.error());
        auto done = writer->run(this->*statements.at(std::to_underlying(work.kind)), work.params);
        if (!done) return std::unexpected(done.error());
        return {};
    }
    void tell(std::vector<Work>& batch, bool ok) {
        std::vector<Durable> listeners;
        for (auto& work : batch)
            if (work.durable) listeners.push_back(std::exchange(work.durable, nullptr));
        if (listeners.empty()) return;
        post([listeners = std::move(listeners), ok] {
            for (const auto& listener : listeners) listener(ok);
        });
    }
};

Outbox::Outbox(const std::filesystem::path& state, const std::filesystem::path& sql_dir, Post post, Log log)
    : impl_(std::make_unique<Impl>(state, sql_dir, std::move(post), std::move(log))) {
    impl_->thread = std::thread([impl = impl_.get()] { impl->write_loop(); });
}

Outbox::~Outbox() {
    {
        const std::scoped_lock guard(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->work_came.notify_one();
    impl_->facts_came.notify_all();
    impl_->thread.join();
}

void Outbox::put(const Fact& fact, Durable durable) {
    auto& self = *impl_;
    self.revision = std::max(self.revision + 1, now_micros());
    SqlParams params{{"kind", std::int64_t{std::to_underlying(fact.kind)}},
                     {"revision", self.revision},
                     {"at", std::int64_t{now().count()}},
                     {"body", encode(fact.values)}};
    {
        const std::scoped_lock guard(self.mutex);
        if (self.facts_queued < queue_limit) {
            ++self.facts_queued;
            ++self.counts.depth;
            self.queue.push_back({Kind::put, std::move(params), std::move(durable)});
            self.urgent = true;
            durable = nullptr;
            self.work_came.notify_one();
            return;
        }
        ++self.counts.refused;
    }
    self.log(log_error, fmt::format("outbox: a fact is lost, {} wait for the disk already", queue_limit));
    if (durable) self.post([durable = std::move(durable)] { durable(false); });
}

void Outbox::owe(const Owed& owed, Durable durable) {
    impl_->owed.insert_or_assign(Impl::Key{owed.jid, owed.pbx, owed.leg}, owed);
    impl_->give(
        {Kind::owe,
         {{"jid", owed.jid}, {"pbx", owed.pbx}, {"leg", owed.leg}, {"id", owed.id}, {"stanza", owed.stanza}},
         std::move(durable)},
        true);
}

void Outbox::settle(std::string_view jid, std::string_view pbx, std::string_view leg) {
    if (impl_->owed.erase(Impl::Key{jid, pbx, leg}) == 0) return;
    impl_->give(
        {Kind::settle, {{"jid", std::string(jid)}, {"pbx", std::string(pbx)}, {"leg", std::string(leg)}}, {}},
        true);
}

std::vector<Owed> Outbox::owed() const {
    std::vector<Owed> out;
    for (const auto& [key, one] : impl_->owed) out.push_back(one);
    return out;
}

OutboxCounts Outbox::counts() const {
    const std::scoped_lock guard(impl_->mutex);
    auto out = impl_->counts;
    if (out.depth > 0) {
        if (impl_->depth_at_start > 0)
            out.oldest = impl_->oldest_at_start;
        else if (!impl_->waiting.empty())
            out.oldest = impl_->waiting.begin()->second;
        else
            out.oldest = now();  // on its way to the disk
    }
    return out;
}

std::vector<StoredFact> Outbox::next(std::int64_t after, std::size_t limit, std::chrono::milliseconds wait) {
    auto& self = *impl_;
    std::int64_t last = 0;
    {
        std::unique_lock guard(self.mutex);
        self.facts_came.wait_for(guard, wait,
                                 [&] { return self.committed > after || self.woken || self.stopping; });
        if (std::exchange(self.woken, false) || self.stopping) return {};
        last = self.committed;
    }
    if (last <= after) return {};
    auto rows =
        self.reader->run(self.next_sql, {{"after", after}, {"count", static_cast<std::int64_t>(limit)}});
    std::vector<StoredFact> out;
    if (!rows) {
        self.log(log_error, "outbox: " + rows.error().text);
        std::unique_lock guard(self.mutex);
        self.facts_came.wait_for(guard, retry_delay, [&] { return self.woken || self.stopping; });
        return out;
    }
    for (std::size_t i = 0; i < rows->size(); ++i) {
        StoredFact one;
        one.seq = rows->integer(i, "seq").value_or(0);
        if (one.seq > last) break;  // on disk, but not counted yet
        one.revision = rows->integer(i, "revision").value_or(0);
        const auto kind = rows->integer(i, "kind").value_or(0);
        auto values = decode_params(rows->text(i, "body"));
        one.readable = values.has_value() && is_known(kind);
        if (one.readable) one.fact = {static_cast<FactKind>(kind), std::move(*values)};
        out.push_back(std::move(one));
    }
    return out;
}

void Outbox::wake() {
    {
        const std::scoped_lock guard(impl_->mutex);
        impl_->woken = true;
    }
    impl_->facts_came.notify_all();
}

void Outbox::done(std::int64_t seq) {
    {
        const std::scoped_lock guard(impl_->mutex);
        --impl_->counts.depth;
        if (impl_->waiting.erase(seq) == 0 && impl_->depth_at_start > 0) --impl_->depth_at_start;
    }
    impl_->give({Kind::done, {{"seq", seq}}, {}}, false);
}

void Outbox::set_aside(std::int64_t seq, const std::string& error) {
    {
        const std::scoped_lock guard(impl_->mutex);
        --impl_->counts.depth;
        ++impl_->counts.set_aside;
        if (impl_->waiting.erase(seq) == 0 && impl_->depth_at_start > 0) --impl_->depth_at_start;
    }
    impl_->give({Kind::set_aside, {{"seq", seq}, {"error", error}}, {}}, true);
}

}  // namespace crm
