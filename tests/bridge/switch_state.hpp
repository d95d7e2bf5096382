// What a real Asterisk knows, as far as its events tell: an independent picture for tests, which can print at
// any moment the lists that the initial sync reads. Shares nothing with the call model under test.
// Headers and their order as in the traces 15, 19 and 18-y01.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trace_messages.hpp"

namespace test {

using Millis = std::chrono::milliseconds;
using traces::Block;

class SwitchState {
 public:
    // Follows one event. A channel that a recorded list shows and no event did was there before the trace.
    void follow(const Block& block, Millis now);

    // The lists of the initial sync, each with its Complete, in the order the session asks for them.
    [[nodiscard]] std::vector<Block> lists(Millis now) const;
    [[nodiscard]] std::vector<Block> status(Millis now, const std::vector<std::string>& variables) const;
    [[nodiscard]] std::vector<Block> channels(Millis now) const;
    [[nodiscard]] std::vector<Block> queues(Millis now) const;
    [[nodiscard]] std::vector<Block> devices() const;
    [[nodiscard]] std::vector<Block> hints() const;

    // Changes whenever one of the lists would (ages aside).
    [[nodiscard]] std::size_t version() const { return version_; }
    // What a recorded list taught it: before that list the picture was not whole.
    [[nodiscard]] std::size_t taught() const { return taught_; }
    // Events whose Linkedid was not the one expected: the picture is wrong then.
    [[nodiscard]] const std::vector<std::string>& surprises() const { return surprises_; }

 private:
    struct Channel {
        // Channel ... Linkedid as every channel event carries them, in order
        std::vector<std::pair<std::string, std::string>> snapshot;
        std::string uniqueid, linkedid, bridge, application, data, dnid;
        std::map<std::string, std::string> variables;
        Millis born{0};
    };
    struct Entry {
        std::string uniqueid;
        Millis joined{0};
    };
    using Handler = void (SwitchState::*)(const Block&, Channel&, Millis);
    struct Row;
    static const Row table[];

    void newchannel(const Block&, Channel&, Millis);
    void newexten(const Block&, Channel&, Millis);
    void var_set(const Block&, Channel&, Millis);
    void bridge_enter(const Block&, Channel&, Millis);
    void bridge_leave(const Block&, Channel&, Millis);
    void queue_join(const Block&, Channel&, Millis);
    void queue_leave(const Block&, Channel&, Millis);
    void hangup(const Block&, Channel&, Millis);
    void seed(const Block&, Channel&, Millis);
    void seed_entry(const Block&, Channel&, Millis);

    void device(const Block& block);
    void hint(const Block& block);
    void take_snapshot(Channel& channel, const Block& block, std::string_view prefix);
    [[nodiscard]] static std::string field(const Channel& channel, std::string_view name);
    [[nodiscard]] Block::Headers snapshot_of(const Channel& channel) const;
    void complete(std::vector<Block>& list, std::string_view name, std::string_view id) const;

    std::map<std::string, Channel> channels_;  // by Uniqueid
    std::map<std::string, std::size_t> age_;   // Uniqueid -> order of birth
    std::map<std::string, std::vector<Entry>> queues_;
    std::map<std::string, std::string> devices_;   // device -> state
    std::map<std::string, Block::Headers> hints_;  // exten@context -> its fields
    std::vector<std::string> surprises_;
    std::size_t version_ = 0, taught_ = 0;
};

}  // namespace test
