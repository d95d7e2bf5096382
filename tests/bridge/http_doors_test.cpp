// What is served by HTTP: who may ask, what is answered, in which time.
#include "bridge/http_doors.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::ConsoleFiles;
using bridge::DialPlan;
using bridge::DialRefusal;
using bridge::HttpAnswer;
using bridge::HttpConfig;
using bridge::HttpDoors;
using bridge::HttpRequest;
using testing::HasSubstr;
using testing::Not;

namespace {

crm::Match match(std::string label, std::string id, crm::Quality quality = crm::Quality::exact) {
    crm::Match one;
    one.module = "Contacts";
    one.label = std::move(label);
    one.id = std::move(id);
    one.owner_user = "5";
    one.quality = quality;
    return one;
}

struct Doors {
    crm::Operator anna{.jid = "anna@example.org", .crm_user = "5", .pbx = "hq", .extension = "201"};
    crm::Operator boris{.jid = "boris@example.org", .crm_user = "6", .pbx = "hq", .extension = "202"};
    crm::Lookup found;
    std::string last = "boris@example.org";
    bool last_answers = true, ready = true;
    std::vector<bridge::DialRequest> dials;
    HttpDoors::Ports::Dialed dialed;
    std::vector<std::pair<bridge::Millis, std::function<void()>>> timers;
    std::string logged;
    std::map<std::string, std::string> given;
    HttpConfig config{.listen = "127.0.0.1:8383",
                      .serve = {"caller", "makecall", "health"},
                      .makecall_secret = "s3cr3tKey 42",
                      .caller_token = {},
                      .console = {},
                      .crm_origins = {}};
    HttpDoors doors{{
        .lookup = [this](const std::string&) { return found; },
        .of_crm_user = [this](std::string_view user) { return user == "5" ? &anna : nullptr; },
        .operator_of = [this](std::string_view jid) { return jid == boris.jid ? &boris : nullptr; },
        .of_extension = [this](std::string_view seat) { return seat == "201" ? &anna : nullptr; },
        .last_operator =
            [this](const std::string&, const std::function<void(std::string)>& tell) {
                if (last_answers) tell(last);
            },
        .dial =
            [this](const bridge::DialRequest& request, HttpDoors::Ports::Dialed done) {
                dials.push_back(request);
                dialed = std::move(done);
            },
        .after = [this](bridge::Millis span,
                        std::function<void()> ring) { timers.emplace_back(span, std::move(ring)); },
        .gave = [this](const std::string& number, const std::string& name) { given[number] = name; },
        .ready = [this] { return ready; },
        .explain = [](const bridge::Reason&) {},
        .log = [this](int, std::string_view line) { logged += std::string(line) + "\n"; },
    }};
    std::optional<HttpAnswer> answer;
    Doors() { found.matches = {match("Ann Lee", "12")}; }
    Doors(const Doors&) = delete;
    Doors& operator=(const Doors&) = delete;

    HttpAnswer ask(HttpRequest request) {
        answer.reset();
        doors.handler(config)(request, [this](HttpAnswer got) { answer = std::move(got); });
        return answer.value_or(HttpAnswer{.status = 0, .body = {}, .headers = {}});
    }
    static HttpRequest request(std::string path, std::string_view form = {}, std::string method = "GET") {
        HttpRequest one;
        one.method = std::move(method);
        one.path = std::move(path);
        one.form = bridge::parse_form(form);
        one.peer = "127.0.0.1";
        one.near = true;
        return one;
    }
    HttpAnswer makecall(std::string_view form) { return ask(request("/makecall", form, "POST")); }
};

constexpr std::string_view good =
    "event=OutgoingCall&secret=s3cr3tKey+42&from=201&to=%2B420+601+234+567&context=x";

TEST(http_caller, tells_who_owns_who_talked_last_and_which_record) {
    Doors doors;
    EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1")).body,
              "name=Ann%20Lee&owner=201&last=202&record=12&module=Contacts");
    EXPECT_THAT(doors.given, testing::ElementsAre(testing::Pair("1", "Ann Lee")));
}

TEST(http_caller, names_nobody_in_doubt) {
    struct Case {
        std::vector<crm::Match> matches;
        unsigned more;
    };
    const Case cases[] = {{{}, 0},
                          {{match("Ann", "1"), match("Bob", "2")}, 0},
                          {{match("Ann", "1")}, 3},
                          {{match("Ann", "1", crm::Quality::suffix)}, 0},
                          {{match("Ann", "1", crm::Quality::national)}, 0}};
    for (const auto& one : cases) {
        Doors doors;
        doors.found.matches = one.matches;
        doors.found.more = one.more;
        EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1")).body,
                  "name=&owner=&last=202&record=&module=");
    }
}

