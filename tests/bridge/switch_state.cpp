#include "switch_state.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace test {

namespace {

constexpr std::array<std::string_view, 14> snapshot_fields{
    "Channel",           "ChannelState", "ChannelStateDesc",
    "CallerIDNum",       "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language",     "AccountCode",
    "Context",           "Exten",        "Priority",
    "Uniqueid",          "Linkedid"};

constexpr std::string_view status_id = "cti-5", channels_id = "cti-4", queues_id = "cti-7",
                           devices_id = "cti-14", hints_id = "cti-15";

std::string technology(std::string_view channel) {
    return std::string(channel.substr(0, channel.find('/')));
}

std::string seconds(Millis span) {
    return std::to_string(std::max<std::int64_t>(0, span.count() / 1000));
}

std::string clock(Millis span) {
    const auto total = std::max<std::int64_t>(0, span.count() / 1000);
    return fmt::format("{:02}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

Millis from_clock(const Block& block) {
    long total = 0, part = 0;
    for (const char c : block.get("Duration")) {
        if (c == ':') {
            total = total * 60 + part;
            part = 0;
        } else {
            part = part * 10 + (c - '0');
        }
    }
    return std::chrono::seconds(total * 60 + part);
}

}  // namespace

struct SwitchState::Row {
    std::string_view event;
    Handler handler;
};

const SwitchState::Row SwitchState::table[] = {
    {"Newchannel", &SwitchState::newchannel},
    {"Newexten", &SwitchState::newexten},
    {"VarSet", &SwitchState::var_set},
    {"BridgeEnter", &SwitchState::bridge_enter},
    {"BridgeLeave", &SwitchState::bridge_leave},
    {"QueueCallerJoin", &SwitchState::queue_join},
    {"QueueCallerLeave", &SwitchState::queue_leave},
    {"Hangup", &SwitchState::hangup},
    {"CoreShowChannel", &SwitchState::seed},
    {"Status", &SwitchState::seed},
    {"QueueEntry", &SwitchState::seed_entry},
};

void SwitchState::follow(const Block& block, Millis now) {
    const ami::Message message = block.message();
    if (message.kind() != ami::Message::Kind::event) return;
    if (message.name() == "DeviceStateChange") return device(block);
    if (message.name() == "ExtensionStatus") return hint(block);

    // the called channel of a dial is told of in the same event
    if (const auto dest = channels_.find(std::string(block.get("DestUniqueid"))); dest != channels_.end())
        take_snapshot(dest->second, block, "Dest");

    const std::string uniqueid(block.get("Uniqueid"));
    const bool first = message.name() == "Newchannel";
    const bool item = message.name() == "CoreShowChannel" || message.name() == "Status";
    auto found = channels_.find(uniqueid);
    if (found == channels_.end()) {
        if (uniqueid.empty() || (!first && !(item && !age_.contains(uniqueid)))) return;
        found = channels_.emplace(uniqueid, Channel{}).first;
        found->second.uniqueid = uniqueid;
        age_.emplace(uniqueid, age_.size());
    } else if (item) {
        return;
    }
    Channel& channel = found->second;
    take_snapshot(channel, block, "");
    for (const Row& row : table)
        if (row.event == message.name()) return (this->*row.handler)(block, channel, now);
}

// Asterisk decides on the Linkedid when a channel enters a bridge; the event about it may still carry the
// one before.
void SwitchState::take_snapshot(Channel& channel, const Block& block, std::string_view prefix) {
    std::vector<std::pair<std::string, std::string>> fresh;
    for (const std::string_view name : snapshot_fields) {
        const auto value = block.message().find(std::string(prefix) + std::string(name));
        if (!value) return;  // not a complete set: OriginateResponse, QueueEntry, Cdr
        fresh.emplace_back(std::string(name), std::string(*value));
    }
    const std::string& linkedid = fresh.back().second;
    const std::string_view event = block.message().name();
    if (!channel.linkedid.empty() && linkedid != channel.linkedid && event != "BridgeEnter")
        surprises_.push_back(
            fmt::format("{} of {}: {} instead of {}", event, channel.uniqueid, linkedid, channel.linkedid));
    if (channel.linkedid.empty() || event != "BridgeEnter") channel.linkedid = linkedid;
    if (fresh == channel.snapshot) return;
    channel.snapshot = std::move(fresh);
    ++version_;
}

void SwitchState::newchannel(const Block& block, Channel& channel, Millis now) {
    channel.born = now;
    // an incoming channel carries the number that was dialled, a called one is born without
    const std::string exten(block.get("Exten"));
    if (exten != "s" && !block.get("Channel").starts_with("Local/")) channel.dnid = exten;
}

void SwitchState::newexten(const Block& block, Channel& channel, Millis) {
    channel.application = block.get("Application");
    channel.data = block.get("AppData");
    ++version_;
}

void SwitchState::var_set(const Block& block, Channel& channel, Millis) {
    std::string name(block.get("Variable"));
    name.erase(0, name.find_first_not_of('_'));
    channel.variables[name] = block.get("Value");
}

void SwitchState::bridge_enter(const Block& block, Channel& channel, Millis) {
    channel.bridge = block.get("BridgeUniqueid");
    ++version_;
    if (block.get("BridgeType") != "basic") return;
    const auto order = [this](const std::string& linkedid) {
        const auto found = age_.find(linkedid);
        return found == age_.end() ? std::size_t{0} : found->second;
    };
    std::string oldest = channel.linkedid;
    for (const auto& [id, other] : channels_)
        if (other.bridge == channel.bridge && order(other.linkedid) < order(oldest)) oldest = other.linkedid;
    for (auto& [id, other] : channels_)
        if (other.bridge == channel.bridge) other.linkedid = oldest;
}

void SwitchState::bridge_leave(const Block& block, Channel& channel, Millis) {
    if (channel.bridge == block.get("BridgeUniqueid")) channel.bridge.clear();
    ++version_;
}

void SwitchState::queue_join(const Block& block, Channel& channel, Millis now) {
    queues_[std::string(block.get("Queue"))].push_back({channel.uniqueid, now});
    ++version_;
}

void SwitchState::queue_leave(const Block& block, Channel& channel, Millis) {
    std::erase_if(queues_[std::string(block.get("Queue"))],
                  [&](const Entry& entry) { return entry.uniqueid == channel.uniqueid; });
    ++version_;
}

void SwitchState::hangup(const Block&, Channel& channel, Millis) {
    for (auto& [name, entries] : queues_)
        std::erase_if(entries, [&](const Entry& entry) { return entry.uniqueid == channel.uniqueid; });
    channels_.erase(std::string(channel.uniqueid));
    ++version_;
}

void SwitchState::seed(const Block& block, Channel& channel, Millis now) {
    channel.bridge = block.get("BridgeId");
    channel.application = block.get("Application");
    channel.data = block.get("ApplicationData");
    channel.born = now - from_clock(block);
    ++version_;
    ++taught_;
}

void SwitchState::seed_entry(const Block& block, Channel& channel, Millis now) {
    auto& entries = queues_[std::string(block.get("Queue"))];
    if (std::any_of(entries.begin(), entries.end(),
                    [&](const Entry& entry) { return entry.uniqueid == channel.uniqueid; }))
        return;
    entries.push_back(
        {channel.uniqueid, now - std::chrono::seconds(std::stol(std::string(block.get("Wait"))))});
    ++version_;
    ++taught_;
}

void SwitchState::device(const Block& block) {
    devices_[std::string(block.get("Device"))] = block.get("State");
    ++version_;
}

void SwitchState::hint(const Block& block) {
    Block::Headers fields;
    for (const std::string_view name : {"Exten", "Context", "Hint", "Status", "StatusText"})
        fields.emplace_back(std::string(name), std::string(block.get(name)));
    hints_[std::string(block.get("Exten")) + '@' + std::string(block.get("Context"))] = std::move(fields);
    ++version_;
}

std::string SwitchState::field(const Channel& channel, std::string_view name) {
    for (const auto& [key, value] : channel.snapshot)
        if (key == name) return value;
    return {};
}

Block::Headers SwitchState::snapshot_of(const Channel& channel) const {
    Block::Headers headers = channel.snapshot;
    headers.back().second = channel.linkedid;
    return headers;
}

void SwitchState::complete(std::vector<Block>& list, std::string_view name, std::string_view id) const {
    Block::Headers headers{{"Event", std::string(name)},
                           {"ActionID", std::string(id)},
                           {"EventList", "Complete"},
                           {"ListItems", std::to_string(list.size())}};
    if (name == "StatusComplete") headers.emplace_back("Items", std::to_string(list.size()));
    list.emplace_back(std::move(headers));
}

std::vector<Block> SwitchState::status(Millis now, const std::vector<std::string>& variables) const {
    std::vector<Block> list;
    for (const auto& [id, channel] : channels_) {
        Block::Headers headers{{"Event", "Status"}, {"Privilege", "Call"}};
        for (auto& one : snapshot_of(channel)) headers.push_back(std::move(one));
        const auto more = [&](std::string_view name, std::string value) {
            headers.emplace_back(std::string(name), std::move(value));
        };
        more("Type", technology(field(channel, "Channel")));
        more("DNID", channel.dnid);
        more("EffectiveConnectedLineNum", field(channel, "ConnectedLineNum"));
        more("EffectiveConnectedLineName", field(channel, "ConnectedLineName"));
        more("TimeToHangup", "0");
        more("BridgeID", channel.bridge);
        more("Application", channel.application);
        more("Data", channel.data);
        for (const std::string_view name :
             {"Nativeformats", "Readformat", "Readtrans", "Writeformat", "Writetrans"})
            more(name, name.ends_with("trans") ? "" : name == "Nativeformats" ? "(alaw)" : "alaw");
        more("Callgroup", "0");
        more("Pickupgroup", "0");
        more("Seconds", seconds(now - channel.born));
        for (const std::string& variable : variables) {
            const auto found = channel.variables.find(variable);
            more("Variable", variable + '=' + (found == channel.variables.end() ? "" : found->second));
        }
        more("ActionID", std::string(status_id));
        list.emplace_back(std::move(headers));
    }
    complete(list, "StatusComplete", status_id);
    return list;
}

std::vector<Block> SwitchState::channels(Millis now) const {
    std::vector<Block> list;
    for (const auto& [id, channel] : channels_) {
        Block::Headers headers{{"Event", "CoreShowChannel"}, {"ActionID", std::string(channels_id)}};
        for (auto& one : snapshot_of(channel)) headers.push_back(std::move(one));
        headers.emplace_back("Application", channel.application);
        headers.emplace_back("ApplicationData", channel.data);
        headers.emplace_back("Duration", clock(now - channel.born));
        headers.emplace_back("BridgeId", channel.bridge);
        list.emplace_back(std::move(headers));
    }
    complete(list, "CoreShowChannelsComplete", channels_id);
    return list;
}

std::vector<Block> SwitchState::queues(Millis now) const {
    const auto or_unknown = [](std::string text) { return text == "<unknown>" ? "unknown" : text; };
    std::vector<Block> list;
    for (const auto& [name, entries] : queues_) {
        list.emplace_back(Block::Headers{{"Event", "QueueParams"},
                                         {"Queue", name},
                                         {"Max", "0"},
                                         {"Strategy", "ringall"},
                                         {"Calls", std::to_string(entries.size())},
                                         {"Holdtime", "0"},
                                         {"TalkTime", "0"},
                                         {"Completed", "0"},
                                         {"Abandoned", "0"},
                                         {"ServiceLevel", "0"},
                                         {"ServicelevelPerf", "0.0"},
                                         {"ServicelevelPerf2", "0.0"},
                                         {"Weight", "0"},
                                         {"ActionID", std::string(queues_id)}});
        std::size_t position = 0;
        for (const Entry& entry : entries) {
            const auto found = channels_.find(entry.uniqueid);
            if (found == channels_.end()) continue;
            const Channel& channel = found->second;
            Block::Headers headers{{"Event", "QueueEntry"},
                                   {"Queue", name},
                                   {"Position", std::to_string(++position)},
                                   {"Channel", field(channel, "Channel")},
                                   {"Uniqueid", entry.uniqueid}};
            for (const char* one : {"CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName"})
                headers.emplace_back(one, or_unknown(field(channel, one)));
            headers.emplace_back("Wait", seconds(now - entry.joined));
            headers.emplace_back("Priority", "0");
            headers.emplace_back("ActionID", std::string(queues_id));
            list.emplace_back(std::move(headers));
        }
    }
    complete(list, "QueueStatusComplete", queues_id);
    return list;
}

std::vector<Block> SwitchState::devices() const {
    std::vector<Block> list;
    for (const auto& [device, state] : devices_)
        list.emplace_back(Block::Headers{{"Event", "DeviceStateChange"},
                                         {"ActionID", std::string(devices_id)},
                                         {"Device", device},
                                         {"State", state}});
    complete(list, "DeviceStateListComplete", devices_id);
    return list;
}

std::vector<Block> SwitchState::hints() const {
    std::vector<Block> list;
    for (const auto& [name, fields] : hints_) {
        Block::Headers headers{{"Event", "ExtensionStatus"}, {"ActionID", std::string(hints_id)}};
        headers.insert(headers.end(), fields.begin(), fields.end());
        list.emplace_back(std::move(headers));
    }
    complete(list, "ExtensionStateListComplete", hints_id);
    return list;
}

std::vector<Block> SwitchState::lists(Millis now) const {
    std::vector<Block> all;
    for (auto& list :
         {status(now, {"FROM_DID", "CALLINGNUMPRES_SV"}), channels(now), queues(now), devices(), hints()})
        all.insert(all.end(), list.begin(), list.end());
    return all;
}

}  // namespace test
