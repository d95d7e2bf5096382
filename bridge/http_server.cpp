#include "bridge/http_server.hpp"

#include <optional>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "bridge/log.hpp"

namespace bridge {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds accept_pause{1};

}  // namespace

struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
    class Client;

    Impl(asio::io_context& io_, Handler handler_, Log log_, HttpLimits limits_)
        : io(io_),
          acceptor(io_),
          pause(io_),
          handler(std::move(handler_)),
          log(std::move(log_)),
          limits(limits_) {}

    void accept();
    void accepted(error_code error, tcp::socket socket);

    asio::io_context& io;
    tcp::acceptor acceptor;
    asio::steady_timer pause;
    Handler handler;
    Log log;
    HttpLimits limits;
    std::set<Client*> clients;
};

// One connection. Kept alive by what it waits for.
class HttpServer::Impl::Client : public std::enable_shared_from_this<Client> {
 public:
    Client(std::shared_ptr<Impl> server, tcp::socket socket)
        : server_(std::move(server)), stream_(std::move(socket)), patience_(server_->io) {
        error_code ignored;
        const auto peer = stream_.socket().remote_endpoint(ignored);
        near_ = !ignored && peer.address().is_loopback();
        peer_ = ignored ? std::string("?") : peer.address().to_string();
        server_->clients.insert(this);
    }
    ~Client() { server_->clients.erase(this); }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    void read() {
        parser_.emplace();
        parser_->header_limit(server_->limits.header);
        parser_->body_limit(server_->limits.body);
        // One deadline for the whole request: a byte now and then does not prolong it.
        stream_.expires_after(server_->limits.reading);
        http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](error_code error, std::size_t) { self->got(error); });
    }
    void close() {
        const auto self = std::move(held_);  // until the end of this function
        error_code ignored;
        patience_.cancel();
        stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
        stream_.close();
    }

 private:
    // What a handler holds: the first answer counts, none at all is a fault of ours.
    struct Pending {
        explicit Pending(std::weak_ptr<Client> to) : client(std::move(to)) {}
        Pending(const Pending&) = delete;
        Pending& operator=(const Pending&) = delete;
        ~Pending() { give({.status = 500, .body = "no answer\n", .headers = {}}); }
        void give(HttpAnswer answer) {
            if (std::exchange(given, true)) return;
            if (auto to = client.lock()) to->answer(std::move(answer));
        }
        std::weak_ptr<Client> client;
        bool given = false;
    };

    void got(error_code error) {
        using Fault = http::error;
        if (error == Fault::header_limit) return refuse(431, "the header is too long\n");
        if (error == Fault::body_limit) return refuse(413, "the body is too long\n");
        if (error == Fault::end_of_stream || error == beast::error::timeout ||
            error == asio::error::operation_aborted || error == asio::error::connection_reset ||
            error == Fault::partial_message)
            return close();
        if (error) return refuse(400, "this is no HTTP request\n");
        stream_.expires_never();
        ++served_;
        auto request = request_of(parser_->get());
        waiting_ = true;
        patience_.expires_after(server_->limits.answering);
        patience_.async_wait([weak = weak_from_this()](error_code stopped) {
            auto self = weak.lock();
            if (!stopped && self && self->waiting_)
                self->answer({.status = 504, .body = "no answer in time\n", .headers = {}});
        });
        // Whoever waits for an answer keeps the connection.
        held_ = shared_from_this();
        auto pending = std::make_shared<Pending>(weak_from_this());
        server_->handler(request, [pending](HttpAnswer answer) { pending->give(std::move(answer)); });
    }

    HttpRequest request_of(const http::request<http::string_body>& from) const {
        const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
        HttpRequest request;
        request.method = text(from.method_string());
        const auto target = text(from.target());
        const auto query = target.find('?');
        request.path = target.substr(0, query);
        if (query != std::string::npos) request.form = parse_form(std::string_view(target).substr(query + 1));
        if (text(from[http::field::content_type]).starts_with("application/x-www-form-urlencoded"))
            request.form.merge(parse_form(from.body()));
        request.peer = peer_;
        const bool proxied = from.count("X-Forwarded-For") != 0 || from.count(http::field::forwarded) != 0 ||
                             from.count(http::field::via) != 0;
        // A name of somebody else's in Host: a page that made its own name point here.
        request.near = near_ && !proxied && is_loopback_host(text(from[http::field::host]));
        constexpr std::string_view bearer = "Bearer ";
        if (const auto given = text(from[http::field::authorization]); given.starts_with(bearer))
            request.token = given.substr(bearer.size());
        request.match = text(from[http::field::if_none_match]);
        return request;
    }

    void refuse(unsigned status, std::string text) {
        last_ = true;
        answer({.status = status, .body = std::move(text), .headers = {}});
    }

    void answer(HttpAnswer given) {
        auto self = shared_from_this();
        held_.reset();
        waiting_ = false;
        patience_.cancel();
        if (!stream_.socket().is_open()) return;
        const auto& request = parser_->get();
        const bool head = request.method() == http::verb::head;
        const bool go_on = !last_ && request.keep_alive() && served_ < server_->limits.requests;
        response_.emplace(static_cast<http::status>(given.status), 11U);
        auto& out = *response_;
        out.set(http::field::content_type, given.content_type);
        out.set("X-Content-Type-Options", "nosniff");
        out.set("Referrer-Policy", "no-referrer");
        for (const auto& [name, value] : given.headers) out.set(name, value);
        out.keep_alive(go_on);
        const auto size = given.body.size();
        if (!head) out.body() = std::move(given.body);
        out.content_length(size);
        stream_.expires_after(server_->limits.writing);
        http::async_write(stream_, out, [self, go_on](error_code error, std::size_t) {
            if (error || !go_on) return self->close();
            self->read();
        });
    }

    std::shared_ptr<Impl> server_;
    beast::tcp_stream stream_;
    asio::steady_timer patience_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> response_;
    std::shared_ptr<Client> held_;
    std::string peer_;
    unsigned served_ = 0;
    bool near_ = false, waiting_ = false, last_ = false;
};

