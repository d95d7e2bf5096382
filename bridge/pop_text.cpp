#include "bridge/pop_text.hpp"

#include <algorithm>
#include <array>

#include "bridge/phrases.hpp"
#include "bridge/stanzas.hpp"
#include "xmpp/xml.hpp"

namespace bridge {
namespace {

constexpr std::size_t longest_name = 80;
constexpr std::size_t longest_number = 40;
constexpr std::size_t longest_link = 800;  // bytes, escaped
constexpr std::size_t names_in_a_body = 3;

std::string filled(std::string_view pattern, std::string_view value) {
    std::string text(pattern);
    if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, value);
    return text;
}

// Marks, embeddings, overrides and isolates (UAX #9), as UTF-8.
constexpr std::array<std::string_view, 12> direction_marks{
    "\xE2\x80\x8E", "\xE2\x80\x8F", "\xD8\x9C",     "\xE2\x80\xAA", "\xE2\x80\xAB", "\xE2\x80\xAC",
    "\xE2\x80\xAD", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA7", "\xE2\x81\xA8", "\xE2\x81\xA9"};

bool is_certain(const crm::Match& match) {
    return match.quality != crm::Quality::suffix;
}

std::string described(const crm::Match& match) {
    auto text = readable(match.label, longest_name);
    if (!match.organization.empty() && match.organization != match.label) {
        text += (text.empty() ? "" : ", ") + readable(match.organization, longest_name);
    }
    return text.empty() ? match.module + " " + match.id : text;
}

// A caller who sends a link as his name would have it shown beside ours.
std::string own_words(const Notice& notice) {
    const auto& name = notice.party_name;
    if (notice.withheld || name == notice.party_number) return {};
    if (name.find("://") != std::string::npos || name.find("www.") != std::string::npos) return {};
    return readable(name, longest_name);
}

}  // namespace

std::string clipped(std::string_view text, std::size_t most) {
    std::size_t characters = 0, at = 0;
    for (; at < text.size() && at < 4 * most; ++at) {
        const bool begins = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
        if (begins && ++characters > most) break;
    }
    if (at == text.size()) return std::string(text);
    // Room for the ellipsis: the last character kept goes.
    while (at > 0 && (static_cast<unsigned char>(text[--at]) & 0xC0) == 0x80) {
    }
    return std::string(text.substr(0, at)) + "\xE2\x80\xA6";
}

std::string readable(std::string_view text, std::size_t most) {
    std::string out;
    // What is cut away later need not be read: four bytes for each character, and some that go.
    text = text.substr(0, 8 * most);
    while (!text.empty()) {
        const auto mark = std::find_if(direction_marks.begin(), direction_marks.end(),
                                       [&](auto m) { return text.starts_with(m); });
        if (mark != direction_marks.end()) {
            text.remove_prefix(mark->size());
            continue;
        }
        const auto c = static_cast<unsigned char>(text.front());
        if (c > ' ' && c != 0x7F) {
            out += text.front();
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
        text.remove_prefix(1);
    }
    if (out.ends_with(' ')) out.pop_back();
    return clipped(out, most);
}

bool is_usable_link(std::string_view url) {
    if (url.empty() || url.size() > longest_link) return false;
    std::string escaped;
    xmpp::append_escaped(escaped, url);
    return escaped.size() <= longest_link;
}

std::string party_number(const Notice& notice, const crm::Lookup& lookup) {
    if (notice.withheld) return {};
    if (lookup.number.e164) return *lookup.number.e164;
    return readable(notice.party_number, longest_number);
}

std::string party_name(const Notice& notice, const crm::Lookup& lookup) {
    const crm::Match* only = nullptr;
    std::size_t certain = lookup.more;
    for (const auto& match : lookup.matches) {
        if (!is_certain(match)) continue;
        ++certain;
        only = &match;
    }
    if (certain == 1 && only != nullptr && only->may_see) return described(*only);
    if (!lookup.colleague.empty()) return readable(lookup.colleague, longest_name);
    return own_words(notice);
}

PopText pop_text(const Notice& notice, const crm::Lookup& lookup, std::string_view language) {
    const auto& words = phrases(language);
    std::vector<const crm::Match*> seen;
    std::size_t certain = 0;
    const crm::Match* hidden = nullptr;
    for (const auto& match : lookup.matches) {
        if (!is_certain(match)) continue;
        ++certain;
        if (match.may_see) {
            seen.push_back(&match);
        } else if (hidden == nullptr) {
            hidden = &match;
        }
    }

    std::string who;
    const auto named = std::min(seen.size(), names_in_a_body);
    for (std::size_t i = 0; i < named; ++i) who += (i == 0 ? "" : " / ") + described(*seen[i]);
    // `more` follows the ten best; a guess among these means that the rest are guesses too.
    const auto unnamed = seen.size() - named + (certain == lookup.matches.size() ? lookup.more : 0);
    if (named > 0 && unnamed > 0) who += " " + filled(words.more, std::to_string(unnamed));
    if (who.empty())
        who = lookup.colleague.empty() ? own_words(notice) : readable(lookup.colleague, longest_name);
    const auto number = party_number(notice, lookup);
    const std::string_view nobody = notice.withheld ? words.withheld : words.unknown;
    const std::string shown = !number.empty()                  ? number
                              : who.empty() || notice.withheld ? std::string(nobody)
                                                               : std::string();
    const auto whom = who.empty() ? shown : shown.empty() ? who : who + " (" + shown + ")";

    PopText text;
    text.body = filled(is_missed(notice) ? words.missed : words.call, whom);
    if (seen.empty() && hidden != nullptr)
        text.body += ", " + filled(words.known_to, readable(hidden->owner, longest_name));
    if (seen.size() == 1 && is_usable_link(seen[0]->url)) {
        text.url = seen[0]->url;
        text.label = described(*seen[0]);
        text.body += " " + text.url;
    } else if (seen.size() > 1) {
        for (std::size_t i = 0; i < named; ++i) {
            if (is_usable_link(seen[i]->url)) text.body += "\n" + described(*seen[i]) + ": " + seen[i]->url;
        }
    } else if (certain == 0 && lookup.create && is_usable_link(*lookup.create)) {
        text.url = *lookup.create;
        text.label = std::string(words.create.substr(0, words.create.size() - 1));
        (text.body += ". ") += text.label + ": " + text.url;
    }
    return text;
}

}  // namespace bridge
