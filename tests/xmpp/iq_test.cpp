// What the component answers, to whom, and that it always does, exactly once and with `from`.
#include <gmock/gmock.h>

#include "tests/xmpp/fixture.hpp"

namespace xmpp::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

constexpr auto ours = "urn:ctibridge:1";

std::string iq(const std::string& type, const std::string& payload,
               const std::string& from = "anna@example.org/desk", const std::string& to = "cti.example.org") {
    return "<iq type='" + type + "' from='" + from + "' to='" + to + "' id='q1'>" + payload + "</iq>";
}

std::vector<std::string> features(pugi::xml_node answer) {
    std::vector<std::string> names;
    for (const auto feature : answer.child("query").children("feature"))
        names.emplace_back(feature.attribute("var").value());
    return names;
}

struct Asked {
    std::string name, type, payload, answer;  // answer: the condition of an error, else "result"
    std::string to = "cti.example.org";
};

class Answering : public ComponentTest, public ::testing::WithParamInterface<Asked> {};

TEST_P(Answering, every_request_with_all_addresses) {
    table.on(ours, "calls", false, [](const Iq&, const Responder& responder) {
        responder.result("<calls xmlns='urn:ctibridge:1'/>");
    });
    up();
    const auto sent = answer(iq(GetParam().type, GetParam().payload, "anna@example.org/desk", GetParam().to));
    EXPECT_EQ(sent.attribute("from").value(), GetParam().to);
    EXPECT_STREQ(sent.attribute("to").value(), "anna@example.org/desk");
    EXPECT_STREQ(sent.attribute("id").value(), "q1");
    if (GetParam().answer == "result") {
        EXPECT_STREQ(sent.attribute("type").value(), "result");
    } else {
        EXPECT_EQ(condition(sent), GetParam().answer);
    }
}

