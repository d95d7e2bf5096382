// Asterisk's queues for tests: members and pauses, what each action answers and which events it makes, as
// measured on 16 to 22 (texts, order and headers of a recorded session).
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ami/action.hpp"
#include "ami/message.hpp"
#include "bridge/agents.hpp"

namespace agents_test {

using Headers = std::vector<std::pair<std::string, std::string>>;

class QueueExchange {
 public:
    struct Member {
        std::string name{};
        bool dynamic = true, paused = false;
        std::string reason{};
        int penalty = 0;
    };
    using Queue = std::map<std::string, Member>;  // by interface
    struct Result {
        bool ok = true;
        std::string text;
        std::vector<Headers> events;  // for a list: its items
    };

    std::map<std::string, Queue> queues;
    bool forgets = false;   // a restart without persistentmembers
    bool may_agent = true;  // write class `agent`

    static std::string of(const ami::Action& action, std::string_view name) {
        for (const auto& [key, value] : action.headers)
            if (key == name) return value;
        return {};
    }

    Result perform(const ami::Action& action) {
        const auto queue = of(action, "Queue"), interface = of(action, "Interface");
        if (action.name == "QueueStatus") return list(queue, of(action, "Member"));
        if (!may_agent) return {false, "Permission denied", {}};
        if (action.name == "QueueAdd") return add(queue, interface, action);
        if (action.name == "QueueRemove") return remove(queue, interface);
        if (action.name == "QueuePause")
            return pause(queue, interface, of(action, "Paused") == "true", of(action, "Reason"));
        if (action.name == "QueuePenalty") return penalty(queue, interface, of(action, "Penalty"));
        return {false, "Invalid/unknown command", {}};
    }

    void restart() {  // persistentmembers = no
        for (auto& [name, queue] : queues) {
            std::erase_if(queue, [](const auto& entry) { return entry.second.dynamic; });
            for (auto& [interface, member] : queue) member.paused = false;
        }
    }

    [[nodiscard]] const Member* find(const std::string& queue, const std::string& interface) const {
        const auto q = queues.find(queue);
        if (q == queues.end()) return nullptr;
        const auto m = q->second.find(interface);
        return m == q->second.end() ? nullptr : &m->second;
    }

 private:
    static Headers event(const std::string& name, const std::string& queue, const std::string& interface,
                         const Member& member) {
        const bool item = name == "QueueMember";
        return {{"Event", name},
                {"Queue", queue},
                {item ? "Name" : "MemberName", member.name},
                {item ? "Location" : "Interface", interface},
                {"StateInterface", interface},
                {"Membership", member.dynamic ? "dynamic" : "static"},
                {"Penalty", std::to_string(member.penalty)},
                {"Status", "1"},
                {"Paused", member.paused ? "1" : "0"},
                {"PausedReason", member.reason}};
    }

    Result add(const std::string& queue, const std::string& interface, const ami::Action& action) {
        const auto found = queues.find(queue);
        if (found == queues.end()) return {false, "Unable to add interface to queue: No such queue", {}};
        if (found->second.contains(interface)) return {false, "Unable to add interface: Already there", {}};
        const auto name = of(action, "MemberName");
        auto& member = found->second[interface];
        member = {name.empty() ? interface : name,
                  true,
                  of(action, "Paused") == "true",
                  {},
                  std::stoi("0" + of(action, "Penalty"))};
        return {true, "Added interface to queue", {event("QueueMemberAdded", queue, interface, member)}};
    }

    Result remove(const std::string& queue, const std::string& interface) {
        const auto found = queues.find(queue);
        if (found == queues.end()) return {false, "Unable to remove interface from queue: No such queue", {}};
        const auto member = found->second.find(interface);
        if (member == found->second.end()) return {false, "Unable to remove interface: Not there", {}};
        if (!member->second.dynamic) return {false, "Member not dynamic", {}};
        auto gone = event("QueueMemberRemoved", queue, interface, member->second);
        found->second.erase(member);
        return {true, "Removed interface from queue", {std::move(gone)}};
    }

    Result pause(const std::string& queue, const std::string& interface, bool paused,
                 const std::string& reason) {
        Result result{true, paused ? "Interface paused successfully" : "Interface unpaused successfully", {}};
        for (auto& [name, members] : queues) {
            if (!queue.empty() && name != queue) continue;
            const auto member = members.find(interface);
            if (member == members.end()) continue;
            member->second.paused = paused;
            member->second.reason = paused ? reason : std::string();
            result.events.push_back(event("QueueMemberPause", name, interface, member->second));
        }
        if (result.events.empty()) return {false, "Interface not found", {}};
        return result;
    }

    Result penalty(const std::string& queue, const std::string& interface, const std::string& value) {
        const auto found = queues.find(queue);
        if (found == queues.end() || !found->second.contains(interface))
            return {false, "Invalid interface, queuename or penalty", {}};
        auto& member = found->second[interface];
        member.penalty = std::stoi(value);
        return {true,
                "Interface penalty set successfully",
                {event("QueueMemberPenalty", queue, interface, member)}};
    }

    Result list(const std::string& queue, const std::string& only) {
        Result result{true, "Queue status will follow", {}};
        for (const auto& [name, members] : queues) {
            if (!queue.empty() && name != queue) continue;
            for (const auto& [interface, member] : members)
                if (only.empty() || only == interface)
                    result.events.push_back(event("QueueMember", name, interface, member));
        }
        result.events.push_back({{"Event", "QueueStatusComplete"}, {"EventList", "Complete"}});
        return result;
    }
};

}  // namespace agents_test
