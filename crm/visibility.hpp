// Which CRM users may see which records, as far as it was asked. By subject: a record, or its module and
// owner where the adapter says that nothing else counts. Answers are fresh for a minute; older ones count
// only while nobody can be asked. Bounded: what was used least lately goes.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "crm/people_cache.hpp"

namespace crm {

class VisibilityAnswers {
 public:
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::chrono::seconds valid{60};

    explicit VisibilityAnswers(std::size_t most_subjects = 20'000) : most_(most_subjects) {}

    void put(std::string_view crm_user, const std::string& subject, bool yes, Time at);
    // Of all users: who is not among them may not.
    void put_viewers(const std::string& subject, std::set<std::string, std::less<>> users, Time at);
    // From the cache on disk: known, and to be asked again.
    void put_old(const Visibility& answers);

    // Absent: nobody ever asked.
    [[nodiscard]] std::optional<bool> last(std::string_view crm_user, const std::string& subject) const;
    [[nodiscard]] std::optional<bool> fresh(std::string_view crm_user, const std::string& subject,
                                            Time now) const;
    [[nodiscard]] bool viewers_fresh(const std::string& subject, Time now) const;

    void doubt();                             // people changed: everything is to be asked again
    void forget(const std::string& subject);  // the record changed

    [[nodiscard]] std::size_t subjects() const { return subjects_.size(); }

 private:
    struct Decision {
        bool yes = false;
        Time at{};
    };
    struct Subject {
        std::set<std::string, std::less<>> viewers;  // with `all`
        std::optional<Time> all;                     // when everybody was asked
        std::map<std::string, Decision, std::less<>> users;
        mutable Time used{};
    };
    [[nodiscard]] std::optional<Decision> find(std::string_view crm_user, const std::string& subject) const;
    Subject& at(const std::string& subject, Time now);

    std::size_t most_;
    std::map<std::string, Subject> subjects_;
};

}  // namespace crm
