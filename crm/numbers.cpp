#include "crm/numbers.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <phonenumbers/phonenumberutil.h>

#include "crm/number_text.hpp"

namespace crm {
namespace {

namespace lib = i18n::phonenumbers;

constexpr std::size_t longest_text = 256;     // bytes; beyond it nobody wrote a number
constexpr std::size_t longest_number = 20;    // digits; E.164 has 15
constexpr std::size_t shortest_number = 6;    // digits of a number without E.164 form
constexpr std::size_t shortest_possible = 8;  // digits of an E.164 number that only might exist

constexpr std::string_view nobody_words[] = {
    "anonymous", "unknown",         "withheld",       "private",        "restricted",    "unavailable",
    "blocked",   "hidden",          "none",           "null",           "n/a",           "na",
    "no number", "number withheld", "private number", "unknown number", "not available", "unavail",
    "invalid",   "<unknown>",       "id unavailable",
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_dialable(std::string_view text) {
    return !text.empty() &&
           std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '*' || c == '#'; });
}

const lib::PhoneNumberUtil& library() {
    return *lib::PhoneNumberUtil::GetInstance();
}

// `?` and `*` of a pattern stand for digits.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() &&
                   (pattern[p] == text[t] || (pattern[p] == '?' && is_digit(text[t])))) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos && is_digit(text[resume])) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::string national_significant(const lib::PhoneNumber& number) {
    std::string out;
    library().GetNationalSignificantNumber(number, &out);
    return out;
}
std::string to_e164(const lib::PhoneNumber& number) {
    std::string out;
    library().Format(number, lib::PhoneNumberUtil::E164, &out);
    return out;
}

struct Parsed {
    lib::PhoneNumber number;
    bool valid = false, possible = false;
};
std::optional<Parsed> parse(const std::string& text, const std::string& region) {
    Parsed out;
    if (library().ParseAndKeepRawInput(text, region, &out.number) != lib::PhoneNumberUtil::NO_PARSING_ERROR)
        return std::nullopt;
    out.valid = library().IsValidNumber(out.number);
    out.possible = only_digits(text).size() >= shortest_possible && library().IsPossibleNumber(out.number);
    return out;
}

// `digits` follow a +. A zero in brackets, and one after the country code, are trunk prefixes where the
// number exists only without.
std::optional<std::string> international(const std::string& digits, const std::string& without_bracket) {
    const auto as_is = parse("+" + digits, "ZZ");
    if (as_is && as_is->valid) return to_e164(as_is->number);
    if (without_bracket != digits)
        if (const auto other = parse("+" + without_bracket, "ZZ"); other && other->valid)
            return to_e164(other->number);
    if (as_is) {
        const auto code = std::to_string(as_is->number.country_code());
        if (digits.starts_with(code + "0"))
            if (const auto other = parse("+" + code + digits.substr(code.size() + 1), "ZZ");
                other && other->valid)
                return to_e164(other->number);
        if (as_is->possible) return to_e164(as_is->number);
    }
    return std::nullopt;
}

std::string without_zero_in_brackets(std::string_view text) {
    std::string out(text);
    if (const auto open = out.find('('); open != std::string::npos) {
        const auto close = out.find(')', open);
        if (close != std::string::npos &&
            trimmed(std::string_view(out).substr(open + 1, close - open - 1)) == "0")
            out.erase(open, close - open + 1);
    }
    return only_digits(out);
}

