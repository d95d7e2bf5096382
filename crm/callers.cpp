#include "crm/callers.hpp"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <syslog.h>

#include "crm/adapter.hpp"
#include "crm/index.hpp"
#include "crm/numbers.hpp"
#include "crm/people_feed.hpp"
#include "crm/recheck.hpp"
#include "crm/visibility.hpp"

namespace crm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_matches = 10;
constexpr std::size_t most_flights = 1000;

// Calls back when the budget of a question is over. A thread that only sleeps.
class Deadlines {
 public:
    explicit Deadlines(std::function<void(std::uint64_t)> due)
        : due_(std::move(due)), thread_([this] { run(); }) {}
    ~Deadlines() {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        thread_.join();
    }
    void add(Clock::time_point when, std::uint64_t id) {
        {
            const std::scoped_lock lock(mutex_);
            waiting_.emplace(when, id);
        }
        wake_.notify_all();
    }

 private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (waiting_.empty()) {
                wake_.wait(lock);
            } else if (Clock::now() >= waiting_.begin()->first) {
                const auto id = waiting_.begin()->second;
                waiting_.erase(waiting_.begin());
                lock.unlock();
                due_(id);
                lock.lock();
            } else {
                const auto when = waiting_.begin()->first;
                wake_.wait_until(lock, when);
            }
        }
    }

    std::function<void(std::uint64_t)> due_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::multimap<Clock::time_point, std::uint64_t> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

Millis wall_time() {
    return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

LookupReason reason_of(NumberKind kind) {
    switch (kind) {
        case NumberKind::telephone:
            return LookupReason::nobody;
        case NumberKind::internal:
            return LookupReason::internal;
        case NumberKind::anonymous:
            return LookupReason::anonymous;
        case NumberKind::too_short:
            return LookupReason::too_short;
        case NumberKind::not_a_number:
            return LookupReason::not_a_number;
    }
    return LookupReason::nobody;
}

}  // namespace

struct Callers::Impl : std::enable_shared_from_this<Callers::Impl> {
    struct Pending {
        Number number;
        std::string pbx, crm_user;
        std::function<void(Lookup)> done;
    };
    // A question about a number that is under way: whoever asks the same meanwhile waits for its answer.
    struct Flight {
        Clock::time_point until;
        std::vector<std::uint64_t> waiting;
    };
    using FlightKey = std::pair<std::string, std::string>;  // pbx, number
    struct Scored {
        IndexedRecord record;
        Quality quality;
    };

    const Config config;
    const Post post;
    const Log log;
    const Adapter adapter;
    Numbers numbers;
    std::shared_ptr<Index> index = std::make_shared<Index>();
    bool loaded = false, up = false, started = false;
    Millis full_read{0}, followed{0};
    std::vector<Operator> people;
    std::function<void()> loaded_changed;
    std::function<void(bool, std::string)> link_changed;
    std::function<void(std::vector<Operator>)> operators_changed;
    Roster own;
    std::function<void(const Roster&)> own_changed;
    std::map<std::uint64_t, Pending> pending;
    std::uint64_t last_id = 0;
    std::map<FlightKey, Flight> flights;
    VisibilityAnswers visibility;

    std::unique_ptr<PeopleFeed> feed;
    std::unique_ptr<Recheck> recheck;
    std::unique_ptr<Deadlines> deadlines;

    Impl(const Config& c, Post p, Log l)
        : config(c), post(std::move(p)), log(std::move(l)), adapter(c.sql_dir, c.adapter), numbers(c.sites) {}

    // A function for other threads: runs `work` with us on the owner's thread, or not at all when we are
    // gone.
    template <class Work>
    void hand_over(Work work) {
        post([weak = weak_from_this(), work = std::move(work)]() mutable {
            if (auto self = weak.lock()) work(*self);
        });
    }

