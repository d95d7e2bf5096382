// CPU of the receiving thread per AMI event, in layers: recv alone, with a memchr line split (the floor),
// with ami::Parser, with ami::Parser and the lookups a call model makes. One line of JSON. Argument: a
// recorded session (.ami).
#include "ami/parser.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

std::atomic<std::size_t> allocations{0};

constexpr std::size_t read_size = 16UL * 1024;
constexpr std::size_t events_wanted = 200'000;
constexpr int rounds = 7;  // the least disturbed counts

long long thread_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// Two connected TCP sockets on loopback.
std::pair<int, int> connection() {
    const auto check = [](bool fine, const char* what) {
        if (!fine) throw std::runtime_error(what);
    };
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* any = reinterpret_cast<sockaddr*>(&address);
    check(
        bind(listener, any, size) == 0 && listen(listener, 1) == 0 && getsockname(listener, any, &size) == 0,
        "listen");
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    check(connect(client, any, size) == 0, "connect");
    const int server = accept(listener, nullptr, nullptr);
    check(server >= 0, "accept");
    close(listener);
    return {client, server};
}

// The floor: every line found by memchr, with what is left of an incomplete one carried over.
class LineSplit {
 public:
    std::size_t lines = 0;
    void feed(std::string_view bytes) {
        if (!kept_.empty()) {
            kept_.append(bytes);
            const std::size_t used = split(kept_);
            kept_.erase(0, used);
        } else {
            kept_.assign(bytes.substr(split(bytes)));
        }
    }

 private:
    std::size_t split(std::string_view bytes) {
        const char* at = bytes.data();
        const char* const end = at + bytes.size();
        while (const void* found = std::memchr(at, '\n', static_cast<std::size_t>(end - at))) {
            at = static_cast<const char*>(found) + 1;
            ++lines;
        }
        return static_cast<std::size_t>(at - bytes.data());
    }
    std::string kept_;
};

struct Cost {
    double ns = std::numeric_limits<double>::max();  // per event
    double allocated = 0;                            // calls of operator new per event, of the last round
    std::size_t sum = 0;                             // so that nothing is optimised away
};

struct Stream {
    std::string bytes;
    std::size_t events = 0;
    std::size_t times = 0;  // how often it is sent
};

void over_socket(const Stream& stream, Cost& cost, const std::function<std::size_t(std::string_view)>& take) {
    const auto [out, in] = connection();
    std::thread sender([&stream, out = out] {
        for (std::size_t i = 0; i < stream.times; ++i) {
            for (std::string_view rest = stream.bytes; !rest.empty();) {
                const ssize_t sent = send(out, rest.data(), rest.size(), MSG_NOSIGNAL);
                if (sent <= 0) std::abort();
                rest.remove_prefix(static_cast<std::size_t>(sent));
            }
        }
        close(out);
    });
    std::vector<char> buffer(read_size);
    const std::size_t before = allocations;
    const long long start = thread_ns();
    for (ssize_t got = 0; (got = recv(in, buffer.data(), buffer.size(), 0)) > 0;) {
        cost.sum += take({buffer.data(), static_cast<std::size_t>(got)});
    }
    const auto events = static_cast<double>(stream.events * stream.times);
    cost.ns = std::min(cost.ns, static_cast<double>(thread_ns() - start) / events);
    cost.allocated = static_cast<double>(allocations - before) / events;
    sender.join();
    close(in);
}

void in_memory(const Stream& stream, Cost& cost, const std::function<std::size_t(std::string_view)>& take) {
    const std::size_t before = allocations;
    const long long start = thread_ns();
    for (std::size_t i = 0; i < stream.times; ++i) {
        for (std::string_view rest = stream.bytes; !rest.empty();) {
            const std::string_view piece = rest.substr(0, read_size);
            cost.sum += take(piece);
            rest.remove_prefix(piece.size());
        }
    }
    const auto events = static_cast<double>(stream.events * stream.times);
    cost.ns = std::min(cost.ns, static_cast<double>(thread_ns() - start) / events);
    cost.allocated = static_cast<double>(allocations - before) / events;
}

