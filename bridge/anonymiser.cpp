#include "bridge/anonymiser.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "bridge/cleaner.hpp"

namespace bridge {

namespace {

constexpr std::size_t shortest = 6;  // digits of a number that is somebody's
constexpr std::size_t hidden = 8;    // of its digits, from the last on

// Headers of ids, times and words of Asterisk's own; nothing of a person is in them.
constexpr std::array<std::string_view, 24> structure{
    "Event",     "Response",  "Privilege",  "ActionID",    "ChannelState", "ChannelStateDesc",
    "Language",  "Priority",  "Cause",      "Cause-txt",   "TechCause",    "DialStatus",
    "LastCall",  "LastPause", "LoginTime",  "Timestamp",   "EventTV",      "SessionTV",
    "SessionID", "Status",    "StatusText", "Application", "BridgeType",   "AsteriskVersion"};
// Headers in which a name may stand among other things.
constexpr std::array<std::string_view, 9> texts{
    "AppData", "ApplicationData", "Data", "LastData", "Value", "CallerID", "Callerid", "AppData1", "Reason"};
constexpr std::array<std::string_view, 9> nobody{
    "", "<unknown>", "unknown", "anonymous", "restricted", "private", "unavailable", "(null)", "asterisk"};

bool digit(char c) {
    return c >= '0' && c <= '9';
}
bool hex(char c) {
    return digit(c) || (c >= 'a' && c <= 'f');
}
bool word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || (static_cast<unsigned char>(c) & 0x80U) != 0;
}
bool letter(char c) {
    return word(c) && !digit(c);
}

bool is_one_of(const auto& list, std::string_view text) {
    return std::ranges::find(list, text) != list.end();
}

bool is_nobody(std::string_view name) {
    std::string small(name);
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
    return is_one_of(nobody, small) || std::ranges::none_of(name, letter);
}

bool holds_name(const ami::Message& message, const ami::Header& header) {
    if (header.name.ends_with("CallerIDName") || header.name.ends_with("ConnectedLineName")) return true;
    if (header.name != "MemberName" && !(header.name == "Name" && message.is_event("QueueMember")))
        return false;
    // a member without a name is called like its interface
    return header.value != message.get("Interface") && header.value != message.get("Location");
}

// "Name" <number>: of a Cdr, and as lists of endpoints spell it.
bool holds_name_and_number(const ami::Header& header) {
    return (header.name == "CallerID" || header.name == "Callerid") && header.value.starts_with('"');
}

// A variable whose value is a person's name, by its own.
bool variable_of_name(std::string_view variable) {
    std::string small(variable);
    std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
    return small.contains("cidname") || small.contains("callerid(name)") || small.contains("calleridname") ||
           small.contains("membername") || small.contains("connectedline(name") || small == "cnam";
}

// Length of an id at `at`, a place where a run of digits may begin; 0 when there is none. Ids of channels
// (1795187329.0), bridges (a UUID) and the counter in a channel's name (-0000010a).
std::size_t id_length(std::string_view text, std::size_t at) {
    const auto run = [&](std::size_t from, auto is) {
        std::size_t end = from;
        while (end < text.size() && is(text[end])) ++end;
        return end - from;
    };
    const std::size_t figures = run(at, digit);
    if (figures == 10 && text[at] == '1' && at + 11 < text.size() && text[at + 10] == '.' &&
        digit(text[at + 11]))
        return 11 + run(at + 11, digit);
    const std::size_t group = run(at, hex);
    if (group != 8 || (at + 8 < text.size() && word(text[at + 8]))) return 0;
    std::size_t end = at + 8;
    for (const std::size_t size : {4U, 4U, 4U, 12U}) {
        if (end >= text.size() || text[end] != '-' || run(end + 1, hex) != size) {
            end = 0;
            break;
        }
        end += 1 + size;
    }
    if (end != 0) return end - at;
    return at > 0 && text[at - 1] == '-' && text.substr(0, at).contains('/') ? group : 0;
}

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        out += text[i];
    }
    return out;
}

}  // namespace

Anonymiser::Anonymiser(AnonymiseOptions options) : options_(std::move(options)) {
    if (!options_.key.empty()) return;
    options_.key.resize(32);
    if (RAND_bytes(reinterpret_cast<unsigned char*>(options_.key.data()),
                   static_cast<int>(options_.key.size())) != 1)
        throw std::runtime_error("no random numbers can be had");
}

void Anonymiser::learn_name(std::string_view text) {
    if (is_nobody(text)) return;
    for (const std::string& form : {std::string(text), unescaped(text)})
        if (!names_.contains(form)) {
            const auto known = names_.find(std::string(text));
            names_.emplace(form,
                           known != names_.end() ? known->second : fmt::format("Name {}", names_.size() + 1));
            sorted_ = false;
        }
}

void Anonymiser::learn(const ami::Message& message) {
    for (const ami::Header& header : message.headers()) {
        if (holds_name(message, header)) learn_name(header.value);
        if (holds_name_and_number(header)) {
            const std::size_t end = header.value.rfind('"');
            if (end > 1) learn_name(header.value.substr(1, end - 1));
        }
        const std::size_t equals = header.value.find('=');
        if (header.name == "Variable" && equals != std::string_view::npos &&
            variable_of_name(header.value.substr(0, equals)))
            learn_name(header.value.substr(equals + 1));
    }
    if (message.find("Value") && variable_of_name(message.get("Variable"))) learn_name(message.get("Value"));
}

