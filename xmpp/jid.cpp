#include "xmpp/jid.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <random>

#include <gloox/jid.h>

namespace xmpp {
namespace {

constexpr std::size_t longest_part = 1023;

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

bool is_part(std::string_view part, std::string_view forbidden) {
    return !part.empty() && part.size() <= longest_part &&
           std::none_of(part.begin(), part.end(), [&](char c) {
               return static_cast<unsigned char>(c) < ' ' || c == 0x7F ||
                      forbidden.find(c) != std::string_view::npos;
           });
}

std::string random_prefix() {
    std::random_device device;
    const std::uint64_t number = (std::uint64_t{device()} << 32) | device();
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
    return std::string(digits, end) + '-';
}

}  // namespace

JidParts split_jid(std::string_view jid) {
    JidParts parts;
    const auto slash = jid.find('/');
    if (slash != std::string_view::npos) {
        parts.resource = jid.substr(slash + 1);
        if (!is_part(parts.resource, "")) return {};
        jid = jid.substr(0, slash);
    }
    const auto at = jid.find('@');
    if (at != std::string_view::npos) {
        parts.local = jid.substr(0, at);
        if (!is_part(parts.local, " \"&':<>")) return {};
        jid = jid.substr(at + 1);
    }
    parts.domain = jid;
    if (!is_part(parts.domain, " \"&'<>@\\")) return {};
    return parts;
}

std::string bare_jid(std::string_view jid) {
    const auto parts = split_jid(jid);
    if (parts.domain.empty()) return {};
    const auto bare = jid.substr(0, std::min(jid.find('/'), jid.size()));
    if (is_ascii(bare)) return lower(bare);
    return gloox::JID(std::string(bare)).bare();  // nodeprep and nameprep; empty when they refuse
}

std::string domain_of(std::string_view jid) {
    const auto bare = bare_jid(jid);
    return bare.substr(bare.find('@') + 1);  // npos + 1 is 0: a domain alone
}

std::string new_id() {
    static const std::string prefix = random_prefix();
    static std::atomic<std::uint64_t> count{0};
    return prefix + std::to_string(++count);
}

}  // namespace xmpp
