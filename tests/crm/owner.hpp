// The owner's thread of a test: runs what was posted to it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <vector>

namespace test {

class Owner {
 public:
    [[nodiscard]] std::function<void(std::function<void()>)> post() {
        return [this](std::function<void()> work) {
            const std::scoped_lock guard(mutex_);
            waiting_.push_back(std::move(work));
            came_.notify_one();
        };
    }
    void run() {
        std::vector<std::function<void()>> now;
        {
            const std::scoped_lock guard(mutex_);
            now.swap(waiting_);
        }
        for (const auto& work : now) work();
    }
    // False: it did not come true in time.
    bool run_until(const std::function<bool()>& done,
                   std::chrono::seconds patience = std::chrono::seconds(20)) {
        const auto until = std::chrono::steady_clock::now() + patience;
        while (!done()) {
            if (std::chrono::steady_clock::now() > until) return false;
            {
                std::unique_lock guard(mutex_);
                came_.wait_for(guard, std::chrono::milliseconds(10), [&] { return !waiting_.empty(); });
            }
            run();
        }
        return true;
    }

 private:
    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<std::function<void()>> waiting_;
};

}  // namespace test
