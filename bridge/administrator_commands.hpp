// What administrators order by ad-hoc commands (XEP-0050) beside the agents' states: `status`, `operators`,
// `services`, `explain`, `reload`, `dialing`. Nobody else sees them, or may run them.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/dial_switch.hpp"
#include "crm/types.hpp"
#include "xmpp/adhoc.hpp"

namespace bridge {

class AdministratorCommands {
 public:
    struct Ports {
        std::function<bool(std::string_view jid)> is_administrator;
        std::function<std::string()> status;                        // lines, as of `ctibridge status`
        std::function<std::string(const std::string& of)> explain;  // likewise
        std::function<std::vector<crm::Operator>()> operators;
        std::function<std::string(std::string_view jid)> agent;  // how they stand, in words; may be empty
        std::function<std::vector<crm::Service>()> services;
        // What was applied, or what is wrong.
        std::function<std::expected<std::string, std::string>()> reload;
        std::function<std::vector<std::string>()> pbx_names;
        std::function<const DialSwitch&()> dialing;
        // Switches it; an empty pbx: all.
        std::function<void(const std::string& pbx, bool on, const std::string& by)> switch_dialing;
    };
    explicit AdministratorCommands(Ports ports) : ports_(std::move(ports)) {}
    void fill(xmpp::Commands& commands);

 private:
    using Done = std::function<void(xmpp::CommandResult)>;
    [[nodiscard]] xmpp::FormTable operators() const;
    [[nodiscard]] xmpp::FormTable services() const;
    [[nodiscard]] xmpp::FormTable dialing() const;
    [[nodiscard]] xmpp::Form dialing_form() const;
    void switch_dialing(const xmpp::CommandCall& call, const Done& done);

    Ports ports_;
};

}  // namespace bridge