TEST(http_caller, leaves_out_who_called_last_when_the_database_is_slow) {
    Doors doors;
    doors.last_answers = false;
    doors.ask(Doors::request("/caller", "number=1"));
    EXPECT_FALSE(doors.answer);
    ASSERT_EQ(doors.timers.size(), 1U);
    EXPECT_EQ(doors.timers.front().first, bridge::Millis(50));
    doors.timers.front().second();
    EXPECT_EQ(doors.answer->body, "name=Ann%20Lee&owner=201&last=&record=12&module=Contacts");
}

TEST(http_caller, has_nothing_that_a_dialplan_takes_for_syntax) {
    Doors doors;
    doors.found.matches = {match("${SHELL(rm)},\"x\"&$[1+1]|;\n\\ Ann", "1${X}")};
    const auto form = bridge::parse_form(doors.ask(Doors::request("/caller", "number=1")).body);
    EXPECT_THAT(form.at("name"), HasSubstr("Ann"));
    EXPECT_EQ(form.at("name").find_first_of("${}[]()\",|;\\&\n+="), std::string::npos);
    EXPECT_EQ(form.at("record").find_first_of("${}"), std::string::npos);
    doors.found.matches = {match(std::string(78, 'x') + "\u00e9\u00e9", "1")};
    EXPECT_EQ(bridge::parse_form(doors.ask(Doors::request("/caller", "number=1")).body).at("name"),
              std::string(78, 'x'));
}

TEST(http_caller, is_for_this_machine_or_who_has_the_token) {
    Doors doors;
    auto far = Doors::request("/caller", "number=1");
    far.near = false;
    EXPECT_EQ(doors.ask(far).status, 403U);
    doors.config.caller_token = "tok";
    EXPECT_EQ(doors.ask(far).status, 403U);
    EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1")).status, 403U);
    far.token = "tok";
    EXPECT_EQ(doors.ask(far).status, 200U);
    EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1&token=tok")).status, 200U);
    EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1&token=tox")).status, 403U);
    EXPECT_THAT(doors.logged, Not(HasSubstr("tox")));
}

TEST(http_makecall, is_a_success_when_the_exchange_has_taken_it) {
    Doors doors;
    doors.makecall(good);
    EXPECT_FALSE(doors.answer);
    ASSERT_EQ(doors.dials.size(), 1U);
    EXPECT_EQ(doors.dials.front().jid, "anna@example.org");
    EXPECT_EQ(doors.dials.front().number, "+420 601 234 567");
    doors.dialed(DialPlan{});
    EXPECT_EQ(doors.answer->body, "Success");
    doors.timers.front().second();
    EXPECT_EQ(doors.answer->body, "Success");
}

TEST(http_makecall, is_an_error_when_it_is_refused_or_late) {
    Doors doors;
    doors.makecall(good);
    doors.dialed(
        std::unexpected(DialRefusal{"deny:+420*", xmpp::Condition::not_acceptable, "not from here"}));
    EXPECT_EQ(doors.answer->body, "Error");
    EXPECT_THAT(doors.logged, HasSubstr("not from here"));
    doors.makecall(good);
    EXPECT_EQ(doors.timers.back().first, bridge::Millis(500));
    doors.timers.back().second();
    EXPECT_EQ(doors.answer->body, "Error");
}

TEST(http_makecall, without_the_secret_nothing_is_dialled_and_no_secret_is_logged) {
    const std::string_view wrong[] = {"event=OutgoingCall&secret=wrongSecret&from=201&to=1",
                                      "event=OutgoingCall&from=201&to=1", "secret=", ""};
    for (const auto form : wrong) {
        Doors doors;
        EXPECT_EQ(doors.makecall(form).body, "Authentication Failure") << form;
        EXPECT_TRUE(doors.dials.empty());
        EXPECT_THAT(doors.logged, Not(HasSubstr("wrongSecret")));
        EXPECT_THAT(doors.logged, Not(HasSubstr("s3cr3t")));
    }
    const std::string_view strange[] = {"event=Other&secret=s3cr3tKey+42&from=201&to=1",
                                        "event=OutgoingCall&secret=s3cr3tKey+42&from=299&to=1",
                                        "event=OutgoingCall&secret=s3cr3tKey+42&to=1"};
    for (const auto form : strange) {
        Doors doors;
        EXPECT_EQ(doors.makecall(form).body, "Error") << form;
        EXPECT_TRUE(doors.dials.empty());
    }
}

