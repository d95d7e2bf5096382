// The life of a stream: handshake, failures and what they are called, own pings, marks.
#include <gmock/gmock.h>

#include "tests/xmpp/fixture.hpp"

namespace xmpp::test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(ComponentTest, shakes_hands_with_the_digest_of_stream_id_and_secret) {
    open();
    EXPECT_THAT(opening, HasSubstr("to='cti.example.org'"));
    EXPECT_THAT(opening, HasSubstr("xmlns='jabber:component:accept'"));
    EXPECT_THAT(handshake,
                HasSubstr(">a984b871214a298f0f743fcd25f99b10838ba12b<"));  // sha1("3BF96D32s3cret")
    EXPECT_EQ(component().state(), StreamState::handshake);
    give("<handshake/>");
    EXPECT_EQ(component().state(), StreamState::up);
    ASSERT_EQ(handler.states.size(), 2U);
    EXPECT_EQ(handler.states[1].first, StreamState::up);
}

TEST_F(ComponentTest, gives_up_when_the_handshake_is_not_answered) {
    open();
    EXPECT_EQ(component().next_deadline(), now + config.handshake_deadline);
    component().tick(now + config.handshake_deadline - 1ms);
    EXPECT_FALSE(component().wants_close());
    component().tick(now + config.handshake_deadline);
    EXPECT_TRUE(component().wants_close());
    EXPECT_EQ(component().failure(), Failure::network);
    EXPECT_THAT(component().detail(), HasSubstr("handshake"));
}

