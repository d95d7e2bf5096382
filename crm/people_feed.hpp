// Keeps what the bridge knows of people and records in step with the CRM: cache, full read, change feed,
// reconnecting. A thread of its own; what it learns is handed to the owner's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crm/adapter.hpp"
#include "crm/config.hpp"
#include "crm/index.hpp"
#include "crm/numbers.hpp"
#include "crm/people_cache.hpp"

namespace crm {

// Called on the feed's thread: each must hand over to the owner's.
struct PeopleNews {
    std::function<void(std::shared_ptr<Index>)> index;  // a new one: from the cache's successor, a full read
    std::function<void(std::vector<Index::Change>)> changes;  // each time they were asked for; none: empty
    std::function<void(std::vector<Operator>)> operators;     // first read, then when they differ
    std::function<void(Roster)> own;                          // our tables; the same
    std::function<void(Visibility)> visibility;
    std::function<void(bool up, std::string detail)> link;  // first outcome, then when it differs
    std::function<void(int priority, std::string_view line)> log;
};

// Same records, as the index and the cache name who may see them.
std::string visibility_subject(const Adapter& adapter, const IndexedRecord& record);

class PeopleFeed {
 public:
    // Opens the cache; throws std::runtime_error when the state folder or SQL files cannot be used. `adapter`
    // and `numbers` outlive it.
    PeopleFeed(const Config& config, const Adapter& adapter, const Numbers& numbers, PeopleNews news);
    ~PeopleFeed();  // stops

    [[nodiscard]] CachedPeople take_cached();  // once, before start()
    void start();
    void stop();    // waits for the statement that is under way
    void reload();  // a full read as soon as possible

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Waits between attempts to connect: 1 s, doubled up to 30 s.
class Backoff {
 public:
    std::chrono::milliseconds next();
    void succeeded() { now_ = std::chrono::milliseconds(0); }

 private:
    std::chrono::milliseconds now_{0};
};

}  // namespace crm