    void open() {
        PeopleNews news;
        news.log = [this](int priority, std::string_view line) {
            hand_over([priority, text = std::string(line)](Impl& self) { self.log(priority, text); });
        };
        news.index = [this](std::shared_ptr<Index> fresh) {
            hand_over([fresh](Impl& self) { self.take_index(fresh); });
        };
        news.changes = [this](std::vector<Index::Change> changes) {
            hand_over([changes = std::move(changes)](Impl& self) {
                self.followed = wall_time();
                self.take_changes(changes);
            });
        };
        news.operators = [this](std::vector<Operator> found) {
            hand_over([found = std::move(found)](Impl& self) { self.take_operators(found); });
        };
        news.own = [this](Roster found) {
            hand_over([found = std::move(found)](Impl& self) { self.take_own(found); });
        };
        news.visibility = [this](Visibility found) {
            hand_over([found = std::move(found)](Impl& self) { self.take_visibility(found); });
        };
        news.link = [this](bool is_up, std::string detail) {
            hand_over([is_up, detail = std::move(detail)](Impl& self) {
                self.up = is_up;
                if (self.link_changed) self.link_changed(is_up, detail);
            });
        };
        feed = std::make_unique<PeopleFeed>(config, adapter, numbers, news);
        recheck = std::make_unique<Recheck>(config, adapter, numbers, news.log);
        auto cached = feed->take_cached();
        for (const auto& record : cached.records) index->add(record);
        index->finish();
        loaded = cached.complete;
        people = std::move(cached.operators);
        own = std::move(cached.own);
        numbers.set_operators(people);
        visibility.put_old(cached.visibility);
        if (loaded)
            log(LOG_INFO, fmt::format("{} records with {} telephone numbers taken from the cache",
                                      index->records(), index->numbers()));
        deadlines = std::make_unique<Deadlines>([this](std::uint64_t id) { later(id, Asked::too_late); });
    }

    void close() {
        feed->stop();
        recheck->stop();
        deadlines.reset();
        auto rest = std::move(pending);
        pending.clear();
        for (auto& [id, one] : rest) one.done(answer_from_index(one.number, one.pbx, one.crm_user));
    }

    void take_index(std::shared_ptr<Index> fresh) {
        index = std::move(fresh);
        loaded = true;
        full_read = followed = wall_time();
        if (loaded_changed) loaded_changed();
    }
    void take_operators(std::vector<Operator> found) {
        people = std::move(found);
        numbers.set_operators(people);
        visibility.doubt();
        tell_operators();
    }
    void take_own(Roster found) {
        own = std::move(found);
        if (own_changed) own_changed(own);
    }
    void tell_operators() {
        if (!operators_changed) return;
        std::vector<Operator> with_phone;
        std::ranges::copy_if(people, std::back_inserter(with_phone),
                             [](const Operator& one) { return !one.extension.empty() || !one.jid.empty(); });
        operators_changed(std::move(with_phone));
    }
    void take_visibility(const Visibility& found) {
        const auto now = Clock::now();
        for (const auto& [who, yes] : found) visibility.put(who.first, who.second, yes, now);
    }
    void take_changes(const std::vector<Index::Change>& changes) {
        index->apply(changes);
        if (adapter.visible_by_owner) return;  // another owner is another subject
        for (const auto& change : changes) visibility.forget("#" + change.id);
    }

    [[nodiscard]] bool may_see(std::string_view crm_user, const IndexedRecord& record) const {
        if (config.visibility_all || crm_user.empty()) return true;
        return visibility.last(crm_user, visibility_subject(adapter, record)).value_or(false);
    }

    [[nodiscard]] std::string colleague(const Number& number, std::string_view pbx) const {
        const auto named = numbers.seat(number.raw).pbx;
        const auto site = named.empty() ? std::string(pbx) : named;
        std::string out;
        for (const bool active : {true, false}) {
            for (const auto& one : people)
                if (one.active == active && one.extension == number.digits &&
                    (site.empty() || one.pbx.empty() || one.pbx == site) && !one.name.empty())
                    out += (out.empty() ? "" : ", ") + one.name;
            if (!out.empty()) break;
        }
        return out;
    }

