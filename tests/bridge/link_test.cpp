#include "bridge/link.hpp"

#include <cstdlib>
#include <filesystem>
#include <set>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

using boost::asio::ip::tcp;
using bridge::Endpoint;
using bridge::Link;
using bridge::Millis;
using bridge::Protocol;
using bridge::ReconnectPolicy;
using testing::ElementsAre;
using testing::HasSubstr;

namespace asio = boost::asio;

namespace {

// Greets with `hello`, is up at the first byte, closes when told `bye`.
struct Diary {
    std::string got;
    std::vector<std::string> closed;
    int opened = 0, ticks = 0;
    std::string to_send = "hello";
    std::optional<Millis> retry;
    std::string why = "closed by us";
    Millis deadline{Millis::max()};
    std::size_t largest = 0;
};

class Simple final : public Protocol {
 public:
    explicit Simple(Diary& diary) : diary_(diary) {}
    void opened(Millis) override {
        ++diary_.opened;
        out_ = diary_.to_send;
    }
    void received(std::string_view bytes, Millis) override {
        up_ = true;
        diary_.got += bytes;
        diary_.largest = std::max(diary_.largest, bytes.size());
        if (diary_.got.ends_with("bye")) {
            out_ += "last words";
            close_ = true;
        }
    }
    void closed(std::string_view reason, Millis) override { diary_.closed.emplace_back(reason); }
    void tick(Millis) override {
        ++diary_.ticks;
        diary_.deadline = Millis::max();
        out_ += "tick";
    }
    [[nodiscard]] Millis next_deadline() const override { return diary_.deadline; }
    [[nodiscard]] std::string take_output() override { return std::exchange(out_, {}); }
    [[nodiscard]] bool wants_close() const override { return close_; }
    [[nodiscard]] std::optional<Millis> retry_after() const override { return diary_.retry; }
    [[nodiscard]] std::string why() const override { return diary_.why; }
    [[nodiscard]] bool was_up() const override { return up_; }

 private:
    Diary& diary_;
    std::string out_;
    bool up_ = false, close_ = false;
};

class Links : public testing::Test {
 protected:
    Links() : acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    [[nodiscard]] unsigned short port() const { return acceptor_.local_endpoint().port(); }
    Link& connect(Endpoint endpoint,
                  ReconnectPolicy policy = {.first = Millis{20}, .max = Millis{80}, .attempts = 0}) {
        link_ = std::make_unique<Link>(
            io_, "t", std::move(endpoint), policy, [this] { return std::make_unique<Simple>(diary_); },
            [this](int, std::string_view line) { log_.emplace_back(line); });
        link_->on_first_attempt([this] { ++decided_; });
        link_->start();
        return *link_;
    }
    Link& connect() {
        return connect({.host = "127.0.0.1", .port = port(), .tls = {}, .connect_deadline = Millis{2000}});
    }
    // Runs the loop until it is so, for at most 5 s (a limit for broken code: good code is there in
    // milliseconds).
    template <class Condition>
    ::testing::AssertionResult until(Condition condition) {
        auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end)
                return ::testing::AssertionFailure()
                       << "it never came to that; log: " << testing::PrintToString(log_);
            io_.restart();
            io_.run_for(std::chrono::milliseconds(5));
        }
        return ::testing::AssertionSuccess();
    }
    // One accepted peer, read into `peer_got_`.
    void accept() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            peer_ = std::make_shared<tcp::socket>(std::move(socket));
            ++accepted_;
            if (accept_hook_) accept_hook_();
            peer_read();
        });
    }
    void peer_read() {
        auto peer = peer_;
        if (!peer || !peer->is_open()) return;
        peer->async_read_some(asio::buffer(buffer_),
                              [this, peer](boost::system::error_code error, std::size_t size) {
                                  if (error) {
                                      peer_ended_ = true;
                                      return;
                                  }
                                  peer_got_.append(buffer_.data(), size);
                                  peer_read();
                              });
    }
    void TearDown() override {
        link_.reset();
        boost::system::error_code ignored;
        acceptor_.close(ignored);
        if (peer_) peer_->close(ignored);
        io_.restart();
        io_.run_for(std::chrono::milliseconds(50));
    }
    [[nodiscard]] bool logged(std::string_view text) const {
        return std::any_of(log_.begin(), log_.end(), [&](const auto& line) { return line.contains(text); });
    }

    asio::io_context io_;
    tcp::acceptor acceptor_;
    std::unique_ptr<Link> link_;
    std::shared_ptr<tcp::socket> peer_;
    std::array<char, 65536> buffer_{};
    std::string peer_got_;
    bool peer_ended_ = false;
    int accepted_ = 0, decided_ = 0;
    std::function<void()> accept_hook_;
    Diary diary_;
    std::vector<std::string> log_;
};

