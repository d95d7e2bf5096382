#include "xmpp/xml.hpp"

#include <gtest/gtest.h>

namespace {

std::string escaped(std::string_view text) {
    std::string out;
    xmpp::append_escaped(out, text);
    return out;
}

TEST(escape, markup_and_quotes) {
    EXPECT_EQ(escaped("<a b='c' d=\"e\">&"), "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;");
}
TEST(escape, controls_are_dropped) {
    EXPECT_EQ(escaped(std::string_view("a\0b\x01\x1f\tc\n", 8)), "ab\tc\n");
}
TEST(escape, bad_utf8_becomes_the_replacement_character) {
    EXPECT_EQ(escaped("a\xFFz"), "a\xEF\xBF\xBDz");
    EXPECT_EQ(escaped("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // overlong
    EXPECT_EQ(escaped("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");                  // cut
    EXPECT_EQ(escaped("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // surrogate
    EXPECT_EQ(escaped("\xEF\xBF\xBE"), "");                                      // U+FFFE
}
TEST(escape, emoji_and_rtl_marks_stay) {
    EXPECT_EQ(escaped("\xF0\x9F\x98\x80\xE2\x80\x8F"), "\xF0\x9F\x98\x80\xE2\x80\x8F");
}

TEST(xml, nests_and_closes_empty_elements) {
    xmpp::Xml x;
    x.open("message")
        .attr("to", "a'b")
        .open("body")
        .text("1 < 2")
        .close()
        .open("x")
        .close()
        .raw("<y/>")
        .close();
    EXPECT_EQ(x.str(), "<message to='a&apos;b'><body>1 &lt; 2</body><x/><y/></message>");
}

}  // namespace
