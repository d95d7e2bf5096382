// Pseudonyms: an anonymised recording replays as the original does, and nothing of a person is left in it.
#include "bridge/anonymiser.hpp"

#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "bridge/cleaner.hpp"
#include "trace_files.hpp"

namespace {

using bridge::Anonymiser;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

// A message from its lines.
std::string block(std::initializer_list<const char*> lines) {
    std::string text;
    for (const char* line : lines) text += std::string(line) + "\r\n";
    return text + "\r\n";
}

std::string rewritten(Anonymiser& anonymiser, const std::string& bytes) {
    std::string out;
    bridge::BlockReader first("Asterisk Call Manager/11.0.0\r\n"), second("Asterisk Call Manager/11.0.0\r\n");
    first.read(bytes, [&](const ami::Message& message) { anonymiser.learn(message); });
    second.read(bytes, [&](const ami::Message& message) { out += anonymiser.rewrite(message); });
    return out;
}

std::string clean(const std::string& bytes) {
    std::string out;
    bridge::BlockReader reader("Asterisk Call Manager/11.0.0\r\n");
    reader.read(bytes, [&](const ami::Message& message) { out += bridge::without_secrets(message); });
    return out;
}

TEST(anonymiser, a_number_is_one_pseudonym_in_every_form_and_place) {
    Anonymiser a({.key = "k", .internal = {}});
    const std::string international = a.number("+447700900123"), national = a.number("07700900123");
    EXPECT_THAT(international, MatchesRegex("\\+4477[0-9]{8}"));
    EXPECT_THAT(national, MatchesRegex("077[0-9]{8}"));
    EXPECT_EQ(international.substr(5), national.substr(3));
    EXPECT_EQ(a.number("447700900123"), international.substr(1));
    EXPECT_EQ(a.number("00447700900123"), "00" + international.substr(1));
    EXPECT_EQ(a.number("PJSIP/+447700900123@trunk,30,tT"), "PJSIP/" + international + "@trunk,30,tT");
    EXPECT_EQ(a.number("Local/07700900123@out-0000000a;1"), "Local/" + national + "@out-0000000a;1");
    EXPECT_EQ(a.number("FMGL-07700900123#@from-internal"), "FMGL-" + national + "#@from-internal");
    EXPECT_NE(a.number("07700900124"), national);
    EXPECT_EQ(Anonymiser({.key = "k", .internal = {}}).number("07700900123"), national);
    EXPECT_NE(Anonymiser({.key = {}, .internal = {}}).number("07700900123"),
              Anonymiser({.key = {}, .internal = {}}).number("07700900123"));
}

TEST(anonymiser, no_two_numbers_become_one) {
    Anonymiser a({.key = "k", .internal = {}});
    std::set<std::string> seen;
    for (int i = 0; i < 5000; ++i)
        EXPECT_TRUE(seen.insert(a.number("0770" + std::to_string(1000000 + i))).second);
}

TEST(anonymiser, extensions_ids_and_words_stay) {
    Anonymiser a({.key = "k", .internal = [](std::string_view n) { return n.starts_with("900"); }});
    for (const char* text : {"201", "12345", "1795187329.0", "hq-1795187329.12", "PJSIP/201-00000123",
                             "Local/201@from-queue-00000123;2", "0d00c4cf-ade8-48f8-97f5-731878b77999", "s",
                             "900123456", "<unknown>", "*8"})
        EXPECT_EQ(a.number(text), text);
}

TEST(anonymiser, names_are_found_wherever_they_stand) {
    Anonymiser a({.key = "k", .internal = {}});
    const std::string out = rewritten(
        a,
        block({"Event: Newexten", "CallerIDName: <unknown>", "ConnectedLineName: unknown", "Context: Anna",
               "Application: Set", "AppData: CALLERID(name)=SALES:Anna Lee and 0207946020100"}) +
            block({"Event: VarSet", "Variable: note", "Value: please call Mister Brown back"}) +
            block({"Event: VarSet", "Variable: QUEUESTATUS", "Value: TIMEOUT"}) +
            block({"Event: Newstate", "CallerIDName: Anna Lee", "ConnectedLineName: Žofia", "Exten: 201"}) +
            block({"Event: AgentConnect", "MemberName: Peter", "Interface: PJSIP/203"}) +
            block({"Event: Cdr", "CallerID: \"Ann \\\"A\\\" Oh\" <07700900123>"}) +
            block({"Event: Status", "Variable: who=Ann \"A\" Oh", "CallerIDName: 07700900123"}) +
            block({"Event: UserEvent", "UserEvent: Note", "Text: Peter was here"}) +
            block({"Event: DTMFEnd", "Digit: 7"}));
    for (const char* word : {"Anna Lee", "Žofia", "Peter", "Oh", "07700900123", "Brown", "Digit: 7"})
        EXPECT_THAT(out, Not(HasSubstr(word)));
    for (const char* word : {"CallerIDName: <unknown>", "ConnectedLineName: unknown", "Context: Anna\r",
                             "AppData: CALLERID(name)=SALES:Name ", "Value: Text 1\r", "Value: TIMEOUT",
                             "Interface: PJSIP/203", "Digit: 0"})
        EXPECT_THAT(out, HasSubstr(word));
    // Escaped or not, it is the same person.
    const std::size_t cdr = out.find("CallerID: \"Name "), status = out.find("Variable: who=Name ");
    ASSERT_NE(cdr, std::string::npos) << out;
    ASSERT_NE(status, std::string::npos) << out;
    EXPECT_EQ(out.substr(cdr + 11, 6), out.substr(status + 14, 6));
}

TEST(secrets, are_taken_out_and_nothing_else) {
    EXPECT_EQ(clean(block({"Response: Success", "ActionID: 1", "Challenge: 123456"})), "");
    for (const auto& [name, message] : std::map<std::string, std::string>{
             {"hunter2",
              block({"Event: AuthDetail", "Username: 201", "Password: hunter2", "Md5Cred: hunter2"})},
             {"4711", block({"Event: Newexten", "Application: Authenticate", "AppData: 4711"})},
             {"tops", block({"Event: VarSet", "Variable: API_TOKEN", "Value: tops"}) +
                          block({"Event: Newexten", "Application: Set", "AppData: DB_PASSWORD=tops"}) +
                          block({"Event: Status", "Variable: auth_secret=tops"})}}) {
        EXPECT_THAT(clean(message), Not(HasSubstr(name)));
        EXPECT_THAT(clean(message), HasSubstr("redacted"));
    }
    const std::string plain =
        block({"Event: Newexten", "AccountCode: ", "AppData: a=b, c: d", "a line alone"});
    EXPECT_EQ(clean(plain), plain);
}

TEST(secrets, a_cleaner_gives_whole_messages_however_the_bytes_come) {
    const std::string bytes = "Asterisk Call Manager/11.0.0\r\n" +
                              block({"Response: Success", "Challenge: 1"}) + block({"Event: A", "X: y"}) +
                              block({"Event: B"});
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        bridge::Cleaner cleaner;
        std::string out;
        for (std::size_t at = 0; at < bytes.size(); at += size) out += cleaner.feed(bytes.substr(at, size));
        EXPECT_EQ(out,
                  "Asterisk Call Manager/11.0.0\r\n" + block({"Event: A", "X: y"}) + block({"Event: B"}));
        bridge::Cleaner late("Asterisk Call Manager/11.0.0\r\n");
        late.skip_rest();
        std::string rest;
        const std::string middle = bytes.substr(bytes.find("X: y"));
        for (std::size_t at = 0; at < middle.size(); at += size) rest += late.feed(middle.substr(at, size));
        EXPECT_EQ(rest, block({"Event: B"}));
    }
}

