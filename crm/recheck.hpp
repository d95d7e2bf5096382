// Asks the database once more about a caller the index has answered for: are the records still there and
// still at this number, and who is it when the index knows nobody. A thread of its own with a queue; answers
// come on that thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "crm/adapter.hpp"
#include "crm/config.hpp"
#include "crm/index.hpp"
#include "crm/mysql.hpp"
#include "crm/numbers.hpp"

namespace crm {

struct RecheckQuestion {
    Number number;
    CallerKeys keys;
    std::vector<std::string> ids;                 // the index's hits, best first
    bool ask_viewers = false;                     // who may see each record, where the adapter can tell
    std::string crm_user;                         // visibility as; empty: not asked
    std::map<std::string, bool> visible;          // what is known already, by subject
    std::set<std::string> viewers_known;          // subjects not to ask for
    std::chrono::steady_clock::time_point until;  // later nobody waits for the answer
};

struct RecheckAnswer {
    std::vector<Index::Change> seen;      // every record looked at, as it is now
    std::map<std::string, bool> visible;  // by subject, for the records that agree
    std::map<std::string, std::set<std::string, std::less<>>> viewers;  // the same, all users who may
    bool asked_find_exact = false;
    std::string error;  // not empty: the database could not be asked
};

class Recheck {
 public:
    using Answer = std::function<void(RecheckAnswer)>;
    using Log = std::function<void(int priority, std::string_view line)>;

    Recheck(const Config& config, const Adapter& adapter, const Numbers& numbers, Log log);
    ~Recheck();

    void start();
    void stop();
    // False when the queue is full: the database does not keep up, the caller is answered from the index.
    bool ask(RecheckQuestion question, Answer answer);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
