// What a pbx would list at this moment (Status, CoreShowChannels, QueueStatus, DeviceStateList,
// ExtensionStateList), drawn from the events and list items it sent so far. For a recording that is played
// as a pbx: a client that comes in the middle of calls must be told the truth.
// Source: Asterisk documentation "AMI Events"; the headers' order as recorded from Asterisk 22.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/message.hpp"

namespace bridge {

using Millis = std::chrono::milliseconds;

class Picture {
 public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    void apply(const ami::Message& message, Millis at);

    // The items of a list, without ActionID. Empty `channel`, `queue`, `member`: all.
    [[nodiscard]] std::vector<Headers> status(Millis at, const std::vector<std::string>& variables,
                                              std::string_view channel = {}) const;
    [[nodiscard]] std::vector<Headers> core_show_channels(Millis at) const;
    [[nodiscard]] std::vector<Headers> queue_status(Millis at, std::string_view queue = {},
                                                    std::string_view member = {}) const;
    [[nodiscard]] std::vector<Headers> device_states() const;
    [[nodiscard]] std::vector<Headers> extension_states() const;

    // By name or Uniqueid, as Asterisk takes either.
    [[nodiscard]] bool has_channel(std::string_view channel) const { return find(channel) != nullptr; }
    [[nodiscard]] std::string variable(std::string_view channel, std::string_view name) const;
    void set_variable(std::string_view channel, std::string_view name, std::string_view value);

 private:
    struct Channel {
        std::uint64_t order = 0;
        Headers snapshot;  // as in every event of a channel
        std::string bridge, dnid, application, data;
        std::map<std::string, std::string, std::less<>> variables;
        Millis born{0};
        [[nodiscard]] std::string_view get(std::string_view name) const;
    };
    struct Entry {
        Headers headers;
        std::string uniqueid;
        Millis joined{0};
    };
    struct Queue {
        Headers params;
        std::map<std::string, Headers> members;  // by interface
        std::vector<Entry> entries;
    };
    struct Event;
    using Handler = void (Picture::*)(const Event&);
    struct Row;
    static const Row table[];

    void on_channel(const Event&);
    void on_newchannel(const Event&);
    void on_hangup(const Event&);
    void on_newexten(const Event&);
    void on_bridge(const Event&);
    void on_variable(const Event&);
    void on_listed(const Event&);
    void on_queue_params(const Event&);
    void on_queue_member(const Event&);
    void on_member_removed(const Event&);
    void on_queue_entry(const Event&);
    void on_queue_join(const Event&);
    void on_queue_leave(const Event&);
    void on_device(const Event&);
    void on_hint(const Event&);

    [[nodiscard]] const Channel* find(std::string_view channel) const;
    [[nodiscard]] std::vector<const Channel*> in_order() const;
    static void refresh(Channel& channel, const ami::Message& message);

    std::map<std::string, Channel, std::less<>> channels_;  // by Uniqueid
    std::map<std::string, Queue, std::less<>> queues_;
    std::map<std::string, std::string> devices_;
    std::map<std::pair<std::string, std::string>, Headers> hints_;  // by context and extension
    std::uint64_t order_ = 0;
};

}  // namespace bridge
