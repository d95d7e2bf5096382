#include "crm/outbox.hpp"

#include <condition_variable>
#include <csignal>
#include <fstream>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crm/sqlite.hpp"
#include "owner.hpp"
#include "temporary.hpp"

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

crm::Fact fact(const std::string& id, const std::string& name = "A LEE") {
    crm::CallRow row;
    row.id = id;
    row.caller_name = name;
    return crm::fact_of(row);
}

class OutboxTest : public testing::Test {
 protected:
    std::unique_ptr<crm::Outbox> open() {
        return std::make_unique<crm::Outbox>(dir.path(), sql, owner.post(),
                                             [this](int, std::string_view line) {
                                                 const std::scoped_lock guard(mutex);
                                                 lines += std::string(line) + "\n";
                                             });
    }
    // Ids on disk, in order.
    static std::vector<std::string> ids(crm::Outbox& outbox) {
        std::vector<std::string> out;
        for (const auto& one : outbox.next(0, 100'000, 0ms)) out.push_back(one.fact.values.text("id"));
        return out;
    }
    std::string log() {
        const std::scoped_lock guard(mutex);
        return lines;
    }
    test::TemporaryDirectory dir;
    std::filesystem::path sql = test::sql_dir();
    test::Owner owner;

 private:
    std::mutex mutex;
    std::string lines;
};

TEST_F(OutboxTest, a_fact_is_durable_before_its_callback_and_comes_back_whole_after_a_restart) {
    const auto hostile = fact("hq:1", std::string("a\0b\xF0\x9F\x98\x80';--", 11));
    {
        auto outbox = open();
        bool ok = false;
        outbox->put(hostile, [&](bool durable) {
            ok = durable;
            const auto again = crm::Sqlite(dir.path() / "outbox.sqlite")
                                   .run(crm::parse_sql("SELECT COUNT(*) AS n FROM fact", "t").at(0));
            EXPECT_EQ(again->text(0, "n"), "1");
        });
        ASSERT_TRUE(owner.run_until([&] { return ok; }));
    }
    auto outbox = open();
    const auto facts = outbox->next(0, 10, 0ms);
    ASSERT_EQ(facts.size(), 1U);
    EXPECT_TRUE(facts[0].readable);
    EXPECT_EQ(facts[0].fact.values, hostile.values);
    EXPECT_EQ(outbox->counts().depth, 1U);
    EXPECT_GT(outbox->counts().oldest, crm::Millis{1'700'000'000'000});
}

TEST_F(OutboxTest, a_fact_is_durable_within_100_ms) {
    auto outbox = open();
    for (int i = 0; i < 20; ++i) {
        bool ok = false;
        const auto began = std::chrono::steady_clock::now();
        outbox->put(fact("hq:1"), [&](bool durable) { ok = durable; });
        ASSERT_TRUE(owner.run_until([&] { return ok; }));
        EXPECT_LT(std::chrono::steady_clock::now() - began, 100ms);
        std::this_thread::sleep_for(std::chrono::milliseconds(i));
    }
}

TEST_F(OutboxTest, facts_keep_their_order_and_sequence_numbers_never_come_back) {
    std::int64_t last = 0;
    {
        auto outbox = open();
        for (int i = 0; i < 500; ++i) outbox->put(fact("hq:" + std::to_string(i)));
        std::int64_t at = 0;
        for (int tries = 0; at < 500 && tries < 600; ++tries)
            for (const auto& one : outbox->next(at, 64, 1s)) {
                EXPECT_EQ(one.fact.values.text("id"), "hq:" + std::to_string(at));
                EXPECT_EQ(one.seq, at + 1);
                at = one.seq;
                outbox->done(at);
            }
        EXPECT_EQ(at, 500);
        EXPECT_EQ(outbox->counts().depth, 0U);
        EXPECT_EQ(outbox->counts().oldest, crm::Millis{0});
        last = at;
    }
    auto outbox = open();
    EXPECT_THAT(ids(*outbox), IsEmpty());
    outbox->put(fact("hq:new"));
    const auto facts = outbox->next(0, 10, 1s);
    ASSERT_EQ(facts.size(), 1U);
    EXPECT_EQ(facts[0].seq, last + 1);
}

TEST_F(OutboxTest, revisions_grow_over_restarts) {
    std::int64_t last = 0;
    for (int start = 0; start < 3; ++start) {
        auto outbox = open();
        for (int i = 0; i < 50; ++i) outbox->put(fact("hq:1"));
        std::int64_t at = 0, read = 0;
        for (int tries = 0; read < 50 && tries < 60; ++tries)
            for (const auto& one : outbox->next(at, 100, 1s)) {
                EXPECT_GT(one.revision, last);
                last = one.revision;
                at = one.seq;
                ++read;
                outbox->done(at);
            }
    }
    EXPECT_GT(last, 0);
}

TEST_F(OutboxTest, a_fact_set_aside_is_kept_with_its_error_and_tried_again_at_the_next_start) {
    {
        auto outbox = open();
        outbox->put(fact("hq:1"));
        outbox->put(fact("hq:2"));
        while (outbox->next(0, 10, 1s).size() < 2) {
        }
        outbox->set_aside(1, "it does not fit");
        EXPECT_EQ(outbox->counts().set_aside, 1U);
        EXPECT_EQ(outbox->counts().depth, 1U);
    }
    {
        crm::Sqlite file(dir.path() / "outbox.sqlite");
        EXPECT_EQ(
            file.run(crm::parse_sql("SELECT error FROM fact WHERE seq = 1", "t").at(0))->text(0, "error"),
            "it does not fit");
    }
    auto outbox = open();
    EXPECT_THAT(ids(*outbox), ElementsAre("hq:1", "hq:2"));
    EXPECT_THAT(log(), HasSubstr("1 facts that were set aside are tried again"));
}

TEST_F(OutboxTest, owed_notices_survive_and_settled_ones_do_not) {
    {
        auto outbox = open();
        outbox->owe({"anna@example.org", "hq", "1.1", "hq:1", "<call state='ringing'/>"});
        outbox->owe({"anna@example.org", "hq", "1.1", "hq:1", "<call state='answered'/>"});
        outbox->owe({"boris@example.org", "hq", "1.2", "hq:1", "<call/>"});
        outbox->settle("boris@example.org", "hq", "1.2");
        outbox->settle("nobody@example.org", "hq", "1.2");
        EXPECT_EQ(outbox->owed().size(), 1U);
    }
    const auto owed = open()->owed();
    ASSERT_EQ(owed.size(), 1U);
    EXPECT_EQ(owed[0].jid, "anna@example.org");
    EXPECT_EQ(owed[0].stanza, "<call state='answered'/>");
}

TEST_F(OutboxTest, the_files_are_readable_by_nobody_else) {
    auto outbox = open();
    outbox->put(fact("hq:1"));
    ASSERT_EQ(outbox->next(0, 1, 1s).size(), 1U);
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
        struct stat status{};
        ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0600U) << entry.path();
        ++files;
    }
    EXPECT_GE(files, 3);  // database, log, shared memory, lock
}

