// Notices as stanzas: every form, every attribute, hostile texts, sizes.
#include "bridge/stanzas.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "bridge/pop_text.hpp"
#include "xmpp/xml.hpp"

namespace bridge {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Recipient console{"anna@example.org/console", true, false, false, {}};
const Recipient spark{"anna@example.org/Spark", false, true, false, {}};
const Recipient everybody{"anna@example.org", true, true, true, {}};

Notice ringing() {
    Notice notice;
    notice.to = "anna@example.org";
    notice.pbx = "hq";
    notice.leg = "1795187329.1";
    notice.id = "hq:1795187329.0";
    notice.seq = 1;
    notice.extension = "201";
    notice.at = Millis{1795187329305};
    notice.started = Millis{1795187329303};
    notice.party_number = "07700900123";
    notice.party_name = "A LEE";
    notice.dialed = "02079460201";
    notice.actions = "answer hangup";
    return notice;
}

crm::Match ann() {
    crm::Match match;
    match.module = "Contacts";
    match.id = "12";
    match.label = "Ann Lee";
    match.organization = "ACME";
    match.url = "https://crm.example.org/index.php?module=Contacts&view=Detail&record=12";
    return match;
}

crm::Lookup found(std::vector<crm::Match> matches) {
    crm::Lookup lookup;
    lookup.number.e164 = "+447700900123";
    lookup.matches = std::move(matches);
    return lookup;
}

class StanzasTest : public ::testing::Test {
 protected:
    pugi::xml_node parse(const std::string& xml) {
        const auto result = document.load_string(xml.c_str(), pugi::parse_full);
        EXPECT_TRUE(result) << result.description() << ": " << xml;
        return document.first_child();
    }
    pugi::xml_node message(const Notice& notice, const crm::Lookup& lookup, const Recipient& recipient) {
        return parse(Stanzas(style).notice(notice, lookup, recipient));
    }
    std::string body(const Notice& notice, const crm::Lookup& lookup) {
        return message(notice, lookup, everybody).child("body").text().get();
    }

