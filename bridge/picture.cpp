#include "bridge/picture.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include <fmt/format.h>

namespace bridge {

namespace {

constexpr std::array<std::string_view, 14> snapshot_headers{
    "Channel",           "ChannelState", "ChannelStateDesc",
    "CallerIDNum",       "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language",     "AccountCode",
    "Context",           "Exten",        "Priority",
    "Uniqueid",          "Linkedid"};

// The members of a queue are written differently in lists and in events.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> member_headers{{
    {"Queue", "Queue"},
    {"Name", "MemberName"},
    {"Location", "Interface"},
    {"StateInterface", "StateInterface"},
    {"Membership", "Membership"},
    {"Penalty", "Penalty"},
    {"CallsTaken", "CallsTaken"},
    {"LastCall", "LastCall"},
    {"LastPause", "LastPause"},
    {"LoginTime", "LoginTime"},
    {"InCall", "InCall"},
    {"Status", "Status"},
    {"Paused", "Paused"},
    {"PausedReason", "PausedReason"},
}};

std::string_view plain_name(std::string_view variable) {
    while (variable.starts_with('_')) variable.remove_prefix(1);
    return variable;
}

// VarSet escapes as C does, Status and Getvar do not.
std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) {
            ++i;
            out += text[i] == 'n' ? '\n' : text[i];
        } else {
            out += text[i];
        }
    }
    return out;
}

std::int64_t seconds(Millis span) {
    return std::max<std::int64_t>(0, span.count() / 1000);
}

std::int64_t number(std::string_view text) {
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string hours(std::int64_t span) {
    return fmt::format("{:02}:{:02}:{:02}", span / 3600, span / 60 % 60, span % 60);
}

std::string known(std::string_view name) {
    return name == "<unknown>" ? "unknown" : std::string(name);
}

}  // namespace

struct Picture::Event {
    const ami::Message& message;
    Millis at;
    Channel* channel;  // of its Uniqueid; null when not known
    [[nodiscard]] std::string get(std::string_view name) const { return std::string(message.get(name)); }
};

struct Picture::Row {
    std::string_view event;
    Handler handler;
};

// Whatever else carries a channel's headers refreshes it (on_channel).
const Picture::Row Picture::table[] = {
    {"Newchannel", &Picture::on_newchannel},
    {"Hangup", &Picture::on_hangup},
    {"Newexten", &Picture::on_newexten},
    {"BridgeEnter", &Picture::on_bridge},
    {"BridgeLeave", &Picture::on_bridge},
    {"VarSet", &Picture::on_variable},
    {"Status", &Picture::on_listed},
    {"CoreShowChannel", &Picture::on_listed},
    {"QueueParams", &Picture::on_queue_params},
    {"QueueMember", &Picture::on_queue_member},
    {"QueueMemberStatus", &Picture::on_queue_member},
    {"QueueMemberAdded", &Picture::on_queue_member},
    {"QueueMemberPause", &Picture::on_queue_member},
    {"QueueMemberPenalty", &Picture::on_queue_member},
    {"QueueMemberRinginuse", &Picture::on_queue_member},
    {"QueueMemberRemoved", &Picture::on_member_removed},
    {"QueueEntry", &Picture::on_queue_entry},
    {"QueueCallerJoin", &Picture::on_queue_join},
    {"QueueCallerLeave", &Picture::on_queue_leave},
    {"DeviceStateChange", &Picture::on_device},
    {"ExtensionStatus", &Picture::on_hint},
};

void Picture::apply(const ami::Message& message, Millis at) {
    if (message.kind() != ami::Message::Kind::event) return;
    static const auto index = [] {
        std::unordered_map<std::string_view, Handler> rows;
        for (const Row& row : table) rows.emplace(row.event, row.handler);
        return rows;
    }();
    const auto found = channels_.find(message.get("Uniqueid"));
    const Event event{message, at, found == channels_.end() ? nullptr : &found->second};
    if (event.channel != nullptr && message.find("ChannelState")) on_channel(event);
    const auto row = index.find(message.name());
    if (row != index.end()) (this->*row->second)(event);
}

std::string_view Picture::Channel::get(std::string_view name) const {
    const auto found = std::ranges::find(snapshot, name, [](const auto& pair) { return pair.first; });
    return found == snapshot.end() ? std::string_view{} : std::string_view(found->second);
}

void Picture::refresh(Channel& channel, const ami::Message& message) {
    Headers fresh;
    for (const std::string_view name : snapshot_headers) {
        const auto value = message.find(name);
        fresh.emplace_back(name, value ? *value : channel.get(name));
    }
    channel.snapshot = std::move(fresh);
}

void Picture::on_channel(const Event& event) {
    refresh(*event.channel, event.message);
}

