#include "bridge/extensions.hpp"

#include <algorithm>

namespace bridge {

namespace {
constexpr std::string_view placeholder = "{extension}";
}

bool glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t]) && pattern[p] != '*') {
            ++p, ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

bool looks_dialed(std::string_view exten) {
    if (exten.starts_with('+')) exten.remove_prefix(1);
    bool digit = false;
    for (const char c : exten) {
        digit = digit || (c >= '0' && c <= '9');
        if (!((c >= '0' && c <= '9') || c == '*' || c == '#')) return false;
    }
    return digit;
}

Extensions::Extensions(std::vector<std::string> channels, std::vector<std::string> internal)
    : channels_(std::move(channels)), internal_(std::move(internal)) {}

void Extensions::set_people(std::unordered_set<std::string> extensions,
                            std::unordered_map<std::string, std::string> devices) {
    people_ = std::move(extensions);
    devices_ = std::move(devices);
    longest_ = 0;
    for (const std::string& extension : people_) longest_ = std::max(longest_, extension.size());
}

std::string_view Extensions::candidate(std::string_view channel) const {
    return fit(channel).extension;
}

std::string_view Extensions::pattern_of(std::string_view channel) const {
    return fit(channel).pattern;
}

Extensions::Fit Extensions::fit(std::string_view channel) const {
    if (!devices_.empty())
        for (const auto name : {channel.substr(0, std::min(channel.rfind('-'), channel.size())), channel})
            if (const auto device = devices_.find(std::string(name)); device != devices_.end())
                return {device->first, device->second};
    for (const std::string& pattern : channels_) {
        const std::size_t at = pattern.find(placeholder);
        if (at == std::string::npos) continue;
        const std::string_view before = std::string_view(pattern).substr(0, at);
        const std::string_view after = std::string_view(pattern).substr(at + placeholder.size());
        if (!channel.starts_with(before)) continue;
        std::string_view rest = channel.substr(before.size());
        // a channel has a serial number behind its last hyphen, a dial string has none
        for (std::string_view name : {rest.substr(0, std::min(rest.rfind('-'), rest.size())), rest}) {
            if (!name.ends_with(after)) continue;
            name.remove_suffix(after.size());
            if (!name.empty()) return {pattern, name};
        }
    }
    return {};
}

std::string Extensions::of_channel(std::string_view channel) const {
    const std::string_view name = candidate(channel);
    return !name.empty() && is_phone(name) ? std::string(name) : std::string();
}

bool Extensions::is_phone(std::string_view extension) const {
    if (people_.contains(std::string(extension))) return true;
    return std::any_of(internal_.begin(), internal_.end(),
                       [&](const std::string& pattern) { return glob(pattern, extension); });
}

bool Extensions::is_internal(std::string_view number) const {
    if (number.starts_with('*') || number.starts_with('#') || is_phone(number)) return true;
    // without patterns a conference or an echo test has about as many digits as an extension
    return internal_.empty() && !number.starts_with('+') && number.size() <= longest_;
}

}  // namespace bridge