struct Unwrapped {
    std::string text;    // lower case
    std::string prefix;  // technology or pbx before a slash
    std::string scheme;
    std::string extension;
};
// Takes the number out of "Name" <201>, sip:205@host;transport=udp, SIP/201, hq/201.
Unwrapped unwrap(std::string_view folded) {
    Unwrapped out;
    std::string text = lower_ascii(trimmed(folded));
    if (text.ends_with('>'))
        if (const auto open = text.rfind('<'); open != std::string::npos && open > 0)
            text = text.substr(open + 1, text.size() - open - 2);
    for (const std::string_view scheme : {"sips:", "sip:", "tel:", "callto:"})
        if (text.starts_with(scheme)) {
            out.scheme = scheme.substr(0, scheme.size() - 1);
            text = percent_decoded(std::string_view(text).substr(scheme.size()));
            while (text.starts_with('/')) text.erase(0, 1);
            break;
        }
    if (!out.scheme.empty()) {
        std::string context;
        const auto host = text.find('@');
        std::string parameters =
            text.find(';') == std::string::npos ? std::string() : text.substr(text.find(';') + 1);
        text = text.substr(0, std::min(host, text.find(';')));
        for (std::size_t at = 0; at < parameters.size();) {
            const auto end = std::min(parameters.find(';', at), parameters.size());
            const std::string_view one = std::string_view(parameters).substr(at, end - at);
            if (one.starts_with("ext=")) out.extension = only_digits(one.substr(4));
            if (one.starts_with("phone-context=+")) context = one.substr(14);
            at = end + 1;
        }
        if (!context.empty() && !text.starts_with('+')) text = context + text;
    } else if (const auto host = text.find('@');
               host != std::string::npos && is_dialable(std::string_view(text).substr(0, host))) {
        text = text.substr(0, host);
    }
    if (const auto slash = text.find('/');
        slash != std::string::npos && slash > 0 && !is_digit(text[0]) && text[0] != '+' && text[0] != '(') {
        out.prefix = text.substr(0, slash);
        text = text.substr(slash + 1);
        if (const auto host = text.find('@'); host != std::string::npos) text = text.substr(0, host);
    }
    if (text.starts_with('\'')) text.erase(0, 1);  // a spreadsheet's mark for text
    out.text = std::string(trimmed(text));
    return out;
}

bool technology(std::string_view prefix) {
    constexpr std::string_view known[] = {"sip", "pjsip", "iax2", "local", "dahdi", "skinny", "sccp"};
    return std::ranges::find(known, prefix) != std::end(known);
}

bool only_number_characters(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return is_digit(c) || std::string_view("+ -.()/*#[]_~").contains(c); });
}
// A + may only lead, brackets aside.
bool plus_in_place(std::string_view text) {
    const auto plus = text.find('+');
    return plus == std::string_view::npos ||
           (text.find('+', plus + 1) == std::string_view::npos && only_digits(text.substr(0, plus)).empty());
}

Number refused(Number number, NumberKind kind) {
    number.kind = kind;
    number.anonymous = true;
    number.e164.reset();
    return number;
}

}  // namespace