TEST_F(OutboxTest, an_existing_file_that_others_may_read_is_closed_to_them) {
    open().reset();
    const auto file = dir.path() / "outbox.sqlite";
    std::filesystem::permissions(file, std::filesystem::perms(0644));
    open().reset();
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
}

TEST_F(OutboxTest, a_second_daemon_on_the_same_state_is_refused) {
    const auto first = open();
    try {
        open();
        FAIL() << "opened twice";
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("another ctibridge runs with this state directory"));
    }
}

struct DamageCase {
    std::string name;
    void (*damage)(const std::filesystem::path& file);
    std::string complaint;
};
class OutboxDamage : public testing::TestWithParam<DamageCase> {};
TEST_P(OutboxDamage, is_an_error_that_names_the_file_and_the_remedy) {
    test::TemporaryDirectory dir;
    test::Owner owner;
    const auto file = dir.path() / "outbox.sqlite";
    const auto open = [&] {
        return crm::Outbox(dir.path(), test::sql_dir(), owner.post(), [](int, std::string_view) {});
    };
    {
        auto outbox = open();
        for (int i = 0; i < 2000; ++i) outbox.put(fact("hq:" + std::to_string(i), std::string(200, 'x')));
    }
    GetParam().damage(file);
    try {
        open();
        FAIL() << "opened";
    } catch (const std::runtime_error& e) {
        EXPECT_THAT(e.what(), HasSubstr(file.string()));
        EXPECT_THAT(e.what(), HasSubstr(GetParam().complaint));
    }
}
void overwrite(const std::filesystem::path& file, std::streamoff from, std::size_t count) {
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(from);
    out << std::string(count, 'Z');
}
INSTANTIATE_TEST_SUITE_P(
    Table, OutboxDamage,
    testing::Values(DamageCase{"no_database",
                               [](const auto& file) { std::ofstream(file) << std::string(8192, 'Z'); },
                               "damaged"},
                    DamageCase{"broken_in_the_middle",
                               [](const auto& file) { overwrite(file, 4096 * 3, 4096 * 20); }, "damaged"},
                    DamageCase{"a_folder",
                               [](const auto& file) {
                                   std::filesystem::remove(file);
                                   std::filesystem::create_directory(file);
                               },
                               "must own it"},
                    DamageCase{"a_link",
                               [](const auto& file) {
                                   std::filesystem::rename(file, file.string() + "2");
                                   std::filesystem::create_symlink(file.string() + "2", file);
                               },
                               "must own it"},
                    DamageCase{"of_a_newer_version",
                               [](const auto& file) { ASSERT_TRUE(crm::Sqlite(file).set_version(99)); },
                               "newer version"}),
    [](const auto& row) { return row.param.name; });