// Certificates made on the spot: one authority and a server's for a name.
struct Keys {
    std::filesystem::path dir;
    Keys() {
        std::string pattern = (std::filesystem::temp_directory_path() / "cti-tls-XXXXXX").string();
        dir = ::mkdtemp(pattern.data());
        auto* authority_key = EVP_EC_gen("P-256");
        auto* authority = certificate("Test authority", authority_key, nullptr, authority_key, "");
        auto* other_key = EVP_EC_gen("P-256");
        auto* other = certificate("Other authority", other_key, nullptr, other_key, "");
        auto* key = EVP_EC_gen("P-256");
        auto* server = certificate("server", key, authority, authority_key, "DNS:localhost");
        write("ca.pem", authority, nullptr);
        write("other.pem", other, nullptr);
        write("server.pem", server, key);
        for (auto* c : {authority, other, server}) X509_free(c);
        for (auto* k : {authority_key, other_key, key}) EVP_PKEY_free(k);
    }
    ~Keys() { std::filesystem::remove_all(dir); }
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    static X509* certificate(const char* name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                             const char* names) {
        auto* c = X509_new();
        X509_set_version(c, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(c), issuer == nullptr ? 1 : 2);
        X509_gmtime_adj(X509_getm_notBefore(c), -3600);
        X509_gmtime_adj(X509_getm_notAfter(c), 3600);
        X509_set_pubkey(c, key);
        auto* subject = X509_get_subject_name(c);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name),
                                   -1, -1, 0);
        X509_set_issuer_name(c, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
        auto add = [&](int nid, const char* value) {
            auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
            X509_add_ext(c, extension, -1);
            X509_EXTENSION_free(extension);
        };
        if (issuer == nullptr) add(NID_basic_constraints, "critical,CA:TRUE");
        if (*names != '\0') add(NID_subject_alt_name, names);
        X509_sign(c, issuer_key, EVP_sha256());
        return c;
    }
    void write(const char* name, X509* c, EVP_PKEY* key) const {
        auto* file = std::fopen((dir / name).c_str(), "w");
        PEM_write_X509(file, c);
        if (key != nullptr) PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
    }
};

class TlsLinks : public Links {
 protected:
    TlsLinks() : context_(asio::ssl::context::tls_server) {
        context_.use_certificate_chain_file((keys_.dir / "server.pem").string());
        context_.use_private_key_file((keys_.dir / "server.pem").string(), asio::ssl::context::pem);
    }
    void accept_tls() {
        acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
            if (error) return;
            stream_ = std::make_shared<asio::ssl::stream<tcp::socket>>(std::move(socket), context_);
            stream_->async_handshake(
                asio::ssl::stream_base::server, [this](boost::system::error_code failed) {
                    if (failed) return;
                    asio::async_write(*stream_, asio::buffer(std::string_view("hi")),
                                      [](boost::system::error_code, std::size_t) {});
                    stream_->async_read_some(asio::buffer(buffer_),
                                             [this](boost::system::error_code, std::size_t size) {
                                                 peer_got_.append(buffer_.data(), size);
                                             });
                });
        });
    }
    Endpoint endpoint(const char* host, const char* ca, bool verify = true) {
        return {.host = host,
                .port = port(),
                .tls = bridge::Tls{.ca = *ca != '\0' ? (keys_.dir / ca).string() : "", .verify = verify},
                .connect_deadline = Millis{2000}};
    }
    Keys keys_;
    asio::ssl::context context_;
    std::shared_ptr<asio::ssl::stream<tcp::socket>> stream_;
};

}  // namespace

