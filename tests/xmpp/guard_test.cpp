#include "xmpp/guard.hpp"

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

namespace xmpp {
namespace {

constexpr std::string_view header = "<s:s xmlns:s='x'>";

std::vector<std::string> guarded(const std::string& xml, std::size_t chunk, GuardLimits limits = {}) {
    std::vector<std::string> parts;
    Guard guard(limits, [&](Guard::Part part, const std::string& text) {
        constexpr const char* names[] = {"header ", "", "cut ", "end"};
        if (part != Guard::Part::header) parts.push_back(names[static_cast<int>(part)] + text);
    });
    EXPECT_TRUE(guard.feed(header));
    bool well = true;
    for (std::size_t at = 0; at < xml.size() && well; at += chunk)
        well = guard.feed(std::string_view(xml).substr(at, chunk));
    if (!well) parts.push_back("fault");
    EXPECT_EQ(well, guard.fault().empty());
    return parts;
}

struct Case {
    std::string name, given;
    std::vector<std::string> wanted;
};

class Guarding : public ::testing::TestWithParam<Case> {};

TEST_P(Guarding, in_any_chunking) {
    for (const std::size_t chunk :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{100000}}) {
        EXPECT_EQ(guarded(GetParam().given, chunk), GetParam().wanted) << "chunks of " << chunk;
    }
}

INSTANTIATE_TEST_SUITE_P(
    xml, Guarding,
    ::testing::Values(
        Case{"plain", "<a b='c'><d>e</d></a>", {"<a b='c'><d>e</d></a>"}},
        Case{"two_stanzas_and_white_space", " <a/>\n\n<b/> ", {"<a/>", "<b/>"}},
        Case{"reference_beyond_16_bits",
             "<a>&#x1F600;&#128512;</a>",
             {"<a>\xF0\x9F\x98\x80\xF0\x9F\x98\x80</a>"}},
        Case{"references",
             "<a b='&#x26;&quot;'>&lt;&#60;&#0000000065;</a>",
             {"<a b='&amp;&quot;'>&lt;&lt;A</a>"}},
        Case{"quotes_in_attributes", "<a b='\"' c=\"'\"/>", {"<a b='&quot;' c='&apos;'/>"}},
        Case{"greater_in_attribute_and_text", "<a b='>'>></a>", {"<a b='&gt;'>&gt;</a>"}},
        Case{"comment", "<a><!-- <b> - ' & --><c/>x<!---->y</a>", {"<a><c/>xy</a>"}},
        Case{"comment_between_stanzas", "<!-- x --><a/><!-- y --><b/>", {"<a/>", "<b/>"}},
        Case{"instruction", "<?p <x> ?? ?><a><?q?>t</a>", {"<a>t</a>"}},
        Case{"cdata", "<a><![CDATA[<b>&]]]]><![CDATA[>]]]></a>", {"<a>&lt;b&gt;&amp;]]&gt;]</a>"}},
        Case{"space_in_tags", "<a  b = 'c'\n\td=\"e\" ></a ><f />", {"<a b='c' d='e'></a>", "<f/>"}},
        Case{"prefixes", "<a x:b='c' xmlns:x='y'><x:d/></a>", {"<a x:b='c' xmlns:x='y'><x:d/></a>"}},
        Case{"names_that_gloox_trips_over",
             "<a b:c:d='e' f:='g' h:i='j'><stream:stream></stream:stream><k:l:m/><n:/></a>",
             {"<a b-c-d='e' f-='g' h:i='j'><stream-stream></stream-stream><k-l-m/><n-/></a>"}},
        Case{"forbidden_characters_go",
             std::string("<a>x\x01\x0B") + "&#1;&#0;&#xD800;y\xFFz</a>",
             {"<a>xy\xEF\xBF\xBDz</a>"}},
        Case{"stream_end", "<a/></s:s>ignored < & >", {"<a/>", "end"}},
        Case{"doctype", "<!DOCTYPE a [<!ENTITY b 'c'>]>", {"fault"}},
        Case{"doctype_in_stanza", "<a><!DOCTYPE b></a>", {"fault"}},
        Case{"cdata_outside", "<![CDATA[x]]>", {"fault"}}, Case{"unknown_entity", "<a>&nbsp;</a>", {"fault"}},
        Case{"empty_entity", "<a>&;</a>", {"fault"}},
        Case{"number_too_large", "<a>&#x110000;</a>", {"fault"}},
        Case{"number_overflowing", "<a>&#x100000041;</a>", {"fault"}},
        Case{"bare_ampersand", "<a>this & that is a long text without a semicolon</a>", {"fault"}},
        Case{"less_in_attribute", "<a b='<'/>", {"fault"}}, Case{"no_quotes", "<a b=c/>", {"fault"}},
        Case{"no_value", "<a b/>", {"fault"}}, Case{"no_space", "<a b='c'd='e'/>", {"fault"}},
        Case{"no_name", "< a/>", {"fault"}}, Case{"empty_tag", "<a><></a>", {"fault"}},
        Case{"attribute_in_end_tag", "<a></a b='c'>", {"fault"}}, Case{"slash_in_tag", "<a/b>", {"fault"}},
        Case{"double_hyphen_in_comment", "<a><!-- -- --></a>", {"fault"}}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(guard, a_stanza_over_the_size_keeps_only_its_first_tag) {
    const std::string large = "<iq id='1'><x>" + std::string(200, 'y') + "</x></iq>";
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{64}, std::size_t{100000}}) {
        EXPECT_EQ(guarded(large + "<a/>", chunk, {100, 64}),
                  (std::vector<std::string>{"cut <iq id='1'/>", "<a/>"}));
    }
    EXPECT_EQ(guarded("<iq id='1'>" + std::string(85, 'y') + "</iq>", 1, {101, 64}).size(), 1U);
}

TEST(guard, comments_count_as_size) {
    EXPECT_EQ(guarded("<iq><!--" + std::string(200, 'y') + "--></iq><a/>", 1, {100, 64}),
              (std::vector<std::string>{"cut <iq/>", "<a/>"}));
    EXPECT_EQ(guarded("<!--" + std::string(200, 'y') + "--><a/>", 1, {100, 64}),
              (std::vector<std::string>{"<a/>"}));
}

TEST(guard, a_first_tag_over_the_size_vanishes) {
    EXPECT_EQ(guarded("<iq id='" + std::string(200, 'y') + "'><b/></iq><a/>", 1, {100, 64}),
              (std::vector<std::string>{"<a/>"}));
}

TEST(guard, a_stanza_over_the_depth_keeps_only_its_first_tag) {
    EXPECT_EQ(guarded("<a><b><c/></b></a>", 1, {1000, 3}), (std::vector<std::string>{"<a><b><c/></b></a>"}));
    EXPECT_EQ(guarded("<a x='y'><b><c/></b></a><d/>", 1, {1000, 2}),
              (std::vector<std::string>{"cut <a x='y'/>", "<d/>"}));
}

TEST(guard, fifty_thousand_levels_and_megabytes_take_linear_time) {
    std::string deep = "<iq id='1'>";
    for (int i = 0; i < 500000; ++i) deep += "<a>";
    for (int i = 0; i < 500000; ++i) deep += "</a>";
    deep += "</iq>";
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(guarded(deep, 1000), (std::vector<std::string>{"cut <iq id='1'/>"}));
    EXPECT_EQ(guarded("<a>" + std::string(4000000, '&'), 1000), (std::vector<std::string>{"fault"}));
    EXPECT_EQ(guarded("<a b='" + std::string(4000000, 'x') + "'/>", 1000), (std::vector<std::string>{}));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10))
        << "quadratic would take hours";
}

TEST(guard, a_stream_that_never_begins_is_a_fault) {
    Guard guard({1000, 64}, [](Guard::Part, const std::string&) { FAIL(); });
    EXPECT_FALSE(guard.feed("<a b='" + std::string(2000, 'x')));
    Guard http({1000, 64}, [](Guard::Part, const std::string&) { FAIL(); });
    EXPECT_FALSE(http.feed("HTTP/1.1 400"));
}

}  // namespace
}  // namespace xmpp