class anonymised : public testing::TestWithParam<traces::Trace> {
 protected:
    static std::string replayed(const std::filesystem::path& ami, const std::filesystem::path& times,
                                const std::function<std::string(std::string)>& map) {
        bridge::ReplayOptions options;
        options.trace = ami;
        options.times = times;
        options.operators = traces::people();
        std::ostringstream out, err;
        EXPECT_EQ(bridge::replay(options, out, err), 0) << err.str();
        // Every value of a line is mapped as the recording's are.
        std::string lines;
        for (const YAML::Node& line : traces::lines(out.str())) lines += flat(line, map) + "\n";
        return lines;
    }
    static std::string flat(const YAML::Node& node, const std::function<std::string(std::string)>& map) {
        if (!node.IsMap()) return map(traces::text(node));
        std::string text;
        for (const auto& pair : node)
            text += pair.first.Scalar() + "=" +
                    (pair.first.Scalar().ends_with("_ms") ? pair.second.Scalar() : flat(pair.second, map)) +
                    " ";
        return text;
    }
};

TEST_P(anonymised, replays_as_the_original_and_holds_nothing_of_a_person) {
    const auto trace = bridge::Trace::load(GetParam().file(".ami"), GetParam().file(".times"));
    ASSERT_TRUE(trace) << trace.error();
    const auto result = bridge::anonymise(*trace, {.key = "test", .internal = {}});

    Anonymiser reference({.key = "test", .internal = {}});
    std::set<std::string> people, numbers;
    bridge::BlockReader reader(trace->banner());
    for (const auto& one : trace->blocks())
        reader.read(one.bytes, [&](const ami::Message& message) {
            reference.learn(message);
            for (const ami::Header& header : message.headers()) {
                if (header.name.ends_with("Name") &&
                    (header.name.contains("CallerID") || header.name.contains("Connected") ||
                     (header.name == "MemberName" && header.value != message.get("Interface"))))
                    people.emplace(header.value);
                if (!header.name.ends_with("Num") && !header.name.ends_with("Exten")) continue;
                const std::size_t digit = header.value.find_first_of("0123456789");
                if (digit == std::string_view::npos) continue;
                const std::string_view run = header.value.substr(digit);
                if (run.find_first_not_of("0123456789") == std::string_view::npos && run.size() >= 6)
                    numbers.emplace(run);
            }
        });
    for (const std::string& number : numbers) EXPECT_FALSE(result.bytes.contains(number)) << number;
    for (const std::string& name : people)
        if (name.size() >= 3 && reference.name(name) != name) {
            EXPECT_FALSE(result.bytes.contains(name)) << name;
        }

    const std::string base = testing::TempDir() + traces::test_name(GetParam());
    std::ofstream(base + ".ami", std::ios::binary) << result.bytes;
    std::ofstream(base + ".times", std::ios::binary) << result.times;
    const auto map = [&](const std::string& text) {
        return text.find("@example.org") == std::string::npos ? reference.name(text) : text;
    };
    EXPECT_EQ(replayed(base + ".ami", base + ".times", [](const std::string& text) { return text; }),
              replayed(GetParam().file(".ami"), GetParam().file(".times"), map));
    std::filesystem::remove(base + ".ami");
    std::filesystem::remove(base + ".times");
}

INSTANTIATE_TEST_SUITE_P(traces, anonymised, testing::ValuesIn(traces::all()), traces::named_after);

}  // namespace
