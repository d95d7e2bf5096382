#include "bridge/lookup_command.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <istream>
#include <mutex>
#include <optional>
#include <ostream>
#include <stdexcept>

#include <fmt/format.h>
#include <syslog.h>

#include "bridge/json.hpp"
#include "crm/callers.hpp"

namespace bridge {
namespace {

using Clock = std::chrono::steady_clock;

// Nobody rings: the database gets more time than a pop would give it.
constexpr std::chrono::seconds budget{5};
constexpr std::chrono::seconds first_outcome{20};  // of the link; beyond it the cache answers
constexpr std::chrono::minutes full_read{10};

// The owner's thread of crm::Callers: runs what was posted.
class Loop {
 public:
    void post(std::function<void()> work) {
        {
            const std::scoped_lock lock(mutex_);
            queue_.push_back(std::move(work));
        }
        wake_.notify_one();
    }
    // False when `until` came first.
    bool run_until(const std::function<bool()>& reached, Clock::time_point until) {
        while (!reached()) {
            std::unique_lock lock(mutex_);
            if (!wake_.wait_until(lock, until, [&] { return !queue_.empty(); })) return reached();
            auto work = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            work();
        }
        return true;
    }

 private:
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
};

std::string json_or_null(const std::optional<std::string>& text) {
    return text ? json_text(*text) : "null";
}

void print_json(const crm::Lookup& lookup, std::ostream& out) {
    std::string matches;
    for (const auto& match : lookup.matches) {
        if (!matches.empty()) matches += ',';
        if (match.may_see)
            matches += fmt::format(
                R"({{"module":{},"id":{},"label":{},"organization":{},"url":{},"quality":{}}})",
                json_text(match.module), json_text(match.id), json_text(match.label),
                json_text(match.organization), json_text(match.url), json_text(crm::name_of(match.quality)));
        else
            matches += fmt::format(R"({{"known":true,"owner":{}}})", json_text(match.owner));
    }
    const auto& number = lookup.number;
    const bool outside = !number.internal && !number.anonymous;
    out << fmt::format(
               R"({{"number":{},"e164":{},"internal":{},"matches":[{}],"more":{},"create":{},"colleague":{},"reason":{},"confirmed":{},"why":{}}})",
               json_text(number.raw), json_or_null(outside ? number.e164 : std::nullopt), number.internal,
               matches, lookup.more, json_or_null(outside ? lookup.create : std::nullopt),
               lookup.colleague.empty() ? "null" : json_text(lookup.colleague),
               json_text(crm::name_of(lookup.reason)), lookup.rechecked, json_text(lookup.why))
        << '\n';
}

// For a terminal: no control characters, whatever the database holds.
std::string plain(std::string_view text) {
    auto quoted = json_text(text);
    return quoted.substr(1, quoted.size() - 2);
}

void print_text(const crm::Lookup& lookup, std::ostream& out) {
    out << fmt::format("{}\n    {}\n", plain(lookup.number.raw), plain(lookup.why));
    for (const auto& match : lookup.matches) {
        if (match.may_see)
            out << fmt::format("    {:<8} {} {}  {}{}  {}\n", crm::name_of(match.quality),
                               plain(match.module), plain(match.id), plain(match.label),
                               match.organization.empty() ? "" : ", " + plain(match.organization),
                               plain(match.url));
        else
            out << fmt::format("    {:<8} a record of {} that this operator may not see\n",
                               crm::name_of(match.quality), plain(match.owner));
    }
    if (lookup.more > 0) out << fmt::format("    and {} more\n", lookup.more);
    if (lookup.create && !lookup.number.internal && !lookup.number.anonymous)
        out << fmt::format("    new {}: {}\n", plain(lookup.create_module), plain(*lookup.create));
}

const crm::Operator* person(const std::vector<crm::Operator>& people, std::string_view jid) {
    const auto found = std::ranges::find(people, jid, &crm::Operator::jid);
    return found == people.end() ? nullptr : &*found;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(
        out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

}  // namespace

int lookup_command(const crm::Config& config_, const LookupOptions& options, std::istream& in,
                   std::ostream& out, std::ostream& err) try {
    auto config = config_;
    config.budget = std::max<std::chrono::milliseconds>(config.budget, budget);
    Loop loop;
    std::optional<bool> up;
    bool fresh = false;
    std::string detail;
    crm::Callers callers(
        config, [&](std::function<void()> work) { loop.post(std::move(work)); },
        [&](int priority, std::string_view line) {
            if (priority <= LOG_WARNING) err << line << '\n';
        });
    callers.on_link([&](bool is_up, std::string text) {
        up = is_up;
        detail = std::move(text);
    });
    callers.on_loaded([&] { fresh = true; });
    callers.start();
    loop.run_until([&] { return up.has_value(); }, Clock::now() + first_outcome);
    if (up.value_or(false))
        loop.run_until([&] { return fresh || !up.value_or(false); }, Clock::now() + full_read);
    if (!up.value_or(false)) {
        if (!callers.loaded()) {
            err << "the CRM's database cannot be asked and there is no cache of an earlier read in "
                << config.state.string() << '\n';
            return 2;
        }
        err << "the CRM's database cannot be asked: the answers are from the cache in "
            << config.state.string() << '\n';
    }
    std::string user;
    std::string pbx;
    if (!options.as.empty()) {
        const auto* who = person(callers.operators(), lower(options.as));
        if (who == nullptr) {
            err << options.as
                << " is no operator: neither our operator table nor the CRM's users give this JID\n";
            return 2;
        }
        if (who->crm_user.empty())
            err << options.as << " has no CRM user, so this operator sees no record under visibility: crm\n";
        user = who->crm_user.empty() ? "0" : who->crm_user;
        pbx = who->pbx;
    }
    const auto answer = [&](std::string_view number) {
        std::optional<crm::Lookup> lookup;
        callers.find(number, pbx, user, [&](crm::Lookup found) { lookup = std::move(found); });
        loop.run_until([&] { return lookup.has_value(); }, Clock::time_point::max());
        if (options.json)
            print_json(*lookup, out);
        else
            print_text(*lookup, out);
    };
    for (const auto& number : options.numbers) {
        if (number != "-") {
            answer(number);
            continue;
        }
        for (std::string line; std::getline(in, line);) {
            if (line.ends_with('\r')) line.pop_back();
            answer(line);
        }
    }
    out.flush();
    return out ? 0 : 2;
} catch (const std::runtime_error& e) {
    err << e.what() << '\n';
    return 2;
}

}  // namespace bridge
