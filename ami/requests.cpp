#include "ami/requests.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "ami/text.hpp"

namespace ami {

namespace {

Reply reply_of(const Message& response) {
    const std::string_view word = response.name();
    const bool ok = word == "Success" || word == "Goodbye" || word == "Follows";
    return {.outcome = ok ? Reply::Outcome::success : Reply::Outcome::refused,
            .message = printable(response.get("Message")),
            .response = &response};
}

}  // namespace

void Requests::add(Millis now, Timing timing, bool list, Session::Item item, Session::Done done) {
    open_.emplace(++last_, Request{.deadline = now + timing.answer,
                                   .list_deadline = now + timing.list,
                                   .timing = timing,
                                   .list = list,
                                   .item = std::move(item),
                                   .done = std::move(done)});
    if (list) ++lists_;
}

Requests::Open::iterator Requests::find(const Message& message) {
    std::string_view id = message.get("ActionID");
    if (!id.starts_with(prefix_)) return open_.end();
    id.remove_prefix(prefix_.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    return error == std::errc{} && end == id.data() + id.size() ? open_.find(number) : open_.end();
}

void Requests::finish(Open::iterator request, Reply reply) {
    const Request taken = std::move(request->second);
    open_.erase(request);
    if (taken.list) --lists_;
    reply.items = taken.items;
    if (taken.done) taken.done(reply);
}

bool Requests::response(const Message& message, Millis now) {
    const auto found = find(message);
    if (found == open_.end()) return false;
    Request& request = found->second;
    Reply reply = reply_of(message);
    if (request.list && reply.ok() && message.get("EventList") == "start") {
        request.started = true;
        request.deadline = std::min(now + request.timing.answer, request.list_deadline);
    } else {
        finish(found, std::move(reply));
    }
    return true;
}

void Requests::event(const Message& message, Millis now) {
    if (lists_ == 0) return;
    const auto found = find(message);
    if (found == open_.end() || !found->second.started) return;
    Request& request = found->second;
    const std::string_view end = message.get("EventList");
    if (end == "Complete") {
        finish(found, {.outcome = Reply::Outcome::success, .message = {}, .response = &message});
    } else if (end == "cancelled" || end == "Cancelled") {
        finish(found, {.outcome = Reply::Outcome::refused,
                       .message = "Asterisk cancelled the list",
                       .response = &message});
    } else {
        ++request.items;
        request.deadline = std::min(now + request.timing.answer, request.list_deadline);
        if (request.item) request.item(message);
    }
}

void Requests::expire(Millis now) {
    for (;;) {
        const auto late =
            std::ranges::find_if(open_, [now](const auto& open) { return open.second.deadline <= now; });
        if (late == open_.end()) return;
        const Request& request = late->second;
        std::string text =
            request.started
                ? fmt::format("the list was not complete in time ({} items came)", request.items)
                : fmt::format("Asterisk did not answer within {} ms", request.timing.answer.count());
        finish(late, {.outcome = Reply::Outcome::timeout, .message = std::move(text)});
    }
}

void Requests::lose(std::string_view reason) {
    while (!open_.empty()) {
        finish(open_.begin(), {.outcome = Reply::Outcome::link_lost, .message = std::string(reason)});
    }
}

Millis Requests::next_deadline() const {
    Millis next = Millis::max();
    for (const auto& [number, request] : open_) next = std::min(next, request.deadline);
    return next;
}

}  // namespace ami