    // Everything of an answer but the matches.
    [[nodiscard]] Lookup begin(const Number& number, std::string_view pbx) const {
        Lookup out;
        out.number = number;
        out.reason = reason_of(number.kind);
        switch (number.kind) {
            case NumberKind::telephone: {
                auto url = adapter.create_url(config.web, number.e164.value_or(number.digits));
                if (!url.empty()) {
                    out.create = std::move(url);
                    out.create_module = adapter.create_module;
                }
                break;
            }
            case NumberKind::internal:
                out.colleague = colleague(number, pbx);
                out.why =
                    out.colleague.empty()
                        ? fmt::format("{} is an extension here, no operator is known at it", number.digits)
                        : fmt::format("{} is an extension here: {}", number.digits, out.colleague);
                break;
            case NumberKind::anonymous:
                out.why = "the number is withheld or unknown, which never matches a record";
                break;
            case NumberKind::too_short:
                out.why = fmt::format("{} is too short to name one subscriber, which never matches a record",
                                      number.digits);
                break;
            case NumberKind::not_a_number:
                out.why = "the text is no telephone number, which never matches a record";
                break;
        }
        return out;
    }

    void rank(std::vector<Scored>& found) const {
        std::ranges::sort(found, [&](const Scored& a, const Scored& b) {
            const auto left =
                std::tuple(a.quality, adapter.module_rank(a.record.module), -a.record.modified.count());
            const auto right =
                std::tuple(b.quality, adapter.module_rank(b.record.module), -b.record.modified.count());
            return left != right ? left < right : a.record.id < b.record.id;
        });
    }

    void fill(Lookup& out, std::vector<Scored> found, std::string_view crm_user) const {
        rank(found);
        // guesses only where nothing better is found
        if (!found.empty() && found.front().quality != Quality::suffix)
            std::erase_if(found, [](const Scored& one) { return one.quality == Quality::suffix; });
        const auto label = out.number.e164.value_or(out.number.digits);
        const auto source =
            out.rechecked ? "confirmed by the CRM's database"
                          : "by the index alone, the CRM's database was not asked or did not answer in time";
        if (found.empty()) {
            out.index_loaded = loaded;
            out.reason = LookupReason::nobody;
            out.why = fmt::format("{}: no live record holds this number, {}", label, source);
            if (!loaded)
                out.why = fmt::format("{}: the index is not loaded yet and the CRM's database did not answer",
                                      label);
            return;
        }
        out.reason = LookupReason::matched;
        std::size_t hidden = 0;
        for (auto& one : found) {
            if (out.matches.size() == most_matches) break;
            Match match{.module = one.record.module,
                        .id = one.record.id,
                        .label = one.record.label,
                        .organization = one.record.organization,
                        .url = {},
                        .owner = one.record.owner,
                        .owner_user = one.record.owner_user,
                        .quality = one.quality,
                        .modified = one.record.modified,
                        .may_see = may_see(crm_user, one.record)};
            match.url = adapter.record_url(config.web, match);
            hidden += match.may_see ? 0 : 1;
            out.matches.push_back(std::move(match));
        }
        out.more = static_cast<unsigned>(found.size() - out.matches.size());
        const auto& best = out.matches.front();
        out.why = fmt::format(
            "{}: {} ({}){}, {}{}", label,
            best.may_see ? fmt::format("{} {}", best.module, best.id)
                         : fmt::format("a record of {}", best.owner),
            name_of(best.quality),
            found.size() == 1 ? std::string() : fmt::format(" and {} more", found.size() - 1), source,
            hidden == 0 ? std::string()
                        : fmt::format("; {} of them this operator may not see in the CRM", hidden));
    }

    [[nodiscard]] std::vector<Scored> hits(const CallerKeys& keys) const {
        std::vector<Scored> out;
        for (auto& hit : index->find(keys)) out.push_back({std::move(hit.record), hit.quality});
        rank(out);
        return out;
    }

    [[nodiscard]] Lookup answer_from_index(const Number& number, std::string_view pbx,
                                           std::string_view crm_user) const {
        auto out = begin(number, pbx);
        if (number.kind == NumberKind::telephone) fill(out, hits(CallerKeys(number, numbers, pbx)), crm_user);
        return out;
    }

