#include "xmpp/jid.hpp"

#include <set>

#include <gtest/gtest.h>

namespace xmpp {
namespace {

TEST(jid, bare_is_lower_case_without_resource) {
    EXPECT_EQ(bare_jid("Anna@Example.ORG/Desk/2"), "anna@example.org");
    EXPECT_EQ(bare_jid("example.org"), "example.org");
    EXPECT_EQ(bare_jid("example.org/x@y"), "example.org");
    EXPECT_EQ(bare_jid("\xC5\xBD"
                       "aneta@example.org/r"),
              "\xC5\xBE"
              "aneta@example.org");
}

TEST(jid, impossible_ones_are_empty) {
    for (const std::string_view jid :
         {"", "@", "@example.org", "anna@", "/r", "anna@example.org/", "a b@example.org", "a\"@example.org",
          "a:b@example.org", "a@b@c", "a@<b>", "a\n@b", "anna@exam ple.org"}) {
        EXPECT_EQ(bare_jid(jid), "") << jid;
        EXPECT_EQ(domain_of(jid), "") << jid;
    }
    EXPECT_EQ(bare_jid(std::string(1024, 'a') + "@b"), "");
    EXPECT_NE(bare_jid(std::string(1023, 'a') + "@b"), "");
}

TEST(jid, domain) {
    EXPECT_EQ(domain_of("anna@Example.org/r"), "example.org");
    EXPECT_EQ(domain_of("example.org"), "example.org");
}

TEST(id, never_repeats) {
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) ids.insert(new_id());
    EXPECT_EQ(ids.size(), 1000U);
}

}  // namespace
}  // namespace xmpp
