// Pages that services open: what gets into a URL, and what never does. The order of matches for a service.
#include "bridge/page_url.hpp"

#include <gmock/gmock.h>

#include "bridge/pop_text.hpp"
#include "bridge/ranking.hpp"

namespace bridge {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

crm::Match match(std::string module, std::string id, crm::Quality quality = crm::Quality::exact) {
    crm::Match one;
    one.module = std::move(module);
    one.id = std::move(id);
    one.label = "Ann Lee";
    one.quality = quality;
    return one;
}

Notice call(std::string page) {
    Notice notice;
    notice.pbx = "hq";
    notice.leg = "1.1";
    notice.id = "hq:1.0";
    notice.extension = "201";
    notice.party_number = "+447700900123";
    notice.party_name = "A/LEE";
    notice.dialed = "02079460201";
    notice.queue = "support";
    notice.service = "support line";
    notice.language = "en";
    notice.variables = {{"ticket", "47 11&x=1"}, {"note", "\xC5\xBDlt\xC3\xA1"}};
    notice.page = std::move(page);
    return notice;
}

TEST(page_url, is_the_template_with_the_calls_values_percent_encoded) {
    struct Row {
        const char* page;
        const char* url;
    };
    crm::Lookup known;
    known.matches = {match("Contacts", "12")};
    for (const Row& row : {
             Row{"https://x.example/?n={number}", "https://x.example/?n=%2B447700900123"},
             Row{"https://x.example/{dialed}/{queue}", "https://x.example/02079460201/support"},
             Row{"https://x.example/?t={variable:ticket}", "https://x.example/?t=47%2011%26x%3D1"},
             Row{"https://x.example/?t={variable:note}", "https://x.example/?t=%C5%BDlt%C3%A1"},
             Row{"https://x.example/?t={variable:absent}", "https://x.example/?t="},
             Row{"https://x.example/{module}/{record}", "https://x.example/Contacts/12"},
             Row{"https://x.example/{service}?l={language}&i={id}&e={extension}&d={direction}&g={leg}",
                 "https://x.example/support%20line?l=en&i=hq%3A1.0&e=201&d=inbound&g=1.1"},
             Row{"crmapp:open?n={number}", "crmapp:open?n=%2B447700900123"},
             Row{"", ""},
         })
        EXPECT_EQ(page_url(call(row.page), known, std::vector<std::string>{"crmapp"}), row.url) << row.page;
    auto unknown = call("https://x.example/?who={name}");
    EXPECT_EQ(page_url(unknown, {}, {}), "https://x.example/?who=A%2FLEE");
}

TEST(page_url, never_names_a_record_the_operator_may_not_see_or_that_is_not_certain) {
    const auto page = call("https://x.example/{record}");
    crm::Lookup lookup;
    lookup.matches = {match("Contacts", "12")};
    lookup.matches[0].may_see = false;
    EXPECT_EQ(page_url(page, lookup, {}), "https://x.example/");
    lookup.matches[0].may_see = true;
    EXPECT_EQ(page_url(page, lookup, {}), "https://x.example/12");
    lookup.matches.push_back(match("Leads", "13", crm::Quality::suffix));
    EXPECT_EQ(page_url(page, lookup, {}), "https://x.example/12");
    lookup.matches.push_back(match("Leads", "14"));
    EXPECT_EQ(page_url(page, lookup, {}), "https://x.example/");
    lookup.matches = {match("Contacts", "12", crm::Quality::suffix)};
    EXPECT_EQ(page_url(page, lookup, {}), "https://x.example/");
    auto withheld = call("https://x.example/?n={number}&w={name}");
    withheld.withheld = true;
    EXPECT_EQ(page_url(withheld, {}, {}), "https://x.example/?n=&w=");
}

TEST(page_url, is_none_where_the_template_may_not_be_used) {
    for (const char* page : {"crmapp:open", "javascript:alert(1)", "https://{number}/", "no-url", "//host/x",
                             "https://user@host/", "https://x.example/{number"})
        EXPECT_EQ(page_url(call(page), {}, {}), "") << page;
    EXPECT_EQ(page_url(call("https://x.example/" + std::string(900, 'a')), {}, {}), "");
}

TEST(page_url, faults_of_templates_say_what_to_do) {
    struct Row {
        const char* page;
        const char* says;
    };
    const std::vector<std::string> variables{"ticket"}, schemes{"crmapp"};
    for (const Row& row : {
             Row{"ftp://x/", "pop.schemes"},
             Row{"javascript:alert(1)", "pop.schemes"},
             Row{"https://{number}.example/", "host"},
             Row{"https://x@y.example/", "host"},
             Row{"https://x.example/{nobody}", "unknown placeholder {nobody}; known are {number}"},
             Row{"https://x.example/{variable:other}", "`other`, which the service does not collect"},
             Row{"https://x.example/{number", "{ without }"},
             Row{"https://x.example/a b", "blank"},
             Row{"https://x.example/\n", "control"},
         })
        EXPECT_THAT(fault_of_page(row.page, variables, schemes), HasSubstr(row.says)) << row.page;
    for (const char* page :
         {"https://x.example/{variable:ticket}", "crmapp:{number}", "http://x:8080/?{name}"})
        EXPECT_EQ(fault_of_page(page, variables, schemes), "") << page;
}

TEST(page_url, schemes_that_run_code_in_a_client_are_never_allowed) {
    for (const char* scheme : {"javascript", "data", "vbscript", "file", "", "Crm", "1crm", "a b", "crm:"})
        EXPECT_NE(fault_of_scheme(scheme), "") << scheme;
    for (const char* scheme : {"crmapp", "tel", "sap-gui", "x2+y.z"}) EXPECT_EQ(fault_of_scheme(scheme), "");
}

TEST(prefer_modules, orders_within_a_quality_and_keeps_the_rest) {
    crm::Lookup lookup;
    lookup.matches = {match("Contacts", "1"),
                      match("Accounts", "2"),
                      match("Leads", "3"),
                      match("Leads", "4"),
                      match("Contacts", "5", crm::Quality::national),
                      match("Leads", "6", crm::Quality::suffix)};
    const auto ids = [&] {
        std::vector<std::string> out;
        for (const auto& one : lookup.matches) out.push_back(one.id);
        return out;
    };
    prefer_modules(lookup, {});
    EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4", "5", "6"));
    prefer_modules(lookup, std::vector<std::string>{"Leads", "Accounts"});
    EXPECT_THAT(ids(), ElementsAre("3", "4", "2", "1", "5", "6"));
}

}  // namespace
}  // namespace bridge