ami::Parser begun() {
    ami::Parser parser;
    if (!parser.feed("Asterisk Call Manager/11.0.0\r\n", [](const ami::Message&) {})) std::abort();
    return parser;
}

using Way = void (*)(const Stream&, Cost&, const std::function<std::size_t(std::string_view)>&);

void measure(const char* name, const Stream& stream, Way way, bool last) {
    constexpr std::array<std::string_view, 6> wanted{"Channel",     "Uniqueid", "Linkedid",
                                                     "CallerIDNum", "Exten",    "ChannelStateDesc"};
    Cost recv_only;
    Cost floor;
    Cost parsed;
    Cost looked_up;
    for (int round = 0; round < rounds; ++round) {
        way(stream, recv_only, [](std::string_view bytes) { return bytes.size(); });
        LineSplit split;
        way(stream, floor, [&](std::string_view bytes) {
            split.feed(bytes);
            return split.lines;
        });
        auto parser = begun();
        std::size_t seen = 0;
        way(stream, parsed, [&](std::string_view bytes) {
            if (!parser.feed(bytes,
                             [&seen](const ami::Message& message) { seen += message.headers().size(); }))
                std::abort();
            return seen;
        });
        if (parser.messages() != stream.events * stream.times) std::abort();
        auto second = begun();
        way(stream, looked_up, [&](std::string_view bytes) {
            const auto look = [&seen, &wanted](const ami::Message& message) {
                for (const std::string_view header : wanted) seen += message.get(header).size();
            };
            if (!second.feed(bytes, look)) std::abort();
            return seen;
        });
    }
    std::printf(
        "\"%s\": {\"recv_ns\": %.0f, \"floor_ns\": %.0f, \"parser_ns\": %.0f, \"parser_and_6_lookups_ns\": "
        "%.0f, "
        "\"parser_to_floor\": %.2f, \"allocations_per_event\": %.5f}%s",
        name, recv_only.ns, floor.ns, parsed.ns, looked_up.ns, parsed.ns / floor.ns, parsed.allocated,
        last ? "" : ", ");
}

Stream stream_of(std::string bytes) {
    Stream stream{std::move(bytes), 0, 0};
    for (std::size_t at = 0; (at = stream.bytes.find("\r\n\r\n", at)) != std::string::npos; at += 4)
        ++stream.events;
    stream.times = std::max<std::size_t>(1, events_wanted / stream.events);
    return stream;
}

}  // namespace

void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: bench_parser SESSION.ami\n");
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary);
    std::string recorded{std::istreambuf_iterator<char>(file), {}};
    recorded.erase(0, recorded.find('\n') + 1);
    if (recorded.empty()) {
        std::fprintf(stderr, "%s cannot be read\n", argv[1]);
        return 2;
    }
    std::string large = "Event: Newstate\r\n";
    for (int i = 1; i < 22; ++i)
        large += "HeaderName" + std::to_string(10 + i) + ": value " + std::string(8, 'x') + "\r\n";
    large += "\r\n";
    const Stream recording = stream_of(std::move(recorded));
    const Stream synthetic = stream_of([&large] {
        std::string many;
        for (int i = 0; i < 100; ++i) many += large;
        return many;
    }());
    std::printf(
        "{\"bytes_per_event\": {\"recorded\": %zu, \"22_headers\": %zu}, \"events_per_round\": %zu, "
        "\"rounds\": %d, ",
        recording.bytes.size() / recording.events, synthetic.bytes.size() / synthetic.events, events_wanted,
        rounds);
    measure("recorded_over_tcp", recording, over_socket, false);
    measure("recorded_in_memory", recording, in_memory, false);
    measure("22_headers_over_tcp", synthetic, over_socket, false);
    measure("22_headers_in_memory", synthetic, in_memory, true);
    std::printf("}\n");
}
