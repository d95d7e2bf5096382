#include "bridge/http_text.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace bridge {

namespace {

constexpr std::size_t most_fields = 64;

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex(text[i + 1]) : -1;
        const int low = high >= 0 ? hex(text[i + 2]) : -1;
        if (low >= 0) {
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            out += text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

}  // namespace

HttpForm parse_form(std::string_view text) {
    HttpForm form;
    while (!text.empty() && form.size() < most_fields) {
        const auto end = text.find('&');
        const auto field = text.substr(0, end);
        const auto equals = field.find('=');
        if (!field.empty())
            form.emplace(decoded(field.substr(0, equals)),
                         equals == std::string_view::npos ? "" : decoded(field.substr(equals + 1)));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return form;
}

std::string url_form(std::string_view value) {
    static constexpr std::string_view digits = "0123456789ABCDEF", plain = "-._~";
    std::string out;
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4U];
            out += digits[byte & 15U];
        }
    }
    return out;
}

bool same_secret(std::string_view given, std::string_view right) {
    // Digests have one length, so not even that of the secret shows.
    const auto digest = [](std::string_view text) {
        std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
        SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data());
        return out;
    };
    const auto a = digest(given), b = digest(right);
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0 && !right.empty();
}

std::string_view content_type_of(std::string_view path) {
    static constexpr std::pair<std::string_view, std::string_view> types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".mp3", "audio/mpeg"},
        {".ogg", "audio/ogg"},
        {".wav", "audio/wav"},
        {".txt", "text/plain; charset=utf-8"},
    };
    for (const auto& [ending, type] : types)
        if (path.ends_with(ending)) return type;
    return "application/octet-stream";
}

bool is_loopback_host(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') + 1) == "[::1]";
    host = host.substr(0, host.find(':'));
    if (host == "localhost") return true;
    return host.starts_with("127.") &&
           std::ranges::all_of(host, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

bool is_web_origin(std::string_view text) {
    const bool encrypted = text.starts_with("https://");
    if (!encrypted && !text.starts_with("http://")) return false;
    const auto host = text.substr(encrypted ? 8 : 7);
    const auto colon = host.starts_with('[') ? host.find(':', host.find(']')) : host.find(':');
    const auto name = host.substr(0, colon);
    const auto port = colon == std::string_view::npos ? "1" : host.substr(colon + 1);
    const auto of = [](std::string_view in, std::string_view signs) {
        return !in.empty() && in.find_first_not_of(signs) == std::string_view::npos;
    };
    // As a browser writes it: in small letters, other scripts as xn--.
    const bool named = name.starts_with('[') ? name.ends_with(']') && of(name, "[]:0123456789abcdef")
                                             : of(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");
    return named && of(port, "0123456789") && port.size() <= 5 && (encrypted || is_loopback_host(host));
}

}  // namespace bridge
