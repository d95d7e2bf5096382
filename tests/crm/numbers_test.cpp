#include "crm/numbers.hpp"

#include <gtest/gtest.h>

using crm::NumberKind;

namespace {

crm::Numbers prague() {
    return crm::Numbers({{.pbx = "hq", .extensions = {"20?"}, .country = "CZ"},
                         {.pbx = "brno", .extensions = {"3??", "9*"}, .country = "CZ"}});
}
crm::Numbers london() {
    return crm::Numbers({{.pbx = "hq", .extensions = {"2??"}, .country = "GB"}});
}

struct Presented {
    std::string text;
    const char* e164;  // nullptr: none
    std::string extension = {};
    NumberKind kind = NumberKind::telephone;
};
void check(const crm::Numbers& numbers, const std::vector<Presented>& cases, std::string_view pbx = "hq") {
    for (const auto& one : cases) {
        const auto number = numbers.understand(one.text, pbx);
        SCOPED_TRACE(one.text.substr(0, 80));
        EXPECT_EQ(number.raw, one.text);
        EXPECT_EQ(number.e164.value_or("-"), one.e164 == nullptr ? "-" : one.e164);
        EXPECT_EQ(number.extension, one.extension);
        EXPECT_EQ(static_cast<int>(number.kind), static_cast<int>(one.kind));
        EXPECT_EQ(number.internal, one.kind == NumberKind::internal);
        EXPECT_EQ(number.anonymous, one.kind != NumberKind::internal && one.kind != NumberKind::telephone);
    }
}

}  // namespace

TEST(Numbers, understands_what_providers_present) {
    check(prague(), {
                        {"+420601234567", "+420601234567"},
                        {"420601234567", "+420601234567"},
                        {"00420601234567", "+420601234567"},
                        {"601234567", "+420601234567"},
                        {"601 234 567", "+420601234567"},
                        {"+420 (0)601 234 567", "+420601234567"},
                        {"+4200601234567", "+420601234567"},
                        {"+442079460018", "+442079460018"},
                        {"+44 (0)20 7946 0018", "+442079460018"},
                        {"+4402079460018", "+442079460018"},
                        {"00442079460018", "+442079460018"},
                        {"442079460018", "+442079460018"},
                        {"12125550123", "+12125550123"},
                        {"4319346000", "+4319346000"},
                        {"971500000001", "+971500000001"},
                        {"sip:+420601234567@provider.example;user=phone", "+420601234567"},
                        {"\"Jan\" <601234567>", "+420601234567"},
                        {"tel:+420-601-234-567", "+420601234567"},
                        {"tel:%2B420601234567", "+420601234567"},
                        {"+420\u00a0601\u2013234\u2013567", "+420601234567"},
                        {"\u202a+420 601 234 567\u202c", "+420601234567"},
                        {"+٤٢٠٦٠١٢٣٤٥٦٧", "+420601234567"},
                        {"+420601234567", "+420601234567"},
                        {"+39 (0)6 12345678", "+390612345678"},
                    });
    check(london(), {
                        {"07700900123", "+447700900123"},
                        {"+447700900123", "+447700900123"},
                        {"447700900123", "+447700900123"},
                        {"02079460018", "+442079460018"},
                        {"0044 20 7946 0018", "+442079460018"},
                        {"+44 (0)20 7946 0018", "+442079460018"},
                        {"00420601234567", "+420601234567"},
                    });
}

TEST(Numbers, keeps_the_extension_behind_a_number_apart) {
    check(prague(), {
                        {"+420 222 333 444 ext. 12", "+420222333444", "12"},
                        {"222333444/15", "+420222333444", "15"},
                        {"+1 (212) 555-0123 x45", "+12125550123", "45"},
                        {"222 333 444 kl. 7", "+420222333444", "7"},
                        {"tel:+420222333444;ext=12", "+420222333444", "12"},
                        {"+420222333444;ext=12", "+420222333444", "12"},
                        {"222333444 #9", "+420222333444", "9"},
                        {"+7 495 123-45-67 доб. 12", "+74951234567", "12"},
                    });
}

