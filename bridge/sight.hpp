// What an operator may see, decided at one place: of notices and everything made of them (pictures of calls,
// pops, history, commands), and of the states of others (directory, lines). Administrators see all.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bridge/notice.hpp"
#include "bridge/sight_config.hpp"

namespace bridge {

class Sight {
 public:
    struct Ports {
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<bool(std::string_view by, std::string_view jid)> may_act_for;
        std::function<bool(std::string_view one, std::string_view other)> are_colleagues;
    };
    explicit Sight(Ports ports) : ports_(std::move(ports)) {}
    void configure(SightConfig config) { config_ = std::move(config); }
    [[nodiscard]] const SightConfig& config() const { return config_; }

    // Whether limit() would change anything of it.
    [[nodiscard]] bool limits(const Notice& notice) const;
    // Takes away what `notice.to` is not to see.
    void limit(Notice& notice, crm::Lookup& lookup) const;
    // The state of somebody's phone, their agent state, a call that rings there.
    [[nodiscard]] bool sees_state(std::string_view asker, std::string_view other) const;
    // ... of a phone that nobody has.
    [[nodiscard]] bool sees_free_line(std::string_view asker, bool is_operator) const;

 private:
    [[nodiscard]] bool is_masked(const Notice& notice) const;
    SightConfig config_;
    Ports ports_;
};

// `+42073676xxxx`: nobody can call that, and who knows the number knows it again.
std::string masked_number(std::string_view number);

}  // namespace bridge