TEST(http_doors, are_open_only_where_they_are_named) {
    Doors doors;
    doors.config.serve = {"health"};
    EXPECT_EQ(doors.ask(Doors::request("/caller", "number=1")).status, 404U);
    EXPECT_EQ(doors.makecall(good).status, 404U);
    EXPECT_EQ(doors.ask(Doors::request("/")).status, 404U);
    EXPECT_EQ(doors.ask(Doors::request("/health")).body, "ok\n");
    EXPECT_EQ(doors.ask(Doors::request("/health", {}, "DELETE")).status, 405U);
    doors.ready = false;
    EXPECT_EQ(doors.ask(Doors::request("/health")).status, 503U);
}

class console_files : public testing::Test {
 protected:
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("ctibridge-console-" + std::to_string(::getpid()));
    void SetUp() override { std::filesystem::create_directories(folder / "www/assets"); }
    void TearDown() override { std::filesystem::remove_all(folder); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name) << text;
    }
};

TEST_F(console_files, are_served_as_they_are_and_nothing_else_is) {
    write("www/index.html", "<p>hi</p>");
    write("www/assets/a.js", "1");
    write("secret", "do not serve");
    std::filesystem::create_symlink(folder / "secret", folder / "www/link");
    const auto files = ConsoleFiles::read(folder / "www");
    ASSERT_TRUE(files) << files.error();
    const auto index = files->answer(Doors::request("/"));
    EXPECT_EQ(index.body, "<p>hi</p>");
    EXPECT_EQ(index.content_type, "text/html; charset=utf-8");
    EXPECT_THAT(index.headers,
                testing::Contains(testing::Pair("Content-Security-Policy", HasSubstr("script-src 'self'"))));
    EXPECT_EQ(files->answer(Doors::request("/assets/a.js")).content_type, "text/javascript; charset=utf-8");
    for (const auto* path :
         {"/../secret", "/link", "/assets/../../secret", "/%2e%2e/secret", "//secret", "/nothing", ""})
        EXPECT_EQ(files->answer(Doors::request(path)).status, 404U) << path;
    auto again = Doors::request("/");
    again.match = index.headers.front().second;
    EXPECT_EQ(files->answer(again).status, 304U);
    EXPECT_EQ(files->answer(again).body, "");
}

TEST_F(console_files, only_the_frame_may_be_in_a_page_and_only_in_those_of_the_crm) {
    write("www/index.html", "<p>hi</p>");
    write("www/frame.html", "<p>box</p>");
    write("www/origins.json", R"(["https://evil.example"])");
    const auto files = ConsoleFiles::read(folder / "www");
    ASSERT_TRUE(files) << files.error();
    const auto policy = [&](const std::string& path, const std::vector<std::string>& origins) {
        for (const auto& [name, value] : files->answer(Doors::request(path), origins).headers)
            if (name == "Content-Security-Policy") return value;
        return std::string();
    };
    const std::vector<std::string> crm = {"https://crm.example.org", "https://old.example.org:8443"};
    EXPECT_THAT(policy("/frame.html", crm),
                testing::EndsWith("frame-ancestors https://crm.example.org https://old.example.org:8443"));
    EXPECT_THAT(policy("/frame.html", {}), testing::EndsWith("frame-ancestors 'none'"));
    EXPECT_THAT(policy("/index.html", crm), testing::EndsWith("frame-ancestors 'none'"));
    const auto told = files->answer(Doors::request("/origins.json"), crm);
    EXPECT_EQ(told.body, R"(["https://crm.example.org", "https://old.example.org:8443"])");
    EXPECT_EQ(told.content_type, "application/json");
    EXPECT_EQ(files->answer(Doors::request("/origins.json")).body, "[]");
}

TEST_F(console_files, must_be_there) {
    EXPECT_THAT(ConsoleFiles::read(folder / "nowhere").error(), HasSubstr("nowhere"));
    EXPECT_THAT(ConsoleFiles::read(folder / "www").error(), HasSubstr("index.html"));
}

}  // namespace