    void find(std::string_view text, std::string_view pbx, std::string_view crm_user,
              std::function<void(Lookup)> done) {
        const auto id = ++last_id;
        auto number = numbers.understand(text, pbx);
        const bool database = up && number.kind == NumberKind::telephone;
        pending.emplace(id, Pending{number, std::string(pbx), std::string(crm_user), std::move(done)});
        if (!database)
            return later(id, number.kind == NumberKind::telephone ? Asked::down : Asked::not_needed);
        const auto now = Clock::now();
        deadlines->add(now + config.budget, id);
        const bool visible = config.visibility_all || !adapter.may_see;
        const FlightKey key{std::string(pbx), number.raw};
        // An answer for one is an answer for all where it does not depend on who asks.
        const bool shared = visible || adapter.viewers || crm_user.empty();
        if (const auto flight = flights.find(key);
            shared && flight != flights.end() && now < flight->second.until)
            return flight->second.waiting.push_back(id);
        if (shared) {
            // what nobody answered in time leaves its entry behind
            if (flights.size() >= most_flights)
                std::erase_if(flights, [&](const auto& one) { return one.second.until <= now; });
            flights[key] = {now + config.budget, {id}};
        }
        auto answered = [this, id, key, shared](RecheckAnswer answer) {
            hand_over([id, key, shared, answer = std::move(answer)](Impl& self) {
                self.arrived(shared ? self.landed(key) : std::vector{id}, answer);
            });
        };
        if (recheck->ask(question(number, pbx, crm_user, now, visible), std::move(answered))) return;
        for (const auto waiting : shared ? landed(key) : std::vector{id}) later(waiting, Asked::too_busy);
    }
    std::vector<std::uint64_t> landed(const FlightKey& key) {
        auto found = flights.extract(key);
        return found.empty() ? std::vector<std::uint64_t>{} : std::move(found.mapped().waiting);
    }

    [[nodiscard]] RecheckQuestion question(const Number& number, std::string_view pbx,
                                           std::string_view crm_user, Clock::time_point now, bool visible) {
        RecheckQuestion out{.number = number,
                            .keys = CallerKeys(number, numbers, pbx),
                            .ids = {},
                            .ask_viewers = !visible && adapter.viewers.has_value(),
                            .crm_user = {},
                            .visible = {},
                            .viewers_known = {},
                            .until = now + config.budget};
        if (!visible && !out.ask_viewers) out.crm_user = crm_user;
        for (const auto& hit : hits(out.keys)) {
            out.ids.push_back(hit.record.id);
            if (visible) continue;
            const auto subject = visibility_subject(adapter, hit.record);
            if (out.ask_viewers) {
                if (visibility.viewers_fresh(subject, now)) out.viewers_known.insert(subject);
            } else if (const auto known = visibility.fresh(crm_user, subject, now)) {
                out.visible[subject] = *known;
            }
        }
        return out;
    }
    void later(std::uint64_t id, Asked asked) {
        hand_over([id, asked](Impl& self) { self.finish(id, asked, {}); });
    }

    // By the index alone: the budget is over, or nobody can be asked.
    void finish(std::uint64_t id, Asked asked, const std::string& failure) {
        auto found = pending.extract(id);
        if (found.empty()) return;  // answered already
        auto& one = found.mapped();
        auto out = answer_from_index(one.number, one.pbx, one.crm_user);
        out.asked = asked;
        out.failure = failure;
        one.done(std::move(out));
    }

    // One answer for all who asked the same.
    void arrived(const std::vector<std::uint64_t>& ids, const RecheckAnswer& answer) {
        const auto first = std::ranges::find_if(ids, [&](auto id) { return pending.contains(id); });
        if (!answer.error.empty()) {
            for (const auto id : ids) finish(id, Asked::failed, answer.error);
            return;
        }
        const auto now = Clock::now();
        for (const auto& [subject, users] : answer.viewers) visibility.put_viewers(subject, users, now);
        if (first == ids.end()) return;  // too late for everybody; the next one profits
        const auto asked = pending.at(*first).number;
        const auto pbx = pending.at(*first).pbx;
        for (const auto& [subject, yes] : answer.visible)
            visibility.put(pending.at(*first).crm_user, subject, yes, now);
        const auto scored = confirmed(CallerKeys(asked, numbers, pbx), answer);
        for (const auto id : ids) {
            auto found = pending.extract(id);
            if (found.empty()) continue;
            auto& one = found.mapped();
            auto out = begin(one.number, one.pbx);
            out.rechecked = true;
            out.asked = Asked::confirmed;
            fill(out, scored, one.crm_user);
            one.done(std::move(out));
        }
    }