void Anonymiser::sort_names() {
    if (std::exchange(sorted_, true)) return;
    for (auto& list : longest_first_) list.clear();
    for (const auto& [name, pseudonym] : names_)
        if (name.size() >= 3) longest_first_[static_cast<unsigned char>(name.front())].push_back(name);
    for (auto& list : longest_first_)
        std::ranges::sort(list,
                          [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string Anonymiser::rewrite(const ami::Message& message) {
    std::string out;
    for (const ami::Header& header : message.headers())
        out += header_line(header.name, value(message, header));
    return out + "\r\n";
}

std::string Anonymiser::value(const ami::Message& message, const ami::Header& header) {
    if (is_one_of(structure, header.name)) return std::string(header.value);
    if (holds_name(message, header)) return name(header.value);
    if (header.name == "Digit") return "0";  // a caller may have typed a PIN
    if (header.name == "Value") return variable(message.get("Variable"), header.value);
    if (const std::size_t equals = header.value.find('=');
        header.name == "Variable" && equals != std::string_view::npos) {
        const std::string_view which = header.value.substr(0, equals);
        return fmt::format("{}={}", which, variable(which, header.value.substr(equals + 1)));
    }
    if (is_one_of(texts, header.name) || header.name.starts_with("ChanVariable")) return text(header.value);
    if (message.is_event("UserEvent") && header.name != "UserEvent") return free_text(header.value);
    return number(header.value);
}

std::string Anonymiser::name(std::string_view text) {
    const auto known = names_.find(std::string(text));
    return known != names_.end() ? known->second : number(text);
}

std::string Anonymiser::variable(std::string_view which, std::string_view value) {
    return variable_of_name(which) ? name(value) : free_text(value);
}

// Text of unknown meaning: a sentence is nobody's business, the rest is looked through.
std::string Anonymiser::free_text(std::string_view given) {
    const std::string seen = text(given);
    const bool foreign =
        std::ranges::any_of(seen, [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
    const bool sentence = seen == given && seen.contains(' ') && std::ranges::any_of(seen, letter) &&
                          seen.find_first_of("=,()/;&@<>|:") == std::string::npos;
    if (!foreign && !sentence) return seen;
    const auto [known, fresh] = texts_.try_emplace(std::string(given));
    if (fresh) known->second = fmt::format("Text {}", texts_.size());
    return known->second;
}

std::string Anonymiser::text(std::string_view given) {
    sort_names();
    std::string out;
    std::string rest;  // between two names
    for (std::size_t at = 0; at < given.size();) {
        const auto& names = longest_first_[static_cast<unsigned char>(given[at])];
        const auto found = at > 0 && word(given[at - 1]) && word(given[at])
                               ? names.end()
                               : std::ranges::find_if(names, [&](const std::string& one) {
                                     const std::size_t end = at + one.size();
                                     return given.substr(at).starts_with(one) &&
                                            (end == given.size() || !word(given[end]) || !word(one.back()));
                                 });
        if (found == names.end()) {
            rest += given[at++];
            continue;
        }
        out += number(rest) + names_.at(*found);
        rest.clear();
        at += found->size();
    }
    return out + number(rest);
}

std::string Anonymiser::number(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const bool begins = hex(text[at]) && (at == 0 || !word(text[at - 1]));
        if (const std::size_t id = begins ? id_length(text, at) : 0; id > 0) {
            out += text.substr(at, id);
            at += id;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && digit(text[end])) ++end;
        if (end == at) {
            out += text[at++];
        } else {
            const std::string_view run = text.substr(at, end - at);
            const bool keep = run.size() < shortest || (options_.internal && options_.internal(run));
            out += keep ? std::string(run) : digits(run, at > 0 && text[at - 1] == '+');
            at = end;
        }
    }
    return out;
}

// Digit by digit from the last: each is turned by an amount that the digits behind it decide. So all forms of
// a number end alike, and two numbers never become one. Trunk and country codes stay.
std::string Anonymiser::digits(std::string_view run, bool plus) {
    std::size_t zeros = 0;
    while (zeros < 2 && run[zeros] == '0') ++zeros;
    const std::size_t kept =
        std::max(plus || zeros == 2 ? zeros + 2 : zeros, run.size() - std::min(run.size(), hidden));
    const auto [known, fresh] = numbers_.try_emplace((plus ? "+" : "") + std::string(run));
    if (!fresh) return known->second;
    std::string out(run);
    for (std::size_t i = run.size(); i-- > kept;)
        out[i] = static_cast<char>('0' + (run[i] - '0' + turn(run.substr(i + 1))) % 10);
    return known->second = out;
}

int Anonymiser::turn(std::string_view suffix) const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    HMAC(EVP_sha256(), options_.key.data(), static_cast<int>(options_.key.size()),
         reinterpret_cast<const unsigned char*>(suffix.data()), suffix.size(), hash.data(), &size);
    return 1 + hash[0] % 9;  // never 0: every digit changes
}

Anonymised anonymise(const Trace& trace, AnonymiseOptions options) {
    Anonymiser anonymiser(std::move(options));
    BlockReader first(trace.banner());
    for (const Trace::Block& block : trace.blocks())
        first.read(block.bytes, [&](const ami::Message& message) { anonymiser.learn(message); });
    Anonymised out{std::string(trace.banner()), "0\t0\n"};
    BlockReader second(trace.banner());
    for (const Trace::Block& block : trace.blocks()) {
        out.times += fmt::format("{}\t{}\n", out.bytes.size(), block.at.count());
        second.read(block.bytes, [&](const ami::Message& message) {
            const std::string clean = without_secrets(message);
            if (clean.empty()) return;
            BlockReader again(trace.banner());
            again.read(clean, [&](const ami::Message& safe) { out.bytes += anonymiser.rewrite(safe); });
        });
    }
    return out;
}

}  // namespace bridge
