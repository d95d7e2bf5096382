// The log: one line to stderr with a <priority> that journald understands, `key=value`, no secrets, nothing
// personal (numbers, names, JIDs) at info or above.
#pragma once

#include <string_view>

namespace bridge {

enum Priority : int { log_error = 3, log_warning = 4, log_info = 6, log_debug = 7 };

class Logger {
 public:
    explicit Logger(std::string_view level = "info") { set_level(level); }
    void set_level(std::string_view level);  // debug, info, warning, error
    [[nodiscard]] bool enabled(int priority) const { return priority <= level_; }
    // Control characters are shown as \xHH, so that foreign text cannot forge a line.
    void operator()(int priority, std::string_view line) const;

 private:
    int level_ = log_info;
};

}  // namespace bridge
