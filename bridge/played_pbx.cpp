#include "bridge/played_pbx.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include <fmt/format.h>

#include "ami/action.hpp"
#include "ami/parser.hpp"
#include "ami/text.hpp"
#include "bridge/json.hpp"

namespace bridge {

namespace {

// What Asterisk 22 says of itself, for a recording that does not hold it.
constexpr std::string_view default_settings = "AsteriskVersion: 22.10.1\r\nSystemName: \r\n";
constexpr Millis refusal_delay{1000};              // Asterisk refuses a wrong password that late
constexpr std::size_t input_limit = 128UL * 1024;  // of an action: 128 lines of 1023 bytes

constexpr std::array<std::string_view, 11> classes{"system",    "call",      "agent",   "user",
                                                   "cdr",       "dialplan",  "dtmf",    "log",
                                                   "reporting", "originate", "security"};

std::string first_class(std::string_view privilege) {
    return std::string(privilege.substr(0, privilege.find(',')));
}

// `text` with every occurrence of `from` that is a whole word replaced.
void replace_word(std::string& text, const std::string& from, const std::string& to) {
    const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-'; };
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
        const std::size_t end = at + from.size();
        if ((at > 0 && word(text[at - 1])) || (end < text.size() && word(text[end]) && text[end] != '-')) {
            at = end;
            continue;
        }
        text.replace(at, from.size(), to);
        at += to.size();
    }
}

}  // namespace

std::string PlayedPbx::Asked::get(std::string_view name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string{} : found->second;
}

struct PlayedPbx::Row {
    std::string_view action;
    Handler handler;
    bool before_login = false;
};

const PlayedPbx::Row PlayedPbx::table[] = {
    {"Challenge", &PlayedPbx::on_challenge, true},
    {"Login", &PlayedPbx::on_login, true},
    {"Logoff", &PlayedPbx::on_logoff, true},
    {"Ping", &PlayedPbx::on_ping},
    {"Events", &PlayedPbx::on_events},
    {"CoreSettings", &PlayedPbx::on_core_settings},
    {"ListCommands", &PlayedPbx::on_list_commands},
    {"Status", &PlayedPbx::on_status},
    {"CoreShowChannels", &PlayedPbx::on_core_show_channels},
    {"QueueStatus", &PlayedPbx::on_queue_status},
    {"DeviceStateList", &PlayedPbx::on_device_states},
    {"ExtensionStateList", &PlayedPbx::on_extension_states},
    {"Getvar", &PlayedPbx::on_get_variable},
    {"Setvar", &PlayedPbx::on_set_variable},
    {"Originate", &PlayedPbx::on_originate},
    {"Hangup", &PlayedPbx::on_change},
    {"Redirect", &PlayedPbx::on_change},
    {"BlindTransfer", &PlayedPbx::on_change},
    {"Atxfer", &PlayedPbx::on_change},
    {"CancelAtxfer", &PlayedPbx::on_change},
    {"Park", &PlayedPbx::on_change},
    {"QueueAdd", &PlayedPbx::on_change},
    {"QueueRemove", &PlayedPbx::on_change},
    {"QueuePause", &PlayedPbx::on_change},
    {"PJSIPNotify", &PlayedPbx::on_change},
    {"SIPnotify", &PlayedPbx::on_change},
};

PlayedPbx::PlayedPbx(Trace trace, PlayOptions options)
    : trace_(std::move(trace)), options_(std::move(options)) {
    read_trace();
    find_originals();
}

