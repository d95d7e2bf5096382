// What HTTP texts mean.
#include "bridge/http_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::is_loopback_host;
using bridge::parse_form;
using bridge::same_secret;
using bridge::url_form;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(http_text, forms_are_read_as_vtiger_writes_them) {
    EXPECT_THAT(parse_form("event=OutgoingCall&secret=s3cr3tKey+42&from=201&to=%2B420+601+234+567"),
                UnorderedElementsAre(Pair("event", "OutgoingCall"), Pair("secret", "s3cr3tKey 42"),
                                     Pair("from", "201"), Pair("to", "+420 601 234 567")));
    EXPECT_THAT(parse_form(""), IsEmpty());
    EXPECT_THAT(parse_form("&&a&b=&=c&a=2&%zz=%4"),
                UnorderedElementsAre(Pair("a", ""), Pair("b", ""), Pair("", "c"), Pair("%zz", "%4")));
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "f" + std::to_string(i) + "=1&";
    EXPECT_EQ(parse_form(many).size(), 64U);
}

TEST(http_text, what_is_written_is_read_again) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    EXPECT_EQ(parse_form("v=" + url_form(all)).at("v"), all);
    EXPECT_EQ(url_form("Ann Lée"), "Ann%20L%C3%A9e");
}

TEST(http_text, secrets_fit_only_themselves_and_an_empty_one_fits_nothing) {
    EXPECT_TRUE(same_secret("s3cret", "s3cret"));
    for (const auto* wrong : {"", "s3cre", "s3cret ", "S3cret", "s3cretx"})
        EXPECT_FALSE(same_secret(wrong, "s3cret"));
    EXPECT_FALSE(same_secret("", ""));
}

TEST(http_text, hosts_of_this_machine) {
    for (const auto* host :
         {"127.0.0.1", "127.0.0.1:8383", "127.9.9.9", "localhost", "localhost:80", "[::1]", "[::1]:8383"})
        EXPECT_TRUE(is_loopback_host(host)) << host;
    for (const auto* host :
         {"", "example.org", "127.example.org", "127.0.0.1.example.org:80", "[::2]", "10.0.0.1"})
        EXPECT_FALSE(is_loopback_host(host)) << host;
}

TEST(http_text, an_origin_is_what_a_browser_calls_one_and_safe_in_a_header) {
    for (const auto* good :
         {"https://crm.example.org", "https://crm.example.org:8443", "http://localhost:8080",
          "http://127.0.0.1", "https://192.0.2.7", "https://[2001:db8::1]:444", "http://[::1]:80"})
        EXPECT_TRUE(bridge::is_web_origin(good)) << good;
    for (const auto* bad : {"",
                            "crm.example.org",
                            "http://crm.example.org",
                            "https://crm.example.org/",
                            "https://",
                            "https://:443",
                            "https://a b",
                            "https://a;script-src",
                            "https://*",
                            "https://*.example.org",
                            "https://u@h",
                            "null",
                            "https://crm.example.org:",
                            "https://crm.example.org:123456",
                            "https://CRM.example.org",
                            "https://a\r\nb",
                            "http://127.0.0.1.evil.example",
                            "https://[",
                            "https://[::1",
                            "javascript:1",
                            "'none'"})
        EXPECT_FALSE(bridge::is_web_origin(bad)) << bad;
}
