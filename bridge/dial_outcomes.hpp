// What is said afterwards about a call that was ordered by a chat line: its notices reach consoles only, and
// a phone that never rings makes none. Sans-I/O.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "crm/types.hpp"

namespace bridge {

class DialOutcomes {
 public:
    static constexpr std::size_t most = 10'000;
    using Tell = std::function<void(const std::string& text)>;

    // `channel`: Uniqueid of the first leg, which is the call's Linkedid too.
    void follow(const std::string& channel, std::string number, Tell tell);
    void rang(std::string_view channel);  // the operator's own phone
    // Says how it ended, unless it was answered; once.
    void ended(const crm::CallRow& row);
    [[nodiscard]] std::size_t size() const { return calls_.size(); }

 private:
    struct Call {
        std::string number;
        Tell tell;
        bool rang = false;
    };
    std::map<std::string, Call, std::less<>> calls_;
};

}  // namespace bridge
