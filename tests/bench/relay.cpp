// The least a bridge can do: reads the same AMI bytes and, for each phone that begins to ring, sends a
// prepared stanza through the same XMPP server. No calls, no people, no queue; what ctibridge costs beyond
// this is its work.
//   bench_relay AMI_PORT USERNAME SECRET COMPONENT COMPONENT_PORT COMPONENT_SECRET STANZA_FILE
// `@LEG@` in the stanza becomes the Uniqueid. Prints "ready" once both sides are logged in; ends when one
// closes.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

class Peer {
 public:
    explicit Peer(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0)
            throw std::runtime_error("connect");
        const int on = 1;
        setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { close(socket_); }

    void write(std::string_view bytes) const {
        if (send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) {
            throw std::runtime_error("write");
        }
    }
    // Appends to `data`; false at the end.
    bool read(std::string& data) const {
        std::array<char, 16384> buffer{};
        const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
        if (got <= 0) return false;
        data.append(buffer.data(), static_cast<std::size_t>(got));
        return true;
    }
    std::string read_until(std::string_view mark) const {
        std::string data;
        while (!data.contains(mark)) {
            if (!read(data)) throw std::runtime_error("closed before " + std::string(mark) + ": " + data);
        }
        return data;
    }

 private:
    int socket_;
};

std::string between(std::string_view text, std::string_view begin, std::string_view end) {
    const std::size_t from = text.find(begin);
    if (from == std::string_view::npos) return {};
    const std::size_t start = from + begin.size();
    return std::string(text.substr(start, text.find(end, start) - start));
}

std::string sha1_hex(const std::string& text) {
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string hex;
    for (const unsigned char byte : digest) {
        std::array<char, 3> two{};
        std::snprintf(two.data(), two.size(), "%02x", byte);
        hex += two.data();
    }
    return hex;
}

void relay(char** argument) {
    std::ifstream file(argument[7], std::ios::binary);
    const std::string stanza{std::istreambuf_iterator<char>(file), {}};
    const std::size_t place = stanza.find("@LEG@");
    if (place == std::string::npos) throw std::runtime_error("the stanza has no @LEG@");

    const Peer xmpp(std::atoi(argument[5]));
    const std::string component = argument[4];
    xmpp.write(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
        "xmlns:stream='http://etherx.jabber.org/streams' to='" +
        component + "'>");
    std::string opening;
    std::string id;
    while (id.empty()) {
        if (!xmpp.read(opening)) throw std::runtime_error("the XMPP server closed");
        id = between(opening, "id='", "'");
        if (id.empty()) id = between(opening, "id=\"", "\"");
    }
    xmpp.write("<handshake>" + sha1_hex(id + argument[6]) + "</handshake>");
    (void)xmpp.read_until("handshake");

    const Peer ami(std::atoi(argument[1]));
    ami.write("Action: Login\r\nActionID: 1\r\nUsername: " + std::string(argument[2]) +
              "\r\nSecret: " + argument[3] + "\r\nEvents: system,call,agent,user,cdr\r\n\r\n");
    std::string data = ami.read_until("Response: Success");
    std::puts("ready");
    std::fflush(stdout);

    std::string out;
    do {
        std::size_t at = 0;
        for (std::size_t end = 0; (end = data.find("\r\n\r\n", at)) != std::string::npos; at = end + 4) {
            const std::string_view block = std::string_view(data).substr(at, end + 2 - at);
            if (!block.starts_with("Event: Newstate\r\n") || !block.contains("ChannelStateDesc: Ringing\r\n"))
                continue;
            out.assign(stanza, 0, place);
            out += between(block, "\r\nUniqueid: ", "\r\n");
            out.append(stanza, place + 5);
            xmpp.write(out);
        }
        data.erase(0, at);
    } while (ami.read(data));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) {
        std::fprintf(stderr,
                     "usage: bench_relay AMI_PORT USERNAME SECRET COMPONENT COMPONENT_PORT COMPONENT_SECRET "
                     "STANZA_FILE\n");
        return 2;
    }
    try {
        relay(argv);
    } catch (const std::exception& fault) {
        std::fprintf(stderr, "bench_relay: %s\n", fault.what());
        return 1;
    }
    return 0;
}