INSTANTIATE_TEST_SUITE_P(
    requests, Answering,
    ::testing::Values(
        Asked{"info", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "result"},
        Asked{"info_of_commands", "get",
              "<query xmlns='http://jabber.org/protocol/disco#info' "
              "node='http://jabber.org/protocol/commands'/>",
              "result"},
        Asked{"info_of_no_node", "get",
              "<query xmlns='http://jabber.org/protocol/disco#info' node='http://x.org/caps#1='/>",
              "item-not-found"},
        Asked{"items", "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", "result"},
        Asked{"items_of_commands", "get",
              "<query xmlns='http://jabber.org/protocol/disco#items' "
              "node='http://jabber.org/protocol/commands'/>",
              "result"},
        Asked{"items_of_no_node", "get", "<query xmlns='http://jabber.org/protocol/disco#items' node='x'/>",
              "item-not-found"},
        Asked{"version", "get", "<query xmlns='jabber:iq:version'/>", "result"},
        Asked{"last", "get", "<query xmlns='jabber:iq:last'/>", "result"},
        Asked{"last_of_a_line", "get", "<query xmlns='jabber:iq:last'/>", "service-unavailable",
              "201@cti.example.org"},
        Asked{"ping", "get", "<ping xmlns='urn:xmpp:ping'/>", "result"},
        Asked{"ping_of_a_line", "get", "<ping xmlns='urn:xmpp:ping'/>", "result", "201@cti.example.org"},
        Asked{"ping_set", "set", "<ping xmlns='urn:xmpp:ping'/>", "not-allowed"},
        Asked{"command", "set",
              "<command xmlns='http://jabber.org/protocol/commands' node='dial' action='execute'/>",
              "service-unavailable"},
        Asked{"vcard", "get", "<vCard xmlns='vcard-temp'/>", "service-unavailable"},
        Asked{"register_set", "set", "<query xmlns='jabber:iq:register'/>", "service-unavailable"},
        Asked{"empty", "get", "", "bad-request"}, Asked{"text_only", "set", "hello", "bad-request"},
        Asked{"no_such_type", "put", "<ping xmlns='urn:xmpp:ping'/>", "bad-request"},
        Asked{"ours", "get", "<calls xmlns='urn:ctibridge:1'/>", "result"},
        Asked{"ours_with_a_prefix", "get", "<c:calls xmlns:c='urn:ctibridge:1'/>", "result"},
        Asked{"ours_but_an_order", "set", "<calls xmlns='urn:ctibridge:1'/>", "bad-request"},
        Asked{"ours_but_unknown", "set", "<launch xmlns='urn:ctibridge:1'/>", "feature-not-implemented"},
        Asked{"without_namespace", "get", "<calls/>", "service-unavailable"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(ComponentTest, is_named_phone_first_so_that_openfire_lists_it_for_spark) {
    table.on(ours, "calls", false, [](const Iq&, const Responder& responder) { responder.result(); });
    up();
    const auto sent =
        answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "component.example.org"));
    const auto first = sent.child("query").first_child();
    EXPECT_STREQ(first.name(), "identity");
    EXPECT_STREQ(first.attribute("category").value(), "directory");
    EXPECT_STREQ(first.attribute("type").value(), "phone");
    EXPECT_STREQ(first.attribute("name").value(), "phone");
    EXPECT_THAT(features(sent),
                ElementsAre("http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
                            "jabber:iq:version", "jabber:iq:last", "urn:xmpp:ping", ours));
}

TEST_F(ComponentTest, has_another_name_when_spark_is_not_wanted) {
    config.spark = false;
    up();
    const auto sent = answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"));
    EXPECT_STREQ(sent.child("query").first_child().attribute("name").value(), "ctibridge");
    EXPECT_EQ(
        condition(answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='anna'/>"))),
        "item-not-found");
}

TEST_F(ComponentTest, tells_spark_who_has_a_phone) {
    up();
    for (const std::string node : {"anna", "anna@example.org"}) {
        handler.has_phone = true;
        const auto with =
            answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='" + node + "'/>"));
        EXPECT_EQ(with.child("query").attribute("node").value(), node);
        EXPECT_THAT(features(with), Contains("http://jivesoftware.com/phone"));
        EXPECT_EQ(handler.phone_queries.back(), std::pair(std::string("anna@example.org/desk"), node));
        handler.has_phone = false;
        const auto without =
            answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='" + node + "'/>"));
        EXPECT_THAT(features(without), ElementsAre("http://jabber.org/protocol/disco#info"));
    }
}

TEST_F(ComponentTest, does_not_tell_strangers_who_has_a_phone) {
    handler.has_phone = true;
    up();
    const auto sent = answer(iq("get", "<query xmlns='http://jabber.org/protocol/disco#info' node='anna'/>",
                                "eve@elsewhere.net/x"));
    EXPECT_THAT(features(sent), ElementsAre("http://jabber.org/protocol/disco#info"));
    EXPECT_TRUE(handler.phone_queries.empty());
}

TEST_F(ComponentTest, tells_version_and_uptime) {
    up();
    now = 3723000ms;
    EXPECT_STREQ(
        answer(iq("get", "<query xmlns='jabber:iq:last'/>")).child("query").attribute("seconds").value(),
        "3723");
    EXPECT_STREQ(
        answer(iq("get", "<query xmlns='jabber:iq:version'/>")).child("query").child("name").text().get(),
        "ctibridge");
}

TEST_F(ComponentTest, hands_a_request_to_its_row_of_the_table) {
    std::vector<std::string> seen;
    table.on(ours, "dial", true, [&](const Iq& request, const Responder& responder) {
        seen.push_back(request.from + " " + request.bare + " " + request.to + " " + request.id + " " +
                       request.payload.attribute("number").value() + " " +
                       request.payload.child("record").attribute("id").value());
        responder.error(Condition::not_acceptable, "Not there.",
                        "<denied xmlns='urn:ctibridge:1' rule='deny +449*'/>");
    });
    up();
    const auto sent =
        answer(iq("set", "<dial xmlns='urn:ctibridge:1' number='+447700900456'><record id='12'/></dial>",
                  "Anna@Example.org/Desk"));
    EXPECT_THAT(seen,
                ElementsAre("Anna@Example.org/Desk anna@example.org cti.example.org q1 +447700900456 12"));
    EXPECT_EQ(condition(sent), "not-acceptable");
    EXPECT_STREQ(sent.child("error").attribute("type").value(), "modify");
    EXPECT_STREQ(sent.child("error").child("denied").attribute("rule").value(), "deny +449*");
}

TEST_F(ComponentTest, answers_once_however_often_the_responder_is_used) {
    table.on(ours, "calls", false, [](const Iq&, const Responder& responder) {
        responder.result("<calls xmlns='urn:ctibridge:1'/>");
        responder.error(Condition::forbidden, "no");
    });
    up();
    EXPECT_STREQ(answer(iq("get", "<calls xmlns='urn:ctibridge:1'/>")).attribute("type").value(), "result");
}

TEST_F(ComponentTest, a_forgotten_request_is_an_error_not_silence) {
    std::vector<Responder> kept;
    table.on(ours, "calls", false, [&](const Iq&, const Responder& responder) { kept.push_back(responder); });
    up();
    give(iq("get", "<calls xmlns='urn:ctibridge:1'/>"));
    EXPECT_EQ(component().take_output(), "");
    kept.clear();
    EXPECT_EQ(condition(only_output()), "internal-server-error");
}

TEST_F(ComponentTest, an_answer_to_a_stream_that_is_gone_is_dropped) {
    std::vector<Responder> kept;
    table.on(ours, "calls", false, [&](const Iq&, const Responder& responder) { kept.push_back(responder); });
    up();
    give(iq("get", "<calls xmlns='urn:ctibridge:1'/>"));
    component().closed("reset", now);
    kept[0].result();
    EXPECT_EQ(component().take_output(), "</stream:stream>");
}

TEST_F(ComponentTest, refuses_strangers_what_is_for_operators) {
    bool asked = false;
    table.on(ours, "dial", true, [&](const Iq&, const Responder& responder) {
        asked = true;
        responder.result();
    });
    up();
    for (const std::string from :
         {"eve@elsewhere.net/x", "elsewhere.net", "eve@sub.example.org/x", "eve@notexample.org"}) {
        EXPECT_EQ(condition(answer(iq("set", "<dial xmlns='urn:ctibridge:1' number='1'/>", from))),
                  "forbidden")
            << from;
    }
    EXPECT_FALSE(asked);
    EXPECT_EQ(component().counters().foreign, 4U);
}

TEST_F(ComponentTest, drops_and_counts_an_impossible_sender) {
    up();
    for (const std::string from :
         {"", "@example.org", "anna@", "anna@example.org/", "a b@example.org", "cti.example.org",
          "x@cti.example.org/y", "anna@bob@example.org", "anna@&lt;x&gt;"}) {
        give(iq("get", "<ping xmlns='urn:xmpp:ping'/>", from));
        give("<message from='" + from + "' to='cti.example.org'><body>x</body></message>");
    }
    give("<iq type='get' to='cti.example.org' id='1'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(component().take_output(), "");
    EXPECT_TRUE(handler.messages.empty());
    EXPECT_EQ(component().counters().impossible, 19U);
}

TEST_F(ComponentTest, drops_messages_and_presence_of_strangers) {
    up();
    give(
        "<message from='eve@elsewhere.net/x' to='cti.example.org'><body>x</body></message><presence "
        "from='eve@elsewhere.net/x' to='cti.example.org'/>");
    EXPECT_TRUE(handler.messages.empty());
    EXPECT_TRUE(handler.presences.empty());
    EXPECT_EQ(component().counters().foreign, 2U);
}

TEST_F(ComponentTest, never_answers_errors_and_results) {
    up();
    give(
        iq("error", "<error type='cancel'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"));
    give(iq("result", "<query xmlns='jabber:iq:version'/>"));
    give("<message type='error' from='anna@example.org' to='cti.example.org'><error/></message>");
    give("<presence type='error' from='anna@example.org' to='cti.example.org'><error/></presence>");
    EXPECT_EQ(component().take_output(), "");
    EXPECT_TRUE(handler.messages.empty());
    EXPECT_TRUE(handler.presences.empty());
    EXPECT_EQ(component().counters().errors, 4U);
}

TEST_F(ComponentTest, does_not_answer_for_others) {
    up();
    give(iq("get", "<ping xmlns='urn:xmpp:ping'/>", "anna@example.org/desk", "other.example.org"));
    EXPECT_EQ(component().take_output(), "");
    EXPECT_EQ(component().counters().misdirected, 1U);
}

TEST_F(ComponentTest, passes_presence_on) {
    up();
    give(
        "<presence from='Anna@example.org/Console' "
        "to='cti.example.org'><show>away</show><status>lunch</status><priority>-5</priority></presence>"
        "<presence type='unavailable' from='anna@example.org/Console' to='cti.example.org'/>");
    ASSERT_EQ(handler.presences.size(), 2U);
    const auto& first = handler.presences[0];
    EXPECT_EQ(first.from, "Anna@example.org/Console");
    EXPECT_EQ(first.bare, "anna@example.org");
    EXPECT_EQ(first.type, "");
    EXPECT_EQ(first.show, "away");
    EXPECT_EQ(first.status, "lunch");
    EXPECT_EQ(first.priority, -5);
    EXPECT_EQ(handler.presences[1].type, "unavailable");
}

TEST_F(ComponentTest, passes_messages_on) {
    up();
    give(
        "<message type='chat' from='anna@example.org/c' to='pbx@cti.example.org'><body>call "
        "&lt;201&gt;</body></message>");
    ASSERT_EQ(handler.messages.size(), 1U);
    EXPECT_EQ(handler.messages[0].to, "pbx@cti.example.org");
    EXPECT_EQ(handler.messages[0].body, "call <201>");
}

}  // namespace
}  // namespace xmpp::test