    StanzaStyle style{"cti.example.org", "6f2c", "en", MissedMode::notice, {{"hq", "PJSIP/{extension}"}}};
    pugi::xml_document document;
};

TEST_F(StanzasTest, a_new_record_is_offered_unless_a_right_one_is_there) {
    for (const auto quality : {crm::Quality::exact, crm::Quality::national, crm::Quality::suffix}) {
        auto match = ann();
        match.quality = quality;
        auto lookup = found({match});
        lookup.create = "https://crm.example.org/new";
        lookup.create_module = "Leads";
        const auto create = message(ringing(), lookup, everybody).child("call").child("create");
        EXPECT_EQ(!create, quality == crm::Quality::exact) << static_cast<int>(quality);
        if (!create) continue;
        EXPECT_STREQ(create.attribute("url").value(), "https://crm.example.org/new");
        EXPECT_STREQ(create.attribute("module").value(), "Leads");
    }
    auto hidden = ann();  // that it exists is told, and a second one is not wanted either
    hidden.may_see = false;
    auto lookup = found({hidden});
    lookup.create = "https://crm.example.org/new";
    EXPECT_FALSE(message(ringing(), lookup, everybody).child("call").child("create"));
}

TEST_F(StanzasTest, since_when_they_talk_is_told_from_the_answer_on) {
    auto notice = ringing();
    EXPECT_FALSE(message(notice, {}, everybody).child("call").attribute("answered"));
    notice.answered = notice.at;
    notice.state = bridge::RingState::held;
    EXPECT_STREQ(message(notice, {}, everybody).child("call").attribute("answered").value(),
                 "2026-11-20T15:08:49.305Z");
}

TEST_F(StanzasTest, everything_to_a_plain_client) {
    auto notice = ringing();
    notice.queue = "support";
    notice.waited = 3;
    notice.service = "support-line";
    notice.language = "en";
    notice.variables = {{"calldata", "4711"}};
    notice.shared = true;
    notice.replaces = "hq:1795187330.0";
    notice.request = "d1";
    auto lookup = found({ann()});
    lookup.create = "https://crm.example.org/new";
    lookup.create_module = "Leads";
    const auto xml = message(notice, lookup, everybody);
    EXPECT_STREQ(xml.attribute("type").value(), "headline");
    EXPECT_STREQ(xml.attribute("from").value(), "cti.example.org");
    EXPECT_STREQ(xml.attribute("to").value(), "anna@example.org");
    EXPECT_STRNE(xml.attribute("id").value(), "");
    EXPECT_STREQ(xml.child("body").text().get(),
                 "Call from Ann Lee, ACME (+447700900123) "
                 "https://crm.example.org/index.php?module=Contacts&view=Detail&record=12");
    const auto call = xml.child("call");
    const std::map<std::string, std::string> wanted{{"xmlns", "urn:ctibridge:1"},
                                                    {"pbx", "hq"},
                                                    {"leg", "1795187329.1"},
                                                    {"id", "hq:1795187329.0"},
                                                    {"replaces", "hq:1795187330.0"},
                                                    {"epoch", "6f2c"},
                                                    {"seq", "1"},
                                                    {"state", "ringing"},
                                                    {"direction", "inbound"},
                                                    {"extension", "201"},
                                                    {"at", "2026-11-20T15:08:49.305Z"},
                                                    {"started", "2026-11-20T15:08:49.303Z"},
                                                    {"shared", "true"},
                                                    {"request", "d1"},
                                                    {"actions", "answer hangup"}};
    std::map<std::string, std::string> given;
    for (const auto attribute : call.attributes()) given[attribute.name()] = attribute.value();
    EXPECT_EQ(given, wanted);
    EXPECT_STREQ(call.child("party").attribute("number").value(), "+447700900123");
    EXPECT_STREQ(call.child("party").attribute("name").value(), "A LEE");
    EXPECT_STREQ(call.child("dialed").attribute("number").value(), "02079460201");
    EXPECT_STREQ(call.child("queue").attribute("name").value(), "support");
    EXPECT_STREQ(call.child("queue").attribute("waited").value(), "3");
    EXPECT_STREQ(call.child("service").attribute("name").value(), "support-line");
    EXPECT_STREQ(call.child("variable").attribute("name").value(), "calldata");
    EXPECT_STREQ(call.child("variable").text().get(), "4711");
    const auto match = call.child("match");
    EXPECT_STREQ(match.attribute("module").value(), "Contacts");
    EXPECT_STREQ(match.attribute("id").value(), "12");
    EXPECT_STREQ(match.attribute("label").value(), "Ann Lee");
    EXPECT_STREQ(match.attribute("organization").value(), "ACME");
    EXPECT_EQ(match.attribute("url").value(), ann().url);
    EXPECT_STREQ(match.attribute("quality").value(), "exact");
    EXPECT_FALSE(call.child("create"));  // there is a record that is right
    const auto phone = xml.child("phone-event");
    EXPECT_STREQ(phone.attribute("xmlns").value(), "http://jivesoftware.com/xmlns/phone");
    EXPECT_STREQ(phone.attribute("callID").value(), "hq:1795187329.0");
    EXPECT_STREQ(phone.attribute("type").value(), "RING");
    EXPECT_STREQ(phone.attribute("device").value(), "PJSIP/201");
    EXPECT_STREQ(phone.child("callerID").text().get(), "+447700900123");
    EXPECT_STREQ(phone.child("callerIDName").text().get(), "Ann Lee, ACME +447700900123");
    EXPECT_EQ(xml.child("x").child("url").text().get(), ann().url);
    EXPECT_STREQ(xml.child("x").child("desc").text().get(), "Ann Lee, ACME");
    EXPECT_STREQ(xml.child("x").attribute("xmlns").value(), "jabber:x:oob");
    EXPECT_STREQ(xml.child("no-store").attribute("xmlns").value(), "urn:xmpp:hints");
}

TEST_F(StanzasTest, a_console_gets_the_call_alone) {
    const auto xml = message(ringing(), found({ann()}), console);
    EXPECT_STREQ(xml.attribute("to").value(), "anna@example.org/console");
    EXPECT_TRUE(xml.child("call"));
    for (const auto* other : {"body", "phone-event", "x"}) EXPECT_FALSE(xml.child(other)) << other;
}

TEST_F(StanzasTest, spark_gets_the_phone_event_alone) {
    const auto xml = message(ringing(), found({ann()}), spark);
    EXPECT_TRUE(xml.child("phone-event"));
    for (const auto* other : {"body", "call", "x"}) EXPECT_FALSE(xml.child(other)) << other;
}

TEST_F(StanzasTest, absent_facts_leave_no_attribute) {
    auto notice = ringing();
    notice.dialed = notice.party_name = notice.actions = "";
    const auto call = message(notice, {}, console).child("call");
    for (const auto* name : {"replaces", "cause", "shared", "request", "actions", "more"})
        EXPECT_FALSE(call.attribute(name)) << name;
    for (const auto* name : {"dialed", "queue", "service", "variable", "match", "create", "far-end"})
        EXPECT_FALSE(call.child(name)) << name;
    EXPECT_FALSE(call.child("party").attribute("name"));
}

TEST_F(StanzasTest, states_have_their_phone_events_and_only_the_pop_has_a_body) {
    const std::pair<RingState, std::string> rows[] = {{RingState::dialing, "DIALED"},
                                                      {RingState::ringing, "RING"},
                                                      {RingState::answered, "ON_PHONE"},
                                                      {RingState::held, "ON_PHONE"},
                                                      {RingState::ended, "HANG_UP"}};
    for (const auto& [state, type] : rows) {
        auto notice = ringing();
        notice.state = state;
        if (state == RingState::ended) notice.cause = Cause::hangup;
        const auto xml = message(notice, found({ann()}), everybody);
        EXPECT_EQ(xml.child("phone-event").attribute("type").value(), type);
        EXPECT_EQ(!xml.child("phone-event").child("callerID"), state == RingState::ended);
        EXPECT_EQ(bool(xml.child("body")), state == RingState::ringing) << type;
        EXPECT_EQ(bool(xml.child("x")), state == RingState::ringing) << type;
        EXPECT_STREQ(xml.child("call").attribute("cause").value(), state == RingState::ended ? "hangup" : "");
    }
}

TEST_F(StanzasTest, the_far_end_of_a_click_to_dial) {
    auto notice = ringing();
    notice.state = RingState::dialing;
    notice.far_end = "ringing";
    EXPECT_STREQ(message(notice, {}, console).child("call").child("far-end").attribute("state").value(),
                 "ringing");
}

// ---- missed calls

struct MissedCase {
    Cause cause;
    std::string queue;
    Direction direction;
    bool missed;
};

TEST_F(StanzasTest, what_is_a_missed_call) {
    const MissedCase rows[] = {{Cause::cancelled, "", Direction::inbound, true},
                               {Cause::no_answer, "", Direction::inbound, true},
                               {Cause::cancelled, "support", Direction::inbound, true},
                               {Cause::no_answer, "support", Direction::inbound, false},
                               {Cause::no_answer, "", Direction::internal, true},
                               {Cause::no_answer, "", Direction::outbound, false},
                               {Cause::answered_elsewhere, "", Direction::inbound, false},
                               {Cause::hangup, "", Direction::inbound, false},
                               {Cause::rejected, "", Direction::inbound, false}};
    for (const auto& row : rows) {
        auto notice = ringing();
        notice.state = RingState::ended;
        notice.cause = row.cause;
        notice.queue = row.queue;
        notice.direction = row.direction;
        for (const auto mode : {MissedMode::notice, MissedMode::store, MissedMode::none}) {
            style.missed = mode;
            const auto xml = message(notice, found({ann()}), everybody);
            const bool shown = row.missed && mode != MissedMode::none;
            EXPECT_EQ(bool(xml.child("body")), shown) << to_string(row.cause) << row.queue;
            const bool stored = shown && mode == MissedMode::store;
            EXPECT_STREQ(xml.attribute("type").value(), stored ? "normal" : "headline");
            EXPECT_EQ(!xml.child("no-store"), stored);
            if (shown) {
                EXPECT_THAT(xml.child("body").text().get(),
                            testing::StartsWith("Missed call from Ann Lee, ACME (+447700900123) https://"));
            }
            EXPECT_FALSE(message(notice, found({ann()}), console).child("body"));
        }
    }
}

// ---- who is shown

TEST_F(StanzasTest, several_matches_are_all_named_and_none_is_chosen) {
    auto bob = ann();
    bob.id = "13";
    bob.label = "Bob Ray";
    bob.organization = "";
    bob.url = "https://crm.example.org/13";
    const auto xml = message(ringing(), found({ann(), bob}), everybody);
    EXPECT_EQ(std::string(xml.child("body").text().get()),
              "Call from Ann Lee, ACME / Bob Ray (+447700900123)\nAnn Lee, ACME: " + ann().url +
                  "\nBob Ray: https://crm.example.org/13");
    EXPECT_FALSE(xml.child("x"));
    EXPECT_STREQ(xml.child("phone-event").child("callerIDName").text().get(), "A LEE +447700900123");
    EXPECT_EQ(
        std::distance(xml.child("call").children("match").begin(), xml.child("call").children("match").end()),
        2);
}

TEST_F(StanzasTest, a_suffix_match_is_a_guess_in_the_list_and_nowhere_else) {
    auto guess = ann();
    guess.quality = crm::Quality::suffix;
    const auto xml = message(ringing(), found({guess}), everybody);
    EXPECT_STREQ(xml.child("call").child("match").attribute("quality").value(), "suffix");
    EXPECT_STREQ(xml.child("body").text().get(), "Call from A LEE (+447700900123)");
    EXPECT_FALSE(xml.child("x"));
    EXPECT_STREQ(xml.child("phone-event").child("callerIDName").text().get(), "A LEE +447700900123");
    EXPECT_EQ(body(ringing(), found({ann(), guess})), "Call from Ann Lee, ACME (+447700900123) " + ann().url);
}

TEST_F(StanzasTest, a_record_that_may_not_be_seen_has_an_owner_only) {
    auto hidden = ann();
    hidden.may_see = false;
    hidden.owner = "Bea Boss";
    const auto text = Stanzas(style).notice(ringing(), found({hidden}), everybody);
    for (const auto* secret : {"Ann Lee", "ACME", "crm.example.org/index", "Contacts", "'12'"})
        EXPECT_THAT(text, Not(HasSubstr(secret)));
    const auto xml = parse(text);
    EXPECT_STREQ(xml.child("call").child("match").attribute("known").value(), "true");
    EXPECT_STREQ(xml.child("call").child("match").attribute("owner").value(), "Bea Boss");
    EXPECT_STREQ(xml.child("body").text().get(), "Call from A LEE (+447700900123), known to Bea Boss");
}

TEST_F(StanzasTest, nobody_known_offers_a_new_record) {
    auto lookup = found({});
    lookup.create = "https://crm.example.org/new?phone=%2B447700900123";
    lookup.create_module = "Leads";
    const auto xml = message(ringing(), lookup, everybody);
    EXPECT_STREQ(
        xml.child("body").text().get(),
        "Call from A LEE (+447700900123). new record: https://crm.example.org/new?phone=%2B447700900123");
    EXPECT_EQ(xml.child("x").child("url").text().get(), *lookup.create);
}

TEST_F(StanzasTest, a_withheld_number_shows_nothing_of_the_caller) {
    auto notice = ringing();
    notice.withheld = true;
    const auto text = Stanzas(style).notice(notice, {}, everybody);
    EXPECT_THAT(text, Not(HasSubstr("7700")));
    EXPECT_THAT(text, Not(HasSubstr("LEE")));
    const auto xml = parse(text);
    EXPECT_STREQ(xml.child("body").text().get(), "Call from a withheld number");
    EXPECT_STREQ(xml.child("call").child("party").attribute("withheld").value(), "true");
}

TEST_F(StanzasTest, a_colleague_is_named) {
    auto notice = ringing();
    notice.direction = Direction::internal;
    notice.party_number = "202";
    notice.party_name = "Phone 202";
    crm::Lookup lookup;
    lookup.colleague = "Bob Ray";
    const auto xml = message(notice, lookup, everybody);
    EXPECT_STREQ(xml.child("body").text().get(), "Call from Bob Ray (202)");
    EXPECT_STREQ(xml.child("call").child("party").attribute("name").value(), "Bob Ray");
    EXPECT_STREQ(xml.child("call").child("party").attribute("number").value(), "202");
}

TEST_F(StanzasTest, speaks_the_language_of_the_site) {
    const std::pair<std::string, std::string> rows[] = {{"en", "Call from "},   {"de", "Anruf von "},
                                                        {"sk", "Vol\xC3\xA1 "}, {"cs_CZ", "Vol\xC3\xA1 "},
                                                        {"xx", "Call from "},   {"", "Call from "}};
    for (const auto& [language, beginning] : rows) {
        style.language = language;
        EXPECT_THAT(body(ringing(), found({ann()})), testing::StartsWith(beginning)) << language;
    }
}

// ---- hostile texts

const std::string nasties[] = {
    "\"OR/**/1=1#",
    "<script>alert('x')</script>&amp;]]>",
    std::string("a\0b\x01\x1F\x7F", 6),
    "\xE2\x80\xAE"
    "evil\xE2\x81\xA6\xE2\x80\x8F",
    "\xF0\x9F\x98\x80\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9",
    "\xFF\xFE\xC0\xAF\xED\xA0\x80",
    std::string(10000, 'A'),
    std::string(10000, '<'),
    std::string(10000, '\x80'),
    std::string("\xEF\xBF\xBE\xEF\xBF\xBF"),
    "Mallory\nAnn Lee, ACME: https://evil.example/",
};

// What a clean XML processor makes of the text: escape it as an attribute and read that back.
std::string as_read(const std::string& text, std::size_t most) {
    std::string escaped;
    xmpp::Xml xml;
    xml.open("a").attr("b", clipped(text, most)).close();
    pugi::xml_document document;
    EXPECT_TRUE(document.load_string(xml.str().c_str()));
    return document.first_child().attribute("b").value();
}

TEST_F(StanzasTest, any_text_in_any_place_stays_text) {
    for (const auto& nasty : nasties) {
        auto notice = ringing();
        notice.party_name = notice.party_number = notice.dialed = notice.queue = notice.service =
            notice.language = nasty;
        notice.extension = notice.request = notice.leg = notice.id = notice.replaces = notice.actions =
            notice.far_end = nasty;
        if (nasty.size() > 1000) notice.far_end = "ringing";
        notice.variables = {{nasty, nasty}, {"x", nasty}};
        crm::Match match;
        match.module = match.id = match.label = match.organization = match.url = nasty;
        auto hidden = match;
        hidden.may_see = false;
        hidden.owner = nasty;
        crm::Lookup lookup = found({match, hidden});
        lookup.number.e164.reset();
        lookup.create = nasty;
        lookup.create_module = nasty;
        const auto text = Stanzas(style).notice(notice, lookup, everybody);
        EXPECT_LT(text.size(), 16U * 1024);
        const auto xml = parse(text);
        ASSERT_TRUE(xml.child("call"));
        const auto call = xml.child("call");
        EXPECT_EQ(call.child("party").attribute("name").value(), as_read(nasty, 128));
        EXPECT_EQ(call.child("queue").attribute("name").value(), as_read(nasty, 128));
        EXPECT_EQ(call.child("service").attribute("name").value(), as_read(nasty, 128));
        EXPECT_EQ(call.child("dialed").attribute("number").value(), as_read(nasty, 64));
        EXPECT_EQ(call.attribute("extension").value(), as_read(nasty, 128));
        EXPECT_EQ(call.attribute("id").value(), as_read(nasty, 320));
        if (const auto first = call.child("match")) {
            EXPECT_EQ(first.attribute("label").value(), as_read(nasty, 128));
        }
        EXPECT_STREQ(xml.first_child().name(), "body");
        for (const auto child : xml.children()) {
            EXPECT_THAT((std::set<std::string>{"body", "call", "phone-event", "x", "no-store"}),
                        testing::Contains(child.name()));
        }
    }
}

TEST_F(StanzasTest, the_line_for_people_stays_one_line_and_reads_left_to_right) {
    auto notice = ringing();
    notice.party_name =
        "\xE2\x80\xAE"
        "Mallory\r\nAnn\xE2\x81\xA6 Lee\t!";
    EXPECT_EQ(body(notice, {}), "Call from Mallory Ann Lee ! (07700900123)");
    notice.party_name = "see https://evil.example/";
    EXPECT_EQ(body(notice, {}), "Call from 07700900123");
}

TEST_F(StanzasTest, stays_below_sixteen_kilobytes_and_counts_what_is_left_out) {
    auto notice = ringing();
    const std::string wide = std::string(10000, '"');
    notice.party_name = notice.queue = notice.service = wide;
    for (int i = 0; i < 40; ++i) notice.variables.emplace_back("v" + std::to_string(i), wide);
    std::vector<crm::Match> matches;
    for (int i = 0; i < 14; ++i) {
        matches.push_back(ann());
        matches.back().label = matches.back().organization = wide;
        matches.back().url = "https://crm.example.org/" + std::string(900, '&');
    }
    auto lookup = found(matches);
    lookup.more = 7;
    for (const auto& recipient : {everybody, console, spark}) {
        const auto text = Stanzas(style).notice(notice, lookup, recipient);
        EXPECT_LT(text.size(), 16U * 1024);
        const auto call = parse(text).child("call");
        if (!call) continue;
        const auto shown = std::distance(call.children("match").begin(), call.children("match").end());
        EXPECT_GE(shown, 1);
        EXPECT_EQ(call.attribute("more").as_int(), 21 - shown);
    }
    matches.assign(14, ann());
    lookup.matches = matches;
    notice = ringing();
    for (int i = 0; i < 40; ++i) notice.variables.emplace_back("v", "x");
    const auto call = message(notice, lookup, console).child("call");
    EXPECT_EQ(std::distance(call.children("match").begin(), call.children("match").end()), 10);
    EXPECT_EQ(call.attribute("more").as_int(), 11);
    EXPECT_EQ(std::distance(call.children("variable").begin(), call.children("variable").end()), 32);
}

TEST(clipped, counts_characters_and_never_cuts_one) {
    EXPECT_EQ(clipped("abc", 3), "abc");
    EXPECT_EQ(clipped("abcd", 3), "ab\xE2\x80\xA6");
    EXPECT_EQ(clipped("\xC5\xBE\xC5\xBE\xC5\xBE", 3), "\xC5\xBE\xC5\xBE\xC5\xBE");
    EXPECT_EQ(clipped("\xC5\xBE\xC5\xBE\xC5\xBE\xC5\xBE", 3), "\xC5\xBE\xC5\xBE\xE2\x80\xA6");
    EXPECT_EQ(clipped("\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 1), "\xE2\x80\xA6");
    EXPECT_LE(clipped(std::string(5000, '\x80'), 10).size(), 43U);
    EXPECT_EQ(clipped("", 3), "");
}

// ---- other elements

TEST_F(StanzasTest, sync_link_and_calls) {
    const Stanzas stanzas(style);
    auto xml = parse(stanzas.sync("anna@example.org/c", 7));
    EXPECT_STREQ(xml.attribute("type").value(), "headline");
    EXPECT_STREQ(xml.attribute("from").value(), "cti.example.org");
    EXPECT_STREQ(xml.child("sync").attribute("epoch").value(), "6f2c");
    EXPECT_STREQ(xml.child("sync").attribute("seq").value(), "7");
    xml = parse(stanzas.link("anna@example.org/c", 8, "pbx", "h'q", false, Millis{1795187329305}));
    EXPECT_STREQ(xml.child("link").attribute("to").value(), "pbx");
    EXPECT_STREQ(xml.child("link").attribute("name").value(), "h'q");
    EXPECT_STREQ(xml.child("link").attribute("state").value(), "down");
    EXPECT_STREQ(xml.child("link").attribute("since").value(), "2026-11-20T15:08:49.305Z");
    const std::vector<std::string> calls{stanzas.call(ringing(), {}), stanzas.call(ringing(), {})};
    xml = parse(stanzas.calls(9, calls));
    EXPECT_STREQ(xml.name(), "calls");
    EXPECT_STREQ(xml.attribute("xmlns").value(), "urn:ctibridge:1");
    EXPECT_STREQ(xml.attribute("seq").value(), "9");
    EXPECT_EQ(std::distance(xml.children("call").begin(), xml.children("call").end()), 2);
}

TEST(iso8601, is_utc_with_milliseconds) {
    EXPECT_EQ(iso8601(Millis{0}), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(iso8601(Millis{1709164799999}), "2024-02-28T23:59:59.999Z");
    EXPECT_EQ(iso8601(Millis{1709164800001}), "2024-02-29T00:00:00.001Z");
}

TEST_F(StanzasTest, the_pop_rule_of_a_service_says_which_notice_has_body_and_link) {
    struct Row {
        crm::PopRule rule;
        RingState state;
        bool just_answered;
        Cause cause;
        bool body;
    };
    using crm::PopRule;
    for (const Row& row :
         {Row{PopRule::ringing, RingState::ringing, false, Cause::none, true},
          Row{PopRule::ringing, RingState::answered, true, Cause::none, false},
          Row{PopRule::ringing, RingState::ended, false, Cause::cancelled, true},
          Row{PopRule::answered, RingState::ringing, false, Cause::none, false},
          Row{PopRule::answered, RingState::answered, true, Cause::none, true},
          Row{PopRule::answered, RingState::answered, false, Cause::none, false},  // after a hold
          Row{PopRule::answered, RingState::ended, false, Cause::cancelled, false},
          Row{PopRule::never, RingState::ringing, false, Cause::none, false},
          Row{PopRule::never, RingState::answered, true, Cause::none, false},
          Row{PopRule::never, RingState::ended, false, Cause::cancelled, false}}) {
        SCOPED_TRACE(std::string(crm::name_of(row.rule)) + " " + std::string(to_string(row.state)));
        auto notice = ringing();
        notice.pop = row.rule;
        notice.state = row.state;
        notice.cause = row.cause;
        notice.just_answered = row.just_answered;
        const auto xml = message(notice, found({ann()}), everybody);
        EXPECT_EQ(!xml.child("body").empty(), row.body);
        EXPECT_EQ(!xml.child("x").empty(), row.body);
        EXPECT_STREQ(xml.child("call").attribute("pop").value(),
                     row.rule == PopRule::ringing ? "" : std::string(crm::name_of(row.rule)).c_str());
    }
}

TEST_F(StanzasTest, the_page_of_a_service_is_its_url_and_the_link_of_the_pop) {
    style.schemes = {"crmapp"};
    auto notice = ringing();
    notice.service = "support-line";
    notice.variables = {{"ticket", "4711"}};
    notice.page = "crmapp:open?t={variable:ticket}&r={record}";
    const auto xml = message(notice, found({ann()}), everybody);
    EXPECT_STREQ(xml.child("call").child("service").attribute("url").value(), "crmapp:open?t=4711&r=12");
    EXPECT_STREQ(xml.child("x").child("url").text().get(), "crmapp:open?t=4711&r=12");
    EXPECT_STREQ(xml.child("x").child("desc").text().get(), "Ann Lee, ACME");
    EXPECT_THAT(xml.child("body").text().get(), HasSubstr("record=12"));
    style.schemes.clear();
    const auto without = message(notice, found({ann()}), everybody);
    EXPECT_FALSE(without.child("call").child("service").attribute("url"));
    EXPECT_THAT(without.child("x").child("url").text().get(), HasSubstr("record=12"));
}

}  // namespace
}  // namespace bridge
