// Stands between a client and a database and cuts the link at the n-th command: before the server gets it, or
// after the server has done it but before the client hears so.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace test {

class CuttingProxy {
 public:
    enum class Cut { before, after };

    explicit CuttingProxy(unsigned server_port);
    ~CuttingProxy();
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    [[nodiscard]] unsigned port() const { return port_; }
    // Counting begins anew: the `command`-th from now on (1 is the next) is cut, once.
    void cut_at(long command, Cut cut);
    [[nodiscard]] bool has_cut() const { return cut_done_; }
    [[nodiscard]] long commands() const { return commands_; }

 private:
    void accept_loop();
    void serve(int client);
    bool forward(int server, const char* bytes, long size);

    unsigned server_port_;
    unsigned port_ = 0;
    int listener_ = -1;
    std::atomic<long> commands_ = 0, cut_at_ = 0;
    std::atomic<Cut> cut_ = Cut::before;
    std::atomic<bool> cut_done_ = false, stopping_ = false;
    std::mutex mutex_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace test
