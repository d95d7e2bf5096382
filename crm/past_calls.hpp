// Calls of the past out of our own tables, and who takes care of those that nobody answered. A thread of its
// own with its own connection: blocking there, never on the owner's thread. Nothing is remembered here: while
// the database is away every question is answered with an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/config.hpp"
#include "crm/mysql.hpp"
#include "crm/types.hpp"

namespace crm {

struct PastCall {
    CallRow row;
    std::string leg, extension, cause;  // of the operator's last ring in it; empty: they had none
    std::string claimed_by;             // JID
    std::optional<Millis> claimed_at;
};

enum class PastKind : std::uint8_t { all, missed, abandoned };

struct PastQuestion {
    std::string jid, pbx;
    PastKind kind = PastKind::all;
    std::string before;  // id of the oldest call known already; empty: from the newest
    unsigned max = 20;   // 1 to 100
};

struct Claim {
    bool known = false;  // there is such a call, nobody answered it, and it concerns who asks
    std::string by;      // who has it now
    std::optional<Millis> at;
    std::vector<std::string> concerned;  // JIDs of those who see the call in their lists
};

// Owner's thread; answers arrive through `post`, exactly once, never from inside.
class PastCalls {
 public:
    using Post = std::function<void(std::function<void()>)>;
    using Log = std::function<void(int priority, std::string_view line)>;
    template <class T>
    using Answer = std::function<void(Sql<T>)>;

    // Throws std::runtime_error when SQL files are missing. Connects at the first question.
    PastCalls(const Config& config, Post post, Log log);
    ~PastCalls();  // ends after the question under way; what waits is dropped

    void history(const PastQuestion& question, Answer<std::vector<PastCall>> answer);
    // The first who asks gets it.
    void claim(const std::string& jid, const std::string& pbx, const std::string& call, Answer<Claim> answer);
    // A finished call as it was written, if `jid` had a ring in it or `anybody` is true; absent: there is
    // none.
    void finished(const std::string& jid, bool anybody, const std::string& call,
                  Answer<std::optional<PastCall>> answer);
    // Who talked with this number last (JID), E.164 or digits; empty: nobody.
    void last_operator(const std::string& number, Answer<std::string> answer);

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace crm
