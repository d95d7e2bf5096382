// Which service a call belongs to, and what of it the notices say.
#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {
constexpr std::size_t most_variables = 32;
}

void Desk::Impl::set_services(std::vector<crm::Service> list) {
    services.set(std::move(list), config.pbx);
    model.set_interest(services.interest());
}

// The queue it joined last, else the last service context its caller's channel entered. What was once known
// stays when a reload takes the service away.
void Desk::Impl::learn_service(Talk& talk, const Call& call) {
    crm::CallRow& row = talk.row;
    if (!call.queue.empty()) row.queue = call.queue;
    if (talk.dialing && !talk.dialing->service.empty()) return;  // asked for by name
    const crm::Service* found = services.of_queue(row.queue);
    std::string why = found != nullptr ? fmt::format("queue {}", row.queue) : std::string();
    for (auto context = call.contexts.rbegin(); found == nullptr && context != call.contexts.rend();
         ++context) {
        found = services.of_context(*context, row.direction);
        if (found != nullptr) why = fmt::format("context {}", *context);
    }
    if (found == nullptr || found->name == row.service) return;
    row.service = found->name;
    reason(Why::service_found, &talk, {}, {}, fmt::format("{}: {}", row.service, why));
}

void Desk::Impl::show_service(Notice& notice, const Talk& talk, const Ring& ring) const {
    notice.service = talk.row.service;
    const crm::Service* service = services.named(notice.service);
    if (service == nullptr) return;
    notice.language = service->language;
    if (!ring.own) notice.pop = service->pop;
    notice.page = service->url;
    notice.modules = service->modules;
    const auto& variables = ring.legs.front().leg->call->variables;
    for (const std::string& name : service->variables) {
        if (notice.variables.size() == most_variables) break;
        if (const auto value = variables.find(name); value != variables.end())
            notice.variables.emplace_back(name, value->second);
    }
}

}  // namespace bridge
