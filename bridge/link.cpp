#include "bridge/link.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "bridge/log.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Millis steady_now() {
    return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch());
}
Millis wall_now() {
    return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch());
}

namespace {

Millis jittered(Millis span, double random) {
    return Millis{static_cast<Millis::rep>(static_cast<double>(span.count()) * (0.8 + 0.4 * random))};
}

}  // namespace

std::optional<Millis> ReconnectPolicy::delay(unsigned n, double random) const {
    if (attempts != 0 && n > attempts) return std::nullopt;
    Millis base = first;
    for (unsigned i = 1; i < n && base < max; ++i) base *= 2;
    return jittered(std::min(base, max), random);
}

struct Link::Impl : std::enable_shared_from_this<Link::Impl> {
    // One attempt and what comes of it. Handlers hold it, so one that comes late finds an attempt that is no
    // longer `now_`.
    struct Connection {
        Connection(asio::io_context& io, bool with_tls)
            : resolver(io),
              tls(with_tls ? std::make_optional<asio::ssl::context>(asio::ssl::context::tls_client)
                           : std::nullopt),
              socket(io),
              deadline(io),
              ticker(io) {}
        tcp::resolver resolver;
        std::optional<asio::ssl::context> tls;
        tcp::socket socket;
        std::optional<asio::ssl::stream<tcp::socket&>> secure;
        asio::steady_timer deadline, ticker;
        std::unique_ptr<Protocol> protocol;  // once open
        std::array<char, 64UL * 1024> in{};
        std::string out;  // being written
        bool writing = false, driving = false, poked = false, closing = false, certificate_refused = false;
        std::string why;              // what the certificate lacks
        Millis armed{Millis::max()};  // what `ticker` waits for

        template <class Use>
        void with_stream(Use use) {
            if (secure)
                use(*secure);
            else
                use(socket);
        }
    };
    using Shared = std::shared_ptr<Connection>;

    Impl(asio::io_context& io_, std::string name_, Endpoint endpoint_, ReconnectPolicy policy_, Make make_,
         Log log_)
        : io(io_),
          name(std::move(name_)),
          endpoint(std::move(endpoint_)),
          policy(policy_),
          make(std::move(make_)),
          log(std::move(log_)),
          pause(io_),
          random(std::random_device{}()) {}

    asio::io_context& io;
    std::string name;
    Endpoint endpoint;
    ReconnectPolicy policy;
    Make make;
    Log log;
    std::function<void()> decided;
    Shared now_;
    asio::steady_timer pause;
    std::minstd_rand random;
    unsigned failures = 0;  // in a row
    std::string last_reason;
    Failure failure;
    bool stopping = false;

    double draw() { return std::uniform_real_distribution<double>(0, 1)(random); }
    void say(int priority, const std::string& line) const {
        log(priority, fmt::format("link={} {}", name, line));
    }
    void decide() {
        if (auto call = std::exchange(decided, nullptr)) call();
    }

    // ---- connecting ----

    void begin() {
        if (stopping) return;
        auto c = std::make_shared<Connection>(io, endpoint.tls.has_value());
        now_ = c;
        c->deadline.expires_after(endpoint.connect_deadline);
        c->deadline.async_wait([self = shared_from_this(), c](error_code error) {
            if (!error && self->now_ == c && !c->protocol)
                self->finish(c, fmt::format("{}:{} did not answer within {} ms; is the host up, and does a "
                                            "firewall drop the packets?",
                                            self->endpoint.host, self->endpoint.port,
                                            self->endpoint.connect_deadline.count()));
        });
        error_code no_address;
        auto address = asio::ip::make_address(endpoint.host, no_address);
        if (!no_address) {
            connect(c, std::array{tcp::endpoint(address, endpoint.port)});
            return;
        }
        c->resolver.async_resolve(
            endpoint.host, std::to_string(endpoint.port), tcp::resolver::numeric_service,
            [self = shared_from_this(), c](error_code error, const tcp::resolver::results_type& found) {
                if (self->now_ != c) return;
                if (error)
                    return self->finish(
                        c, fmt::format("the name {} is not known ({}); look at `host` and at DNS",
                                       self->endpoint.host, error.message()));
                std::vector<tcp::endpoint> all;
                for (const auto& entry : found) all.push_back(entry.endpoint());
                self->connect(c, all);
            });
    }

