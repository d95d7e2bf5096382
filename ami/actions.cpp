// The typed actions. Nothing is checked here: encode() checks everything.
#include <array>
#include <cstddef>
#include <memory>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "ami/action.hpp"

namespace ami {

namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

void add(Headers& headers, std::string_view name, std::string_view value) {
    headers.emplace_back(name, value);
}

void add_given(Headers& headers, std::string_view name, std::string_view value) {
    if (!value.empty()) add(headers, name, value);
}

void add_variables(Headers& headers, const Headers& variables) {
    for (const auto& [name, value] : variables) add(headers, "Variable", name + "=" + value);
}

Action to_place(std::string_view name, std::string_view channel, std::string_view context,
                std::string_view exten) {
    Action action{std::string(name), {}};
    add(action.headers, "Channel", channel);
    add(action.headers, "Context", context);
    add(action.headers, "Exten", exten);
    return action;
}

Action notify(std::string_view name, std::string_view field, std::string_view whom,
              const NotifyHeaders& headers) {
    Action action{std::string(name), {}};
    add(action.headers, field, whom);
    add_variables(action.headers, headers);
    return action;
}

}  // namespace

Action originate(const Originate& request) {
    Action action{"Originate", {}};
    Headers& headers = action.headers;
    add(headers, "Channel", request.channel);
    add(headers, "Context", request.context);
    add(headers, "Exten", request.exten);
    add(headers, "Priority", "1");
    add(headers, "Timeout", std::to_string(request.timeout.count()));
    add_given(headers, "CallerID", request.caller_id);
    add_given(headers, "ChannelId", request.channel_id);
    // A synchronous Originate would hold back every event of this connection until the phone is answered.
    add(headers, "Async", "true");
    add_variables(headers, request.variables);
    return action;
}

Action hangup(std::string_view channel_or_uniqueid, int cause) {
    Action action{"Hangup", {}};
    add(action.headers, "Channel", channel_or_uniqueid);
    if (cause != 0) add(action.headers, "Cause", std::to_string(cause));
    return action;
}

Action set_variable(std::string_view channel, std::string_view variable, std::string_view value) {
    Action action{"Setvar", {}};
    add(action.headers, "Channel", channel);
    add(action.headers, "Variable", variable);
    add(action.headers, "Value", value);
    return action;
}

Action get_variable(std::string_view channel, std::string_view variable) {
    Action action{"Getvar", {}};
    add(action.headers, "Channel", channel);
    add(action.headers, "Variable", variable);
    return action;
}

Action challenge() {
    return {"Challenge", {{"AuthType", "MD5"}}};
}

Action login(std::string_view username, std::string_view secret, std::string_view events) {
    Action action{"Login", {}};
    add(action.headers, "Username", username);
    add(action.headers, "Secret", secret);
    add_given(action.headers, "Events", events);
    return action;
}

Action login_md5(std::string_view username, std::string_view key, std::string_view events) {
    Action action{"Login", {{"AuthType", "MD5"}}};
    add(action.headers, "Username", username);
    add(action.headers, "Key", key);
    add_given(action.headers, "Events", events);
    return action;
}

std::string md5_key(std::string_view challenge, std::string_view secret) {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (!context || EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), challenge.data(), challenge.size()) != 1 ||
        EVP_DigestUpdate(context.get(), secret.data(), secret.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1) {
        return {};
    }
    std::string hex;
    for (std::size_t i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

Action events(std::string_view mask) {
    return {"Events", {{"EventMask", std::string(mask)}}};
}
Action ping() {
    return {"Ping", {}};
}
Action logoff() {
    return {"Logoff", {}};
}
Action list_commands() {
    return {"ListCommands", {}};
}
Action core_settings() {
    return {"CoreSettings", {}};
}
Action core_show_channels() {
    return {"CoreShowChannels", {}};
}
Action device_state_list() {
    return {"DeviceStateList", {}};
}
Action extension_state_list() {
    return {"ExtensionStateList", {}};
}

Action status(const std::vector<std::string>& variables, std::string_view channel) {
    Action action{"Status", {}};
    add_given(action.headers, "Channel", channel);
    std::string names;
    for (const std::string& name : variables) names += (names.empty() ? "" : ",") + name;
    add_given(action.headers, "Variables", names);
    return action;
}

Action queue_status(std::string_view queue, std::string_view member) {
    Action action{"QueueStatus", {}};
    add_given(action.headers, "Queue", queue);
    add_given(action.headers, "Member", member);
    return action;
}

Action queue_add(const QueueMember& member) {
    Action action{"QueueAdd", {}};
    add(action.headers, "Queue", member.queue);
    add(action.headers, "Interface", member.interface);
    add(action.headers, "Penalty", std::to_string(member.penalty));
    add(action.headers, "Paused", member.paused ? "true" : "false");
    add_given(action.headers, "MemberName", member.name);
    add_given(action.headers, "StateInterface", member.state_interface);
    return action;
}

Action queue_remove(std::string_view queue, std::string_view interface) {
    Action action{"QueueRemove", {}};
    add(action.headers, "Queue", queue);
    add(action.headers, "Interface", interface);
    return action;
}

Action queue_penalty(std::string_view queue, std::string_view interface, int penalty) {
    Action action{"QueuePenalty", {}};
    add(action.headers, "Interface", interface);
    add(action.headers, "Penalty", std::to_string(penalty));
    add(action.headers, "Queue", queue);
    return action;
}

Action queue_pause(std::string_view interface, bool paused, std::string_view reason, std::string_view queue) {
    Action action{"QueuePause", {}};
    add(action.headers, "Interface", interface);
    add(action.headers, "Paused", paused ? "true" : "false");
    add_given(action.headers, "Queue", queue);
    add_given(action.headers, "Reason", reason);
    return action;
}

Action redirect(std::string_view channel, std::string_view context, std::string_view exten) {
    Action action = to_place("Redirect", channel, context, exten);
    add(action.headers, "Priority", "1");
    return action;
}

Action blind_transfer(std::string_view channel, std::string_view context, std::string_view exten) {
    return to_place("BlindTransfer", channel, context, exten);
}

Action atxfer(std::string_view channel, std::string_view context, std::string_view exten) {
    return to_place("Atxfer", channel, context, exten);
}

Action cancel_atxfer(std::string_view channel) {
    return {"CancelAtxfer", {{"Channel", std::string(channel)}}};
}

Action park(std::string_view channel, std::string_view timeout_channel, std::chrono::milliseconds timeout,
            std::string_view lot) {
    Action action{"Park", {}};
    add(action.headers, "Channel", channel);
    add_given(action.headers, "TimeoutChannel", timeout_channel);
    if (timeout.count() > 0) add(action.headers, "Timeout", std::to_string(timeout.count()));
    add_given(action.headers, "Parkinglot", lot);
    return action;
}

Action pjsip_notify_endpoint(std::string_view endpoint, const NotifyHeaders& headers) {
    return notify("PJSIPNotify", "Endpoint", endpoint, headers);
}

Action pjsip_notify_channel(std::string_view channel, const NotifyHeaders& headers) {
    return notify("PJSIPNotify", "Channel", channel, headers);
}

Action sip_notify(std::string_view peer, const NotifyHeaders& headers) {
    return notify("SIPnotify", "Channel", peer, headers);
}

}  // namespace ami