TEST(reconnect_policy, doubles_to_its_most_with_a_fifth_of_jitter) {
    ReconnectPolicy policy;
    EXPECT_EQ(policy.delay(1, 0.5), Millis{1000});
    EXPECT_EQ(policy.delay(2, 0.5), Millis{2000});
    EXPECT_EQ(policy.delay(5, 0.5), Millis{16000});
    EXPECT_EQ(policy.delay(6, 0.5), Millis{30000});
    EXPECT_EQ(policy.delay(4000000000U, 0.5), Millis{30000});
    EXPECT_EQ(policy.delay(1, 0.0), Millis{800});
    EXPECT_LE(policy.delay(1, 0.9999), Millis{1200});
    policy.attempts = 3;
    EXPECT_TRUE(policy.delay(3, 0.5));
    EXPECT_FALSE(policy.delay(4, 0.5));
}

TEST_F(Links, bytes_go_both_ways) {
    accept();
    connect();
    ASSERT_TRUE(until([&] { return peer_got_ == "hello"; }));
    EXPECT_EQ(decided_, 0) << "connected is not yet decided";
    asio::write(*peer_, asio::buffer(std::string_view("hi")));
    ASSERT_TRUE(until([&] { return diary_.got == "hi"; }));
    EXPECT_EQ(decided_, 1);
    EXPECT_NE(link_->protocol(), nullptr);
}

TEST_F(Links, a_large_output_arrives_whole_and_in_order) {
    diary_.to_send.clear();
    for (int i = 0; i < 400000; ++i) diary_.to_send += static_cast<char>('a' + i % 26);
    auto expected = diary_.to_send;
    accept();
    connect();
    ASSERT_TRUE(until([&] { return peer_got_.size() >= expected.size(); }));
    EXPECT_EQ(peer_got_, expected);
}

TEST_F(Links, the_timer_rings_at_the_deadline) {
    accept();
    diary_.deadline = bridge::steady_now() + Millis{30};
    connect();
    ASSERT_TRUE(until([&] { return peer_got_ == "hellotick"; }));
    EXPECT_EQ(diary_.ticks, 1);
}

TEST_F(Links, last_words_are_written_before_closing) {
    accept();
    connect();
    ASSERT_TRUE(until([&] { return accepted_ == 1; }));
    asio::write(*peer_, asio::buffer(std::string_view("bye")));
    ASSERT_TRUE(until([&] { return peer_ended_; }));
    EXPECT_EQ(peer_got_, "hellolast words");
    EXPECT_THAT(diary_.closed, ElementsAre("closed by us"));
}

TEST_F(Links, refused_is_decided_and_tried_again) {
    auto target = port();
    acceptor_.close();
    connect({.host = "127.0.0.1", .port = target, .tls = {}, .connect_deadline = Millis{2000}});
    ASSERT_TRUE(until([&] { return decided_ == 1; }));
    EXPECT_TRUE(logged("connection refused; does the server listen there?"));
    EXPECT_EQ(diary_.opened, 0);
    EXPECT_EQ(link_->protocol(), nullptr);
    acceptor_.open(tcp::v4());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind({asio::ip::address_v4::loopback(), target});
    acceptor_.listen();
    accept();
    ASSERT_TRUE(until([&] { return peer_got_ == "hello"; }));
}