    template <class Endpoints>
    void connect(const Shared& c, const Endpoints& endpoints) {
        // Asio keeps no copy of a range that is passed as such.
        auto kept = std::make_shared<Endpoints>(endpoints);
        asio::async_connect(c->socket, *kept,
                            [self = shared_from_this(), c, kept](error_code error, const tcp::endpoint&) {
                                if (self->now_ != c) return;
                                if (error)
                                    return self->finish(c, fmt::format("{}:{}: {}", self->endpoint.host,
                                                                       self->endpoint.port, describe(error)));
                                error_code ignored;
                                c->socket.set_option(tcp::no_delay(true), ignored);
                                c->socket.set_option(asio::socket_base::keep_alive(true), ignored);
                                if (self->endpoint.tls)
                                    self->handshake(c);
                                else
                                    self->open(c);
                            });
    }

    static std::string describe(error_code error) {
        if (error == asio::error::connection_refused)
            return "connection refused; does the server listen there?";
        return error.message();
    }

    void handshake(const Shared& c) {
        const auto& tls = *endpoint.tls;
        error_code error;
        SSL_CTX_set_min_proto_version(c->tls->native_handle(), TLS1_2_VERSION);
        if (tls.ca.empty())
            c->tls->set_default_verify_paths(error);
        else
            c->tls->load_verify_file(tls.ca, error);
        if (error)
            return finish(c, fmt::format("the certificates in {} cannot be read: {}",
                                         tls.ca.empty() ? "the system's store" : tls.ca, error.message()));
        c->secure.emplace(c->socket, *c->tls);
        error_code no_address;
        asio::ip::make_address(endpoint.host, no_address);
        if (no_address) SSL_set_tlsext_host_name(c->secure->native_handle(), endpoint.host.c_str());
        c->secure->set_verify_mode(tls.verify ? asio::ssl::verify_peer : asio::ssl::verify_none, error);
        c->secure->set_verify_callback(
            // The handler lives in the stream, which lives in the connection: no shared_ptr, or it would
            // never go.
            [raw = c.get(), check = asio::ssl::host_name_verification(endpoint.host), verify = tls.verify,
             host = endpoint.host](bool chain_good, asio::ssl::verify_context& context) {
                if (!verify) return true;
                if (!chain_good)
                    raw->why =
                        X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.native_handle()));
                bool good = check(chain_good, context);
                if (!good && chain_good) raw->why = fmt::format("it is not for the name {}", host);
                raw->certificate_refused |= !good;
                return good;
            },
            error);
        c->secure->async_handshake(
            asio::ssl::stream_base::client, [self = shared_from_this(), c](error_code failed) {
                if (self->now_ != c) return;
                if (!failed) return self->open(c);
                if (c->certificate_refused)
                    return self->finish(
                        c, fmt::format(
                               "the certificate of {} is refused: {}; name its authority in tls.ca and the "
                               "certificate's name as host",
                               self->endpoint.host, c->why));
                self->finish(
                    c, fmt::format("no TLS with {}:{}: {}; does this port speak TLS?", self->endpoint.host,
                                   self->endpoint.port, printable(failed.message())));
            });
    }

    // ---- connected ----

    void open(const Shared& c) {
        c->deadline.cancel();
        c->protocol = make();
        say(log_debug, fmt::format("connected to {}:{}{}", endpoint.host, endpoint.port,
                                   endpoint.tls ? " with TLS" : ""));
        drive(c, [&](Protocol& protocol) { protocol.opened(steady_now()); });
        if (now_ == c) read(c);
    }

    void read(const Shared& c) {
        c->with_stream([&](auto& stream) {
            stream.async_read_some(
                asio::buffer(c->in), [self = shared_from_this(), c](error_code error, std::size_t size) {
                    if (self->now_ != c) return;
                    if (error) {
                        bool end = error == asio::error::eof || error == asio::ssl::error::stream_truncated;
                        return self->finish(c, end ? "the peer closed the connection" : error.message());
                    }
                    self->drive(c, [&](Protocol& protocol) {
                        protocol.received(std::string_view(c->in.data(), size), steady_now());
                    });
                    if (self->now_ == c) self->read(c);
                });
        });
    }

    // Everything the protocol is told goes through here, and what it wants afterwards is done.
    template <class Tell>
    void drive(const Shared& c, Tell tell) {
        c->driving = true;
        tell(*c->protocol);
        c->driving = false;
        pump(c);
    }

    void pump(const Shared& c) {
        if (now_ != c) return;
        if (c->protocol->was_up() && (failures != 0 || decided)) {
            if (failures != 0) say(log_info, fmt::format("up again after {} failed attempts", failures));
            failures = 0;
            last_reason.clear();
            decide();
        }
        if (!c->writing) c->out = c->protocol->take_output();
        if (!c->writing && !c->out.empty()) {
            c->writing = true;
            c->with_stream([&](auto& stream) {
                asio::async_write(stream, asio::buffer(c->out),
                                  [self = shared_from_this(), c](error_code error, std::size_t) {
                                      c->writing = false;
                                      if (self->now_ != c) return;
                                      if (error) return self->finish(c, error.message());
                                      self->pump(c);
                                  });
            });
        }
        if (c->protocol->wants_close() || stopping) {
            if (!c->writing) return finish(c, stopping ? "stopping" : c->protocol->why());
            // The last words go out, but a peer that does not read must not hold us.
            if (std::exchange(c->closing, true)) return;
            c->deadline.expires_after(std::chrono::seconds(1));
            c->deadline.async_wait([self = shared_from_this(), c](error_code error) {
                if (!error && self->now_ == c)
                    self->finish(c, self->stopping ? "stopping" : c->protocol->why());
            });
            return;
        }
        arm(c);
    }

    void arm(const Shared& c) {
        auto when = c->protocol->next_deadline();
        if (when == c->armed) return;
        c->armed = when;
        if (when == Millis::max()) {
            c->ticker.cancel();
            return;
        }
        c->ticker.expires_at(std::chrono::steady_clock::time_point(when));
        c->ticker.async_wait([self = shared_from_this(), c](error_code error) {
            if (error || self->now_ != c) return;
            c->armed = Millis::max();
            self->drive(c, [](Protocol& protocol) { protocol.tick(steady_now()); });
        });
    }

    // ---- the end of a connection, however it comes ----

    void finish(const Shared& c, std::string reason) {
        now_.reset();
        error_code ignored;
        c->resolver.cancel();
        c->deadline.cancel();
        c->ticker.cancel();
        c->socket.close(ignored);
        std::optional<Millis> asked;
        if (c->protocol) {
            c->protocol->closed(reason, steady_now());
            asked = c->protocol->retry_after();
            // What asks for a delay of its own knows better than the socket why it ended.
            if (asked) reason = c->protocol->why();
        }
        decide();
        if (stopping) return;
        ++failures;
        auto wait = asked ? std::optional(jittered(*asked, draw())) : policy.delay(failures, draw());
        // The same reason again and again is news once.
        int priority = reason == last_reason ? log_debug : log_warning;
        last_reason = reason;
        failure = {wall_now(), reason};
        if (!wait) {
            say(log_error, fmt::format("down: {}; given up after {} attempts", reason, policy.attempts));
            return;
        }
        say(priority, fmt::format("down: {}; again in {} ms", reason, wait->count()));
        pause.expires_after(*wait);
        pause.async_wait([self = shared_from_this()](error_code error) {
            if (!error) self->begin();
        });
    }

    void poke() {
        auto c = now_;
        if (!c || !c->protocol || c->driving || c->poked) return;
        c->poked = true;
        // Later, so that many stanzas share one write and nobody is called back from inside a call of theirs.
        asio::post(io, [self = shared_from_this(), c] {
            c->poked = false;
            if (self->now_ == c) self->pump(c);
        });
    }

    void stop() {
        if (std::exchange(stopping, true)) return;
        pause.cancel();
        decided = nullptr;
        auto c = now_;
        if (!c) return;
        if (!c->protocol) return finish(c, "stopping");
        c->protocol->farewell();
        if (!c->driving) pump(c);
    }
};

Link::Link(asio::io_context& io, std::string name, Endpoint endpoint, ReconnectPolicy policy, Make make,
           Log log)
    : impl_(std::make_shared<Impl>(io, std::move(name), std::move(endpoint), policy, std::move(make),
                                   std::move(log))) {}

Link::~Link() {
    impl_->stop();
    if (auto c = impl_->now_) impl_->finish(c, "stopping");
}

void Link::start() {
    impl_->begin();
}
void Link::poke() {
    impl_->poke();
}
void Link::stop() {
    impl_->stop();
}
Protocol* Link::protocol() {
    return impl_->now_ ? impl_->now_->protocol.get() : nullptr;
}
const Link::Failure& Link::failure() const {
    return impl_->failure;
}
void Link::on_first_attempt(std::function<void()> decided) {
    impl_->decided = std::move(decided);
}

}  // namespace bridge
