// Values as people write them in the configuration: spans of time, telephone patterns, database URLs,
// secrets. Pure functions (read_secret reads a file); an error is the text for the person who wrote it, with
// what to do.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "crm/config.hpp"

namespace bridge {

// `10s`, `500ms`, `2m`, `1h`, `30d`; at most ten years.
std::expected<std::chrono::milliseconds, std::string> parse_span(std::string_view text);

// mysql://user@host:3306/db?tls=required&ca=FILE  or  mysql://user@localhost/db?socket=PATH. A password in
// the URL is refused (it would be shown by every tool that shows the configuration). %XX is understood in
// every part.
std::expected<crm::DatabaseUrl, std::string> parse_mysql_url(std::string_view text);

// 127.0.0.0/8, ::1, localhost.
bool is_loopback(std::string_view host);

struct SecretFile {
    std::string value;    // without one trailing newline (LF or CRLF)
    std::string warning;  // others may read the file; empty when all is well
};
std::expected<SecretFile, std::string> read_secret_file(const std::filesystem::path& file);

// Folder with the SQL of the adapters: beside the installed program, else in the source tree it was built in.
std::filesystem::path default_sql_dir();

// The nearest of `known` to a misspelt word, empty when none is near.
template <class Range>
std::string_view nearest(std::string_view word, const Range& known);
std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string_view nearest(std::string_view word, const Range& known) {
    std::string_view best;
    std::size_t least = word.size() / 3 + 2;
    for (std::string_view candidate : known)
        if (auto distance = edit_distance(word, candidate); distance < least) {
            least = distance;
            best = candidate;
        }
    return best;
}

}  // namespace bridge
