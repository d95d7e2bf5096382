#include "bridge/replay.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "trace_files.hpp"

namespace {

using testing::HasSubstr;

class Files : public testing::Test {
 protected:
    std::filesystem::path write(const std::string& name, const std::string& bytes) {
        const auto file = std::filesystem::path(testing::TempDir()) /
                          (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + name);
        std::ofstream(file, std::ios::binary) << bytes;
        written_.push_back(file);
        return file;
    }
    static std::string read(const std::filesystem::path& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    traces::Replayed run(bridge::ReplayOptions options) {
        if (options.operators.empty()) options.operators = traces::people();
        std::ostringstream out, err;
        const int status = bridge::replay(options, out, err);
        return {status, out.str(), err.str()};
    }
    ~Files() override {
        for (const auto& file : written_) std::filesystem::remove(file);
    }
    std::vector<std::filesystem::path> written_;
};

using replay = Files;
using people = Files;

const traces::Trace inbound{"ami-traces", "02-inbound-answered"};

TEST_F(replay, every_key_is_always_there) {
    const auto nodes = traces::lines(traces::replay(inbound).out);
    ASSERT_EQ(nodes.size(), 5U);
    for (const char* key :
         {"to", "pbx", "leg", "id", "replaces", "seq", "state", "direction", "cause", "extension", "party",
          "dialed", "queue", "waited", "service", "variables", "request", "at_ms"})
        EXPECT_TRUE(nodes[0]["notice"][key].IsDefined()) << key;
    for (const char* key :
         {"id",          "pbx",           "linkedid",    "merged_into", "direction", "caller_number",
          "caller_name", "dialed_number", "service",     "queue",       "module",    "record",
          "label",       "started_ms",    "answered_ms", "ended_ms",    "wait_ms",   "talk_ms",
          "disposition", "answered_by",   "request",     "recording",   "note",      "code"})
        EXPECT_TRUE(nodes[3]["call"][key].IsDefined()) << key;
    for (const char* key :
         {"call", "leg", "jid", "extension", "offered_ms", "answered_ms", "ended_ms", "cause"})
        EXPECT_TRUE(nodes[4]["leg"][key].IsDefined()) << key;
}

TEST_F(replay, without_times_every_time_is_zero) {
    bridge::ReplayOptions options;
    options.trace = inbound.file(".ami");
    const auto nodes = traces::lines(run(options).out);
    ASSERT_EQ(nodes.size(), 5U);
    EXPECT_EQ(traces::text(nodes[2]["notice"]["at_ms"]), "0");
    EXPECT_EQ(traces::text(nodes[2]["notice"]["cause"]), "hangup");
}

TEST_F(replay, the_pbx_names_the_calls) {
    bridge::ReplayOptions options;
    options.trace = inbound.file(".ami");
    options.desk.pbx = "branch";
    options.operators = {{"bob@example.org", "9", "branch", "201", {}, true}};
    const auto nodes = traces::lines(run(options).out);
    EXPECT_EQ(traces::text(nodes[0]["notice"]["id"]), "branch:1795187329.0");
    EXPECT_EQ(traces::text(nodes[0]["notice"]["to"]), "bob@example.org");
}

TEST_F(replay, explains_every_decision_beside_the_result) {
    const auto plain = traces::replay(inbound);
    const auto explained = traces::replay(inbound, 0, true);
    EXPECT_EQ(explained.out, plain.out);
    EXPECT_EQ(plain.err, "");
    for (const char* word : {"call_started", "operator_found", "ring_recognised", "notice_made",
                             "call_answered", "ended_with_cause", "call_ended"})
        EXPECT_THAT(explained.err, HasSubstr(word));
}

TEST_F(replay, numbers_are_normalised_when_asked) {
    bridge::ReplayOptions options;
    options.trace = traces::Trace{"ami-traces", "08-click-to-dial"}.file(".ami");
    options.normalise = [](const std::string& number) {
        return number == "07700900456" ? std::string("+447700900456") : number;
    };
    EXPECT_THAT(run(options).out, HasSubstr(R"("dialed_number": "+447700900456")"));
}

TEST_F(replay, what_is_no_ami_session_is_an_error) {
    for (const std::string& bytes :
         {std::string("hello\r\n\r\n"), std::string(), std::string(100000, 'x'),
          std::string("\0\1\2\3\r\n", 6), std::string("HTTP/1.1 200 OK\r\n\r\n")}) {
        bridge::ReplayOptions options;
        options.trace = write("trace.ami", bytes);
        const auto result = run(options);
        EXPECT_EQ(result.status, 2);
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(result.err, HasSubstr("trace.ami"));
    }
    bridge::ReplayOptions missing;
    missing.trace = "no-such-file.ami";
    EXPECT_EQ(run(missing).status, 2);
}

TEST_F(replay, bad_times_are_an_error_with_their_line) {
    bridge::ReplayOptions options;
    options.trace = inbound.file(".ami");
    for (const char* bytes : {"0\t0\nx\n", "0\t0\n12 5\n", "5\t1\n0\t2\n"}) {
        options.times = write("trace.times", bytes);
        const auto result = run(options);
        EXPECT_EQ(result.status, 2);
        EXPECT_THAT(result.err, HasSubstr(":2:"));
    }
}

TEST_F(replay, a_ring_that_is_up_at_the_end_has_no_ended) {
    const std::string bytes = read(inbound.file(".ami"));
    bridge::ReplayOptions options;
    options.trace = write("cut.ami", bytes.substr(0, bytes.find("Event: HangupRequest")));
    const auto result = run(options);
    EXPECT_EQ(result.status, 0);
    const auto nodes = traces::lines(result.out);
    ASSERT_EQ(nodes.size(), 4U);
    EXPECT_EQ(traces::text(nodes[1]["notice"]["state"]), "answered");
    EXPECT_EQ(traces::text(nodes[2]["call"]["disposition"]), "null");
    EXPECT_EQ(traces::text(nodes[3]["leg"]["ended_ms"]), "null");
}

TEST_F(replay, a_trace_cut_anywhere_ends_without_a_second_end) {
    for (const traces::Trace& trace : {inbound, traces::Trace{"ami-traces", "13-group-pickup"},
                                       traces::Trace{"ami-traces", "11-attended-transfer-refer-replaces"},
                                       traces::Trace{"ami-traces-more", "22-m02-followme-confirm"}}) {
        const std::string bytes = read(trace.file(".ami"));
        for (std::size_t size = 40; size < bytes.size(); size += 1 + bytes.size() / 60) {
            bridge::ReplayOptions options;
            options.trace = write("cut.ami", bytes.substr(0, size));
            const auto result = run(options);
            ASSERT_EQ(result.status, 0) << result.err;
            std::map<std::string, int> ended;
            for (const YAML::Node& line : traces::lines(result.out))
                if (line["notice"] && traces::text(line["notice"]["state"]) == "ended")
                    ++ended[traces::text(line["notice"]["leg"])];
            for (const auto& [leg, count] : ended) EXPECT_EQ(count, 1) << leg;
        }
    }
}

// Lost, doubled and swapped blocks: nonsense in, but never a crash, and never two ends of one ring.
TEST_F(replay, damaged_traces_never_end_a_ring_twice) {
    unsigned random = 12345;
    const auto next = [&random] { return random = random * 1664525U + 1013904223U; };
    for (const traces::Trace& trace : traces::all()) {
        if (trace.name.starts_with("23") || std::filesystem::file_size(trace.file(".ami")) > 150000) continue;
        const std::string bytes = read(trace.file(".ami"));
        std::vector<std::string> blocks;
        std::size_t from = bytes.find("\r\n") + 2;
        const std::string banner = bytes.substr(0, from);
        for (std::size_t to = bytes.find("\r\n\r\n", from); to != std::string::npos;
             to = bytes.find("\r\n\r\n", from)) {
            blocks.push_back(bytes.substr(from, to + 4 - from));
            from = to + 4;
        }
        std::string damaged = banner;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            const unsigned what = (next() >> 16) % 20;
            if (what == 0) continue;
            if (what == 1) damaged += blocks[i];
            if (what == 2 && i > 5) damaged += blocks[i - 1 - (next() >> 16) % 5];
            damaged += blocks[i];
        }
        bridge::ReplayOptions options;
        options.trace = write("damaged.ami", damaged);
        const auto result = run(options);
        ASSERT_EQ(result.status, 0) << trace.name;
        std::map<std::pair<std::string, std::string>, int> ended;
        for (const YAML::Node& line : traces::lines(result.out)) {
            if (!line["notice"]) continue;
            const auto key =
                std::pair(traces::text(line["notice"]["to"]), traces::text(line["notice"]["leg"]));
            EXPECT_EQ(ended[key], 0) << trace.name << ": a notice after the end of " << key.second;
            if (traces::text(line["notice"]["state"]) == "ended") ++ended[key];
        }
    }
}

TEST_F(people, are_read_from_yaml) {
    const auto list = bridge::load_people(write("people.yaml",
                                                "[{jid: anna@example.org, pbx: hq, extension: \"201\"}, "
                                                "{jid: b@c, extension: 0202, name: B, active: false}]"));
    ASSERT_TRUE(list) << list.error();
    ASSERT_EQ(list->size(), 2U);
    EXPECT_EQ((*list)[0].jid, "anna@example.org");
    EXPECT_EQ((*list)[1].extension, "0202");
    EXPECT_FALSE((*list)[1].active);
    EXPECT_TRUE(bridge::load_people(write("empty.yaml", ""))->empty());
}

TEST_F(people, faults_name_file_and_line) {
    struct Case {
        const char* text;
        const char* says;
    };
    for (const Case& one :
         {Case{"- {jid: a@b, extension: \"1\"}\n- {jid: a@b}\n", ".yaml:2: a person needs jid and extension"},
          Case{"a: b\n", "not a list"}, Case{"- {jid: a@b, phone: 1}\n", "unknown key \"phone\""},
          Case{"- [\n", ".yaml:"}, Case{"- {jid: [1], extension: 1}", "jid is not a text"},
          Case{"- 201\n", "a person is a map"}}) {
        const auto list = bridge::load_people(write("bad.yaml", one.text));
        ASSERT_FALSE(list) << one.text;
        EXPECT_THAT(list.error(), HasSubstr(one.says));
    }
}

}  // namespace
