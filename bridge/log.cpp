#include "bridge/log.hpp"

#include <string>
#include <utility>

#include <fmt/core.h>
#include <unistd.h>

#include "bridge/printable.hpp"

namespace bridge {

void Logger::set_level(std::string_view level) {
    static constexpr std::pair<std::string_view, int> levels[] = {
        {"debug", log_debug}, {"info", log_info}, {"warning", log_warning}, {"error", log_error}};
    for (const auto& [name, value] : levels)
        if (level == name) level_ = value;
}

void Logger::operator()(int priority, std::string_view line) const {
    if (!enabled(priority)) return;
    auto text = fmt::format("<{}>{}\n", priority, printable(line, 2000));
    // One write keeps lines whole; a log that cannot be written must not stop the telephone.
    [[maybe_unused]] auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace bridge
