#include "bridge/control.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::ControlAnswer;
using bridge::read_control_request;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

TEST(control_request, is_a_verb_and_flat_values) {
    const auto request =
        read_control_request(R"({"verb":"explain","of":"anna@example.org","all":true,"most":12})");
    ASSERT_TRUE(request);
    EXPECT_EQ(request->verb, "explain");
    EXPECT_EQ(request->value("of"), "anna@example.org");
    EXPECT_TRUE(request->flag("all"));
    EXPECT_EQ(request->value("most"), "12");
    EXPECT_EQ(request->value("absent"), "");
    EXPECT_FALSE(request->flag("of"));
}

TEST(control_request, anything_else_is_refused_with_a_sentence) {
    struct Case {
        std::string line, text;
    };
    std::string many = R"({"verb":"x")";
    for (int i = 0; i < 20; ++i) many += ",\"k" + std::to_string(i) + "\":1";
    const Case cases[] = {
        {"", "a JSON object"},
        {"status", "a JSON object"},
        {"{", "a JSON object"},
        {"[]", "a JSON object"},
        {"null", "a JSON object"},
        {R"({"verb":"status"} {})", "a JSON object"},
        {std::string("{\"verb\":\"\xff\"}"), "a JSON object"},
        {std::string("\0\0\0", 3), "a JSON object"},
        {std::string(4000, '['), "a JSON object"},
        {std::string(2000, '[') + std::string(2000, ']'), "a JSON object"},
        {R"({"verb":"x","a":)" + std::string(1900, '[') + std::string(1900, ']') + "}", "every member"},
        {"{}", "\"verb\" is missing"},
        {R"({"verb":""})", "\"verb\" is missing"},
        {R"({"verb":["status"]})", "every member"},
        {R"({"verb":"status","of":{"a":1}})", "every member"},
        {R"({"verb":"status","of":null})", "every member"},
        {R"({"verb":"status","of":1.5})", "every member"},
        {R"({"verb":"sta\u0000tus"})", "control character"},
        {R"({"verb":"explain","of":"a\nb"})", "control character"},
        {R"({"verb":"explain","o\rf":"b"})", "control character"},
        {many + "}", "more than 16"},
    };
    for (const auto& one : cases) {
        const auto request = read_control_request(one.line);
        ASSERT_FALSE(request) << one.line;
        EXPECT_EQ(request.error().code, "bad-request");
        EXPECT_THAT(request.error().text, HasSubstr(one.text)) << one.line;
    }
}

struct Sink final : ControlAnswer::Port {
    std::vector<std::string> lines;
    bool listening = true;
    bool put(std::string line, bool last) override {
        lines.push_back(std::move(line) + (last ? " (last)" : ""));
        return listening;
    }
    void when_gone(std::function<void()> gone) override { gone(); }
};

TEST(control_answer, is_items_and_one_last_line) {
    auto sink = std::make_shared<Sink>();
    ControlAnswer answer(sink);
    EXPECT_TRUE(answer.item("1"));
    sink->listening = false;
    EXPECT_FALSE(answer.item(R"({"a":2})"));
    answer.done();
    answer.error("failed", "it said \"no\"");
    EXPECT_THAT(sink->lines,
                ElementsAre(R"({"item":1})", R"({"item":{"a":2}})", R"({"done":{}} (last))",
                            R"({"error": {"code": "failed", "text": "it said \"no\""}} (last))"));
}

TEST(control_answer, outlives_its_client) {
    auto sink = std::make_shared<Sink>();
    ControlAnswer answer(sink);
    sink.reset();
    EXPECT_FALSE(answer.item("1"));
    answer.done();
    answer.error("a", "b");
    answer.when_gone([] { FAIL(); });
}

}  // namespace
