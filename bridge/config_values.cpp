#include "bridge/config_values.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include <fmt/core.h>
#include <sys/stat.h>

namespace bridge {

namespace {

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        unsigned value = 0;
        if (i + 2 >= text.size()) return std::nullopt;
        auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16);
        if (error != std::errc{} || end != text.data() + i + 3 || value < 0x20) return std::nullopt;
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

}  // namespace

std::expected<std::chrono::milliseconds, std::string> parse_span(std::string_view text) {
    struct Unit {
        std::string_view name;
        std::int64_t ms;
    };
    static constexpr Unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    static constexpr std::int64_t most = 3650LL * 86400000;
    auto wrong = [&](std::string_view what) {
        return std::unexpected(
            fmt::format("{}; write a number with a unit: 500ms, 10s, 2m, 1h or 30d", what));
    };
    std::int64_t number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || text.starts_with('-')) return wrong("is not a span of time");
    std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (unit.empty() && number != 0) return wrong("has no unit");
    for (const auto& row : units)
        if (unit == row.name || (unit.empty() && row.ms == 1)) {
            if (number > most / row.ms) return wrong("is longer than ten years");
            return std::chrono::milliseconds{number * row.ms};
        }
    return wrong("has an unknown unit");
}

std::expected<crm::DatabaseUrl, std::string> parse_mysql_url(std::string_view text) {
    auto wrong = [](std::string_view what) {
        return std::unexpected(fmt::format(
            "{}; write mysql://user@host:3306/database, with ?socket=PATH or ?tls=required&ca=FILE", what));
    };
    static constexpr std::string_view scheme = "mysql://";
    if (!text.starts_with(scheme)) return wrong("is not a mysql:// URL");
    text.remove_prefix(scheme.size());

    crm::DatabaseUrl url;
    std::string_view query;
    if (auto mark = text.find('?'); mark != std::string_view::npos) {
        query = text.substr(mark + 1);
        text = text.substr(0, mark);
    }
    auto slash = text.find('/');
    if (slash == std::string_view::npos || slash + 1 == text.size()) return wrong("names no database");
    std::string_view authority = text.substr(0, slash), schema = text.substr(slash + 1);
    if (schema.contains('/')) return wrong("has a / in the name of the database");
    auto at = authority.rfind('@');
    if (at == std::string_view::npos || at == 0) return wrong("names no user");
    std::string_view user = authority.substr(0, at), host = authority.substr(at + 1);
    if (user.contains(':')) return wrong("holds a password, which belongs under the key `password`");
    if (host.starts_with('[')) {
        auto close = host.find(']');
        if (close == std::string_view::npos) return wrong("has an unclosed [ in the host");
        url.host = host.substr(1, close - 1);
        host.remove_prefix(close + 1);
    } else {
        auto colon = std::min(host.find(':'), host.size());
        url.host = host.substr(0, colon);
        host.remove_prefix(colon);
    }
    if (!host.empty()) {
        host.remove_prefix(1);
        auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), url.port);
        if (error != std::errc{} || end != host.data() + host.size() || url.port == 0 || url.port > 65535)
            return wrong("has a port that is none");
    }
    if (url.host.empty()) return wrong("names no host");

    auto user_text = percent_decoded(user), schema_text = percent_decoded(schema);
    if (!user_text || !schema_text) return wrong("has a % that is not followed by two hexadecimal digits");
    url.user = *user_text;
    url.schema = *schema_text;

    while (!query.empty()) {
        auto piece = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), piece.size() + 1));
        auto equals = piece.find('=');
        if (equals == std::string_view::npos)
            return wrong(fmt::format("has the parameter `{}` without a value", piece));
        auto name = piece.substr(0, equals);
        auto value = percent_decoded(piece.substr(equals + 1));
        if (!value || value->empty()) return wrong(fmt::format("has no usable value for `{}`", name));
        if (name == "socket") {
            url.socket = *value;
        } else if (name == "ca") {
            url.ca = *value;
        } else if (name == "tls") {
            if (*value != "required") return wrong("says something else than `required` for tls");
            url.tls_required = true;
        } else {
            static constexpr std::string_view known[] = {"socket", "tls", "ca"};
            auto near = nearest(name, known);
            return wrong(
                fmt::format("has the unknown parameter `{}`{}", name,
                            near.empty() ? std::string() : fmt::format(" (did you mean `{}`?)", near)));
        }
    }
    if (!url.socket.empty() && !is_loopback(url.host))
        return wrong("has a socket, but its host is another machine");
    if (!url.ca.empty() && !url.tls_required) return wrong("names a ca without tls=required");
    return url;
}

bool is_loopback(std::string_view host) {
    return host == "localhost" || host == "::1" ||
           (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

std::expected<SecretFile, std::string> read_secret_file(const std::filesystem::path& file) {
    struct stat info{};
    if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
        return std::unexpected(
            fmt::format("the file {} is not there; create it, with mode 0600", file.string()));
    static constexpr std::size_t most = 4096;
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return std::unexpected(fmt::format(
            "the file {} cannot be read; give it to the user that ctibridge runs as", file.string()));
    SecretFile secret;
    secret.value.assign(std::istreambuf_iterator<char>(in), {});
    if (secret.value.size() > most)
        return std::unexpected(
            fmt::format("the file {} is longer than {} bytes; a secret is one line", file.string(), most));
    if (secret.value.ends_with('\n')) secret.value.pop_back();
    if (secret.value.ends_with('\r')) secret.value.pop_back();
    if ((info.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        secret.warning =
            fmt::format("the file {} may be read or written by others (mode {:04o}); chmod 0600 or 0640",
                        file.string(), info.st_mode & 07777U);
    return secret;
}

std::filesystem::path default_sql_dir() {
    namespace fs = std::filesystem;
    std::error_code error;
    auto program = fs::read_symlink("/proc/self/exe", error);
    std::vector<fs::path> places{program.parent_path().parent_path() / "share" / "ctibridge" / "sql"};
    // A build tree lies some folders below the source tree.
    auto folder = program.parent_path();
    for (int up = 0; up < 4 && folder.has_parent_path(); ++up, folder = folder.parent_path())
        places.push_back(folder / "sql");
    for (const auto& place : places)
        if (fs::is_directory(place, error)) return place;
    return places.front();
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

}  // namespace bridge
