#include "cutting_proxy.hpp"

#include <array>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace test {
namespace {

sockaddr_in loopback(unsigned port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<std::uint16_t>(port));
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

}  // namespace

CuttingProxy::CuttingProxy(unsigned server_port) : server_port_(server_port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("the proxy cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_loop(); });
}

CuttingProxy::~CuttingProxy() {
    stopping_ = true;
    acceptor_.join();
    for (auto& thread : threads_) thread.join();
    ::close(listener_);
}

void CuttingProxy::cut_at(long command, Cut cut) {
    cut_ = cut;
    cut_done_ = false;
    commands_ = 0;
    cut_at_ = command;
}

void CuttingProxy::accept_loop() {
    while (!stopping_) {
        pollfd waiting{listener_, POLLIN, 0};
        if (::poll(&waiting, 1, 20) <= 0) continue;
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        const std::scoped_lock guard(mutex_);
        threads_.emplace_back([this, client] { serve(client); });
    }
}

// The protocol is question and answer: what one read gives is one command. False: the link is to be closed.
bool CuttingProxy::forward(int server, const char* bytes, long size) {
    const bool hit = ++commands_ == cut_at_ && !cut_done_;
    if (hit && cut_ == Cut::before) {
        cut_done_ = true;
        return false;
    }
    if (::send(server, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return false;
    if (!hit) return true;
    std::array<char, 16> answer{};
    pollfd waiting{server, POLLIN, 0};
    if (::poll(&waiting, 1, 2000) > 0) (void)::recv(server, answer.data(), answer.size(), 0);
    cut_done_ = true;
    return false;
}

void CuttingProxy::serve(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        std::array<char, 65536> buffer{};
        bool open = true;
        while (open && !stopping_) {
            std::array<pollfd, 2> ends = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
            if (::poll(ends.data(), ends.size(), 20) < 0) break;
            if (ends[1].revents != 0) {
                const auto got = ::recv(server, buffer.data(), buffer.size(), 0);
                open = got > 0 &&
                       ::send(client, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
            }
            if (open && ends[0].revents != 0) {
                const auto got = ::recv(client, buffer.data(), buffer.size(), 0);
                open = got > 0 && forward(server, buffer.data(), got);
            }
        }
    }
    ::close(server);
    ::close(client);
}

}  // namespace test