Numbers::Numbers(std::vector<Site> sites) : sites_(std::move(sites)) {
    for (auto& site : sites_)
        std::ranges::transform(site.country, site.country.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
    static_cast<void>(library());
}

const Site* Numbers::site(std::string_view pbx) const {
    const auto found = std::ranges::find(sites_, pbx, &Site::pbx);
    if (found != sites_.end()) return &*found;
    return sites_.empty() ? nullptr : &sites_.front();
}

bool Numbers::is_extension(std::string_view text, std::string_view pbx) const {
    if (text.empty()) return false;
    const auto known_at = [&](std::string_view name) {
        const auto found = known_.find(name);
        return found != known_.end() && found->second.contains(text);
    };
    if (known_at("")) return true;
    for (const auto& one : sites_) {
        if (!pbx.empty() && one.pbx != pbx) continue;
        if (known_at(one.pbx)) return true;
        if (std::ranges::any_of(one.extensions, [&](const auto& pattern) { return matches(pattern, text); }))
            return true;
    }
    return false;
}

std::vector<std::string> Numbers::countries(std::string_view pbx) const {
    std::vector<std::string> out;
    if (!pbx.empty() || sites_.empty()) {
        if (const auto* one = site(pbx)) out.push_back(one->country);
    } else {
        out.push_back(sites_.front().country);
    }
    return out;
}

void Numbers::read_telephone(std::string_view text, const std::vector<std::string>& regions,
                             Number& number) const {
    auto digits = only_digits(text);
    const bool plus = text.find('+') != std::string_view::npos;
    const bool code = text.find_first_of("*#") != std::string_view::npos;
    number.digits.clear();
    for (const char c : text)
        if (is_digit(c) || c == '*' || c == '#' || (c == '+' && number.digits.empty())) number.digits += c;
    if (digits.empty() || digits.size() > longest_number || code) return;
    if (plus) {
        number.e164 = international(digits, without_zero_in_brackets(text));
        return;
    }
    std::optional<std::string> possible;
    for (const auto& region : regions) {
        const auto parsed = parse(digits, region);
        if (!parsed) continue;
        if (parsed->valid) {
            number.e164 = to_e164(parsed->number);
            return;
        }
        // Ranges that the library does not know (new ones, or set aside for fiction) still name one
        // subscriber when the text says by a trunk prefix or a country code that it is complete.
        const auto national = national_significant(parsed->number);
        const bool complete =
            parsed->number.country_code_source() != lib::PhoneNumber::FROM_DEFAULT_COUNTRY ||
            (national.size() < digits.size() && digits.ends_with(national));
        if (parsed->possible && complete && !possible) possible = to_e164(parsed->number);
    }
    if (digits.starts_with("00") && digits.size() > 4) {
        auto bracketless = without_zero_in_brackets(text);
        if (auto found = international(digits.substr(2),
                                       bracketless.substr(std::min<std::size_t>(2, bracketless.size()))))
            possible = found;
    } else if (digits.size() >= shortest_possible && digits.front() != '0' && !possible) {
        if (const auto parsed = parse("+" + digits, "ZZ"); parsed && parsed->valid)
            possible = to_e164(parsed->number);
    }
    number.e164 = possible;
}

Number Numbers::understand(std::string_view raw, std::string_view pbx) const {
    Number number;
    number.raw = std::string(raw);
    if (raw.size() > longest_text) return refused(std::move(number), NumberKind::not_a_number);
    const auto folded = fold_number_text(raw);
    if (folded.fault != TextFault::none) return refused(std::move(number), NumberKind::not_a_number);
    const auto plain = lower_ascii(trimmed(folded.text));
    if (plain.empty() || std::ranges::find(nobody_words, plain) != std::end(nobody_words))
        return refused(std::move(number), NumberKind::anonymous);

    auto inner = unwrap(folded.text);
    const bool site_named =
        std::ranges::any_of(sites_, [&](const Site& s) { return lower_ascii(s.pbx) == inner.prefix; });
    if (!inner.prefix.empty() && !site_named && !technology(inner.prefix))
        return refused(std::move(number), NumberKind::not_a_number);
    const auto named = std::ranges::find_if(
        sites_, [&](const Site& s) { return !inner.prefix.empty() && lower_ascii(s.pbx) == inner.prefix; });
    if (is_extension(inner.text, named != sites_.end() ? std::string_view(named->pbx) : pbx)) {
        number.kind = NumberKind::internal;
        number.internal = true;
        number.digits = inner.text;
        return number;
    }
    if (std::ranges::find(nobody_words, inner.text) != std::end(nobody_words))
        return refused(std::move(number), NumberKind::anonymous);

    const auto split = split_extension(inner.text);
    number.extension = split.extension.empty() ? inner.extension : split.extension;
    const auto digits = only_digits(split.number);
    if (!only_number_characters(split.number) || !plus_in_place(split.number)) {
        number.digits = digits.size() <= longest_number ? digits : std::string();
        number.extension.clear();
        return refused(std::move(number), NumberKind::not_a_number);
    }
    if (digits.find_first_not_of('0') == std::string::npos)
        return refused(std::move(number), NumberKind::anonymous);
    if (digits.size() > longest_number) return refused(std::move(number), NumberKind::not_a_number);
    read_telephone(split.number, countries(pbx), number);
    if (!number.e164 && digits.size() < shortest_number)
        return refused(std::move(number), NumberKind::too_short);
    return number;
}

std::vector<Number> Numbers::stored(std::string_view field) const {
    std::vector<Number> out;
    if (field.size() > longest_text) field = field.substr(0, 0);
    const auto folded = fold_number_text(field);
    if (folded.fault == TextFault::utf8) return out;
    std::vector<std::string> regions;
    for (const auto& one : sites_)
        if (std::ranges::find(regions, one.country) == regions.end()) regions.push_back(one.country);

    const auto take = [&](std::string_view text) {
        const auto split = split_extension(text);
        const auto digits = only_digits(split.number);
        if (digits.empty() || digits.size() > longest_number || !only_number_characters(split.number) ||
            !plus_in_place(split.number) || digits.find_first_not_of('0') == std::string::npos)
            return false;
        Number number;
        number.raw = std::string(field);
        number.extension = split.extension;
        read_telephone(split.number, regions, number);
        if (!number.e164 && digits.size() < shortest_number) return false;
        const auto same = [&](const Number& other) {
            return other.e164 == number.e164 && other.digits == number.digits &&
                   other.extension == number.extension;
        };
        if (std::ranges::none_of(out, same)) out.push_back(std::move(number));
        return true;
    };
    // Text around a number ("mobile 601 234 567 (evenings)"): only what is certainly a number is taken from
    // it.
    const auto pick = [&](std::string_view text) {
        std::size_t at = 0;
        while (at < text.size()) {
            const auto begin = text.find_first_of("+(0123456789", at);
            if (begin == std::string_view::npos) return;
            const auto end = std::min(text.find_first_not_of("+0123456789 -.()/", begin), text.size());
            std::string_view piece = trimmed(text.substr(begin, end - begin));
            while (!piece.empty() && !is_digit(piece.back())) piece.remove_suffix(1);
            const auto digits = only_digits(piece);
            const auto glued = [](char c) { return c == '\x01' || (c >= 'a' && c <= 'z'); };
            const auto after = begin + piece.size();
            const bool part_of_word =
                (begin > 0 && glued(text[begin - 1])) || (after < text.size() && glued(text[after]));
            if (!part_of_word && digits.size() >= shortest_possible) {
                Number probe;
                read_telephone(piece, regions, probe);
                if (probe.e164) take(piece);
            }
            at = end + 1;
        }
    };
    auto text = unwrap(folded.text);
    const std::string all = text.prefix.empty() ? text.text : text.prefix + "/" + text.text;
    const auto one_of_many = [&](std::string_view piece) {
        piece = trimmed(piece);
        // "222333444/222333445": two numbers, each long enough to stand alone
        const auto slash = piece.find('/');
        if (slash != std::string_view::npos && only_digits(piece.substr(0, slash)).size() >= 9 &&
            only_digits(piece.substr(slash + 1)).size() >= 9) {
            take(trimmed(piece.substr(0, slash)));
            take(trimmed(piece.substr(slash + 1)));
            return;
        }
        if (piece.empty() || take(piece)) return;
        pick(piece);
    };
    for (std::size_t at = 0; at <= all.size();) {
        const auto end = std::min(all.find_first_of(",;|\n", at), all.size());
        one_of_many(std::string_view(all).substr(at, end - at));
        at = end + 1;
    }
    if (!text.extension.empty() && out.size() == 1 && out.front().extension.empty())
        out.front().extension = text.extension;
    return out;
}

std::expected<Number, std::string> Numbers::dial_number(std::string_view text, std::string_view pbx) const {
    const auto no = [](std::string what) { return std::unexpected(std::move(what)); };
    if (text.size() > longest_text)
        return no(fmt::format("the number is longer than {} bytes", longest_text));
    const auto folded = fold_number_text(text);
    if (folded.fault == TextFault::utf8) return no("the number is not valid UTF-8");
    if (folded.fault == TextFault::control) return no("the number holds a control character");
    if (trimmed(folded.text).empty()) return no("there is no number");
    auto inner = unwrap(folded.text);
    if (inner.scheme == "sip" || inner.scheme == "sips")
        return no("a SIP address cannot be dialled, only a tel: URI or a number");
    const auto named =
        std::ranges::find_if(sites_, [&](const Site& s) { return lower_ascii(s.pbx) == inner.prefix; });
    if (!inner.prefix.empty() && (named == sites_.end() || (!pbx.empty() && named->pbx != pbx)))
        return no("the text before the slash is no telephone number");

    Number number;
    number.raw = std::string(text);
    if (is_extension(inner.text, pbx)) {
        number.kind = NumberKind::internal;
        number.internal = true;
        number.digits = inner.text;
        return number;
    }
    const auto split = split_extension(inner.text);
    number.extension = split.extension.empty() ? inner.extension : split.extension;
    if (std::ranges::any_of(split.number, [](char c) { return c >= 'a' && c <= 'z'; }))
        return no("the number holds letters: a vanity number or a word cannot be dialled, give its digits");
    if (split.number.find('\x01') != std::string_view::npos)
        return no("the number holds characters that are no part of a telephone number");
    if (split.number.find_first_of(",;") != std::string_view::npos)
        return no("the number holds a pause or a second number: give one number");
    if (!only_number_characters(split.number))
        return no("the number holds characters that are no part of a telephone number");
    if (!plus_in_place(split.number)) return no("a + may only stand before the first digit");
    read_telephone(split.number, countries(pbx), number);
    const auto digits = only_digits(split.number);
    if (digits.empty()) return no("there are no digits in the number");
    if (digits.size() > longest_number)
        return no(fmt::format("the number has more than {} digits", longest_number));
    if (number.digits.starts_with('+') && !number.e164)
        return no(fmt::format("{} is no international number: its country code or its length does not exist",
                              number.digits));
    return number;
}

void Numbers::set_operators(const std::vector<Operator>& operators) {
    known_.clear();
    for (const auto& one : operators)
        if (!one.extension.empty()) known_[one.pbx].insert(lower_ascii(one.extension));
}

Numbers::Seat Numbers::seat(std::string_view text) const {
    Seat out;
    if (text.size() > longest_text) return out;
    const auto folded = fold_number_text(text);
    if (folded.fault != TextFault::none) return out;
    const auto inner = unwrap(folded.text);
    for (const auto& one : sites_)
        if (!inner.prefix.empty() && lower_ascii(one.pbx) == inner.prefix) out.pbx = one.pbx;
    if (!inner.prefix.empty() && out.pbx.empty() && !technology(inner.prefix)) return {};
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz0123456789-_.*#";
    if (inner.text.empty() || inner.text.size() > 40 ||
        inner.text.find_first_not_of(letters) != std::string::npos)
        return {};
    out.extension = inner.text;
    return out;
}

NumberForms Numbers::forms(const Number& number) {
    NumberForms out;
    out.digits = only_digits(number.digits);
    if (!number.e164) return out;
    out.e164 = *number.e164;
    out.digits = out.e164.substr(1);
    out.international = "00" + out.digits;
    const auto parsed = parse(out.e164, "ZZ");
    if (!parsed) return out;
    out.national = national_significant(parsed->number);
    std::string region;
    library().GetRegionCodeForCountryCode(parsed->number.country_code(), &region);
    std::string prefix;
    library().GetNddPrefixForRegion(region, true, &prefix);
    if (!prefix.empty()) out.trunk = prefix + out.national;
    out.international_trunk = std::to_string(parsed->number.country_code()) + "0" + out.national;
    return out;
}

bool Numbers::local_only(const Number& number, std::string_view pbx) const {
    if (number.e164 || number.anonymous || number.internal || number.digits.starts_with('+') ||
        number.digits.starts_with('0'))
        return false;
    const auto regions = countries(pbx);
    lib::PhoneNumber parsed;
    return !regions.empty() && only_digits(number.digits) == number.digits &&
           library().Parse(number.digits, regions.front(), &parsed) ==
               lib::PhoneNumberUtil::NO_PARSING_ERROR &&
           library().IsPossibleNumberWithReason(parsed) == lib::PhoneNumberUtil::IS_POSSIBLE_LOCAL_ONLY;
}

std::string Numbers::country_code(std::string_view pbx) const {
    const auto regions = countries(pbx);
    const int code = regions.empty() ? 0 : library().GetCountryCodeForRegion(regions.front());
    return code == 0 ? std::string() : std::to_string(code);
}

std::string Numbers::fingerprint() const {
    std::string out = "1";  // of the rules above: raise it when stored() changes
    for (const auto& one : sites_) out += " " + one.country;
    return out;
}

}  // namespace crm
