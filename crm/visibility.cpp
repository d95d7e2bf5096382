#include "crm/visibility.hpp"

#include <algorithm>
#include <vector>

namespace crm {

VisibilityAnswers::Subject& VisibilityAnswers::at(const std::string& subject, Time now) {
    if (!subjects_.contains(subject) && subjects_.size() >= most_) {
        // A tenth at once: looking for the oldest is not for every question.
        std::vector<Time> used;
        for (const auto& [name, one] : subjects_) used.push_back(one.used);
        const auto limit = used.begin() + static_cast<std::ptrdiff_t>(used.size() / 10);
        std::ranges::nth_element(used, limit);
        const Time oldest = *limit;
        std::erase_if(subjects_, [&](const auto& entry) { return entry.second.used <= oldest; });
    }
    auto& found = subjects_[subject];
    found.used = std::max(found.used, now);
    return found;
}

void VisibilityAnswers::put(std::string_view crm_user, const std::string& subject, bool yes, Time time) {
    at(subject, time).users.insert_or_assign(std::string(crm_user), Decision{yes, time});
}

void VisibilityAnswers::put_viewers(const std::string& subject, std::set<std::string, std::less<>> users,
                                    Time time) {
    auto& one = at(subject, time);
    one.viewers = std::move(users);
    one.all = time;
    one.users.clear();
}

void VisibilityAnswers::put_old(const Visibility& answers) {
    for (const auto& [who, yes] : answers) put(who.first, who.second, yes, Time{});
}

std::optional<VisibilityAnswers::Decision> VisibilityAnswers::find(std::string_view crm_user,
                                                                   const std::string& subject) const {
    const auto found = subjects_.find(subject);
    if (found == subjects_.end()) return std::nullopt;
    const auto& one = found->second;
    std::optional<Decision> out;
    if (one.all) out = Decision{one.viewers.contains(crm_user), *one.all};
    if (const auto user = one.users.find(crm_user);
        user != one.users.end() && (!out || user->second.at > out->at))
        out = user->second;
    return out;
}

std::optional<bool> VisibilityAnswers::last(std::string_view crm_user, const std::string& subject) const {
    const auto found = find(crm_user, subject);
    return found ? std::optional(found->yes) : std::nullopt;
}

std::optional<bool> VisibilityAnswers::fresh(std::string_view crm_user, const std::string& subject,
                                             Time now) const {
    const auto found = find(crm_user, subject);
    if (!found || now - found->at >= valid) return std::nullopt;
    subjects_.at(subject).used = now;
    return found->yes;
}

bool VisibilityAnswers::viewers_fresh(const std::string& subject, Time now) const {
    const auto found = subjects_.find(subject);
    if (found == subjects_.end() || !found->second.all || now - *found->second.all >= valid) return false;
    found->second.used = now;
    return true;
}

void VisibilityAnswers::doubt() {
    for (auto& [name, one] : subjects_) {
        if (one.all) one.all = Time{};
        for (auto& [user, decision] : one.users) decision.at = Time{};
    }
}

void VisibilityAnswers::forget(const std::string& subject) {
    subjects_.erase(subject);
}

}  // namespace crm
