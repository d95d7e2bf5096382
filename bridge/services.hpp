// The services of one pbx: which one a queue or a context belongs to, and what of a call's events they need.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/call_model.hpp"
#include "crm/types.hpp"

namespace bridge {

class Services {
 public:
    // Those that are enabled and of this pbx, or of none by name; of two that claim the same queue or context
    // the first by name has it.
    void set(std::vector<crm::Service> services, std::string_view pbx);

    // Null: no enabled service. The pointers stay valid until the next set().
    [[nodiscard]] const crm::Service* named(std::string_view name) const;
    [[nodiscard]] const crm::Service* of_queue(std::string_view queue) const;
    [[nodiscard]] const crm::Service* of_context(std::string_view context, crm::Direction direction) const;

    // What the call model is to keep of each call.
    [[nodiscard]] Interest interest() const;
    // Contexts and variables travel in AMI's class `dialplan` only: nine tenths of a FreePBX's events.
    [[nodiscard]] bool need_dialplan_events() const;

    [[nodiscard]] const std::vector<crm::Service>& all() const { return services_; }

 private:
    using Places = std::unordered_map<std::string, std::size_t>;
    [[nodiscard]] const crm::Service* at(const Places& places, std::string_view key) const;

    std::vector<crm::Service> services_;
    Places by_name_, by_queue_, inbound_, outbound_;
};

}  // namespace bridge