TEST(Numbers, recognises_extensions_before_anything_else) {
    const auto internal = NumberKind::internal;
    check(prague(), {{"201", nullptr, {}, internal},
                     {" 205 ", nullptr, {}, internal},
                     {"SIP/201", nullptr, {}, internal},
                     {"PJSIP/203", nullptr, {}, internal},
                     {"hq/201", nullptr, {}, internal},
                     {"brno/311", nullptr, {}, internal},
                     {"sip:205@pbx.example", nullptr, {}, internal},
                     {"\"Anna\" <201>", nullptr, {}, internal},
                     {"tel:201", nullptr, {}, internal}});
    EXPECT_EQ(prague().understand("sip:205@pbx.example", "hq").digits, "205");
    EXPECT_TRUE(prague().understand("311", "").internal);
    EXPECT_FALSE(prague().understand("311", "hq").internal);
    EXPECT_TRUE(prague().understand("9123", "brno").internal);
    EXPECT_FALSE(prague().understand("201555888", "hq").internal);
    EXPECT_FALSE(prague().understand("+201", "hq").internal);
}

TEST(Numbers, counts_operators_extensions_as_internal_beside_the_patterns) {
    auto numbers = prague();
    EXPECT_FALSE(numbers.understand("777", "hq").internal);
    numbers.set_operators(
        {{.jid = "a@x", .crm_user = "5", .pbx = "hq", .extension = "777", .name = "A", .active = false}});
    EXPECT_TRUE(numbers.understand("777", "hq").internal);
    EXPECT_FALSE(numbers.understand("777", "brno").internal);
    EXPECT_EQ(numbers.seat("hq/201").pbx, "hq");
    EXPECT_EQ(numbers.seat("hq/201").extension, "201");
    EXPECT_EQ(numbers.seat("sip:205@pbx.example").extension, "205");
    EXPECT_EQ(numbers.seat("PJSIP/201").extension, "201");
    EXPECT_EQ(numbers.seat("moon/201").extension, "");
    EXPECT_EQ(numbers.seat("201; DROP TABLE x").extension, "");
}

TEST(Numbers, never_takes_for_a_number_what_is_none) {
    const auto nobody = NumberKind::anonymous;
    const auto text = NumberKind::not_a_number;
    check(prague(), {
                        {"", nullptr, {}, nobody},
                        {"+", nullptr, {}, nobody},
                        {"-", nullptr, {}, nobody},
                        {"   ", nullptr, {}, nobody},
                        {"anonymous", nullptr, {}, nobody},
                        {"Anonymous", nullptr, {}, nobody},
                        {"<unknown>", nullptr, {}, nobody},
                        {"sip:anonymous@anonymous.invalid", nullptr, {}, nobody},
                        {"Private Number", nullptr, {}, nobody},
                        {"000000000", nullptr, {}, nobody},
                        {"n/a", nullptr, {}, nobody},
                        {"4", nullptr, {}, NumberKind::too_short},
                        {"42", nullptr, {}, NumberKind::too_short},
                        {"420", nullptr, {}, NumberKind::too_short},
                        {"+420", nullptr, {}, NumberKind::too_short},
                        {"112", nullptr, {}, NumberKind::too_short},
                        {"*43", nullptr, {}, NumberKind::too_short},
                        {"\"OR/**/1=1#", nullptr, {}, text},
                        {"1 OR 1=1", nullptr, {}, text},
                        {"601234567'; DROP TABLE vtiger_users; --", nullptr, {}, text},
                        {"0800FLOWERS", nullptr, {}, text},
                        {"<script>601234567</script>", nullptr, {}, text},
                        {"601\r\nAction: Hangup", nullptr, {}, text},
                        {"601234567\xff", nullptr, {}, text},
                        {"\xc0\xaf"
                         "601234567",
                         nullptr,
                         {},
                         text},
                        {std::string(10240, '6'), nullptr, {}, text},
                        {std::string(21, '6'), nullptr, {}, text},
                        {"601+234567", nullptr, {}, text},
                        {"😀601234567", nullptr, {}, text},
                        {std::string("601\0"
                                     "234",
                                     7),
                         nullptr,
                         {},
                         text},
                    });
}

TEST(Numbers, reads_the_numbers_of_a_stored_field) {
    struct Case {
        const char* field;
        std::vector<std::string> numbers;  // E.164, else digits; ";extension"
    };
    const std::vector<Case> cases = {
        {"+420 601 234 567", {"+420601234567"}},
        {"00420777111222", {"+420777111222"}},
        {"(030) 123-4567", {"0301234567"}},
        {"112", {}},
        {"n/a", {}},
        {"-", {}},
        {"", {}},
        {"+420 222 333 444 ext. 12", {"+420222333444;12"}},
        {"222333444/15", {"+420222333444;15"}},
        {"+1 (212) 555-0123 x45", {"+12125550123;45"}},
        {"601234567, 602 345 678", {"+420601234567", "+420602345678"}},
        {"601234567/602345678", {"+420601234567", "+420602345678"}},
        {"601 234 567 (evenings)", {"+420601234567"}},
        {"mobile: +420601234567", {"+420601234567"}},
        {"'+420601234567", {"+420601234567"}},
        {" 601234567\t", {"+420601234567"}},
        {"call me", {}},
        {"ID12345678X", {}},
        {"201", {}},
        {"\xff\xfe", {}},
    };
    const auto numbers = prague();
    for (const auto& one : cases) {
        std::vector<std::string> found;
        for (const auto& number : numbers.stored(one.field))
            found.push_back(number.e164.value_or(number.digits) +
                            (number.extension.empty() ? "" : ";" + number.extension));
        EXPECT_EQ(found, one.numbers) << one.field;
    }
}

