#include "bridge/check.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

using bridge::Level;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::Field;
using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> sufficient{"Ping",   "Status",   "Originate", "Hangup",
                                          "Setvar", "Redirect", "QueueAdd",  "ExtensionState"};

auto finding(Level level, std::string_view what) {
    return AllOf(Field(&bridge::Finding::level, level),
                 Field(&bridge::Finding::what, HasSubstr(std::string(what))));
}

crm::Operator person(std::string jid, std::string extension, std::string pbx = "hq") {
    crm::Operator made;
    made.jid = std::move(jid);
    made.extension = std::move(extension);
    made.pbx = std::move(pbx);
    return made;
}

bridge::Config two_sites() {
    bridge::Config config;
    config.pbx.resize(2);
    config.pbx[0].name = "hq";
    config.pbx[1].name = "branch";
    return config;
}

struct Folder {
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "check-XXXXXX";
        path = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
};

TEST(check_rights, the_shipped_rights_are_enough_and_not_too_many) {
    EXPECT_THAT(bridge::judge_rights("pbx hq", sufficient), Each(Field(&bridge::Finding::level, Level::ok)));
}

TEST(check_rights, a_missing_right_names_its_consequence_and_its_write_class) {
    auto actions = sufficient;
    std::erase(actions, "Originate");
    const auto found = bridge::judge_rights("pbx hq", actions);
    ASSERT_THAT(found, Contains(finding(Level::error, "may not Originate")));
    EXPECT_THAT(found.front().why, HasSubstr("click-to-dial"));
    EXPECT_THAT(found.front().mend, HasSubstr("write class originate"));
}

TEST(check_rights, a_right_to_run_commands_is_too_much) {
    auto actions = sufficient;
    actions.emplace_back("Command");
    EXPECT_THAT(bridge::judge_rights("pbx hq", actions), Contains(finding(Level::warning, "may Command")));
}

TEST(check_people, nobody_with_a_phone_is_an_error) {
    EXPECT_THAT(bridge::check_people({}, two_sites()),
                Contains(finding(Level::error, "no operator has a phone")));
}

TEST(check_people, faults_are_named_with_the_person) {
    auto inactive = person("gone@example.org", "");
    inactive.active = false;
    const auto found = bridge::check_people(
        {person("anna@example.org", "201"), person("boris@example.org", ""),
         person("clara@example.org", "203", ""), person("david@example.org", "204", "moon"),
         person("hugo@example.org", "201"), person("anna@example.org", "205"), inactive},
        two_sites());
    EXPECT_THAT(found, Contains(finding(Level::warning, "boris@example.org has no extension")));
    EXPECT_THAT(found, Contains(finding(Level::warning, "clara@example.org has extension 203, but no pbx")));
    EXPECT_THAT(found, Contains(finding(Level::warning, "pbx moon, which is not configured")));
    EXPECT_THAT(found,
                Contains(finding(Level::note, "hq/201 is shared by anna@example.org, hugo@example.org")));
    EXPECT_THAT(found, Contains(finding(Level::warning, "anna@example.org is listed 2 times")));
    EXPECT_THAT(found, Each(Field(&bridge::Finding::what, Not(HasSubstr("gone@")))));
}

TEST(check_state, a_folder_open_to_others_is_a_warning) {
    const Folder folder;
    bridge::Config config;
    config.state = folder.path;
    EXPECT_THAT(bridge::check_state(config), Contains(finding(Level::ok, "there and private")));
    ::chmod(folder.path.c_str(), 0755);
    EXPECT_THAT(bridge::check_state(config), Contains(finding(Level::warning, "other users")));
}

TEST(check_state, a_file_in_its_place_is_an_error_and_none_yet_a_note) {
    const Folder folder;
    std::ofstream(folder.path / "file") << "x";
    bridge::Config config;
    config.state = folder.path / "file";
    EXPECT_THAT(bridge::check_state(config), Contains(finding(Level::error, "is no directory")));
    config.state = folder.path / "later" / "state";
    EXPECT_THAT(bridge::check_state(config), Contains(finding(Level::note, "not there yet")));
}

TEST(check_report, exit_code_is_the_worst_level) {
    const bridge::Finding ok{Level::ok, "a", "b", "", ""}, warning{Level::warning, "a", "b", "c", "d"},
        error{Level::error, "a", "b", "c", "d"};
    EXPECT_EQ(bridge::exit_code({ok}), 0);
    EXPECT_EQ(bridge::exit_code({ok, warning}), 1);
    EXPECT_EQ(bridge::exit_code({warning, error, ok}), 2);
}

TEST(check_report, json_survives_hostile_text) {
    std::ostringstream out;
    bridge::print({{Level::error, "people", "\"quoted\"\n\x1b[31m\\", "why", "mend"}}, true, out);
    EXPECT_EQ(out.str(),
              "[\n  {\"level\": \"error\", \"area\": \"people\", \"what\": "
              "\"\\\"quoted\\\"\\\\x0A\\\\x1B[31m\\\\\", "
              "\"why\": \"why\", \"mend\": \"mend\"}\n]\n");
}

TEST(check_report, text_says_why_and_how_to_mend) {
    std::ostringstream out;
    bridge::print({{Level::warning, "state", "little room", "calls are kept there", "make room"}}, false,
                  out);
    EXPECT_THAT(out.str(),
                AllOf(HasSubstr("warning  state: little room"), HasSubstr("why:  calls are kept there"),
                      HasSubstr("mend: make room"), HasSubstr("0 ok, 0 notes, 1 warnings, 0 errors")));
}

}  // namespace
