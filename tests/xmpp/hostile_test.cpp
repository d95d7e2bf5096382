// Stanzas that are meant to hurt: none may cost the stream or the daemon, and what follows them must be
// answered.
#include <gmock/gmock.h>

#include "tests/xmpp/fixture.hpp"
#include "xmpp/xml.hpp"

namespace xmpp::test {
namespace {

class Hostile : public ComponentTest {
 protected:
    void SetUp() override {
        table.on("urn:ctibridge:1", "note", true, [this](const Iq& iq, const Responder& responder) {
            seen.emplace_back(iq.payload.attribute("code").value());
            seen.emplace_back(iq.payload.text().get());
            responder.result();
        });
        up();
    }

    void expect_alive() {
        const auto pong = answer(
            "<iq type='get' from='bob@example.org/r' to='cti.example.org' id='alive'><ping "
            "xmlns='urn:xmpp:ping'/></iq>");
        EXPECT_STREQ(pong.attribute("type").value(), "result");
        EXPECT_STREQ(pong.attribute("id").value(), "alive");
        EXPECT_EQ(component().state(), StreamState::up);
    }

    static std::string note(const std::string& code, const std::string& text) {
        return "<iq type='set' from='anna@example.org/r' to='cti.example.org' id='n'><note "
               "xmlns='urn:ctibridge:1' code='" +
               code + "'>" + text + "</note></iq>";
    }

    std::vector<std::string> seen;
};

TEST_F(Hostile, fifty_thousand_levels) {
    std::string deep;
    for (int i = 0; i < 50000; ++i) deep += "<a>";
    deep += "x";
    for (int i = 0; i < 50000; ++i) deep += "</a>";
    give(note("", deep), 1460);
    EXPECT_EQ(condition(only_output()), "not-acceptable");
    give("<message from='anna@example.org/r' to='cti.example.org'><body>x</body>" + deep + "</message>",
         1460);
    EXPECT_TRUE(handler.messages.empty());
    EXPECT_EQ(component().counters().cut, 2U);
    expect_alive();
}

TEST_F(Hostile, two_megabytes) {
    give(note("", std::string(2 * 1024 * 1024, 'x')), 1460);
    EXPECT_EQ(condition(only_output()), "not-acceptable");
    give(note(std::string(2 * 1024 * 1024, 'x'), ""), 1460);
    EXPECT_EQ(condition(only_output()), "not-acceptable");
    std::string siblings;
    for (int i = 0; i < 500000; ++i) siblings += "<a/>";
    give(note("", siblings), 1460);
    EXPECT_EQ(condition(only_output()), "not-acceptable");
    expect_alive();
}

TEST_F(Hostile, just_below_the_limits) {
    std::string attributes;
    for (int i = 0; i < 20000; ++i) attributes += " a" + std::to_string(i) + "=''";
    give("<message from='anna@example.org/r' to='cti.example.org'><x" + attributes +
             "/><body>x</body></message>",
         1460);
    std::string deep;
    for (unsigned i = 0; i + 1 < config.depth_limit; ++i) deep += "<a b='" + std::string(3000, 'x') + "'>";
    for (unsigned i = 0; i + 1 < config.depth_limit; ++i) deep += "</a>";
    give("<message from='anna@example.org/r' to='cti.example.org'>" + deep + "</message>", 1460);
    EXPECT_EQ(handler.messages.size(), 2U);
    expect_alive();
}

TEST_F(Hostile, an_unavailable_presence_counts_however_large) {
    give("<presence type='unavailable' from='anna@example.org/r' to='cti.example.org'><status>" +
         std::string(1024 * 1024, 'x') + "</status></presence>");
    ASSERT_EQ(handler.presences.size(), 1U);
    EXPECT_EQ(handler.presences[0].type, "unavailable");
    expect_alive();
}

TEST_F(Hostile, legal_xml_that_gloox_does_not_read_byte_by_byte) {
    give(note("&#x1F600; \" &apos;", "<!-- - --><?pi x?>&#x1F600;<![CDATA[<&\"'>]]>\xF0\x9F\x98\x80&gt;"), 1);
    EXPECT_STREQ(only_output().attribute("type").value(), "result");
    EXPECT_EQ(seen,
              (std::vector<std::string>{"\xF0\x9F\x98\x80 \" '", "\xF0\x9F\x98\x80<&\"'>\xF0\x9F\x98\x80>"}));
    expect_alive();
}

TEST_F(Hostile, a_cut_inside_an_entity_does_not_reach_the_next_connection) {
    give("<message from='anna@example.org/r' to='cti.example.org'><body>fish &am");
    component().closed("connection reset", now);
    Component next(config, table, handler);
    next.opened(now);
    next.received(header, now);
    next.received("<handshake/>", now);
    EXPECT_EQ(next.state(), StreamState::up);
}

TEST_F(Hostile, elements_that_pretend_to_be_the_stream) {
    give(
        "<message from='anna@example.org/r' "
        "to='cti.example.org'><stream:error><conflict/></stream:error><stream:stream "
        "id='x'/><handshake/></message>");
    EXPECT_EQ(handler.messages.size(), 1U);
    give(
        "<iq type='get' from='anna@example.org/r' to='cti.example.org' id='x'><stream:stream "
        "xmlns:stream='http://etherx.jabber.org/streams'/></iq>");
    EXPECT_EQ(condition(only_output()), "service-unavailable");
    give("<handshake/><features xmlns='x'/><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    expect_alive();
    EXPECT_EQ(handler.states.size(), 2U);
}

TEST_F(Hostile, ids_and_addresses_come_back_as_they_were) {
    const std::string nasty = "<&>'\"\xE2\x80\xAE\xF0\x9F\x98\x80\t";
    std::string escaped;
    append_escaped(escaped, nasty);
    const auto sent = answer("<iq type='get' from='anna@example.org/" +
                             escaped.substr(0, escaped.size() - 1) + "' to='cti.example.org' id='" +
                             escaped.substr(0, escaped.size() - 1) + "'><ping xmlns='urn:xmpp:ping'/></iq>");
    EXPECT_EQ(sent.attribute("id").value(), nasty.substr(0, nasty.size() - 1));
    EXPECT_EQ(sent.attribute("to").value(), "anna@example.org/" + nasty.substr(0, nasty.size() - 1));
    expect_alive();
}

}  // namespace
}  // namespace xmpp::test
