#include "crm/people_feed.hpp"

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>
#include <syslog.h>

#include "crm/people_source.hpp"

namespace crm {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto overlap = std::chrono::seconds(60);  // transactions and clocks may be that late
constexpr int patience = 20;                        // a change statement takes at most 1/20 of the time
constexpr std::size_t most_stamps = 100'000;
constexpr std::size_t most_visibility = 20'000;  // questions asked ahead after a full read
constexpr std::size_t most_pairs = 200'000;      // answers of these, user by user
constexpr int night = 3;                         // o'clock, local time: the daily comparison

Clock::time_point next_night(Clock::time_point now) {
    const std::time_t t = std::time(nullptr);
    std::tm local{};
    localtime_r(&t, &local);
    const int since_midnight = local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec;
    const int wait = (night * 3600 - since_midnight + 86'400 - 1) % 86'400 + 1;
    return now + std::chrono::seconds(wait);
}

MysqlOptions options() {
    return {.connect_timeout = std::chrono::seconds(3),
            .read_timeout = std::chrono::seconds(10),
            .write_timeout = std::chrono::seconds(5)};
}

}  // namespace

milliseconds Backoff::next() {
    now_ = now_.count() == 0 ? milliseconds(1000) : std::min(now_ * 2, milliseconds(30'000));
    return now_;
}

std::string visibility_subject(const Adapter& adapter, const IndexedRecord& record) {
    return adapter.visible_by_owner ? fmt::format("{}/{}", record.module, record.owner_id) : "#" + record.id;
}

struct PeopleFeed::Impl {
    const Config config;
    const Adapter& adapter;
    PeopleNews news;
    PeopleSource source;
    PeopleCache cache;
    CachedPeople cached;

    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false, full_wanted = true;
    std::thread thread;

    // Of the feed's thread.
    Backoff backoff;
    std::optional<bool> link_up;
    std::string link_detail;
    std::size_t known_records = 0;
    Clock::time_point next_full{};
    std::deque<std::pair<Clock::time_point, SqlParams>> positions;
    std::vector<Clock::time_point> due;
    std::unordered_map<std::string, std::string> stamps;
    std::optional<std::vector<Operator>> operators;
    std::optional<Roster> own;
    std::string last_cache_error;

    Impl(const Config& c, const Adapter& a, const Numbers& n, PeopleNews news_)
        : config(c),
          adapter(a),
          news(std::move(news_)),
          source(c, a, n, options(), news.log),
          cache(c.state, c.sql_dir,
                fmt::format("{} {}:{}{}/{} numbers {}", c.adapter, c.crm.host, c.crm.port, c.crm.socket,
                            c.crm.schema, n.fingerprint())),
          due(a.changes.size()) {
        auto loaded = cache.load();
        if (loaded)
            cached = std::move(*loaded);
        else
            cache_fault(loaded.error());
        known_records = cached.records.size();
        source.remember(cached.own);
    }

    bool stopped() {
        const std::scoped_lock lock(mutex);
        return stopping;
    }
    void pause(milliseconds span) {
        std::unique_lock lock(mutex);
        wake.wait_for(lock, span, [&] { return stopping || (full_wanted && link_up.value_or(false)); });
    }

    void cache_fault(const SqlError& error) {
        if (error.text != last_cache_error)
            news.log(
                LOG_WARNING,
                fmt::format(
                    "the cache of callers cannot be used, a restart without database would know nobody: {}",
                    error.text));
        last_cache_error = error.text;
    }
    void keep(const Sql<void>& done) {
        if (!done) cache_fault(done.error());
    }
    void report(bool up, const std::string& detail) {
        if (link_up == up && link_detail == detail) return;
        link_up = up;
        link_detail = detail;
        news.link(up, detail);
    }
    void down(const SqlError& error, milliseconds wait) {
        if (link_up.value_or(true) || error.text != link_detail)
            news.log(LOG_WARNING,
                     fmt::format("CRM database: {}; callers are answered from the index of {} records; "
                                 "trying again every {}",
                                 error.text, known_records,
                                 wait < milliseconds(30'000) ? "second, then up to every 30 s" : "30 s"));
        report(false, error.text);
    }

    void run() {
        while (!stopped()) {
            if (auto done = turn(); !done) {
                const auto wait = backoff.next();
                if (!stopped()) down(done.error(), wait);
                needs_connect = true;
                std::unique_lock lock(mutex);
                wake.wait_for(lock, wait, [&] { return stopping; });
            } else {
                pause(config.feed_interval);
            }
        }
    }

    bool needs_connect = true;

    Sql<void> turn() {
        if (needs_connect || !source.connected()) {
            if (auto done = source.connect(); !done) return done;
            needs_connect = false;
        }
        const auto now = Clock::now();
        if (auto done = read_operators(); !done) return done;
        bool full = false;
        {
            const std::scoped_lock lock(mutex);
            full = full_wanted || (next_full != Clock::time_point{} && now >= next_full);
        }
        if (auto done = full ? read_all() : follow(now); !done) return done;
        backoff.succeeded();
        if (!link_up.value_or(false))
            news.log(LOG_NOTICE, fmt::format("CRM database: connected to {}", source.description()));
        report(true, source.description());
        if (full) return ask_visibility();
        return {};
    }

    Sql<void> read_operators() {
        auto read = source.operators();
        if (!read) return std::unexpected(read.error());
        if (!own || *own != source.own()) {
            own = source.own();
            keep(cache.put_own(*own));
            news.own(*own);
        }
        if (operators == *read) return {};
        operators = *read;
        keep(cache.put_operators(*read));
        news.operators(std::move(*read));
        return {};
    }

    Sql<void> read_all() {
        const auto began = Clock::now();
        auto position = source.position();
        if (!position) return std::unexpected(position.error());
        auto records = source.all([&] { return stopped(); });
        if (!records) return std::unexpected(records.error());
        auto index = std::make_shared<Index>();
        std::size_t numbers = 0;
        for (const auto& record : *records) numbers += record.numbers.size();
        index->reserve(records->size(), numbers);
        for (const auto& record : *records) index->add(record);
        index->finish();
        keep(cache.replace(*records));
        known_records = records->size();
        remember_subjects(*records);
        positions.clear();
        if (*position) positions.emplace_back(began - overlap, **position);
        {
            const std::scoped_lock lock(mutex);
            full_wanted = false;
        }
        next_full = next_night(Clock::now());
        news.log(
            LOG_INFO,
            fmt::format("{} records with {} telephone numbers read from the CRM in {} ms", records->size(),
                        numbers, std::chrono::duration_cast<milliseconds>(Clock::now() - began).count()));
        news.index(std::move(index));
        return {};
    }

    // The position of 60 s ago, so that what was committed late is still seen; the oldest there is when none
    // is that old.
    const SqlParams* since(Clock::time_point now) {
        while (positions.size() > 1 && positions[1].first <= now - overlap) positions.pop_front();
        return positions.empty() ? nullptr : &positions.front().second;
    }

    Sql<void> follow(Clock::time_point now) {
        const auto* from = since(now);
        if (from == nullptr) return {};
        auto position = source.position();
        if (!position) return std::unexpected(position.error());
        std::set<std::string> ids;
        for (std::size_t which = 0; which < adapter.changes.size(); ++which) {
            if (now < due[which]) continue;
            bool more = false;
            const auto began = Clock::now();
            auto changed = source.changes(which, *from, more);
            if (!changed) return std::unexpected(changed.error());
            due[which] = began + (Clock::now() - began) * patience;
            if (more) {
                const std::scoped_lock lock(mutex);
                full_wanted = true;
                return {};
            }
            for (const auto& one : *changed) {
                auto& stamp = stamps[fmt::format("{} {}", which, one.id)];
                if (stamp == one.stamp) continue;
                stamp = one.stamp;
                ids.insert(one.id);
            }
        }
        std::vector<Index::Change> changes;
        for (const auto& id : ids) {
            if (stopped()) return {};
            auto record = source.record(id);
            if (!record) {
                stamps.clear();  // they are read again
                return std::unexpected(record.error());
            }
            changes.push_back({id, std::move(*record)});
        }
        if (!changes.empty()) keep(cache.apply(changes));
        news.changes(std::move(changes));
        if (*position) positions.emplace_back(now, **position);
        if (stamps.size() > most_stamps) stamps.clear();
        return {};
    }

    std::map<std::string, std::string> subjects;  // who may see: subject -> one record of it
    void remember_subjects(const std::vector<IndexedRecord>& records) {
        subjects.clear();
        if (!adapter.visible_by_owner) return;
        for (const auto& record : records)
            subjects.try_emplace(visibility_subject(adapter, record), record.id);
    }
    // Asked ahead, so that an outage of the database does not hide every caller from everybody.
    Sql<void> ask_visibility() {
        if (config.visibility_all || !adapter.may_see || !operators) return {};
        if (adapter.viewers) return ask_viewers();
        Visibility found;
        for (const auto& person : *operators) {
            if (!person.active || person.crm_user.empty() || person.extension.empty()) continue;
            for (const auto& [subject, id] : subjects) {
                if (stopped() || found.size() >= most_visibility) break;
                auto yes = source.may_see(person.crm_user, id);
                if (!yes) return visibility_fault(yes.error());
                found[{person.crm_user, subject}] = *yes;
            }
        }
        keep(cache.put_visibility(found));
        news.visibility(std::move(found));
        return {};
    }
    Sql<void> ask_viewers() {
        Visibility found;
        for (const auto& [subject, id] : subjects) {
            if (stopped() || found.size() >= most_pairs) break;
            auto users = source.viewers(id);
            if (!users) return visibility_fault(users.error());
            for (const auto& person : *operators)
                if (person.active && !person.crm_user.empty() && !person.extension.empty())
                    found[{person.crm_user, subject}] = users->contains(person.crm_user);
        }
        keep(cache.put_visibility(found));
        news.visibility(std::move(found));
        return {};
    }
    Sql<void> visibility_fault(const SqlError& error) {
        if (error.fault == SqlFault::lost) return std::unexpected(error);
        news.log(LOG_WARNING,
                 fmt::format("who may see which record cannot be read, matches stay hidden: {}", error.text));
        return {};
    }
};

PeopleFeed::PeopleFeed(const Config& config, const Adapter& adapter, const Numbers& numbers, PeopleNews news)
    : impl_(std::make_unique<Impl>(config, adapter, numbers, std::move(news))) {}

PeopleFeed::~PeopleFeed() {
    stop();
}

CachedPeople PeopleFeed::take_cached() {
    return std::move(impl_->cached);
}

void PeopleFeed::start() {
    if (!impl_->thread.joinable()) impl_->thread = std::thread([this] { impl_->run(); });
}

void PeopleFeed::stop() {
    {
        const std::scoped_lock lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wake.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

void PeopleFeed::reload() {
    {
        const std::scoped_lock lock(impl_->mutex);
        impl_->full_wanted = true;
    }
    impl_->wake.notify_all();
}

}  // namespace crm
