#include "bridge/phone_orders.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/printable.hpp"

namespace bridge {

namespace {

using Kind = AgentRequest::Kind;

constexpr std::string_view our_event = "ctibridge-agent";
constexpr std::size_t longest_word = 100;

struct Word {
    std::string_view word;
    Kind kind;
};
constexpr Word words[] = {{"login", Kind::login},
                          {"logout", Kind::logged_out},
                          {"ready", Kind::ready},
                          {"not-ready", Kind::not_ready}};

template <class Fits>
const crm::Operator* first(std::span<const crm::Operator> people, Fits fits) {
    const auto found = std::ranges::find_if(people, [&](const auto& who) { return who.active && fits(who); });
    return found == people.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::expected<PhoneOrder, std::string>> phone_order(const ami::Message& message) {
    if (message.name() != "UserEvent" || message.get("UserEvent") != our_event) return std::nullopt;
    PhoneOrder order{.who = std::string(message.get("Operator")),
                     .reason = std::string(message.get("Reason")),
                     .channel = std::string(message.get("Channel")),
                     .uniqueid = std::string(message.get("Uniqueid"))};
    const auto asked = message.get("State");
    const auto word = std::ranges::find(words, asked, &Word::word);
    // One that comes from another manager's session, not from a dialplan, has no channel.
    if (order.channel.empty() || order.uniqueid.empty())
        return std::unexpected(std::string("the event comes from no phone"));
    if (word == std::end(words))
        return std::unexpected(fmt::format(
            "`{}` is no State; the dialplan says login, logout, ready or not-ready", printable(asked, 20)));
    if (order.who.size() > longest_word || order.reason.size() > longest_word)
        return std::unexpected(std::string("Operator and Reason have 100 bytes at most"));
    order.kind = word->kind;
    return order;
}

std::expected<AgentRequest, std::string> request_of(const PhoneOrder& order, std::string_view extension,
                                                    std::span<const crm::Operator> at_home,
                                                    std::span<const crm::Operator> placed,
                                                    std::span<const crm::Seat> seats) {
    if (extension.empty())
        return std::unexpected(
            fmt::format("{} is no phone of an operator or seat", printable(order.channel, 60)));
    const auto here = [&](const auto& who) { return who.extension == extension; };
    const auto* who = first(placed, here);
    if (!order.who.empty()) {
        const auto named = [&](const auto& one) {
            return one.jid == order.who || one.extension == order.who;
        };
        who = first(at_home, named);
        if (who == nullptr)
            return std::unexpected(fmt::format("no operator has the extension {}", printable(order.who, 40)));
    }
    if (who == nullptr) return std::unexpected(fmt::format("phone {} is nobody's at present", extension));
    AgentRequest request{.jid = who->jid, .by = who->jid, .kind = order.kind, .reason = order.reason};
    if (order.kind != Kind::login) return request;
    // A phone of one's own needs no seat; leaving another one does, so it is named where there is one.
    const auto seat = std::ranges::find(seats, extension, &crm::Seat::extension);
    const auto home = std::ranges::find(at_home, who->jid, &crm::Operator::jid);
    if (seat != seats.end())
        request.seat = seat->id;
    else if (home == at_home.end() || home->extension != extension)
        return std::unexpected(
            fmt::format("phone {} is no seat; an administrator names the seats", extension));
    return request;
}

}  // namespace bridge