TEST_F(ComponentTest, sends_and_hears_nothing_before_the_handshake) {
    open();
    EXPECT_FALSE(component().send("<message from='cti.example.org' to='anna@example.org'/>"));
    give(
        "<iq type='get' from='anna@example.org/r' to='cti.example.org' id='1'><ping "
        "xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(component().take_output(), "");
}

struct StreamError {
    std::string name, xml;
    bool after_handshake;
    Failure failure;
};

class Failing : public ComponentTest, public ::testing::WithParamInterface<StreamError> {};

TEST_P(Failing, is_classified) {
    const auto& param = GetParam();
    if (param.after_handshake) {
        up();
        give(param.xml);
    } else {
        component().opened(now);
        give(param.xml.starts_with("<?xml") ? param.xml : header + param.xml);
    }
    EXPECT_EQ(component().state(), StreamState::closed);
    EXPECT_TRUE(component().wants_close());
    EXPECT_EQ(component().failure(), param.failure) << component().detail();
    EXPECT_FALSE(component().detail().empty());
    const auto notified = handler.states.size();
    component().closed("end of file", now);
    EXPECT_EQ(handler.states.size(), notified) << "the state is told once";
    EXPECT_EQ(component().failure(), param.failure) << "the close that follows changes nothing";
}

TEST_F(ComponentTest, a_stream_error_after_a_header_without_id_knows_better) {
    component().opened(now);
    give(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams'>",
        7);
    EXPECT_EQ(component().state(), StreamState::handshake) << "a stream error may follow";
    give(
        "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
        "</stream:stream>");
    EXPECT_EQ(component().failure(), Failure::credentials);
}

TEST_F(ComponentTest, a_header_without_id_and_the_end_tag_is_openfires_conflict_too) {
    component().opened(now);
    give(
        "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams'>"
        "</stream:stream>");
    EXPECT_EQ(component().failure(), Failure::conflict);
}

std::string stream_error(const std::string& condition, const std::string& text = "") {
    return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>" +
           (text.empty() ? "" : "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>" + text + "</text>") +
           "</stream:error></stream:stream>";
}

INSTANTIATE_TEST_SUITE_P(
    servers, Failing,
    ::testing::Values(
        StreamError{"prosody_wrong_secret",
                    stream_error("not-authorized", "Given token does not match calculated token"), false,
                    Failure::credentials},
        StreamError{"ejabberd_wrong_secret", stream_error("not-authorized"), false, Failure::credentials},
        StreamError{"prosody_unknown_name",
                    "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
                    "xmlns='jabber:component:accept' id=''>" +
                        stream_error("host-unknown",
                                     "cti.example.org does not match any configured external components"),
                    false, Failure::credentials},
        StreamError{"openfire_without_secret", stream_error("internal-server-error"), false,
                    Failure::credentials},
        StreamError{"second_connection", stream_error("conflict", "Component already connected"), false,
                    Failure::conflict},
        StreamError{"replaced", stream_error("conflict", "Replaced by a new connection"), true,
                    Failure::conflict},
        StreamError{"openfire_idle", stream_error("connection-timeout"), true, Failure::network},
        StreamError{"shutdown", stream_error("system-shutdown"), true, Failure::network},
        StreamError{"server_fault", stream_error("internal-server-error"), true, Failure::network},
        StreamError{"our_stanza_refused", stream_error("not-well-formed"), true, Failure::protocol},
        StreamError{"too_large", stream_error("policy-violation", "Maximum stanza length exceeded"), true,
                    Failure::protocol},
        StreamError{"end_tag", "</stream:stream>", true, Failure::network},
        StreamError{"http_server", "<?xml?>HTTP/1.1 400 Bad Request\r\n\r\n", false, Failure::protocol},
        StreamError{"broken_xml", "<message <", true, Failure::protocol},
        StreamError{"wrong_end_tag",
                    "<message from='a@example.org/r' to='cti.example.org'><body></message></body>", true,
                    Failure::protocol}),
    [](const auto& param_info) { return param_info.param.name; });

TEST_F(ComponentTest, names_the_remedy_of_a_wrong_secret) {
    open();
    give(stream_error("not-authorized", "Given token does not match calculated token"));
    EXPECT_THAT(component().detail(), HasSubstr("Given token does not match"));
    EXPECT_THAT(component().detail(), HasSubstr("xmpp.secret"));
}

TEST_F(ComponentTest, a_header_without_id_and_a_close_is_openfires_conflict) {
    component().opened(now);
    give(
        "<?xml version='1.0' encoding='UTF-8'?><stream:stream "
        "xmlns:stream='http://etherx.jabber.org/streams' "
        "xmlns='jabber:component:accept' from='cti.example.org'>");
    component().closed("the peer closed the connection", now);
    EXPECT_EQ(component().failure(), Failure::conflict);
    EXPECT_THAT(component().detail(), HasSubstr("another connection has this component's name"));
}

TEST_F(ComponentTest, a_close_after_a_header_with_id_is_the_network) {
    open();
    component().closed("the peer closed the connection", now);
    EXPECT_EQ(component().failure(), Failure::network);
}

TEST_F(ComponentTest, loses_the_link_when_the_connection_closes) {
    up();
    component().closed("connection reset", now);
    EXPECT_EQ(component().failure(), Failure::network);
    EXPECT_EQ(handler.states.back(), std::pair(StreamState::closed, std::string("connection reset")));
    EXPECT_EQ(component().next_deadline(), Millis::max());
}

TEST_F(ComponentTest, ends_the_stream_when_told_to_stop) {
    up();
    component().stop();
    EXPECT_EQ(component().take_output(), "</stream:stream>");
    EXPECT_TRUE(component().wants_close());
    EXPECT_FALSE(component().send("<x/>"));
}

// ---- pings

std::string id_of(pugi::xml_node iq) {
    return iq.attribute("id").value();
}

TEST_F(ComponentTest, pings_the_server_and_is_content_with_any_answer) {
    for (const std::string& type : {std::string("result"), std::string("error")}) {
        if (component().state() == StreamState::closed) up();
        now = component().next_deadline();
        component().tick(now);
        const auto ping = only_output();
        EXPECT_STREQ(ping.attribute("to").value(), "example.org");
        EXPECT_STREQ(ping.attribute("from").value(), "cti.example.org");
        EXPECT_STREQ(ping.child("ping").attribute("xmlns").value(), "urn:xmpp:ping");
        EXPECT_EQ(component().next_deadline(), now + config.ping_deadline);
        give("<iq type='" + type + "' from='example.org' to='cti.example.org' id='" + id_of(ping) + "'/>");
        EXPECT_EQ(component().next_deadline(), now + config.ping_interval);
    }
}

TEST_F(ComponentTest, closes_when_a_ping_is_not_answered) {
    up();
    now = component().next_deadline();
    component().tick(now);
    component().tick(now + config.ping_deadline - 1ms);
    EXPECT_EQ(component().state(), StreamState::up);
    component().tick(now + config.ping_deadline);
    EXPECT_EQ(component().state(), StreamState::closed);
    EXPECT_EQ(component().failure(), Failure::network);
    EXPECT_THAT(component().detail(), HasSubstr("ping"));
}

TEST_F(ComponentTest, does_not_take_a_pong_from_a_user) {
    up();
    now = component().next_deadline();
    component().tick(now);
    give("<iq type='result' from='mallory@example.org/r' to='cti.example.org' id='" + id_of(only_output()) +
         "'/>");
    EXPECT_EQ(component().counters().impossible, 1U);
    component().tick(now + config.ping_deadline);
    EXPECT_EQ(component().state(), StreamState::closed);
}

TEST_F(ComponentTest, marks_what_the_server_has_read) {
    up();
    std::vector<std::string> log;
    EXPECT_TRUE(component().send("<message from='cti.example.org' to='anna@example.org' id='1'/>"));
    component().mark([&](bool read) { log.push_back(read ? "first read" : "first lost"); });
    component().mark([&](bool read) { log.push_back(read ? "again read" : "again lost"); });
    EXPECT_TRUE(component().send("<message from='cti.example.org' to='anna@example.org' id='2'/>"));
    component().mark([&](bool read) { log.push_back(read ? "second read" : "second lost"); });
    const auto sent = stanzas(component().take_output());
    ASSERT_EQ(sent.size(), 4U) << "the two marks behind the same stanza share a ping";
    EXPECT_THAT(sent[0], StartsWith("<message"));
    pugi::xml_document ping;
    ping.load_string(sent[1].c_str());
    give("<iq type='result' from='example.org' to='cti.example.org' id='" + id_of(ping.first_child()) +
         "'/>");
    EXPECT_EQ(log, (std::vector<std::string>{"first read", "again read"}));
    component().closed("reset", now);
    EXPECT_EQ(log.back(), "second lost");
    EXPECT_EQ(log.size(), 3U);
}

TEST_F(ComponentTest, a_mark_set_after_a_long_silence_has_its_full_deadline) {
    config.ping_interval = 1h;
    up();
    const auto later = now + 600s;
    component().mark([](bool) {});  // the sender has no clock
    EXPECT_LE(component().next_deadline(), later) << "so that a tick sets the deadline";
    component().tick(later);
    EXPECT_EQ(component().state(), StreamState::up);
    EXPECT_EQ(component().next_deadline(), later + config.ping_deadline);
}

TEST_F(ComponentTest, marks_on_a_closed_stream_are_lost_at_once) {
    up();
    component().closed("reset", now);
    bool lost = false;
    component().mark([&](bool read) { lost = !read; });
    EXPECT_TRUE(lost);
}

// ---- asking others

TEST_F(ComponentTest, asks_another_entity_and_reads_the_answer) {
    up();
    std::vector<std::string> log;
    const auto keep = [&](const IqAnswer& answer) {
        const std::string kind[] = {"result", "error", "timeout", "lost"};
        log.push_back(kind[static_cast<int>(answer.kind)] + " " + answer.condition + answer.payload.name());
    };
    component().request("anna@example.org/Spark", false, "<ping xmlns='urn:xmpp:ping'/>", keep);
    auto iq = only_output();
    EXPECT_STREQ(iq.attribute("to").value(), "anna@example.org/Spark");
    const auto id = id_of(iq);
    give("<iq type='result' from='anna@example.org/other' to='cti.example.org' id='" + id +
         "'><x xmlns='y'/></iq>");
    EXPECT_TRUE(log.empty()) << "another resource has no say";
    give("<iq type='result' from='anna@example.org/Spark' to='cti.example.org' id='" + id +
         "'><x xmlns='y'/></iq>");
    component().request("bob@example.org/gone", false, "<ping xmlns='urn:xmpp:ping'/>", keep);
    give("<iq type='error' from='bob@example.org/gone' to='cti.example.org' id='" + id_of(only_output()) +
         "'><error type='cancel'><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>x</text>"
         "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>");
    component().request("bob@example.org/mute", false, "<ping xmlns='urn:xmpp:ping'/>", keep, 5s);
    component().tick(now);
    component().tick(now + 5s);
    component().request("bob@example.org/mute", false, "<ping xmlns='urn:xmpp:ping'/>", keep, 5s);
    component().closed("reset", now);
    EXPECT_EQ(log, (std::vector<std::string>{"result x", "error service-unavailable", "timeout ", "lost "}));
}

TEST_F(ComponentTest, refuses_to_queue_more_than_the_limit) {
    config.queue_limit = 1000;
    up();
    const std::string stanza = "<message from='cti.example.org' to='anna@example.org'><body>" +
                               std::string(400, 'x') + "</body></message>";
    EXPECT_TRUE(component().send(stanza));
    EXPECT_TRUE(component().send(stanza));
    EXPECT_FALSE(component().send(stanza));
    EXPECT_FALSE(component().take_output().empty());
    EXPECT_TRUE(component().send(stanza));
}

}  // namespace
}  // namespace xmpp::test
