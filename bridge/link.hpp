// The thin layer that performs: one TCP or TLS connection driven for a sans-I/O protocol (ami::Session,
// xmpp::Component), with deadlines, backoff and one write at a time. The only place that knows Boost.Asio
// sockets of the links.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace bridge {

using Millis = std::chrono::milliseconds;

struct Tls {
    std::string ca;      // file; empty: the system's store
    bool verify = true;  // certificate and host name
    bool operator==(const Tls&) const = default;
};

struct ReconnectPolicy {  // reads like its documentation: 1 s, 2 s, 4 s ... 30 s, each +-20 %
    Millis first{1000};
    Millis max{30000};
    unsigned attempts = 0;  // in a row without success; 0 = for ever
    bool operator==(const ReconnectPolicy&) const = default;
    // Delay before retry `n` (1 = first) with jitter drawn from `random` in [0,1). nullopt: give up.
    [[nodiscard]] std::optional<Millis> delay(unsigned n, double random) const;
};

struct Endpoint {
    std::string host;
    unsigned short port = 0;
    std::optional<Tls> tls;
    Millis connect_deadline{5000};  // span: name lookup, connect and TLS handshake
};

// What a connection drives. ami::Session and xmpp::Component are adapted to it.
class Protocol {
 public:
    virtual ~Protocol() = default;
    virtual void opened(Millis now) = 0;
    virtual void received(std::string_view bytes, Millis now) = 0;
    virtual void closed(std::string_view reason, Millis now) = 0;
    virtual void tick(Millis now) = 0;
    [[nodiscard]] virtual Millis next_deadline() const = 0;
    [[nodiscard]] virtual std::string take_output() = 0;
    [[nodiscard]] virtual bool wants_close() const = 0;
    // Why it wants to close, for the log.
    [[nodiscard]] virtual std::string why() const { return "closed by us"; }
    // Last words before stop(); take_output() has them.
    virtual void farewell() {}
    // Delay the failure asks for (credentials 60 s, conflict 10-30 s); nullopt: the usual backoff. Asked
    // after closed().
    [[nodiscard]] virtual std::optional<Millis> retry_after() const = 0;
    // The connection reached its working state since opened(): the next failure begins the backoff anew.
    [[nodiscard]] virtual bool was_up() const = 0;
};

// Owner's thread only. Reconnects for ever (or as the policy says) until destroyed. `make` gives a fresh
// Protocol per connection.
class Link {
 public:
    using Make = std::function<std::unique_ptr<Protocol>()>;
    using Log = std::function<void(int priority, std::string_view line)>;

    Link(boost::asio::io_context& io, std::string name, Endpoint endpoint, ReconnectPolicy policy, Make make,
         Log log);
    ~Link();
    void start();
    void poke();  // the protocol has new output or a new deadline (after submit(), send())
    void stop();  // flush what is left (at most 1 s), close, stay closed
    [[nodiscard]] Protocol* protocol();  // nullptr when not connected
    struct Failure {
        Millis at{0};  // wall clock; 0: there was none
        std::string text;
    };
    [[nodiscard]] const Failure& failure() const;  // the last one
    // First connection attempt has been decided, well or badly (READY=1 waits for it).
    void on_first_attempt(std::function<void()> decided);

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

Millis steady_now();
Millis wall_now();

}  // namespace bridge
