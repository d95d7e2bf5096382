#include "bridge/hours.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include <fmt/format.h>

namespace bridge {

namespace {

constexpr std::array<std::string_view, 7> days{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr unsigned day = 24 * 60;

std::optional<unsigned> day_of(std::string_view text) {
    const auto found = std::ranges::find(days, text);
    if (found == days.end()) return std::nullopt;
    return static_cast<unsigned>(found - days.begin());
}

// `08:00`, `24:00`
std::optional<unsigned> time_of(std::string_view text) {
    const auto digit = [&](std::size_t i) { return static_cast<unsigned>(text[i] - '0'); };
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    for (const std::size_t i : {0U, 1U, 3U, 4U})
        if (text[i] < '0' || text[i] > '9') return std::nullopt;
    const unsigned minutes = digit(3) * 10 + digit(4), all = (digit(0) * 10 + digit(1)) * 60 + minutes;
    if (minutes > 59 || all > day) return std::nullopt;
    return all;
}

std::pair<std::string_view, std::string_view> halves(std::string_view text) {
    const auto hyphen = text.find('-');
    if (hyphen == std::string_view::npos) return {text, text};
    return {text.substr(0, hyphen), text.substr(hyphen + 1)};
}

}  // namespace

std::expected<void, std::string> WeekHours::add(std::string_view line) {
    const auto wrong = [] {
        return std::unexpected(
            std::string("is no hours of the week; write them like `mon-fri 08:00-18:00`, "
                        "`sat 09:00-12:00` or `daily 08:00-20:00`"));
    };
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) return wrong();
    const auto [first, last] = halves(line.substr(0, blank) == "daily" ? "mon-sun" : line.substr(0, blank));
    const auto [begin, end] = halves(line.substr(blank + 1));
    const auto from_day = day_of(first), to_day = day_of(last);
    const auto from = time_of(begin), to = time_of(end);
    if (!from_day || !to_day || !from || !to || *from == *to || *from == day) return wrong();
    for (unsigned one = *from_day;; one = (one + 1) % 7) {
        spans_.emplace_back(one * day + *from, one * day + *to + (*to < *from ? day : 0));
        if (one == *to_day) break;
    }
    lines_.emplace_back(line);
    return {};
}

bool WeekHours::contain(unsigned minute) const {
    return spans_.empty() || std::ranges::any_of(spans_, [&](const auto& span) {
               return (minute >= span.first && minute < span.second) || minute + week < span.second;
           });
}

std::string WeekHours::text() const {
    return fmt::format("{}", fmt::join(lines_, ", "));
}

unsigned minute_of_week_now() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    const auto from_monday = static_cast<unsigned>((local.tm_wday + 6) % 7);
    return from_monday * day + static_cast<unsigned>(local.tm_hour * 60 + local.tm_min);
}

std::string name_of_minute(unsigned minute) {
    return fmt::format("{} {:02}:{:02}", days[minute / day % 7], minute % day / 60, minute % 60);
}

}  // namespace bridge
