// Commands of standard clients: who is offered which, forms and their answers, sessions.
#include "xmpp/adhoc.hpp"

#include <gmock/gmock.h>

#include "tests/xmpp/fixture.hpp"

namespace xmpp::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string iq(const std::string& type, const std::string& payload,
               const std::string& from = "anna@example.org/desk") {
    return "<iq type='" + type + "' from='" + from + "' to='cti.example.org' id='q1'>" + payload + "</iq>";
}
std::string command(const std::string& attributes, const std::string& inside = {}) {
    return "<command xmlns='http://jabber.org/protocol/commands' " + attributes + ">" + inside + "</command>";
}
std::string submitted(const std::string& var, const std::string& value) {
    return "<x xmlns='jabber:x:data' type='submit'><field var='" + var + "'><value>" + value +
           "</value></field></x>";
}

class AdHoc : public ComponentTest {
 protected:
    void SetUp() override {
        commands.add({.node = "ready",
                      .name = "Ready for calls",
                      .offered = [](const std::string&) { return true; },
                      .form = {},
                      .run =
                          [this](const CommandCall& call, auto done) {
                              calls.push_back(call);
                              done({true, "You are ready.", {}});
                          }});
        commands.add({.node = "pause",
                      .name = "Not ready",
                      .offered = [](const std::string& bare) { return bare == "anna@example.org"; },
                      .form =
                          [](const std::string&) {
                              return Form{.title = "Pause",
                                          .instructions = {},
                                          .fields = {{.var = "reason",
                                                      .label = "Reason",
                                                      .type = "list-single",
                                                      .required = true,
                                                      .options = {{"lunch", "Lunch"}, {"tea", "Tea <&>"}}}}};
                          },
                      .run =
                          [this](const CommandCall& call, auto done) {
                              calls.push_back(call);
                              later = done;
                          }});
        commands.add(
            {.node = "list",
             .name = "A list",
             .offered = [](const std::string&) { return true; },
             .form = {},
             .run =
                 [](const CommandCall&, auto done) {
                     done({true, {}, {.title = "T", .columns = {{"a", "A"}}, .rows = {{"1"}, {"<2>"}}}});
                 }});
        commands.fill(table);
        up();
    }
    std::vector<std::string> nodes(const std::string& from) {
        std::vector<std::string> found;
        const auto sent = answer(iq("get",
                                    "<query xmlns='http://jabber.org/protocol/disco#items' "
                                    "node='http://jabber.org/protocol/commands'/>",
                                    from));
        for (const auto item : sent.child("query").children("item"))
            found.emplace_back(item.attribute("node").value());
        return found;
    }
    pugi::xml_node run(const std::string& attributes, const std::string& inside = {},
                       const std::string& from = "anna@example.org/desk") {
        return answer(iq("set", command(attributes, inside), from));
    }

    Commands commands;
    std::vector<CommandCall> calls;
    std::function<void(CommandResult)> later;
};

TEST_F(AdHoc, everybody_sees_what_is_theirs_and_strangers_nothing) {
    EXPECT_THAT(nodes("anna@example.org/desk"), ElementsAre("ready", "pause", "list"));
    EXPECT_THAT(nodes("boris@example.org/desk"), ElementsAre("ready", "list"));
    EXPECT_THAT(nodes("eve@elsewhere.net/x"), IsEmpty());
}

TEST_F(AdHoc, a_command_is_described) {
    const auto sent =
        answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='ready'/>"));
    const auto identity = sent.child("query").child("identity");
    EXPECT_STREQ(identity.attribute("type").value(), "command-node");
    EXPECT_STREQ(identity.attribute("name").value(), "Ready for calls");
}

TEST_F(AdHoc, without_a_form_it_runs_at_once) {
    const auto done = run("node='ready'").child("command");
    EXPECT_STREQ(done.attribute("status").value(), "completed");
    EXPECT_STREQ(done.child("note").text().get(), "You are ready.");
    EXPECT_STREQ(done.child("note").attribute("type").value(), "info");
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].bare, "anna@example.org");
    EXPECT_EQ(calls[0].from, "anna@example.org/desk");
}

