#include "bridge/services.hpp"

#include <algorithm>

namespace bridge {

void Services::set(std::vector<crm::Service> services, std::string_view pbx) {
    std::erase_if(services, [&](const crm::Service& one) {
        return !one.enabled || one.name.empty() || (!one.pbx.empty() && one.pbx != pbx);
    });
    std::sort(services.begin(), services.end(),
              [](const crm::Service& a, const crm::Service& b) { return a.name < b.name; });
    services_ = std::move(services);
    for (Places* places : {&by_name_, &by_queue_, &inbound_, &outbound_}) places->clear();
    for (std::size_t i = 0; i < services_.size(); ++i) {
        const crm::Service& one = services_[i];
        by_name_.try_emplace(one.name, i);
        if (!one.queue.empty()) by_queue_.try_emplace(one.queue, i);
        Places& contexts = one.direction == crm::Direction::outbound ? outbound_ : inbound_;
        for (const std::string& context : one.contexts) contexts.try_emplace(context, i);
    }
}

const crm::Service* Services::at(const Places& places, std::string_view key) const {
    if (places.empty() || key.empty()) return nullptr;
    const auto found = places.find(std::string(key));
    return found == places.end() ? nullptr : &services_[found->second];
}

const crm::Service* Services::named(std::string_view name) const {
    return at(by_name_, name);
}

const crm::Service* Services::of_queue(std::string_view queue) const {
    return at(by_queue_, queue);
}

const crm::Service* Services::of_context(std::string_view context, crm::Direction direction) const {
    if (direction == crm::Direction::internal) return nullptr;
    return at(direction == crm::Direction::outbound ? outbound_ : inbound_, context);
}

Interest Services::interest() const {
    Interest interest;
    for (const crm::Service& one : services_) {
        interest.contexts.insert(one.contexts.begin(), one.contexts.end());
        interest.variables.insert(one.variables.begin(), one.variables.end());
    }
    return interest;
}

bool Services::need_dialplan_events() const {
    return std::any_of(services_.begin(), services_.end(), [](const crm::Service& one) {
        return !one.contexts.empty() || !one.variables.empty();
    });
}

}  // namespace bridge
