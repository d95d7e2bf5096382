// Which service a call belongs to, and what of it the notices say.
#include <fmt/format.h>

#include "bridge/desk_impl.hpp"

namespace bridge {

namespace {
constexpr std::size_t most_variables = 32;
constexpr std::size_t longest_prefix = 15;  // of a name: a queue's, not a part of the name
}  // namespace

void Desk::Impl::set_services(std::vector<crm::Service> list) {
    services.set(std::move(list), config.pbx);
    model.set_interest(services.interest());
}

const crm::Service* Desk::Impl::service_of(const Call& call, const std::string& queue,
                                           crm::Direction direction, std::string* why) const {
    const crm::Service* found = services.of_queue(queue);
    if (found != nullptr && why != nullptr) *why = fmt::format("queue {}", queue);
    for (auto context = call.contexts.rbegin(); found == nullptr && context != call.contexts.rend();
         ++context) {
        found = services.of_context(*context, direction);
        if (found != nullptr && why != nullptr) *why = fmt::format("context {}", *context);
    }
    return found;
}

// The queue it joined last, else the last service context its caller's channel entered. What was once known
// stays when a reload takes the service away.
void Desk::Impl::learn_service(Talk& talk, const Call& call) {
    crm::CallRow& row = talk.row;
    if (!call.queue.empty()) row.queue = call.queue;
    if (talk.dialing && !talk.dialing->service.empty()) return;  // asked for by name
    std::string why;
    const crm::Service* found = service_of(call, row.queue, row.direction, &why);
    if (found == nullptr || found->name == row.service) return;
    row.service = found->name;
    reason(Why::service_found, &talk, {}, {}, fmt::format("{}: {}", row.service, why));
}

// Before the row says so: it is written when something else changes.
void Desk::Impl::tell_waiting(Talk& talk, const Call& call) {
    const crm::CallRow& row = talk.row;
    if (talk.own || talk.withheld || row.caller_number.empty()) return;
    if (row.direction != crm::Direction::inbound || call.origin == nullptr || !call.origin->alive()) return;
    const std::string& queue = call.queue.empty() ? row.queue : call.queue;
    const crm::Service* service = service_of(call, queue, row.direction, nullptr);
    const std::string name = service != nullptr ? service->name : row.service;
    if (name.empty() && queue.empty()) return;
    std::string place = name + '\n' + queue;
    if (place == talk.waits_at) return;
    talk.waits_at = std::move(place);
    out.callers.push_back({row.id, call.origin->uniqueid, row.caller_number, name, queue});
}

Leg* Desk::Impl::waiting_leg(const WaitingCaller& caller) {
    Leg* leg = model.find_leg(caller.channel);
    return leg != nullptr && leg->alive() ? leg : nullptr;
}

std::optional<std::string> Desk::name_caller(const WaitingCaller& caller, std::string_view name) {
    Leg* leg = impl_->waiting_leg(caller);
    if (leg == nullptr) return std::nullopt;
    // the dialplan has set it before `Ben Fox`, or before the number of a caller without a name
    const std::string& behind = leg->first_name.empty() ? leg->first_number : leg->first_name;
    std::string prefix;
    if (leg->name.size() > behind.size() && leg->name.ends_with(behind))
        prefix = leg->name.substr(0, leg->name.size() - behind.size());
    if (prefix.size() > longest_prefix || !prefix.ends_with(':')) prefix.clear();
    prefix += name;
    CallModel::name_given(*leg->call, prefix);
    return prefix;
}

std::optional<std::string> Desk::network_name(const WaitingCaller& caller) const {
    const Leg* leg = impl_->waiting_leg(caller);
    if (leg == nullptr || leg->call->given_names.empty()) return std::nullopt;
    return leg->call->given_names.front().network;
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
