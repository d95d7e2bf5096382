// Every recorded trace gives what truth.json says, at whatever size of chunks.
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "trace_files.hpp"

namespace {

using traces::text;
using traces::Trace;

constexpr long tolerance = 100;  // ms, as the README of the traces says

// Facts of truth.json that no event of the trace tells: "CALL FIELD".
const std::set<std::string> unknowable{
    "1795187517.102 dialed",  // 09f: a synchronous Originate that failed; its answer does not name the
                              // extension
};

const YAML::Node& truth(const std::string& folder) {
    static std::map<std::string, YAML::Node> loaded;
    auto found = loaded.find(folder);
    if (found == loaded.end())
        found = loaded.emplace(folder, YAML::LoadFile((traces::root / folder / "truth.json").string())).first;
    return found->second;
}

// The other right values of a field; undefined when there are none.
YAML::Node alternatives_of(const YAML::Node& call, const char* field) {
    const YAML::Node accept = call["accept"];
    if (!accept) return YAML::Node(YAML::NodeType::Undefined);
    const YAML::Node values = accept[field];
    return values ? values : YAML::Node(YAML::NodeType::Undefined);
}

bool accepted(const YAML::Node& wanted, const YAML::Node& alternatives, const std::string& got, bool time) {
    std::vector<std::string> right{text(wanted)};
    if (alternatives)
        for (const auto& other : alternatives) right.push_back(text(other));
    return std::any_of(right.begin(), right.end(), [&](const std::string& one) {
        if (one == "any" || one == got) return true;
        return time && one != "null" && got != "null" &&
               std::abs(std::stol(one) - std::stol(got)) <= tolerance;
    });
}

struct Seen {
    std::map<std::string, YAML::Node> calls;                 // by linkedid
    std::map<std::string, std::vector<YAML::Node>> notices;  // by leg
    std::map<std::string, YAML::Node> legs;
};

class truth_of : public testing::TestWithParam<Trace> {
 protected:
    void check_call(const YAML::Node& wanted, const Seen& seen, std::set<std::string>& accounted) {
        const std::string id = text(wanted["call"]);
        accounted.insert(id);
        for (const auto& merged : wanted["merged"]) {
            accounted.insert(text(merged));
            const auto young = seen.calls.find(text(merged));
            ASSERT_NE(young, seen.calls.end()) << merged;
            EXPECT_EQ(text(young->second["merged_into"]), "hq:" + id);
        }
        for (const auto& leg : wanted["legs"]) accounted.insert(text(leg["uniqueid"]));
        const auto found = seen.calls.find(id);
        if (found == seen.calls.end()) {
            EXPECT_TRUE(wanted["optional"]) << "no row of " << id;
            return;
        }
        const YAML::Node& call = found->second;
        struct Field {
            const char* wanted;
            const char* got;
            bool time;
        };
        static constexpr Field fields[] = {
            {"direction", "direction", false},     {"caller", "caller_number", false},
            {"dialed", "dialed_number", false},    {"queue", "queue", false},
            {"disposition", "disposition", false}, {"start_ms", "started_ms", true},
            {"end_ms", "ended_ms", true},          {"wait_ms", "wait_ms", true},
            {"talk_ms", "talk_ms", true}};
        const bool times_open = alternatives_of(wanted, "times").IsDefined();
        for (const Field& field : fields) {
            const bool open =
                field.time && (times_open || !wanted[field.wanted] || wanted[field.wanted].IsNull());
            if (open || unknowable.contains(id + " " + field.wanted)) continue;
            EXPECT_TRUE(accepted(wanted[field.wanted], alternatives_of(wanted, field.wanted),
                                 text(call[field.got]), field.time))
                << id << ' ' << field.wanted << ": " << text(call[field.got]) << ", truth "
                << text(wanted[field.wanted]);
        }
        if (wanted["answered_by"]) {
            EXPECT_EQ(text(call["answered_by"]), "null") << id;
        }
        for (const auto& leg : wanted["legs"]) check_leg(id, leg, seen, times_open);
    }