// Sorts the recording: what belonged to its recorder alone (answers, list items, its login's events) is not
// played; what came before its lists were complete is known before the first client comes.
void PlayedPbx::read_trace() {
    BlockReader answers(trace_.banner());
    std::size_t accepted = 0;
    for (const Trace::Block& block : trace_.blocks())
        answers.read(block.bytes, [&](const ami::Message& message) {
            if (message.kind() != ami::Message::Kind::response) return;
            const bool error = message.name() == "Error";
            accepted += error ? 0 : 1;
            login_refused_ |= error && message.get("Message") == "Authentication failed";
            if (message.find("AsteriskVersion") && core_settings_.empty())
                for (const ami::Header& header : message.headers())
                    if (header.name != "Response" && header.name != "ActionID")
                        core_settings_ += fmt::format("{}: {}\r\n", header.name, header.value);
        });
    login_refused_ = login_refused_ && accepted == 0;

    const std::size_t opening_end = trace_.opening();
    BlockReader reader(trace_.banner());
    bool booted = false;
    for (std::size_t i = 0; i < trace_.blocks().size(); ++i) {
        const Trace::Block& block = trace_.blocks()[i];
        reader.read(block.bytes, [&](const ami::Message& message) {
            if (i < opening_end) {
                picture_.apply(message, block.at);
                base_ = block.at;
            }
            const bool answer = trace_.own().contains(message.get("ActionID")) &&
                                (!message.is_event("OriginateResponse") || i < opening_end);
            const bool login = message.is_event("FullyBooted") && !std::exchange(booted, true);
            if (message.kind() != ami::Message::Kind::event || login) return;
            // Lists in the middle are nobody's news, but they say what is true.
            if (i >= opening_end && !answer)
                plays_.push_back({block.bytes, block.at, first_class(message.get("Privilege")),
                                  message.is_event("Shutdown")});
        });
    }
}

void PlayedPbx::find_originals() {
    BlockReader reader(trace_.banner());
    for (const Play& event : plays_)
        reader.read(event.bytes, [&](const ami::Message& message) {
            const std::string id(message.get("Uniqueid"));
            if (!message.is_event("OriginateResponse") || id.empty() || id == "<unknown>") return;
            if (std::ranges::find(originals_, id, &Original::id) != originals_.end()) return;
            const std::string_view channel = message.get("Channel");
            const bool failed = message.get("Response") == "Failure";
            const std::size_t dash = failed ? std::string_view::npos : channel.rfind('-');
            originals_.push_back(
                {0, id, std::string(channel.substr(0, dash)), std::string(message.get("Exten"))});
        });
    for (Original& original : originals_) {
        const std::string line = "niqueid: " + original.id + "\r\n";
        while (original.first < plays_.size() && !plays_[original.first].bytes.contains(line))
            ++original.first;
    }
    std::ranges::sort(originals_, {}, &Original::first);
}

PlayedPbx::Client PlayedPbx::open(Millis) {
    Session& session = sessions_[++last_client_];
    session.output = trace_.banner();
    session.mask.insert(classes.begin(), classes.end());
    return last_client_;
}

void PlayedPbx::closed(Client client) {
    sessions_.erase(client);
}

void PlayedPbx::received(Client client, std::string_view bytes, Millis now) {
    const auto found = sessions_.find(client);
    if (found == sessions_.end() || found->second.close) return;
    Session& session = found->second;
    session.input += bytes;
    for (;;) {
        const std::size_t crlf = session.input.find("\r\n\r\n"), lf = session.input.find("\n\n");
        const std::size_t end = std::min(crlf, lf);
        if (end == std::string::npos || session.close) break;
        const std::string block = session.input.substr(0, end);
        session.input.erase(0, end + (end == crlf ? 4 : 2));
        act(session, block, now);
    }
    if (session.input.size() > input_limit) session.close = true;
    tick(now);
}

