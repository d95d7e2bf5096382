#include "bridge/control_server.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bridge/control_client.hpp"

using bridge::ask_control;
using bridge::ControlAnswer;
using bridge::ControlError;
using bridge::ControlLimits;
using bridge::ControlRequest;
using bridge::ControlServer;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

// A client that may be rude.
class Raw {
 public:
    explicit Raw(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }
    ~Raw() { ::close(fd_); }
    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;
    void send(std::string_view text) const {
        std::ignore = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    }
    void no_more() const { ::shutdown(fd_, SHUT_WR); }
    // Until the server closes.
    [[nodiscard]] std::string rest() const {
        std::string all;
        char piece[65536];
        for (ssize_t size = 0; (size = ::recv(fd_, piece, sizeof piece, 0)) > 0;)
            all.append(piece, static_cast<std::size_t>(size));
        return all;
    }
    bool connected = false;

 private:
    int fd_;
};

class Control : public testing::Test {
 protected:
    Control() {
        char pattern[] = "/tmp/control_test.XXXXXX";
        dir_ = ::mkdtemp(pattern);
        path_ = dir_ / "control";
    }
    ~Control() override {
        if (thread_.joinable()) {
            boost::asio::post(io_, [this] {
                server_.reset();
                work_.reset();
            });
            thread_.join();
        }
        std::filesystem::remove_all(dir_);
    }

    // Serves on a thread of its own, as the daemon does on its one thread.
    void serve(ControlLimits limits = {}, const std::string& group = {}) {
        server_ = make(limits);
        const auto opened = server_->open({path_, group});
        ASSERT_TRUE(opened) << opened.error();
        thread_ = std::thread([this] { io_.run(); });
    }
    std::unique_ptr<ControlServer> make(ControlLimits limits = {}) {
        return std::make_unique<ControlServer>(
            io_,
            [this](const ControlRequest& request, const ControlAnswer& answer) { take(request, answer); },
            [](int, std::string_view) {}, limits);
    }
    void take(const ControlRequest& request, const ControlAnswer& answer) {
        if (request.verb == "echo") return answer.done("\"" + std::string(request.value("text")) + "\"");
        if (request.verb == "flood") {
            const std::string item = "\"" + std::string(10000, 'x') + "\"";
            while (answer.item(item)) ++flooded_;
            return answer.done();
        }
        if (request.verb == "much") {
            const std::string item = "\"" + std::string(10000, 'x') + "\"";
            for (int i = 0; i < 200; ++i) answer.item(item);
            return answer.done();
        }
        if (request.verb == "stream") {
            answer.when_gone([answer] { answer.done("\"as you like\""); });
            answer.item("1");
            answer.item("2");
            return;
        }
        answer.error("unknown-verb", request.verb);
    }
    [[nodiscard]] std::string ask(const std::string& request) const {
        auto answered = ask_control({.path = path_, .request = request, .item = {}});
        return answered ? *answered : answered.error().code + ": " + answered.error().text;
    }

    std::filesystem::path dir_;
    std::string path_;
    boost::asio::io_context io_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
        boost::asio::make_work_guard(io_);
    std::unique_ptr<ControlServer> server_;
    std::thread thread_;
    std::size_t flooded_ = 0;
};

TEST_F(Control, answers_a_request) {
    serve();
    EXPECT_EQ(ask(R"({"verb":"echo","text":"hello"})"), "\"hello\"");
    EXPECT_EQ(ask(R"({"verb":"echo","text":"again"})"), "\"again\"");
    EXPECT_EQ(ask(R"({"verb":"dance"})"), "unknown-verb: dance");
}

TEST_F(Control, a_stream_goes_on_until_the_client_has_enough) {
    serve();
    std::vector<std::string> items;
    const auto answered = ask_control({.path = path_,
                                       .request = R"({"verb":"stream"})",
                                       .item = [&](std::string_view item) { items.emplace_back(item); },
                                       .patience = std::chrono::milliseconds::max(),
                                       .enough = [&] { return items.size() == 2; }});
    ASSERT_TRUE(answered) << answered.error().text;
    EXPECT_EQ(*answered, "\"as you like\"");
    EXPECT_THAT(items, ElementsAre("1", "2"));
}