TEST_F(Links, attempts_that_are_counted_come_to_an_end) {
    auto target = port();
    acceptor_.close();
    connect({.host = "127.0.0.1", .port = target, .tls = {}, .connect_deadline = Millis{2000}},
            {.first = Millis{5}, .max = Millis{5}, .attempts = 3});
    ASSERT_TRUE(until([&] { return logged("given up after 3 attempts"); }));
}

TEST_F(Links, an_unknown_name_says_so) {
    connect({.host = "no-such-host.invalid", .port = 5038, .tls = {}, .connect_deadline = Millis{5000}});
    ASSERT_TRUE(until([&] { return decided_ == 1; }));
    EXPECT_TRUE(logged("no-such-host.invalid")) << testing::PrintToString(log_);
}

TEST_F(Links, a_silent_host_costs_the_deadline_only) {
    // A queue of accepted connections that is full answers nothing: as a black hole does.
    tcp::acceptor full(io_);
    full.open(tcp::v4());
    full.bind({asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    std::vector<std::unique_ptr<tcp::socket>> fillers;
    for (int i = 0; i < 4; ++i) {
        fillers.push_back(std::make_unique<tcp::socket>(io_, tcp::v4()));
        fillers.back()->native_non_blocking(true);
        auto where = full.local_endpoint();
        // Asio's own connect() would wait for the answer that never comes.
        ::connect(fillers.back()->native_handle(), where.data(), static_cast<socklen_t>(where.size()));
    }
    connect({.host = "127.0.0.1",
             .port = full.local_endpoint().port(),
             .tls = {},
             .connect_deadline = Millis{100}});
    ASSERT_TRUE(until([&] { return decided_ == 1; }));
    EXPECT_TRUE(logged("did not answer within 100 ms"));
}

TEST_F(Links, a_reset_in_the_middle_of_a_message_is_a_closed_link) {
    accept();
    connect();
    ASSERT_TRUE(until([&] { return accepted_ == 1; }));
    asio::write(*peer_, asio::buffer(std::string_view("half a mess")));
    ASSERT_TRUE(until([&] { return diary_.got == "half a mess"; }));
    peer_->set_option(asio::socket_base::linger(true, 0));  // close() sends RST
    peer_->close();
    accept();
    ASSERT_TRUE(until([&] { return diary_.closed.size() == 1; }));
    ASSERT_TRUE(until([&] { return accepted_ == 2; }));
    EXPECT_EQ(diary_.opened, 2) << "a fresh protocol";
}

TEST_F(Links, a_flapping_peer_is_not_hammered) {
    // Up and gone again, at once: every failure begins the backoff anew, so its first step bounds the rate.
    accept_hook_ = [this] {
        asio::write(*peer_, asio::buffer(std::string_view("x")));
        boost::system::error_code ignored;
        peer_->shutdown(tcp::socket::shutdown_both, ignored);
        accept();
    };
    accept();
    auto began = std::chrono::steady_clock::now();
    connect();
    ASSERT_TRUE(until([&] { return accepted_ == 6; }));
    EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(5 * 16));
}

TEST_F(Links, a_failure_may_ask_for_a_longer_pause_and_says_itself_why) {
    diary_.retry = Millis{60000};
    diary_.why = "the secret is wrong";
    accept_hook_ = [this] { peer_->close(); };
    accept();
    connect();
    ASSERT_TRUE(until([&] { return diary_.closed.size() == 1; }));
    ASSERT_TRUE(until([&] { return logged("down: the secret is wrong; again in "); }));
    auto line = log_.back();
    auto wait = std::stoi(line.substr(line.find("again in ") + 9));
    EXPECT_GE(wait, 48000);
    EXPECT_LE(wait, 72000);
}

TEST_F(Links, the_same_reason_again_is_no_news) {
    std::vector<int> priorities;
    auto target = port();
    acceptor_.close();
    link_ = std::make_unique<Link>(
        io_, "t", Endpoint{.host = "127.0.0.1", .port = target, .tls = {}, .connect_deadline = Millis{1000}},
        ReconnectPolicy{.first = Millis{5}, .max = Millis{5}, .attempts = 0},
        [this] { return std::make_unique<Simple>(diary_); },
        [&](int priority, std::string_view) { priorities.push_back(priority); });
    link_->start();
    ASSERT_TRUE(until([&] { return priorities.size() >= 3; }));
    priorities.resize(3);
    EXPECT_THAT(priorities, ElementsAre(4, 7, 7));
    link_.reset();
}

TEST_F(Links, stop_flushes_and_stays_closed) {
    accept();
    connect();
    ASSERT_TRUE(until([&] { return accepted_ == 1; }));
    link_->stop();
    ASSERT_TRUE(until([&] { return peer_ended_; }));
    EXPECT_EQ(peer_got_, "hello");
    EXPECT_THAT(diary_.closed, ElementsAre("stopping"));
    io_.restart();
    io_.run_for(std::chrono::milliseconds(150));
    EXPECT_EQ(accepted_, 1);
}

TEST_F(Links, a_peer_that_does_not_read_holds_nobody_at_stop) {
    diary_.to_send.assign(64UL << 20, 'x');
    acceptor_.async_accept([this](boost::system::error_code, tcp::socket socket) {
        peer_ = std::make_shared<tcp::socket>(std::move(socket));
        ++accepted_;
    });
    connect();
    ASSERT_TRUE(until([&] { return accepted_ == 1 && link_->protocol() != nullptr; }));
    link_->stop();
    auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(until([&] { return !diary_.closed.empty(); }));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(3));
}