void PlayedPbx::act(Session& session, std::string_view block, Millis now) {
    Asked asked;
    while (!block.empty()) {
        const std::size_t end = std::min(block.find('\n'), block.size());
        std::string_view line = block.substr(0, end);
        block.remove_prefix(std::min(end + 1, block.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        std::string_view value = line.substr(colon + 1);
        while (value.starts_with(' ')) value.remove_prefix(1);
        asked.headers.emplace(line.substr(0, colon), value);  // Variable may repeat; the first is enough here
    }
    const std::string name = asked.get("Action");
    const auto* row = std::ranges::find_if(table, [&](const Row& one) {
        return one.action.size() == name.size() && strcasecmp(one.action.data(), name.c_str()) == 0;
    });
    if (!session.logged_in && (row == std::end(table) || !row->before_login))
        return refuse(session, asked, "Permission denied");
    if (row == std::end(table))
        return refuse(session, asked,
                      fmt::format("Invalid/unknown command: {}. Use Action: ListCommands to show available "
                                  "commands.",
                                  ami::printable(name, 60)));
    (this->*row->handler)(session, asked, now);
}

void PlayedPbx::answer(Session& session, const Asked& asked, std::string_view response,
                       const Picture::Headers& headers) const {
    session.output += fmt::format("Response: {}\r\n", response);
    if (asked.headers.contains("ActionID"))
        session.output += fmt::format("ActionID: {}\r\n", asked.get("ActionID"));
    for (const auto& [name, value] : headers) session.output += fmt::format("{}: {}\r\n", name, value);
    session.output += "\r\n";
}

void PlayedPbx::refuse(Session& session, const Asked& asked, std::string_view text) const {
    answer(session, asked, "Error", {{"Message", std::string(text)}});
}

void PlayedPbx::list(Session& session, const Asked& asked, std::string_view complete,
                     const std::vector<Picture::Headers>& items) {
    answer(session, asked, "Success", {{"EventList", "start"}, {"Message", "Follows"}});
    const std::string id =
        asked.headers.contains("ActionID") ? fmt::format("ActionID: {}\r\n", asked.get("ActionID")) : "";
    for (const Picture::Headers& item : items) {
        for (const auto& [name, value] : item) session.output += fmt::format("{}: {}\r\n", name, value);
        session.output += id + "\r\n";
    }
    session.output += fmt::format("Event: {}\r\n{}EventList: Complete\r\nListItems: {}\r\n\r\n", complete, id,
                                  items.size());
    session.lists.emplace(complete);
}

void PlayedPbx::on_challenge(Session& session, const Asked& asked, Millis) {
    session.challenge = std::to_string(std::random_device{}());
    answer(session, asked, "Success", {{"Challenge", session.challenge}});
}

void PlayedPbx::on_login(Session& session, const Asked& asked, Millis now) {
    const bool md5 = !asked.get("Key").empty();
    const std::string given = md5 ? asked.get("Key") : asked.get("Secret");
    const std::string right = md5 ? ami::md5_key(session.challenge, options_.secret) : options_.secret;
    const bool known = options_.username.empty() || options_.username == asked.get("Username");
    if (login_refused_ || !known || (!options_.secret.empty() && given != right)) {
        session.refuse_at = now + refusal_delay;
        session.refused_id = asked.get("ActionID");
        return;
    }
    session.logged_in = true;
    if (asked.headers.contains("Events")) set_mask(session, asked.get("Events"));
    answer(session, asked, "Success", {{"Message", "Authentication accepted"}});
    if (session.mask.contains("system"))
        session.output +=
            "Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1\r\nLastReload: 1\r\nStatus: Fully "
            "Booted\r\n\r\n";
    news_.push_back(JsonObject().text("login", asked.get("Username")).str());
    if (!options_.wait) begin(now);
}

void PlayedPbx::on_logoff(Session& session, const Asked& asked, Millis) {
    answer(session, asked, "Goodbye", {{"Message", "Thanks for all the fish."}});
    session.close = true;
}

void PlayedPbx::on_ping(Session& session, const Asked& asked, Millis now) {
    answer(session, asked, "Success",
           {{"Ping", "Pong"}, {"Timestamp", fmt::format("{:.6f}", static_cast<double>(now.count()) / 1000)}});
}

void PlayedPbx::on_events(Session& session, const Asked& asked, Millis) {
    set_mask(session, asked.get("EventMask"));
    answer(session, asked, "Success", {{"Events", session.mask.empty() ? "Off" : "On"}});
}

void PlayedPbx::set_mask(Session& session, std::string_view words) const {
    session.mask.clear();
    const bool all = words == "on" || words == "all";
    for (const std::string_view name : classes) {
        std::size_t at = words.find(name);
        while (at != std::string_view::npos && at > 0 &&
               std::isalpha(static_cast<unsigned char>(words[at - 1])))
            at = words.find(name, at + 1);
        if (all || at != std::string_view::npos) session.mask.emplace(name);
    }
}

void PlayedPbx::on_core_settings(Session& session, const Asked& asked, Millis) {
    answer(session, asked, "Success", {});
    session.output.resize(session.output.size() - 2);  // without its empty line: the recorded headers follow
    session.output += core_settings_.empty() ? std::string(default_settings) : core_settings_;
    session.output += "\r\n";
}

void PlayedPbx::on_list_commands(Session& session, const Asked& asked, Millis) {
    Picture::Headers headers;
    for (const Row& row : table)
        headers.emplace_back(row.action, fmt::format("{} (Priv: <none>)", row.action));
    answer(session, asked, "Success", headers);
}

void PlayedPbx::on_status(Session& session, const Asked& asked, Millis now) {
    std::vector<std::string> variables;
    const std::string names = asked.get("Variables");
    for (std::string_view rest = names; !rest.empty();) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        variables.emplace_back(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    const std::string channel = asked.get("Channel");
    if (!channel.empty() && !picture_.has_channel(channel)) return refuse(session, asked, "No such channel");
    list(session, asked, "StatusComplete", picture_.status(recorded(now), variables, channel));
}

void PlayedPbx::on_core_show_channels(Session& session, const Asked& asked, Millis now) {
    list(session, asked, "CoreShowChannelsComplete", picture_.core_show_channels(recorded(now)));
}

void PlayedPbx::on_queue_status(Session& session, const Asked& asked, Millis now) {
    list(session, asked, "QueueStatusComplete",
         picture_.queue_status(recorded(now), asked.get("Queue"), asked.get("Member")));
}

void PlayedPbx::on_device_states(Session& session, const Asked& asked, Millis) {
    list(session, asked, "DeviceStateListComplete", picture_.device_states());
}

void PlayedPbx::on_extension_states(Session& session, const Asked& asked, Millis) {
    list(session, asked, "ExtensionStateListComplete", picture_.extension_states());
}

void PlayedPbx::on_get_variable(Session& session, const Asked& asked, Millis) {
    if (!picture_.has_channel(asked.get("Channel"))) return refuse(session, asked, "No such channel");
    answer(session, asked, "Success",
           {{"Variable", asked.get("Variable")},
            {"Value", picture_.variable(asked.get("Channel"), asked.get("Variable"))}});
}

void PlayedPbx::on_set_variable(Session& session, const Asked& asked, Millis) {
    if (!picture_.has_channel(asked.get("Channel"))) return refuse(session, asked, "No such channel");
    picture_.set_variable(asked.get("Channel"), asked.get("Variable"), asked.get("Value"));
    answer(session, asked, "Success", {{"Message", "Variable Set"}});
}

void PlayedPbx::on_originate(Session& session, const Asked& asked, Millis now) {
    if (!options_.originate)
        return refuse(session, asked, "This is a recording: it takes no calls (replay --originate would)");
    if (next_original_ >= originals_.size())
        return refuse(session, asked, "This recording has no further click-to-dial");
    const Original& original = originals_[next_original_];
    if (asked.get("Channel") != original.device || asked.get("Exten") != original.exten)
        return refuse(
            session, asked,
            fmt::format("The recorded click-to-dial is of {} to {}", original.device, original.exten));
    const std::string id = asked.get("ChannelId").empty() ? original.id : asked.get("ChannelId");
    renamed_[original.id] = id;
    replies_[id] = asked.get("ActionID");
    answer(session, asked, "Success", {{"Message", "Originate successfully queued"}});
    const Millis at = original.first < plays_.size() ? plays_[original.first].at : base_;
    if (recorded(now) > at) {  // it was waited for: the recording's clock stood still
        base_ = at;
        started_ = now;
    }
    ++next_original_;
    begin(now);
}

void PlayedPbx::on_change(Session& session, const Asked& asked, Millis) {
    const std::string channel = asked.get("Channel");
    if (!channel.empty() && !picture_.has_channel(channel)) return refuse(session, asked, "No such channel");
    refuse(session, asked, fmt::format("This is a recording: {} cannot change it", asked.get("Action")));
}

void PlayedPbx::begin(Millis now) {
    if (playing_) return;
    playing_ = true;
    started_ = now;
    news_.push_back(JsonObject().number("playing", static_cast<std::int64_t>(plays_.size())).str());
}

bool PlayedPbx::held() const {
    return options_.originate && next_original_ < originals_.size() &&
           next_ >= originals_[next_original_].first && next_ < plays_.size();
}

Millis PlayedPbx::due(const Play& event) const {
    const double span = static_cast<double>((event.at - base_).count()) / options_.speed;
    return started_ + Millis(static_cast<std::int64_t>(span));
}

Millis PlayedPbx::recorded(Millis now) const {
    if (!playing_) return base_;
    return base_ +
           Millis(static_cast<std::int64_t>(static_cast<double>((now - started_).count()) * options_.speed));
}

void PlayedPbx::play(const Play& event) {
    BlockReader reader(trace_.banner());
    std::string bytes(event.bytes);
    for (const auto& [from, to] : renamed_) {
        replace_word(bytes, from, to);
        if (!bytes.starts_with("Event: OriginateResponse\r\n") || !bytes.contains(": " + to + "\r\n"))
            continue;
        const std::size_t at = bytes.find("ActionID: ");
        if (at != std::string::npos) bytes.replace(at + 10, bytes.find("\r\n", at) - at - 10, replies_[to]);
    }
    reader.read(bytes, [&](const ami::Message& message) { picture_.apply(message, event.at); });
    for (auto& [client, session] : sessions_) {
        if (!session.logged_in || session.close) continue;
        if (event.privilege.empty() || session.mask.contains(event.privilege)) session.output += bytes;
        if (event.shutdown) session.close = true;
    }
}

void PlayedPbx::tick(Millis now) {
    for (auto& [client, session] : sessions_) {
        if (session.refuse_at <= now) {
            session.refuse_at = Millis::max();
            refuse(session, Asked{{{"ActionID", session.refused_id}}}, "Authentication failed");
            session.close = true;
            if (login_refused_) finish();
        }
        if (options_.wait && session.lists.size() == Trace::lists.size()) begin(now);
    }
    while (playing_ && next_ < plays_.size() && !held() && due(plays_[next_]) <= now) play(plays_[next_++]);
    if (playing_ && next_ == plays_.size()) finish();
}

void PlayedPbx::finish() {
    if (std::exchange(finished_, true)) return;
    news_.push_back(JsonObject().number("played", static_cast<std::int64_t>(plays_.size())).str());
    if (options_.stay) return;
    for (auto& [client, session] : sessions_) session.close = true;
}

Millis PlayedPbx::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [client, session] : sessions_) next = std::min(next, session.refuse_at);
    if (playing_ && next_ < plays_.size() && !held()) next = std::min(next, due(plays_[next_]));
    return next;
}

std::string PlayedPbx::take_output(Client client) {
    const auto found = sessions_.find(client);
    return found == sessions_.end() ? std::string{} : std::exchange(found->second.output, {});
}

bool PlayedPbx::wants_close(Client client) const {
    const auto found = sessions_.find(client);
    return found == sessions_.end() || found->second.close;
}

std::vector<std::string> PlayedPbx::take_news() {
    return std::exchange(news_, {});
}

bool PlayedPbx::done() const {
    return finished_ && !options_.stay;
}

std::size_t PlayedPbx::pending() const {
    return plays_.size() - next_;
}

}  // namespace bridge
