#include "bridge/audience.hpp"

#include <algorithm>
#include <utility>

namespace bridge {
namespace {

constexpr Millis spark_interval{60000};
constexpr std::size_t clients_per_operator = 32;  // a hostile user can make up any number of resources

bool is_full(std::string_view jid) {
    return jid.find('/') != std::string_view::npos;
}

}  // namespace

std::string_view phone_event_type(RingState state) {
    switch (state) {
        case RingState::dialing:
            return "DIALED";
        case RingState::ringing:
            return "RING";
        case RingState::answered:
        case RingState::held:
            return "ON_PHONE";
        case RingState::ended:
            break;
    }
    return "HANG_UP";
}

void Audience::presence(const xmpp::Presence& presence) {
    if (presence.bare.empty()) return;
    if (presence.type == "unavailable") {
        const auto found = clients_.find(presence.bare);
        if (found == clients_.end()) return;
        found->second.erase(presence.from);
        if (found->second.empty() || !is_full(presence.from)) clients_.erase(found);
        return;
    }
    if (!presence.type.empty() || !is_full(presence.from))
        return;  // subscriptions and probes make nobody a console
    auto& clients = clients_[presence.bare];
    if (!clients.contains(presence.from) && clients.size() >= clients_per_operator) return;
    auto& client = clients[presence.from];
    client.console = true;
    client.doubtful = false;
    if (!client.spark) client.ask_at = Millis::max();
}

void Audience::phone_query(std::string_view full_jid, Millis now) {
    const auto bare = xmpp::bare_jid(full_jid);
    if (bare.empty() || !is_full(full_jid)) return;
    auto& clients = clients_[bare];
    const std::string jid(full_jid);
    if (!clients.contains(jid) && clients.size() >= clients_per_operator) return;
    auto& client = clients[jid];
    client.spark = true;
    client.doubtful = false;
    client.ask_at = now + spark_interval;
}

void Audience::link_up() {
    for (auto& [bare, clients] : clients_) {
        for (auto& [jid, client] : clients) {
            client.doubtful = true;
            client.ask_at = Millis::min();
        }
    }
}

std::vector<std::string> Audience::due(Millis now) {
    std::vector<std::string> jids;
    for (auto& [bare, clients] : clients_) {
        for (auto& [jid, client] : clients) {
            if (client.ask_at > now) continue;
            jids.push_back(jid);
            client.ask_at = client.spark ? now + spark_interval : Millis::max();
        }
    }
    return jids;
}

Millis Audience::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [bare, clients] : clients_) {
        for (const auto& [jid, client] : clients) next = std::min(next, client.ask_at);
    }
    return next;
}

void Audience::answered(std::string_view full_jid, bool is_there) {
    const auto found = clients_.find(xmpp::bare_jid(full_jid));
    if (found == clients_.end()) return;
    const auto client = found->second.find(std::string(full_jid));
    if (client == found->second.end()) return;
    if (is_there) {
        client->second.doubtful = false;
        return;
    }
    found->second.erase(client);
    if (found->second.empty()) clients_.erase(found);
}

const std::map<std::string, Audience::Client>* Audience::clients_of(std::string_view bare_jid) const {
    const auto found = clients_.find(bare_jid);
    return found == clients_.end() ? nullptr : &found->second;
}

namespace {
// A service may want its calls shown when they are answered, or never; consoles see them all the same.
bool is_shown(const Notice& notice, bool begun) {
    switch (notice.pop) {
        case crm::PopRule::ringing:
            return true;
        case crm::PopRule::answered:
            return notice.state == RingState::ended ? begun : notice.state != RingState::ringing;
        case crm::PopRule::never:
            return false;
    }
    return true;
}
}  // namespace

std::vector<Recipient> Audience::recipients(const Notice& notice) {
    std::vector<Recipient> all;
    bool console = false, spark = false, sure = false;
    if (const auto* clients = clients_of(notice.to)) {
        for (const auto& [jid, client] : *clients) {
            Recipient recipient{
                .to = jid,
                .call = client.console,
                .phone_event = client.spark && mode_ != PopMode::plain && mode_ != PopMode::rich,
                .phone_call_id = {},
                .form = client.console ? Recipient::Form::console : Recipient::Form::spark};
            if (!recipient.call && !recipient.phone_event) continue;
            console |= recipient.call;
            spark |= recipient.phone_event;
            sure |= !client.doubtful;
            all.push_back(std::move(recipient));
        }
    }
    // To whoever is there, when nobody is known or those known may be gone; a pop twice is better than none.
    Recipient everybody{.to = notice.to, .phone_call_id = {}};
    if (mode_ == PopMode::plain)
        everybody.form = Recipient::Form::by_mode;
    else if (!all.empty() && !sure)
        everybody.form = Recipient::Form::doubtful;
    switch (mode_) {
        case PopMode::automatic:
            if (!sure) everybody.call = everybody.body = true;
            everybody.phone_event = !sure && !spark;
            break;
        case PopMode::rich:
            everybody.call = !console || !sure;
            break;
        case PopMode::spark:
            everybody.phone_event = !spark;
            break;
        case PopMode::plain:
            everybody.phone_event = everybody.body = true;
            everybody.call = !console;  // a console gets its own, and once is enough
            break;
    }
    if (everybody.call || everybody.phone_event || everybody.body) all.push_back(std::move(everybody));

    const std::string type(phone_event_type(notice.state));
    const Key key{notice.to, notice.pbx, notice.leg};
    auto& told = told_[key];
    if (told.call_id.empty()) told.call_id = notice.id;
    if (!is_shown(notice, !told.last.empty()))
        for (auto& recipient : all) recipient.phone_event = recipient.body = false;
    const auto to_all = told.last.find(notice.to);
    const bool all_know = to_all != told.last.end() && to_all->second == type;
    for (auto& recipient : all) {
        if (recipient.phone_event && all_know) recipient.phone_event = false;
        if (recipient.phone_event && std::exchange(told.last[recipient.to], type) == type)
            recipient.phone_event = false;
        recipient.phone_call_id = told.call_id;
    }
    if (notice.state == RingState::ended) {
        // Those that heard of the call and are no longer among the recipients: the bare JID, mostly.
        for (const auto& [jid, last] : told.last) {
            if (last != type) all.push_back({.to = jid, .phone_event = true, .phone_call_id = told.call_id});
        }
        told_.erase(key);
    }
    std::erase_if(all, [](const Recipient& r) { return !r.call && !r.phone_event && !r.body; });
    return all;
}

std::vector<std::string> Audience::consoles(std::string_view bare_jid) const {
    std::vector<std::string> jids;
    if (const auto* clients = clients_of(bare_jid)) {
        for (const auto& [jid, client] : *clients) {
            if (client.console) jids.push_back(jid);
        }
    }
    return jids;
}

std::vector<std::string> Audience::sparks(std::string_view bare_jid) const {
    std::vector<std::string> jids;
    if (const auto* clients = clients_of(bare_jid)) {
        for (const auto& [jid, client] : *clients) {
            if (client.spark) jids.push_back(jid);
        }
    }
    return jids;
}

std::vector<std::string> Audience::consoles() const {
    std::vector<std::string> jids;
    for (const auto& [bare, clients] : clients_) {
        for (const auto& [jid, client] : clients) {
            if (client.console) jids.push_back(jid);
        }
    }
    return jids;
}

}  // namespace bridge