// Runs `work` in a child; its exit code, or 1000 + signal.
template <class F>
int in_child(F&& work) {
    const int pid = ::fork();
    if (pid == 0) {
        int code = 99;
        try {
            code = work();
        } catch (const std::exception& e) {
            std::fprintf(stderr, "%s\n", e.what());
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

TEST_F(OutboxTest, a_state_directory_of_another_account_is_a_clear_error) {
    open().reset();
    // The other account may not even enter the folder this was checked out in.
    const test::TemporaryDirectory readable;
    std::filesystem::copy(sql, readable.path() / "sql", std::filesystem::copy_options::recursive);
    std::filesystem::permissions(readable.path(), std::filesystem::perms(0755));
    sql = readable.path() / "sql";
    if (::geteuid() != 0) {
        // As an ordinary user: take our own right away.
        std::filesystem::permissions(dir.path() / "outbox.sqlite", std::filesystem::perms(0400));
    }
    EXPECT_EQ(in_child([&] {
                  if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return 2;
                  try {
                      open();
                  } catch (const std::runtime_error& e) {
                      return std::string(e.what()).find("must own it and be able to write it") ==
                                     std::string::npos
                                 ? 3
                                 : 0;
                  }
                  return 4;
              }),
              0);
}

TEST_F(OutboxTest, a_full_disk_is_told_and_nothing_is_lost_when_there_is_room_again) {
    EXPECT_EQ(in_child([&] {
                  std::signal(SIGXFSZ, SIG_IGN);
                  auto outbox = open();
                  const auto limit = [](rlim_t bytes) {
                      rlimit value{};
                      ::getrlimit(RLIMIT_FSIZE, &value);
                      value.rlim_cur = bytes == 0 ? value.rlim_max : bytes;
                      ::setrlimit(RLIMIT_FSIZE, &value);
                  };
                  limit(200'000);
                  std::map<bool, int> told;
                  for (int i = 0; i < 1000; ++i)
                      outbox->put(fact("hq:" + std::to_string(i), std::string(500, 'x')),
                                  [&](bool ok) { ++told[ok]; });
                  if (!owner.run_until([&] { return told[true] + told[false] == 1000; })) return 2;
                  if (told[false] == 0) return 3;
                  if (outbox->counts().disk_error.empty()) return 4;
                  if (log().find("facts stay in memory") == std::string::npos) return 5;
                  limit(0);
                  outbox->put(fact("hq:last"), [&](bool ok) { ++told[ok]; });
                  for (int i = 0; i < 100 && outbox->next(0, 2000, 100ms).size() < 1001; ++i)
                      std::this_thread::sleep_for(50ms);
                  const auto all = ids(*outbox);
                  if (all.size() != 1001) return 6;
                  for (std::size_t i = 0; i < 1000; ++i)
                      if (all[i] != "hq:" + std::to_string(i)) return 7;
                  return outbox->counts().disk_error.empty() ? 0 : 8;
              }),
              0);
}

// Nothing that was acknowledged is missing after kill -9 at any moment; order is kept, and what is there is
// whole.
TEST_F(OutboxTest, kill_9_at_random_moments_loses_nothing_that_was_acknowledged) {
    std::mt19937 random(20261121);
    std::set<std::string> acknowledged;
    int number = 0;
    for (int round = 0; round < 12; ++round) {
        int pipe_ends[2];
        ASSERT_EQ(::pipe(pipe_ends), 0);
        const int pid = ::fork();
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            ::close(pipe_ends[0]);
            auto outbox = open();
            for (int i = number;; ++i) {
                const auto id = "hq:" + std::to_string(i);
                outbox->put(fact(id, std::string(300, 'x')), [id, &pipe_ends](bool ok) {
                    const auto line = id + "\n";
                    if (ok && ::write(pipe_ends[1], line.data(), line.size()) < 0) ::_exit(1);
                });
                if (i % 7 == 0) std::this_thread::sleep_for(200us);
                owner.run();
            }
        }
        ::close(pipe_ends[1]);
        std::string said;
        char buffer[4096];
        // The child is alive and at work before the clock runs.
        ssize_t got = ::read(pipe_ends[0], buffer, sizeof buffer);
        ASSERT_GT(got, 0);
        said.append(buffer, static_cast<std::size_t>(got));
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
        ::kill(pid, SIGKILL);
        while ((got = ::read(pipe_ends[0], buffer, sizeof buffer)) > 0)
            said.append(buffer, static_cast<std::size_t>(got));
        ::close(pipe_ends[0]);
        ::waitpid(pid, nullptr, 0);
        said.resize(said.rfind('\n') + 1);
        std::istringstream heard(said);
        for (std::string line; std::getline(heard, line);) acknowledged.insert(line);
        number += 100'000;
    }
    ASSERT_GT(acknowledged.size(), 100U);
    auto outbox = open();
    std::set<std::string> found;
    std::int64_t last = 0;
    for (const auto& one : outbox->next(0, 1'000'000, 0ms)) {
        EXPECT_TRUE(one.readable);
        EXPECT_GT(one.revision, last);
        last = one.revision;
        EXPECT_EQ(one.fact.values.text("caller_name"), std::string(300, 'x'));
        EXPECT_TRUE(found.insert(one.fact.values.text("id")).second)
            << "twice: " << one.fact.values.text("id");
    }
    for (const auto& id : acknowledged) EXPECT_TRUE(found.contains(id)) << id;
}

}  // namespace
