#include "bridge/line_contacts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/dial_text.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace bridge {

namespace {

constexpr std::string_view key_word = "line ";
constexpr std::string_view asked_word = "asked", subscribed_word = "subscribed";

// What a contact list can show of a state (RFC 6121, 4.7.2.1). Without words: no such contact is there now.
struct Shown {
    LineState state;
    std::string_view show, status;
    bool there;
};
constexpr Shown table[] = {
    {LineState::unknown, "", "The telephone exchange does not tell", false},
    {LineState::unavailable, "", "Not registered", false},
    {LineState::idle, "", "Free", true},
    {LineState::held, "dnd", "On the phone", true},
    {LineState::ringing, "away", "Ringing", true},
    {LineState::busy, "dnd", "On the phone", true},
};

const Shown& shown_as(LineState state) {
    return *std::ranges::find(table, state, &Shown::state);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view word_of(LineState state) {
    switch (state) {
        case LineState::held:  // that somebody is held is already about them
        case LineState::busy:
            return "busy";
        case LineState::unavailable:
            return "unregistered";
        case LineState::unknown:
            return "unknown";
        case LineState::idle:
        case LineState::ringing:
            break;
    }
    return to_string(state);
}

}  // namespace

crm::Owed LineContacts::owed(const std::string& line, const std::string& jid, bool asked) const {
    return {
        {}, line, fmt::format("{}{}", key_word, jid), jid, std::string(asked ? asked_word : subscribed_word)};
}

bool LineContacts::restore(const crm::Owed& kept) {
    if (!kept.jid.empty() || !kept.leg.starts_with(key_word)) return false;
    auto& subscribers = lines_[kept.pbx];
    if (subscribers.emplace(kept.id, Subscriber{.asked = kept.stanza == asked_word}).second) {
        ++count_;
        ++counts_[kept.id];
    }
    return true;
}

// ---- what they ask ----

void LineContacts::presence(std::string_view line, const xmpp::Presence& seen) {
    const std::string name(line);
    if (seen.type == "subscribe") return subscribe(name, seen.bare);
    if (seen.type == "unsubscribe") return unsubscribe(name, seen.bare);
    if (seen.type == "probe") return probe(name, seen);
    // Theirs is no business of a line's.
}

LineContacts::Subscriber* LineContacts::find(const std::string& line, const std::string& jid) {
    const auto subscribers = lines_.find(line);
    if (subscribers == lines_.end()) return nullptr;
    const auto found = subscribers->second.find(jid);
    return found == subscribers->second.end() ? nullptr : &found->second;
}

bool LineContacts::room_for(const std::string& jid) const {
    const auto own = counts_.find(jid);
    return count_ < most_in_all && (own == counts_.end() || own->second < most_lines_of_one);
}

void LineContacts::subscribe(const std::string& line, const std::string& jid) {
    if (const auto* already = find(line, jid)) {
        if (already->asked) return decide(line, jid);
        return accept(line, jid);
    }
    const auto known = ports_.known(line);
    if (known == Known::no || !room_for(jid) || (known == Known::yes && !ports_.may_see(jid, line)))
        return void(answer(line, jid, "unsubscribed"));
    lines_[line].emplace(jid, Subscriber{.asked = true});
    ++count_;
    ++counts_[jid];
    if (known == Known::later) return ports_.keep(owed(line, jid, true), {});
    decide(line, jid);
}

// The exchange is known: it has the line or not.
void LineContacts::decide(const std::string& line, const std::string& jid) {
    const auto known = ports_.known(line);
    if (known == Known::later) return;
    if (known == Known::no || !ports_.may_see(jid, line)) return refuse(line, jid);
    // On disk before they are told: the server of the subscriber believes it for ever.
    ports_.keep(owed(line, jid, false), [this, line, jid](bool ok) {
        auto* subscriber = find(line, jid);
        if (subscriber == nullptr) return;
        if (!ok) return refuse(line, jid);
        subscriber->asked = false;
        accept(line, jid);
    });
}

void LineContacts::accept(const std::string& line, const std::string& jid) {
    auto& subscriber = *find(line, jid);
    subscriber.allowed = ports_.may_see(jid, line);
    subscriber.told.reset();
    const auto state = shown(line, subscriber);
    if (answer(line, jid, "subscribed") && tell(line, jid, state)) subscriber.told = state;
}

void LineContacts::refuse(const std::string& line, const std::string& jid) {
    forget(line, jid);
    answer(line, jid, "unsubscribed");
}

void LineContacts::forget(const std::string& line, const std::string& jid) {
    const auto subscribers = lines_.find(line);
    if (subscribers == lines_.end() || subscribers->second.erase(jid) == 0) return;
    if (subscribers->second.empty()) lines_.erase(subscribers);
    --count_;
    if (--counts_[jid] == 0) counts_.erase(jid);
    ports_.drop(owed(line, jid, false));
}

void LineContacts::unsubscribe(const std::string& line, const std::string& jid) {
    const bool was = find(line, jid) != nullptr;
    forget(line, jid);
    // RFC 6121, 3.3.3: what they had of it ends.
    if (was) tell(line, jid, LineState::unknown);
}

void LineContacts::probe(const std::string& line, const xmpp::Presence& seen) {
    const auto* subscriber = find(line, seen.bare);
    // RFC 6121, 4.3.2: their server believes in a subscription that there is not.
    if (subscriber == nullptr) return void(answer(line, seen.bare, "unsubscribed"));
    if (!subscriber->asked) tell(line, seen.from, shown(line, *subscriber));
}

// ---- what they are told ----

LineState LineContacts::shown(const std::string& line, const Subscriber& subscriber) const {
    return subscriber.allowed ? ports_.state(line) : LineState::unknown;
}

bool LineContacts::answer(const std::string& line, std::string_view to, std::string_view type) {
    xmpp::Xml xml;
    xml.open("presence").attr("from", line + "@" + component_).attr("to", to).attr("id", xmpp::new_id());
    return ports_.send(xml.attr("type", type).close().str());
}

bool LineContacts::tell(const std::string& line, std::string_view to, LineState state) {
    const auto& as = shown_as(state);
    xmpp::Xml xml;
    xml.open("presence")
        .attr("from", line + "@" + component_ + "/line")
        .attr("to", to)
        .attr("id", xmpp::new_id());
    if (!as.there) xml.attr("type", "unavailable");
    if (!as.show.empty()) xml.open("show").text(as.show).close();
    xml.open("status").text(as.status).close();
    xml.open("line").attr("xmlns", "urn:ctibridge:1").attr("state", word_of(state)).close();
    return ports_.send(xml.close().str());
}

void LineContacts::up() {
    up_ = true;
    for (auto& [line, subscribers] : lines_)
        for (auto& [jid, subscriber] : subscribers) subscriber.told.reset();
    review();
}

void LineContacts::down() {
    up_ = false;
}

void LineContacts::review() {
    for (auto& [line, subscribers] : lines_)
        for (auto& [jid, subscriber] : subscribers) subscriber.allowed = ports_.may_see(jid, line);
}

bool LineContacts::look() {
    if (!up_) return false;
    std::vector<std::pair<std::string, std::string>> waiting;
    std::size_t sent = 0;
    for (auto& [line, subscribers] : lines_) {
        const auto now = ports_.state(line);
        for (auto& [jid, subscriber] : subscribers) {
            if (subscriber.asked) {
                waiting.emplace_back(line, jid);
                continue;
            }
            const auto state = subscriber.allowed ? now : LineState::unknown;
            // What looks the same is told once.
            if (subscriber.told && word_of(*subscriber.told) == word_of(state)) continue;
            if (sent == burst || !tell(line, jid, state)) return true;
            subscriber.told = state;
            ++sent;
        }
    }
    for (const auto& [line, jid] : waiting) decide(line, jid);
    return false;
}

void LineContacts::farewell() {
    for (auto& [line, subscribers] : lines_)
        for (auto& [jid, subscriber] : subscribers)
            if (subscriber.told && shown_as(*subscriber.told).there && up_ &&
                tell(line, jid, LineState::unknown))
                subscriber.told = LineState::unknown;
    up_ = false;
}

// ---- where a line is ----

std::optional<LinePlace> place_of_line(
    std::string_view line, const std::vector<std::string>& pbx_names,
    const std::function<bool(std::string_view pbx, std::string_view extension)>& has) {
    std::optional<LinePlace> found;
    for (const auto& name : pbx_names) {
        const bool named = line.size() > name.size() && line[name.size()] == '.' &&
                           std::ranges::equal(name, line.substr(0, name.size()), {}, lower, lower);
        const auto extension = named ? line.substr(name.size() + 1) : line;
        if (!usable_extension(extension) || !has(name, extension)) continue;
        if (named) return LinePlace{name, std::string(extension)};
        if (found) return std::nullopt;
        found = LinePlace{name, std::string(extension)};
    }
    return found;
}

}  // namespace bridge