    // The index's hits as the database knows them now; the index learns it too.
    std::vector<Scored> confirmed(const CallerKeys& keys, const RecheckAnswer& answer) {
        auto scored = hits(keys);
        std::vector<Index::Change> corrections;
        for (const auto& seen : answer.seen) {
            const auto before =
                std::ranges::find(scored, seen.id, [](const Scored& s) { return s.record.id; });
            const auto quality = seen.now ? keys.agrees(seen.now->numbers) : std::nullopt;
            auto bare = seen.now;
            if (bare) bare->numbers.clear();
            if (before == scored.end() ? quality.has_value() : !quality || before->record != *bare)
                corrections.push_back(seen);
            if (before != scored.end()) scored.erase(before);
            if (quality) scored.push_back({std::move(*bare), *quality});
        }
        index->apply(corrections);
        return scored;
    }
};

Callers::Callers(const Config& config, Post post, Log log)
    : impl_(std::make_shared<Impl>(config, std::move(post), std::move(log))) {
    impl_->open();
}
Callers::~Callers() {
    impl_->close();
}

void Callers::start() {
    if (std::exchange(impl_->started, true)) return;
    if (impl_->own != Roster{} && impl_->own_changed) impl_->own_changed(impl_->own);
    if (!impl_->people.empty()) impl_->hand_over([](Impl& self) { self.tell_operators(); });
    impl_->feed->start();
    impl_->recheck->start();
}
bool Callers::loaded() const {
    return impl_->loaded;
}
bool Callers::database_up() const {
    return impl_->up;
}
CallersStatus Callers::status() const {
    return {impl_->loaded, impl_->index->records(), impl_->index->numbers(), impl_->full_read,
            impl_->followed};
}
void Callers::on_loaded(std::function<void()> loaded) {
    impl_->loaded_changed = std::move(loaded);
}
void Callers::on_link(std::function<void(bool, std::string)> changed) {
    impl_->link_changed = std::move(changed);
}
void Callers::on_operators(std::function<void(std::vector<Operator>)> changed) {
    impl_->operators_changed = std::move(changed);
}
void Callers::set_seated(const std::vector<Operator>& people) {
    impl_->numbers.set_operators(people);
}
void Callers::on_own(std::function<void(const Roster&)> changed) {
    impl_->own_changed = std::move(changed);
}
const Roster& Callers::own() const {
    return impl_->own;
}
const std::vector<Operator>& Callers::operators() const {
    return impl_->people;
}
Lookup Callers::from_index(std::string_view number, std::string_view pbx,
                           std::string_view as_crm_user) const {
    return impl_->answer_from_index(impl_->numbers.understand(number, pbx), pbx, as_crm_user);
}
void Callers::find(std::string_view number, std::string_view pbx, std::string_view as_crm_user,
                   std::function<void(Lookup)> done) {
    impl_->find(number, pbx, as_crm_user, std::move(done));
}
bool Callers::all_may_see(std::string_view number, std::string_view pbx,
                          const std::vector<std::string>& crm_users) const {
    if (impl_->config.visibility_all) return true;
    const auto understood = impl_->numbers.understand(number, pbx);
    if (understood.kind != NumberKind::telephone) return true;
    for (const auto& hit : impl_->hits(CallerKeys(understood, impl_->numbers, pbx)))
        for (const auto& user : crm_users)
            if (user.empty() || !impl_->may_see(user, hit.record)) return false;
    return true;
}
Number Callers::understand(std::string_view number, std::string_view pbx) const {
    return impl_->numbers.understand(number, pbx);
}
std::expected<Number, std::string> Callers::dial_number(std::string_view text, std::string_view pbx) const {
    return impl_->numbers.dial_number(text, pbx);
}
void Callers::reload() {
    impl_->feed->reload();
}

}  // namespace crm