void Picture::on_newchannel(const Event& event) {
    Channel channel;
    channel.order = order_++;
    channel.born = event.at;
    channel.dnid = event.get("Exten");
    refresh(channel, event.message);
    channels_.insert_or_assign(event.get("Uniqueid"), std::move(channel));
}

void Picture::on_hangup(const Event& event) {
    if (event.channel != nullptr) channels_.erase(event.get("Uniqueid"));
    on_queue_leave(event);
}

void Picture::on_newexten(const Event& event) {
    if (event.channel == nullptr) return;
    event.channel->application = event.get("Application");
    event.channel->data = event.get("AppData");
}

void Picture::on_bridge(const Event& event) {
    if (event.channel == nullptr) return;
    event.channel->bridge = event.message.is_event("BridgeEnter") ? event.get("BridgeUniqueid") : "";
}

void Picture::on_variable(const Event& event) {
    if (event.channel == nullptr) return;
    event.channel->variables.insert_or_assign(std::string(plain_name(event.message.get("Variable"))),
                                              unescaped(event.message.get("Value")));
}

void Picture::on_listed(const Event& event) {
    if (event.get("Uniqueid").empty() || event.get("Channel").empty()) return;
    Channel* channel = event.channel;
    if (channel == nullptr) {
        channel = &channels_[event.get("Uniqueid")];
        channel->order = order_++;
        refresh(*channel, event.message);
    }
    const bool status = event.message.is_event("Status");
    channel->bridge = event.get(status ? "BridgeID" : "BridgeId");
    channel->application = event.get("Application");
    channel->data = event.get(status ? "Data" : "ApplicationData");
    if (!status) return;
    channel->dnid = event.get("DNID");
    channel->born = event.at - Millis(1000 * number(event.message.get("Seconds")));
    for (const ami::Header& header : event.message.headers()) {
        const std::size_t equals = header.value.find('=');
        if (header.name == "Variable" && equals != std::string_view::npos)
            channel->variables.insert_or_assign(std::string(header.value.substr(0, equals)),
                                                std::string(header.value.substr(equals + 1)));
    }
}

void Picture::on_queue_params(const Event& event) {
    Headers params;
    for (const ami::Header& header : event.message.headers())
        if (header.name != "ActionID" && header.name != "Calls")
            params.emplace_back(header.name, header.value);
    queues_[event.get("Queue")].params = std::move(params);
}

void Picture::on_queue_member(const Event& event) {
    const bool listed = event.message.is_event("QueueMember");
    const std::string interface = event.get(listed ? "Location" : "Interface");
    if (interface.empty()) return;
    Headers& member = queues_[event.get("Queue")].members[interface];
    Headers fresh{{"Event", "QueueMember"}};
    for (const auto& [list_name, event_name] : member_headers) {
        const auto value = event.message.find(listed ? list_name : event_name);
        const auto old = std::ranges::find(member, list_name, [](const auto& pair) { return pair.first; });
        fresh.emplace_back(list_name, value ? *value : old != member.end() ? old->second : "");
    }
    fresh.emplace_back("Wrapuptime", listed ? event.get("Wrapuptime") : "0");
    member = std::move(fresh);
}

void Picture::on_member_removed(const Event& event) {
    queues_[event.get("Queue")].members.erase(event.get("Interface"));
}

