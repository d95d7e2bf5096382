#include "bridge/serve.hpp"

#include <array>
#include <csignal>
#include <deque>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>

#include "bridge/json.hpp"
#include "bridge/link.hpp"

namespace bridge {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

class Server;

class Connection : public std::enable_shared_from_this<Connection> {
 public:
    Connection(Server& server, tcp::socket socket, PlayedPbx::Client client)
        : server_(server), socket_(std::move(socket)), client_(client) {}
    void read();
    void write();  // what the pbx has for this client; closes when it says so
    void close();

 private:
    Server& server_;
    tcp::socket socket_;
    PlayedPbx::Client client_;
    std::array<char, 16384> input_{};
    std::string writing_;
    bool busy_ = false;
};

class Server {
 public:
    Server(asio::io_context& io, PlayedPbx& played, unsigned short port)
        : pbx(played),
          acceptor_(io, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
          timer_(io),
          signals_(io, SIGINT, SIGTERM) {}

    void start() {
        say(JsonObject().number("listening", acceptor_.local_endpoint().port()).str());
        signals_.async_wait([this](boost::system::error_code error, int) {
            if (!error) stop();
        });
        accept();
    }

    // After every input: what the clients get, the next deadline, the end.
    void pump() {
        for (const std::string& line : pbx.take_news()) say(line);
        for (const auto& connection : std::deque(connections_)) connection->write();
        if (pbx.done() && connections_.empty()) return stop();
        const Millis next = pbx.next_deadline();
        if (next == Millis::max() || stopped_) {
            timer_.cancel();
            return;
        }
        timer_.expires_after(std::max(next - steady_now(), Millis{0}));
        timer_.async_wait([this](boost::system::error_code error) {
            if (error) return;
            pbx.tick(steady_now());
            pump();
        });
    }

    void gone(const std::shared_ptr<Connection>& connection, PlayedPbx::Client client) {
        if (std::erase(connections_, connection) == 0) return;
        pbx.closed(client);
        say(JsonObject().number("left", static_cast<std::int64_t>(pbx.pending())).str());
        if (pbx.done() && connections_.empty()) stop();
    }

    PlayedPbx& pbx;

 private:
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            socket.set_option(tcp::no_delay(true), error);
            const auto client = pbx.open(steady_now());
            connections_.push_back(std::make_shared<Connection>(*this, std::move(socket), client));
            connections_.back()->read();
            pump();
            if (!stopped_) accept();
        });
    }

    void stop() {
        stopped_ = true;
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        timer_.cancel();
        signals_.cancel();
        for (const auto& connection : std::deque(connections_)) connection->close();
    }

    static void say(const std::string& line) {
        fmt::print("{}\n", line);
        std::fflush(stdout);
    }

    tcp::acceptor acceptor_;
    asio::steady_timer timer_;
    asio::signal_set signals_;
    std::deque<std::shared_ptr<Connection>> connections_;
    bool stopped_ = false;
};

void Connection::read() {
    socket_.async_read_some(
        asio::buffer(input_), [self = shared_from_this()](boost::system::error_code error, std::size_t size) {
            if (error) return self->close();
            self->server_.pbx.received(self->client_, {self->input_.data(), size}, steady_now());
            self->read();
            self->server_.pump();
        });
}

void Connection::write() {
    if (busy_) return;
    writing_ = server_.pbx.take_output(client_);
    if (writing_.empty()) {
        if (server_.pbx.wants_close(client_)) close();
        return;
    }
    busy_ = true;
    asio::async_write(socket_, asio::buffer(writing_),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          self->busy_ = false;
                          error ? self->close() : self->write();
                      });
}

void Connection::close() {
    boost::system::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    server_.gone(shared_from_this(), client_);
}

}  // namespace

int serve(const ServeOptions& options) {
    auto trace = Trace::load(options.trace, options.times);
    if (!trace) {
        fmt::print(stderr, "ctibridge replay: {}\n", trace.error());
        return 2;
    }
    PlayedPbx pbx(std::move(*trace), options.play);
    asio::io_context io;
    try {
        Server server(io, pbx, options.port);
        server.start();
        io.run();
    } catch (const boost::system::system_error& error) {
        fmt::print(stderr, "ctibridge replay: port {} of 127.0.0.1: {}\n", options.port, error.what());
        return 2;
    }
    return 0;
}

}  // namespace bridge
