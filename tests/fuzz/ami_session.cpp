// A peer that sends anything. The first bytes choose the configuration; byte 0xF8 to 0xFF in the rest acts
// (time passes, an action is submitted, the link is lost), `\xF7` stands for the ActionID the session used
// last; all else is received.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "ami/session.hpp"

namespace {

void require(bool condition, std::string_view what) {
    if (condition) return;
    std::cerr << what << '\n';
    std::abort();
}

bool printable_line(std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7F) return false;
    }
    return true;
}

class Handler : public ami::SessionHandler {
 public:
    void on_message(const ami::Message& message) override { seen += message.headers().size(); }
    void on_state(ami::SessionState, std::string_view detail) override {
        require(printable_line(detail), "a state's detail is not printable");
    }
    void on_sync_begin() override {
        require(!syncing, "a sync begins within a sync");
        syncing = true;
    }
    void on_sync_end() override {
        require(syncing, "a sync ends that did not begin");
        syncing = false;
    }
    std::size_t seen = 0;
    bool syncing = false;
};

class Peer {
 public:
    explicit Peer(ami::SessionConfig config) : session_(std::move(config), handler_) {
        session_.opened(now_);
    }

    void act(std::uint8_t byte) {
        switch (byte) {
            case 0xF8:
                pass(100);
                break;
            case 0xF9:
                pass(3000);
                break;
            case 0xFA:
                pass(11000);
                break;
            case 0xFB:
                submit(ami::get_variable("c", "x"), false);
                break;
            case 0xFC:
                submit(ami::queue_status(), true);
                break;
            case 0xFD:
                flush();
                break;
            case 0xFE:
                lose();
                break;
            default:
                lose();
                session_.opened(now_);
        }
        collect();
    }

    void receive(std::string_view bytes) { session_.received(bytes, now_); }
    [[nodiscard]] const std::string& last_id() const { return last_id_; }

    void end() {
        lose();
        require(answered_ == taken_, "an action was not answered exactly once");
        require(session_.next_deadline() == ami::Millis::max(), "a closed session waits for something");
    }

 private:
    void lose() {
        session_.closed("lost", now_);
        handler_.syncing = false;
    }
    void flush() { collect(); }
    void pass(int span) {
        const ami::Millis until = now_ + ami::Millis(span);
        for (int i = 0; session_.next_deadline() <= until; ++i) {
            require(i < 5000, "the session asks for a tick again and again");
            now_ = std::max(now_, session_.next_deadline());
            session_.tick(now_);
        }
        now_ = until;
    }
    void submit(const ami::Action& action, bool list) {
        if (taken_ - answered_ > 40) return;
        const auto calls = [this, called = 0](const ami::Reply& reply) mutable {
            require(++called == 1, "an action was answered twice");
            require(printable_line(reply.message), "an answer is not printable");
            ++answered_;
        };
        if (list ? session_.submit_list(action, now_, {}, calls).has_value()
                 : session_.submit(action, now_, calls).has_value()) {
            ++taken_;
        }
    }
    // Keeps the last ActionID and checks every line.
    void collect() {
        const std::string output = session_.take_output();
        std::string_view rest = output;
        for (std::size_t end = 0; (end = rest.find("\r\n")) != std::string_view::npos;
             rest.remove_prefix(end + 2)) {
            const std::string_view line = rest.substr(0, end);
            require(printable_line(line), "a written line holds a control character");
            require(line.size() < 1023, "a written line is too long");
            if (line.starts_with("ActionID: ")) last_id_ = line.substr(10);
        }
        require(rest.empty(), "half a line was written");
    }

    Handler handler_;
    ami::Session session_;
    ami::Millis now_{1000000};
    std::string last_id_;
    std::size_t taken_ = 0;
    std::size_t answered_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    ami::SessionConfig config;
    config.username = "u";
    config.secret = "s";
    config.action_id_prefix = "t-";
    config.md5 = (data[0] & 1U) != 0;
    if ((data[0] & 2U) != 0) config.events = "call";
    Peer peer(std::move(config));
    std::string piece;
    const auto flush = [&] {
        peer.receive(piece);
        piece.clear();
    };
    for (std::size_t i = 1; i < size; ++i) {
        if (data[i] == 0xF7) {
            piece += peer.last_id();
        } else if (data[i] >= 0xF8) {
            flush();
            peer.act(data[i]);
        } else {
            piece += static_cast<char>(data[i]);
        }
    }
    flush();
    peer.end();
    return 0;
}