void Picture::on_queue_entry(const Event& event) {
    Entry entry{{}, event.get("Uniqueid"), event.at - Millis(1000 * number(event.message.get("Wait")))};
    for (const char* name :
         {"Channel", "Uniqueid", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName"})
        entry.headers.emplace_back(name, known(event.message.get(name)));
    auto& entries = queues_[event.get("Queue")].entries;
    std::erase_if(entries, [&](const Entry& old) { return old.uniqueid == entry.uniqueid; });
    const auto position = static_cast<std::size_t>(std::max<std::int64_t>(
        1, event.message.find("Position") ? number(event.message.get("Position")) : 1));
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(std::min(position - 1, entries.size())),
                   std::move(entry));
}

void Picture::on_queue_join(const Event& event) {
    on_queue_entry(event);
}

void Picture::on_queue_leave(const Event& event) {
    const std::string uniqueid = event.get("Uniqueid");
    for (auto& [name, queue] : queues_)
        std::erase_if(queue.entries, [&](const Entry& entry) { return entry.uniqueid == uniqueid; });
}

void Picture::on_device(const Event& event) {
    devices_[event.get("Device")] = event.get("State");
}

void Picture::on_hint(const Event& event) {
    Headers hint{{"Event", "ExtensionStatus"}};
    for (const char* name : {"Exten", "Context", "Hint", "Status", "StatusText"})
        hint.emplace_back(name, event.get(name));
    hints_[{event.get("Context"), event.get("Exten")}] = std::move(hint);
}

const Picture::Channel* Picture::find(std::string_view channel) const {
    if (const auto found = channels_.find(channel); found != channels_.end()) return &found->second;
    for (const auto& [uniqueid, one] : channels_)
        if (one.get("Channel") == channel) return &one;
    return nullptr;
}

std::vector<const Picture::Channel*> Picture::in_order() const {
    std::vector<const Channel*> list;
    for (const auto& [uniqueid, channel] : channels_) list.push_back(&channel);
    std::ranges::sort(list, {}, &Channel::order);
    return list;
}

std::vector<Picture::Headers> Picture::status(Millis at, const std::vector<std::string>& variables,
                                              std::string_view channel) const {
    std::vector<Headers> items;
    for (const Channel* one : in_order()) {
        if (!channel.empty() && channel != one->get("Channel") && channel != one->get("Uniqueid")) continue;
        Headers item{{"Event", "Status"}, {"Privilege", "Call"}};
        item.insert(item.end(), one->snapshot.begin(), one->snapshot.end());
        const std::string_view name = one->get("Channel");
        item.emplace_back("Type", name.substr(0, name.find('/')));
        item.emplace_back("DNID", one->dnid);
        item.emplace_back("EffectiveConnectedLineNum", one->get("ConnectedLineNum"));
        item.emplace_back("EffectiveConnectedLineName", one->get("ConnectedLineName"));
        item.emplace_back("TimeToHangup", "0");
        item.emplace_back("BridgeID", one->bridge);
        item.emplace_back("Application", one->application);
        item.emplace_back("Data", one->data);
        item.emplace_back("Seconds", std::to_string(seconds(at - one->born)));
        for (const std::string& wanted : variables) {
            const auto value = one->variables.find(wanted);
            item.emplace_back("Variable",
                              wanted + "=" + (value == one->variables.end() ? "" : value->second));
        }
        items.push_back(std::move(item));
    }
    return items;
}

std::vector<Picture::Headers> Picture::core_show_channels(Millis at) const {
    std::vector<Headers> items;
    for (const Channel* one : in_order()) {
        Headers item{{"Event", "CoreShowChannel"}};
        item.insert(item.end(), one->snapshot.begin(), one->snapshot.end());
        item.emplace_back("Application", one->application);
        item.emplace_back("ApplicationData", one->data);
        item.emplace_back("Duration", hours(seconds(at - one->born)));
        item.emplace_back("BridgeId", one->bridge);
        items.push_back(std::move(item));
    }
    return items;
}

std::vector<Picture::Headers> Picture::queue_status(Millis at, std::string_view queue,
                                                    std::string_view member) const {
    std::vector<Headers> items;
    for (const auto& [name, one] : queues_) {
        if (!queue.empty() && queue != name) continue;
        Headers params = one.params;
        if (params.empty()) params = {{"Event", "QueueParams"}, {"Queue", name}};
        params.emplace_back("Calls", std::to_string(one.entries.size()));
        items.push_back(std::move(params));
        for (const auto& [interface, headers] : one.members)
            if (member.empty() || member == interface) items.push_back(headers);
        if (!member.empty()) continue;
        for (std::size_t i = 0; i < one.entries.size(); ++i) {
            Headers item{{"Event", "QueueEntry"}, {"Queue", name}, {"Position", std::to_string(i + 1)}};
            item.insert(item.end(), one.entries[i].headers.begin(), one.entries[i].headers.end());
            item.emplace_back("Wait", std::to_string(seconds(at - one.entries[i].joined)));
            item.emplace_back("Priority", "0");
            items.push_back(std::move(item));
        }
    }
    return items;
}

std::vector<Picture::Headers> Picture::device_states() const {
    std::vector<Headers> items;
    for (const auto& [device, state] : devices_)
        items.push_back({{"Event", "DeviceStateChange"}, {"Device", device}, {"State", state}});
    return items;
}

std::vector<Picture::Headers> Picture::extension_states() const {
    std::vector<Headers> items;
    for (const auto& [key, headers] : hints_) items.push_back(headers);
    return items;
}

std::string Picture::variable(std::string_view channel, std::string_view name) const {
    const Channel* one = find(channel);
    if (one == nullptr) return {};
    const auto value = one->variables.find(name);
    return value == one->variables.end() ? std::string{} : value->second;
}

void Picture::set_variable(std::string_view channel, std::string_view name, std::string_view value) {
    const Channel* one = find(channel);
    if (one == nullptr) return;
    channels_.find(one->get("Uniqueid"))
        ->second.variables.insert_or_assign(std::string(plain_name(name)), std::string(value));
}

}  // namespace bridge
