// The HTTP server over real sockets: what it answers, and that nobody can take it up for themselves.
#include "bridge/http_server.hpp"

#include <future>
#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using bridge::HttpAnswer;
using bridge::HttpLimits;
using bridge::HttpRequest;
using bridge::HttpServer;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

class http_server : public testing::Test {
 protected:
    void open(HttpLimits limits = {}) {
        server = std::make_unique<HttpServer>(
            io,
            [this](const HttpRequest& request, HttpServer::Reply reply) {
                handle(request, std::move(reply));
            },
            [](int, std::string_view) {}, limits);
        ASSERT_TRUE(server->open("127.0.0.1:0"));
        port = server->port();
        thread = std::thread([this] { io.run(); });
    }
    void TearDown() override {
        on_loop([this] {
            held.clear();
            server->close();
        });
        work.reset();
        thread.join();
        server.reset();
    }
    void handle(const HttpRequest& request, HttpServer::Reply reply) {
        seen = request;
        if (request.path == "/never") return held.push_back(std::move(reply));
        if (request.path == "/dropped") return;
        if (request.path == "/twice") reply({.body = "first", .headers = {}});
        reply({.body = "hello " + request.method, .headers = {{"X-Mine", "1"}}});
    }
    template <class Work>
    void on_loop(Work what) {
        std::promise<void> done;
        asio::post(io, [&] {
            what();
            done.set_value();
        });
        done.get_future().wait();
    }

    tcp::socket connect() {
        tcp::socket socket(client_io);
        socket.connect({asio::ip::address_v4::loopback(), port});
        return socket;
    }
    static std::string read_all(tcp::socket& socket) {
        std::string text;
        char buffer[4096];
        boost::system::error_code error;
        while (const auto size = socket.read_some(asio::buffer(buffer), error)) text.append(buffer, size);
        return text;
    }
    static void send(tcp::socket& socket, const std::string& bytes) {
        boost::system::error_code ignored;
        asio::write(socket, asio::buffer(bytes), ignored);
    }
    std::string exchange(const std::string& bytes) {
        auto socket = connect();
        send(socket, bytes);
        return read_all(socket);
    }
    std::string get(const std::string& target, const std::string& headers = "") {
        return exchange("GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n" + headers +
                        "\r\n");
    }

    asio::io_context io, client_io;
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    std::unique_ptr<HttpServer> server;
    std::thread thread;
    unsigned short port = 0;
    HttpRequest seen;
    std::vector<HttpServer::Reply> held;
};

TEST_F(http_server, answers_once_with_its_headers) {
    open();
    const auto answer = get("/hello?a=1");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    EXPECT_THAT(answer, HasSubstr("X-Mine: 1\r\n"));
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello GET"));
    EXPECT_EQ(seen.path, "/hello");
    EXPECT_EQ(seen.form.at("a"), "1");
    EXPECT_TRUE(seen.near);
    EXPECT_THAT(get("/twice"), HasSubstr("\r\n\r\nfirst"));
    EXPECT_THAT(get("/dropped"), StartsWith("HTTP/1.1 500"));
}

TEST_F(http_server, one_connection_asks_several_times_and_a_form_may_be_in_the_body) {
    open();
    const auto answer = exchange(
        "GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /c?from=201 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer tok\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 12\r\n\r\nto=5&from=999");
    EXPECT_THAT(answer, HasSubstr("hello GET"));
    EXPECT_THAT(answer, HasSubstr("Content-Length: 10"));
    EXPECT_THAT(answer, testing::Not(HasSubstr("hello HEAD")));
    EXPECT_THAT(answer, HasSubstr("hello POST"));
    EXPECT_EQ(seen.form.at("from"), "201");
    EXPECT_EQ(seen.form.at("to"), "5");
    EXPECT_EQ(seen.token, "tok");
}

TEST_F(http_server, who_comes_through_a_proxy_or_by_another_name_is_not_near) {
    open();
    for (const auto* header :
         {"X-Forwarded-For: 10.1.1.1\r\n", "Forwarded: for=10.1.1.1\r\n", "Via: 1.1 proxy\r\n"}) {
        get("/", header);
        EXPECT_FALSE(seen.near) << header;
    }
    exchange("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(seen.near);
    exchange("GET / HTTP/1.0\r\n\r\n");
    EXPECT_FALSE(seen.near);
}

TEST_F(http_server, too_much_is_refused) {
    open();
    EXPECT_THAT(get("/", "X-Long: " + std::string(9000, 'a') + "\r\n"), StartsWith("HTTP/1.1 431"));
    EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n"),
                StartsWith("HTTP/1.1 413"));
    EXPECT_THAT(exchange("what is this\r\n\r\n"), StartsWith("HTTP/1.1 400"));
    EXPECT_THAT(get("/hello"), HasSubstr("hello GET"));
}

TEST_F(http_server, who_is_slow_is_cut_off) {
    open({.reading = 200ms});
    auto silent = connect(), slow = connect(), halfway = connect();
    send(slow, "GET / HT");
    send(halfway, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    EXPECT_THAT(read_all(silent), IsEmpty());
    EXPECT_THAT(read_all(slow), IsEmpty());
    EXPECT_THAT(read_all(halfway), IsEmpty());
    on_loop([this] { EXPECT_EQ(server->connections(), 0U); });
}

TEST_F(http_server, a_byte_now_and_then_does_not_prolong_a_request) {
    open({.reading = 300ms});
    auto socket = connect();
    std::atomic<bool> closed = false;
    std::thread dripping([&] {
        while (!closed) {
            send(socket, "a");
            std::this_thread::sleep_for(20ms);
        }
    });
    EXPECT_THAT(read_all(socket), IsEmpty());
    closed = true;
    dripping.join();
}

TEST_F(http_server, an_answer_that_never_comes_is_said) {
    open({.answering = 100ms});
    EXPECT_THAT(get("/never"), StartsWith("HTTP/1.1 504"));
    on_loop([this] { held.front()({.body = "too late", .headers = {}}); });
    EXPECT_THAT(get("/hello"), HasSubstr("hello GET"));
}

TEST_F(http_server, connections_are_bounded_and_free_again) {
    open({.connections = 2, .reading = 10000ms});
    auto one = connect();
    auto two = std::make_unique<tcp::socket>(connect());
    send(one, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    char buffer[16];
    one.read_some(asio::buffer(buffer));
    send(*two, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    two->read_some(asio::buffer(buffer));
    auto three = connect();
    EXPECT_THAT(read_all(three), IsEmpty());
    send(*two, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    read_all(*two);
    two.reset();
    on_loop([] {});
    EXPECT_THAT(get("/hello"), HasSubstr("hello GET"));
}

TEST_F(http_server, a_port_that_is_taken_is_named) {
    open();
    HttpServer other(io, [](const HttpRequest&, const HttpServer::Reply&) {}, [](int, std::string_view) {});
    const auto opened = other.open("127.0.0.1:" + std::to_string(port));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error(), HasSubstr("127.0.0.1:" + std::to_string(port)));
    EXPECT_FALSE(other.open("nowhere:80"));
}

}  // namespace