TEST(Numbers, dials_uris_and_text_with_any_separators) {
    struct Case {
        const char* text;
        const char* e164;
        const char* digits;
    };
    for (const auto& one :
         std::vector<Case>{{"tel:+44-20-7946-0018", "+442079460018", "+442079460018"},
                           {"TEL:%2B442079460018", "+442079460018", "+442079460018"},
                           {"+44 (0)20 7946 0018", "+442079460018", "+4402079460018"},
                           {"020.7946.0018", "+442079460018", "02079460018"},
                           {"(020) 7946/0018", "+442079460018", "02079460018"},
                           {"tel:7946-0018;phone-context=+44-20", "+442079460018", "+442079460018"},
                           {"112", "-", "112"},
                           {"*43", "-", "*43"},
                           {"callto:+442079460018", "+442079460018", "+442079460018"},
                           {"tel:02079460018;phone-context=example.com", "+442079460018", "02079460018"}}) {
        const auto number = london().dial_number(one.text, "hq");
        ASSERT_TRUE(number.has_value()) << one.text << ": " << number.error();
        EXPECT_EQ(number->e164.value_or("-"), one.e164) << one.text;
        EXPECT_EQ(number->digits, one.digits) << one.text;
    }
    EXPECT_TRUE(london().dial_number("202", "hq")->internal);
    EXPECT_TRUE(london().dial_number("tel:202;phone-context=example.com", "hq")->internal);
}

TEST(Numbers, refuses_to_dial_what_is_no_number_and_says_why) {
    struct Case {
        std::string text;
        const char* why;
    };
    for (const auto& one : std::vector<Case>{{"0800 FLOWERS", "letters"},
                                             {"tel:1-800-FLOWERS", "letters"},
                                             {"", "no number"},
                                             {"+", "no digits"},
                                             {"()", "no digits"},
                                             {"020\r\nAction: Originate", "control character"},
                                             {std::string("020\0", 4), "control character"},
                                             {"020\xff", "UTF-8"},
                                             {"sip:anna@example.org", "SIP address"},
                                             {"020 7946,,1234", "pause"},
                                             {"+44+20", "+ may only"},
                                             {"44+2079460018", "+ may only"},
                                             {"+999123456789", "no international number"},
                                             {std::string(10240, '1'), "longer than"},
                                             {std::string(30, '1'), "more than"},
                                             {"020 7946 0018 & 203", "no part of"},
                                             {"PJSIP/203", "before the slash"},
                                             {"02079460018😀", "no part of"},
                                             {"$(reboot)", "letters"}}) {
        const auto number = london().dial_number(one.text, "hq");
        ASSERT_FALSE(number.has_value()) << one.text;
        EXPECT_NE(number.error().find(one.why), std::string::npos) << one.text << ": " << number.error();
    }
}

TEST(Numbers, gives_the_forms_a_crm_may_hold) {
    const auto forms = crm::Numbers::forms(london().understand("02079460018", "hq"));
    EXPECT_EQ(forms.e164, "+442079460018");
    EXPECT_EQ(forms.digits, "442079460018");
    EXPECT_EQ(forms.international, "00442079460018");
    EXPECT_EQ(forms.national, "2079460018");
    EXPECT_EQ(forms.trunk, "02079460018");
    EXPECT_EQ(forms.international_trunk, "4402079460018");
    EXPECT_EQ(crm::Numbers::forms(prague().understand("601234567", "hq")).trunk, "");
}

TEST(Numbers, knows_a_subscriber_number_without_area_code) {
    EXPECT_TRUE(london().local_only(london().understand("79460018", "hq"), "hq"));
    EXPECT_FALSE(london().local_only(london().understand("02079460018", "hq"), "hq"));
    EXPECT_FALSE(prague().local_only(prague().understand("1234567", "hq"), "hq"));
    EXPECT_EQ(prague().country_code("hq"), "420");
}
