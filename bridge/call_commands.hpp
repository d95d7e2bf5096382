// An operator's own calls as ad-hoc commands (XEP-0050): `calls`, `hangup`, `transfer`. What they order takes
// the way of the requests, with the same checks and audit rows.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/call_requests.hpp"
#include "bridge/notice.hpp"
#include "xmpp/adhoc.hpp"

namespace bridge {

class CallCommands {
 public:
    struct Ports {
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<std::vector<Notice>(std::string_view jid)> calls;  // as the operator may see them
        std::function<void(const CallRequests::Asking&, CallRequests::Told)> ask;
        std::function<void(std::string_view bare, std::string_view from)> seen;  // this client is there
    };
    explicit CallCommands(Ports ports) : ports_(std::move(ports)) {}
    void fill(xmpp::Commands& commands);

 private:
    using Done = std::function<void(xmpp::CommandResult)>;
    [[nodiscard]] bool has_phone(const std::string& bare) const;
    [[nodiscard]] xmpp::FormField call_field(const std::string& bare) const;
    [[nodiscard]] xmpp::FormTable table(const std::string& bare) const;
    void order(CallAction action, const xmpp::CommandCall& call, std::string done_text, const Done& done);

    Ports ports_;
};

}  // namespace bridge