TEST_F(Control, a_client_that_sends_no_more_still_gets_its_answer) {
    serve();
    Raw client(path_);
    client.send("{\"verb\":\"echo\",\"text\":\"x\"}\n");
    client.no_more();
    EXPECT_EQ(client.rest(), "{\"done\":\"x\"}\n");
}

TEST_F(Control, a_request_may_come_in_pieces) {
    serve();
    Raw client(path_);
    for (const char c : std::string_view("{\"verb\":\"echo\",\"text\":\"x\"}\n")) client.send({&c, 1});
    EXPECT_EQ(client.rest(), "{\"done\":\"x\"}\n");
}

TEST_F(Control, only_its_user_may_use_the_socket) {
    serve();
    struct stat found{};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(Control, a_group_may_use_it_when_the_configuration_names_one) {
    const group* mine = ::getgrgid(::getegid());
    ASSERT_NE(mine, nullptr);
    serve({}, mine->gr_name);
    struct stat found{};
    ASSERT_EQ(::stat(path_.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0660U);
    EXPECT_EQ(found.st_gid, ::getegid());
    EXPECT_EQ(ask(R"({"verb":"echo","text":"x"})"), "\"x\"");
}

TEST(control_peer, root_the_own_user_and_the_group_may_ask) {
    struct Case {
        bridge::ControlPeer peer;
        std::optional<unsigned> group;
        bool may;
    };
    const Case cases[] = {
        {{0, {0}}, std::nullopt, true},        {{1000, {1000}}, std::nullopt, true},
        {{1001, {1001}}, std::nullopt, false}, {{1001, {1000}}, std::nullopt, false},
        {{1001, {1001, 50}}, 50, true},        {{1001, {50}}, 50, true},
        {{1001, {1001, 51}}, 50, false},       {{1001, {}}, 50, false},
    };
    for (const auto& one : cases) EXPECT_EQ(bridge::may_ask(one.peer, 1000, one.group), one.may);
}

TEST_F(Control, the_socket_of_a_dead_daemon_is_replaced) {
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
    ASSERT_TRUE(std::filesystem::exists(path_));
    serve();
    EXPECT_EQ(ask(R"({"verb":"echo","text":"x"})"), "\"x\"");
}

TEST_F(Control, the_socket_of_a_living_daemon_is_not) {
    serve();
    auto second = make();
    const auto opened = second->open({path_, {}});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("belongs to another ctibridge that runs"));
    second.reset();
    EXPECT_EQ(ask(R"({"verb":"echo","text":"still here"})"), "\"still here\"");
}

TEST_F(Control, what_another_program_serves_or_wrote_is_not_replaced) {
    std::ofstream(path_) << "precious";
    auto server = make();
    auto opened = server->open({path_, {}});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("is no socket"));
    server.reset();
    EXPECT_EQ(std::filesystem::file_size(path_), 8U);

    std::filesystem::remove(path_);
    const int other = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(other, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(other, 5), 0);
    server = make();
    opened = server->open({path_, {}});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("another program answers"));
    server.reset();
    EXPECT_TRUE(Raw(path_).connected);
    ::close(other);
}

TEST_F(Control, faults_of_the_place_are_told_with_what_to_do) {
    auto server = make();
    auto opened = server->open({"/tmp/" + std::string(120, 'x'), {}});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("too long for a unix socket"));
    server = make();
    opened = server->open({(dir_ / "no" / "such" / "folder").string(), {}});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("create its folder"));
    server = make();
    opened = server->open({path_, "no-such-group"});
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("no group `no-such-group`"));
}

TEST_F(Control, a_closed_server_leaves_no_socket) {
    auto server = make();
    ASSERT_TRUE(server->open({path_, {}}));
    EXPECT_TRUE(std::filesystem::exists(path_));
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(path_));
    const auto answered = ask_control({.path = path_, .request = "{}", .item = {}});
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().kind, ControlError::Kind::no_daemon);
    EXPECT_THAT(answered.error().text, HasSubstr("no ctibridge answers at"));
}