void HttpServer::Impl::accept() {
    acceptor.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
        self->accepted(error, std::move(socket));
    });
}

void HttpServer::Impl::accepted(error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || !acceptor.is_open()) return;
    if (error) {
        // Out of file descriptors, say: a short rest instead of a busy loop.
        pause.expires_after(accept_pause);
        pause.async_wait([self = shared_from_this()](error_code stopped) {
            if (!stopped) self->accept();
        });
        return;
    }
    // Beyond the limit a connection is closed at once: those that are served go on.
    if (clients.size() < limits.connections)
        std::make_shared<Client>(shared_from_this(), std::move(socket))->read();
    accept();
}

HttpServer::HttpServer(asio::io_context& io, Handler handler, Log log, HttpLimits limits)
    : impl_(std::make_shared<Impl>(io, std::move(handler), std::move(log), limits)) {}

HttpServer::~HttpServer() {
    close();
}

std::expected<void, std::string> HttpServer::open(const std::string& listen) {
    const auto fail = [&](std::string_view why) {
        return std::unexpected(fmt::format(
            "cannot listen on {}: {}; is another program there? set `listen` in `http` to a free address",
            listen, why));
    };
    const auto colon = listen.rfind(':');
    if (colon == std::string::npos) return fail("no port is given");
    auto host = listen.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (error) return fail("this is no address of this machine");
    const tcp::endpoint endpoint(address, static_cast<unsigned short>(std::stoi(listen.substr(colon + 1))));
    auto& acceptor = impl_->acceptor;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
        error_code ignored;
        acceptor.close(ignored);
        return fail(error.message());
    }
    impl_->accept();
    return {};
}

void HttpServer::close() {
    error_code ignored;
    impl_->acceptor.close(ignored);
    impl_->pause.cancel();
    const auto all = impl_->clients;
    for (auto* client : all) client->close();
}

unsigned short HttpServer::port() const {
    error_code ignored;
    return impl_->acceptor.local_endpoint(ignored).port();
}

std::size_t HttpServer::connections() const {
    return impl_->clients.size();
}

}  // namespace bridge
