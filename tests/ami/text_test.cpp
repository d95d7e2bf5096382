#include "ami/text.hpp"

#include <gtest/gtest.h>

using ami::printable;

TEST(printable, keeps_text_and_escapes_what_would_change_a_terminal_or_a_line) {
    EXPECT_EQ(printable("Ďábel 日本 😀 \"x\""), "Ďábel 日本 😀 \"x\"");
    EXPECT_EQ(printable("a\r\nb\x1b[2J\x7f"), "a\\x0d\\x0ab\\x1b[2J\\x7f");
    EXPECT_EQ(printable("next\xC2\x85line"), "next\\xc2\\x85line");
    EXPECT_EQ(printable("Park successful\n"), "Park successful");
}

TEST(printable, escapes_what_is_not_utf8) {
    EXPECT_EQ(printable("\xFFx"), "\\xffx");
    EXPECT_EQ(printable("cut \xE6\x97"), "cut \\xe6\\x97");
    EXPECT_EQ(printable("\xC0\xAF"), "\\xc0\\xaf");                    // overlong
    EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");           // surrogate
    EXPECT_EQ(printable("\xF4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST(printable, cuts_between_characters) {
    EXPECT_EQ(printable("abcdef", 6), "abcdef");
    EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
    EXPECT_EQ(printable("abcde日", 6), "abcde...");
    EXPECT_EQ(printable(std::string(1000000, 'x'), 10), "xxxxxxxxxx...");
}