TEST_F(TlsLinks, the_right_authority_is_trusted) {
    accept_tls();
    connect(endpoint("localhost", "ca.pem"));
    ASSERT_TRUE(until([&] { return diary_.got == "hi" && peer_got_ == "hello"; }));
}

TEST_F(TlsLinks, a_certificate_that_does_not_fit_is_refused_with_its_reason) {
    struct Case {
        const char *host, *ca, *reason;
    };
    for (const auto& c :
         {Case{"localhost", "other.pem", "is refused: unable to get local issuer certificate"},
          Case{"localhost", "", "is refused: unable to get local issuer certificate"},
          Case{"127.0.0.1", "ca.pem", "is refused: it is not for the name 127.0.0.1"},
          Case{"localhost", "absent.pem", "cannot be read"}}) {
        log_.clear();
        decided_ = 0;
        accept_tls();
        connect(endpoint(c.host, c.ca));
        ASSERT_TRUE(until([&] { return decided_ == 1; })) << c.reason;
        EXPECT_TRUE(logged(c.reason)) << testing::PrintToString(log_);
        EXPECT_EQ(diary_.opened, 0);
        link_.reset();
        boost::system::error_code ignored;
        acceptor_.cancel(ignored);
    }
}

TEST_F(TlsLinks, verification_can_be_switched_off) {
    accept_tls();
    connect(endpoint("127.0.0.1", "other.pem", false));
    ASSERT_TRUE(until([&] { return diary_.got == "hi"; }));
}

TEST_F(TlsLinks, a_port_without_tls_is_named) {
    accept_hook_ = [this] {
        asio::write(*peer_, asio::buffer(std::string_view("Asterisk Call Manager/11.0.0\r\n")));
    };
    accept();
    connect(endpoint("localhost", "ca.pem"));
    ASSERT_TRUE(until([&] { return decided_ == 1; }));
    EXPECT_TRUE(logged("does this port speak TLS?")) << testing::PrintToString(log_);
}

TEST_F(TlsLinks, a_silent_handshake_costs_the_deadline_only) {
    accept();
    auto where = endpoint("localhost", "ca.pem");
    where.connect_deadline = Millis{100};
    connect(where);
    ASSERT_TRUE(until([&] { return decided_ == 1; }));
    EXPECT_TRUE(logged("did not answer within 100 ms"));
}