TEST_F(Control, rude_clients_do_no_harm) {
    serve();
    struct Case {
        std::string bytes, answer;
    };
    const Case cases[] = {
        {"\n", "bad-request"},
        {"GET / HTTP/1.1\r\n\r\n", "bad-request"},
        {std::string(100000, 'x'), "the request is too long"},
        {std::string(100000, '\0') + "\n", "the request is too long"},
        {std::string("\xff\xfe\0\n", 4), "bad-request"},
        {R"({"verb":"echo","text":"one"})"
         "\n"
         R"({"verb":"echo","text":"two"})"
         "\n",
         "{\"done\":\"one\"}"},
    };
    for (const auto& one : cases) {
        Raw client(path_);
        client.send(one.bytes);
        EXPECT_THAT(client.rest(), HasSubstr(one.answer));
    }
    {
        Raw silent(path_);
    }
    {
        Raw half(path_);
        half.send("{\"verb\":");
        half.no_more();
        EXPECT_EQ(half.rest(), "");
    }
    {
        Raw gone(path_);
        gone.send("{\"verb\":\"flood\"}\n");
    }
    EXPECT_EQ(ask(R"({"verb":"echo","text":"x"})"), "\"x\"");
}

TEST_F(Control, who_asks_too_slowly_is_cut) {
    serve({.asking = std::chrono::milliseconds(50)});
    Raw client(path_);
    client.send("{\"verb\":");
    EXPECT_EQ(client.rest(), "");
}

TEST_F(Control, who_reads_too_slowly_is_told_and_others_are_served) {
    serve({.pending = 1U << 20U});
    Raw slow(path_);
    slow.send("{\"verb\":\"flood\"}\n");
    EXPECT_EQ(ask(R"({"verb":"echo","text":"meanwhile"})"), "\"meanwhile\"");
    const auto got = slow.rest();
    EXPECT_THAT(got, testing::EndsWith("\"too-slow\",\"text\":\"the answers were not read in time\"}}\n"));
    EXPECT_LT(flooded_, 1000U) << "the flood was stopped, not kept in memory";
    EXPECT_GT(flooded_, 50U);
}

TEST_F(Control, who_reads_nothing_is_cut) {
    serve({.clients = 1, .reading = std::chrono::milliseconds(50)});
    Raw silent(path_);
    silent.send("{\"verb\":\"much\"}\n");
    std::string answer;
    while (answer != "\"x\"") answer = ask(R"({"verb":"echo","text":"x"})");  // busy until then
    EXPECT_THAT(silent.rest(), testing::Not(HasSubstr("done")));
}

TEST_F(Control, an_answer_larger_than_the_buffers_of_the_socket_arrives_whole) {
    serve();
    Raw client(path_);
    client.send("{\"verb\":\"much\"}\n");
    EXPECT_EQ(client.rest().size(), 200 * (10000 + std::string_view("{\"item\":\"\"}\n").size()) +
                                        std::string_view("{\"done\":{}}\n").size());
}

TEST_F(Control, one_client_too_many_is_told_so) {
    serve({.clients = 2});
    {
        Raw one(path_), two(path_);
        one.send("{\"verb\":\"stream\"}\n");
        two.send("{\"verb\":\"stream\"}\n");
        EXPECT_EQ(ask(R"({"verb":"echo"})"), "busy: too many clients ask at once; try again");
    }
    std::string answer;
    while (answer != "\"x\"") answer = ask(R"({"verb":"echo","text":"x"})");
}

TEST_F(Control, a_daemon_that_ends_is_no_answer) {
    serve();
    std::thread ending;
    const auto answered = ask_control(
        {.path = path_, .request = R"({"verb":"stream"})", .item = [&](std::string_view) {
             if (!ending.joinable())
                 ending = std::thread([this] { boost::asio::post(io_, [this] { server_->close(); }); });
         }});
    ending.join();
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().kind, ControlError::Kind::broken);
}

}  // namespace
