// Whether anything is dialled at all: an administrator can switch it off, everywhere or at one pbx, and it
// stays off over restarts (docs/design.md, section 12). Sans-I/O: what is to be kept goes through ports.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/notice.hpp"

namespace bridge {

class DialSwitch {
 public:
    struct Off {
        std::string by;  // a JID, or who asked by the control socket
        Millis since{0};
    };
    struct Ports {
        std::function<void(const crm::Owed&)> keep, drop;
    };
    explicit DialSwitch(Ports ports) : ports_(std::move(ports)) {}

    // What an earlier daemon kept. False: it is something else.
    bool restore(const crm::Owed& owed);
    // An empty `pbx` means all: switched on, every single one is on too.
    void set(std::string_view pbx, bool on, std::string_view by, Millis now);
    // Why nothing is dialled at this pbx; nothing: it is.
    [[nodiscard]] const Off* off(std::string_view pbx) const;
    // By pbx; the empty name is all.
    [[nodiscard]] const std::map<std::string, Off, std::less<>>& all_off() const { return off_; }

 private:
    Ports ports_;
    std::map<std::string, Off, std::less<>> off_;
};

// For an operator who is refused.
std::string switched_off_text(const DialSwitch::Off& off);

}  // namespace bridge
