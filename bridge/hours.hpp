// Hours of the week, as people write them in the configuration: `mon-fri 08:00-18:00`, `sat 09:00-12:00`,
// `fri 22:00-06:00` (into the next day), `daily 08:00-20:00`. Local time of the machine.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bridge {

class WeekHours {
 public:
    static constexpr unsigned week = 7 * 24 * 60;

    // Adds a line; the error says what is wrong with it.
    std::expected<void, std::string> add(std::string_view line);
    // `minute` of the week, from Monday 00:00. Without any line: always.
    [[nodiscard]] bool contain(unsigned minute) const;
    [[nodiscard]] bool empty() const { return spans_.empty(); }
    [[nodiscard]] std::string text() const;  // as written, separated by commas
    bool operator==(const WeekHours&) const = default;

 private:
    std::vector<std::pair<unsigned, unsigned>> spans_;  // [from, to), `to` may lie beyond the week's end
    std::vector<std::string> lines_;
};

unsigned minute_of_week_now();                        // local time (TZ, /etc/localtime)
std::string name_of_minute(unsigned minute_of_week);  // "sat 10:05"

}  // namespace bridge
