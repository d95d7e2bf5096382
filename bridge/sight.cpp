#include "bridge/sight.hpp"

#include <algorithm>

namespace bridge {

namespace {

constexpr std::size_t hidden_digits = 4;
constexpr std::size_t longest_extension = 4;  // such a short one is a colleague's, not a customer's
constexpr std::size_t telling_digits = 5;     // so many digits of a number in a text tell it

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string digits_of(std::string_view text) {
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), is_digit);
    return digits;
}

// Does the text hold the end of the number, which is hidden elsewhere?
bool tells(std::string_view text, std::string_view number) {
    const auto of_text = digits_of(text), of_number = digits_of(number);
    if (of_number.size() < telling_digits) return false;
    return of_text.find(std::string_view(of_number).substr(of_number.size() - telling_digits)) !=
           std::string::npos;
}

}  // namespace

std::string masked_number(std::string_view number) {
    std::string text(number);
    std::size_t hidden = 0;
    for (auto at = text.rbegin(); at != text.rend() && hidden < hidden_digits; ++at) {
        if (!is_digit(*at)) continue;
        *at = 'x';
        ++hidden;
    }
    return text;
}

bool Sight::is_masked(const Notice& notice) const {
    if (notice.withheld || notice.direction == Direction::internal) return false;
    return std::ranges::any_of(config_.masked, [&](const auto& service) {
        return service == "*" || (!notice.service.empty() && service == notice.service);
    });
}

bool Sight::limits(const Notice& notice) const {
    const bool hides_queue = !config_.queues && !notice.queue.empty();
    return (hides_queue || is_masked(notice)) && !ports_.is_administrator(notice.to);
}

void Sight::limit(Notice& notice, crm::Lookup& lookup) const {
    if (!limits(notice)) return;
    if (!config_.queues) notice.queue.clear();
    if (!is_masked(notice)) return;
    const auto number = lookup.number.e164.value_or(notice.party_number);
    if (lookup.number.internal || digits_of(number).size() <= longest_extension) return;
    const auto shown = masked_number(number);
    notice.party_number = shown;
    if (tells(notice.party_name, number)) notice.party_name.clear();
    if (tells(notice.dialed, number)) notice.dialed = shown;
    for (auto& [name, value] : notice.variables)
        if (tells(value, number)) value = shown;
    // The words of the lookup are about the whole number, and so is the link that makes a record of it.
    lookup.number = {};
    lookup.create.reset();
    lookup.create_module.clear();
    for (auto& match : lookup.matches)
        for (auto* text : {&match.label, &match.organization})
            if (tells(*text, number)) *text = shown;
}

bool Sight::sees_state(std::string_view asker, std::string_view other) const {
    if (asker == other || config_.states == SightConfig::States::everybody) return true;
    if (ports_.may_act_for(asker, other)) return true;
    return config_.states == SightConfig::States::colleagues && ports_.are_colleagues(asker, other);
}

bool Sight::sees_free_line(std::string_view asker, bool is_operator) const {
    if (config_.states == SightConfig::States::everybody || ports_.is_administrator(asker)) return true;
    return config_.states == SightConfig::States::colleagues && is_operator;
}

}  // namespace bridge
