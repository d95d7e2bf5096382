// AMI events by hand, for tests of single rules.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "bridge/desk.hpp"

namespace desk_test {

using namespace std::chrono_literals;
using bridge::Millis;

struct Exchange {
    explicit Exchange(std::string pbx = "hq", std::vector<crm::Operator> people = {},
                      std::vector<std::string> extensions = {})
        : desk({.pbx = std::move(pbx),
                .channels = {"PJSIP/{extension}", "SIP/{extension}"},
                .extensions = std::move(extensions)}) {
        desk.set_people(std::move(people));
    }

    using Headers = std::vector<std::pair<std::string, std::string>>;

    void event(const std::string& name, const Headers& headers) {
        std::vector<ami::Header> flat{{"Event", name}};
        for (const auto& [key, value] : headers) flat.push_back({key, value});
        keep(desk.apply(ami::Message(ami::Message::Kind::event, flat), now));
    }

    void channel(const std::string& name, const std::string& id, const std::string& call,
                 const std::string& state, const std::string& number = "<unknown>",
                 const std::string& exten = "s", const std::string& caller_name = "<unknown>") {
        event("Newchannel", {{"Channel", name},
                             {"ChannelStateDesc", state},
                             {"CallerIDNum", number},
                             {"CallerIDName", caller_name},
                             {"Exten", exten},
                             {"Context", "from-trunk"},
                             {"Uniqueid", id},
                             {"Linkedid", call}});
    }

    void state(const std::string& id, const std::string& call, const std::string& state) {
        event("Newstate", {{"ChannelStateDesc", state}, {"Uniqueid", id}, {"Linkedid", call}});
    }

    void dial_begin(const std::string& from, const std::string& to, const std::string& call) {
        Headers headers{{"DestUniqueid", to}, {"DestLinkedid", call}};
        if (!from.empty()) headers.insert(headers.end(), {{"Uniqueid", from}, {"Linkedid", call}});
        event("DialBegin", headers);
    }

    void dial_end(const std::string& from, const std::string& to, const std::string& call,
                  const std::string& status) {
        Headers headers{{"DestUniqueid", to}, {"DestLinkedid", call}, {"DialStatus", status}};
        if (!from.empty()) headers.insert(headers.end(), {{"Uniqueid", from}, {"Linkedid", call}});
        event("DialEnd", headers);
    }

    void enter(const std::string& id, const std::string& call, const std::string& bridge,
               const std::string& type = "basic", const std::string& technology = "simple_bridge") {
        event("BridgeEnter", {{"BridgeUniqueid", bridge},
                              {"BridgeType", type},
                              {"BridgeTechnology", technology},
                              {"Uniqueid", id},
                              {"Linkedid", call}});
    }

    void leave(const std::string& id, const std::string& call, const std::string& bridge) {
        event("BridgeLeave", {{"BridgeUniqueid", bridge}, {"Uniqueid", id}, {"Linkedid", call}});
    }

    void hangup(const std::string& id, const std::string& call, int cause = 16) {
        event("Hangup", {{"Cause", std::to_string(cause)}, {"Uniqueid", id}, {"Linkedid", call}});
    }

    void hangup_request(const std::string& id, const std::string& call) {
        event("HangupRequest", {{"Uniqueid", id}, {"Linkedid", call}});
    }

    // Caller +447700900123 for 02079460201, call id "1.0".
    void caller(const std::string& call = "1.0", const std::string& number = "+447700900123") {
        channel("PJSIP/trunk-00000000", call, call, "Ring", number, "02079460201");
    }

    void ring(const std::string& device, const std::string& id, const std::string& call = "1.0") {
        channel(device, id, call, "Down");
        dial_begin(call, id, call);
        state(id, call, "Ringing");
    }

    void wait(Millis span) {
        const Millis until = now + span;
        while (desk.next_deadline() <= until) {
            now = desk.next_deadline();
            keep(desk.tick(now));
        }
        now = until;
    }

    void listed(const std::string& device, const std::string& id, const std::string& call,
                const std::string& state, const std::string& number = "<unknown>") {
        event("CoreShowChannel", {{"Channel", device},
                                  {"ChannelStateDesc", state},
                                  {"CallerIDNum", number},
                                  {"Uniqueid", id},
                                  {"Linkedid", call},
                                  {"Duration", "00:00:10"},
                                  {"ActionID", "s-1"}});
    }

    void keep(bridge::Outcome&& outcome) { seen.append(std::move(outcome)); }

    // "ringing 1.1" of one operator, in order.
    [[nodiscard]] std::vector<std::string> told(const std::string& jid) const {
        std::vector<std::string> lines;
        for (const bridge::Notice& notice : seen.notices) {
            if (notice.to != jid) continue;
            std::string line = std::string(to_string(notice.state)) + ' ' + notice.leg;
            if (notice.cause != bridge::Cause::none) line += ' ' + std::string(to_string(notice.cause));
            lines.push_back(line);
        }
        return lines;
    }

    [[nodiscard]] const crm::CallRow* row(const std::string& id) const {
        const crm::CallRow* last = nullptr;
        for (const crm::CallRow& row : seen.calls)
            if (row.id == id) last = &row;
        return last;
    }

    [[nodiscard]] std::vector<std::string> causes() const {  // last row of each leg, "1.1 hangup"
        std::vector<std::string> lines;
        for (const crm::LegRow& leg : seen.legs)
            if (!leg.cause.empty()) lines.push_back(leg.uniqueid + ' ' + leg.cause);
        return lines;
    }

    [[nodiscard]] bool because(bridge::Why why) const {
        for (const bridge::Reason& reason : seen.reasons)
            if (reason.why == why) return true;
        return false;
    }

    bridge::Desk desk;
    Millis now{1000};
    bridge::Outcome seen;
};

inline const std::string anna = "anna@example.org", bob = "bob@example.org", zofia = "zofia@example.org";

inline std::vector<crm::Operator> two_people() {
    return {{anna, "5", "hq", "201", "Anna", true}, {zofia, "6", "hq", "202", "Zofia", true}};
}

}  // namespace desk_test