TEST_F(AdHoc, a_form_is_asked_for_and_its_values_are_given_to_the_command) {
    const auto asked = run("node='pause' action='execute'").child("command");
    EXPECT_STREQ(asked.attribute("status").value(), "executing");
    EXPECT_STREQ(asked.child("x").child("field").attribute("type").value(), "list-single");
    EXPECT_STREQ(asked.child("x").child("field").last_child().attribute("label").value(), "Tea <&>");
    const std::string session = asked.attribute("sessionid").value();
    ASSERT_FALSE(session.empty());
    EXPECT_THAT(calls, IsEmpty());
    give(iq("set", command("node='pause' action='complete' sessionid='" + session + "'",
                           submitted("reason", "lunch"))));
    ASSERT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls[0].value("reason"), "lunch");
    EXPECT_EQ(component().take_output(), "") << "the answer is given when it is done";
    later({false, "no such queue", {}});
    later({true, "twice", {}});
    const auto text = component().take_output();
    EXPECT_THAT(text, HasSubstr("<note type='error'>no such queue</note>"));
    EXPECT_THAT(text, Not(HasSubstr("twice")));
}

TEST_F(AdHoc, what_does_not_fit_the_form_does_not_reach_the_command) {
    EXPECT_THAT(
        run("node='pause'", submitted("reason", "siesta")).child("command").child("note").text().get(),
        HasSubstr("none of the choices"));
    EXPECT_THAT(run("node='pause'", submitted("other", "lunch")).child("command").child("note").text().get(),
                HasSubstr("is missing"));
    EXPECT_THAT(calls, IsEmpty());
}

TEST_F(AdHoc, a_session_is_of_the_client_that_opened_it_and_serves_once) {
    const std::string session = run("node='pause'").child("command").attribute("sessionid").value();
    const auto with = "node='pause' sessionid='" + session + "'";
    EXPECT_EQ(condition(run(with, submitted("reason", "tea"), "anna@example.org/other")), "bad-request");
    EXPECT_EQ(condition(run(with)), "bad-request") << "without its form";
    give(iq("set", command(with, submitted("reason", "tea"))));
    ASSERT_EQ(calls.size(), 1U);
    later({});
    EXPECT_NE(component().take_output(), "");
    EXPECT_EQ(condition(run(with, submitted("reason", "tea"))), "bad-request");
}

TEST_F(AdHoc, a_cancelled_session_is_over) {
    const std::string session = run("node='pause'").child("command").attribute("sessionid").value();
    const auto with = "node='pause' sessionid='" + session + "'";
    EXPECT_STREQ(run(with + " action='cancel'").child("command").attribute("status").value(), "canceled");
    EXPECT_EQ(condition(run(with, submitted("reason", "tea"))), "bad-request");
}

TEST_F(AdHoc, refusals_name_their_condition) {
    EXPECT_EQ(condition(run("node='nothing'")), "item-not-found");
    EXPECT_EQ(condition(run("node='pause'", {}, "boris@example.org/desk")), "forbidden");
    EXPECT_EQ(condition(run("node='ready'", {}, "eve@elsewhere.net/x")), "forbidden");
    EXPECT_EQ(condition(run("node='ready' action='prev'")), "bad-request");
    EXPECT_THAT(calls, IsEmpty());
}

TEST_F(AdHoc, a_command_that_is_dropped_answers_all_the_same) {
    give(iq("set", command("node='pause'", submitted("reason", "tea"))));
    later = nullptr;
    EXPECT_THAT(component().take_output(), HasSubstr("internal-server-error"));
}

TEST_F(AdHoc, a_table_is_a_result_form) {
    const auto x = run("node='list'").child("command").child("x");
    EXPECT_STREQ(x.attribute("type").value(), "result");
    EXPECT_STREQ(x.child("reported").child("field").attribute("label").value(), "A");
    std::vector<std::string> rows;
    for (const auto item : x.children("item"))
        rows.emplace_back(item.child("field").child("value").text().get());
    EXPECT_THAT(rows, ElementsAre("1", "<2>"));
}

}  // namespace
}  // namespace xmpp::test