    void check_leg(const std::string& call, const YAML::Node& wanted, const Seen& seen, bool times_open) {
        const std::string id = text(wanted["uniqueid"]);
        struct State {
            std::string name;
            std::string at, cause;
        };
        std::vector<State> got;
        if (const auto notices = seen.notices.find(id); notices != seen.notices.end()) {
            std::string to;
            for (const YAML::Node& notice : notices->second) {
                if (to.empty()) to = text(notice["to"]);
                EXPECT_EQ(text(notice["to"]), to);
                EXPECT_EQ(text(notice["extension"]), text(wanted["extension"]));
                // a further snapshot of the same state tells of the far end, the party or a merge
                if (got.empty() || got.back().name != text(notice["state"]))
                    got.push_back({text(notice["state"]), text(notice["at_ms"]), text(notice["cause"])});
            }
            EXPECT_EQ(text(notices->second.back()["id"]), "hq:" + call) << id;
        }
        const auto row = seen.legs.find(id);
        if (row == seen.legs.end()) {
            EXPECT_TRUE(wanted["optional"]) << "no leg row of " << id;
            return;
        }
        EXPECT_EQ(text(row->second["call"]), "hq:" + call) << id;
        EXPECT_EQ(text(row->second["extension"]), text(wanted["extension"])) << id;
        if (got.empty())
            got.push_back({"ended", text(row->second["ended_ms"]),
                           text(row->second["cause"])});  // a ring that never rang

        std::vector<YAML::Node> states;
        for (const auto& state : wanted["states"]) {
            const std::string name = text(state[0]);
            bool optional = false;
            for (const auto& one : wanted["optional_states"]) optional = optional || text(one) == name;
            if (optional &&
                std::none_of(got.begin(), got.end(), [&](const State& s) { return s.name == name; }))
                continue;
            states.push_back(state);
        }
        std::string sequence;
        for (const State& state : got) sequence += state.name + ' ';
        std::string wanted_sequence;
        for (const YAML::Node& state : states) wanted_sequence += text(state[0]) + ' ';
        ASSERT_EQ(sequence, wanted_sequence) << id;
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_TRUE(times_open ||
                        accepted(states[i][1], YAML::Node(YAML::NodeType::Undefined), got[i].at, true))
                << id << ' ' << got[i].name << " at " << got[i].at;
            EXPECT_TRUE(states[i].size() < 3 ||
                        accepted(states[i][2], wanted["accept_cause"], got[i].cause, false))
                << id << " ended " << got[i].cause;
        }
        EXPECT_EQ(text(row->second["cause"]), got.back().cause) << id;
    }
};

TEST_P(truth_of, every_call_leg_state_time_and_cause) {
    const auto replayed = traces::replay(GetParam());
    ASSERT_EQ(replayed.status, 0) << replayed.err;
    Seen seen;
    std::map<std::string, unsigned long> seq;
    for (const YAML::Node& line : traces::lines(replayed.out)) {
        if (line["call"]) seen.calls.emplace(text(line["call"]["linkedid"]), line["call"]);
        if (line["leg"]) seen.legs.emplace(text(line["leg"]["leg"]), line["leg"]);
        if (const YAML::Node notice = line["notice"]) {
            seen.notices[text(notice["leg"])].push_back(notice);
            EXPECT_EQ(notice["seq"].as<unsigned long>(), ++seq[text(notice["to"])]);
        }
    }
    std::set<std::string> accounted;
    for (const YAML::Node& call : truth(GetParam().folder)) {
        if (text(call["trace"]) != GetParam().name) continue;
        if (!call["call"].IsNull()) {
            check_call(call, seen, accounted);
            continue;
        }
        // the load trace has a summary in place of its calls
        EXPECT_EQ(seen.calls.size(), call["summary"]["calls"].as<std::size_t>());
        for (const auto& [id, row] : seen.calls) {
            accounted.insert(id);
            EXPECT_EQ(text(row["disposition"]), "answered") << id;
            EXPECT_EQ(text(row["queue"]), text(call["queue"])) << id;
            EXPECT_EQ(text(row["dialed_number"]), text(call["dialed"])) << id;
        }
    }
    for (const auto& [leg, notices] : seen.notices) {
        EXPECT_TRUE(accounted.contains(leg)) << "a ring nobody heard: " << leg;
        const auto ended = std::count_if(notices.begin(), notices.end(),
                                         [](const YAML::Node& n) { return text(n["state"]) == "ended"; });
        EXPECT_EQ(ended, 1) << leg;
        EXPECT_EQ(text(notices.back()["state"]), "ended") << leg;
    }
    // a dial that failed before any phone was called is a call of the log, not one of truth.json
    for (const auto& [id, call] : seen.calls)
        EXPECT_TRUE(accounted.contains(id) ||
                    (id.starts_with("ctd-") && text(call["disposition"]) == "failed"))
            << id;
}

TEST_P(truth_of, the_size_of_chunks_changes_nothing) {
    const auto recorded = traces::replay(GetParam());
    ASSERT_EQ(recorded.status, 0);
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 30})
        EXPECT_EQ(traces::replay(GetParam(), chunk).out, recorded.out) << "chunks of " << chunk;
}

INSTANTIATE_TEST_SUITE_P(traces, truth_of, testing::ValuesIn(traces::all()), traces::named_after);

TEST(traces, are_all_there) {
    EXPECT_EQ(traces::all().size(), 136U);
}

}  // namespace
