// The actions of one session that wait for an answer: correlation by ActionID, lists, deadlines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ami/message.hpp"
#include "ami/session.hpp"

namespace ami {

// Calls Done functions exactly once, after the request has been taken out: a Done may add requests.
class Requests {
 public:
    struct Timing {
        Millis answer{};  // span to the response, and between two items of a list
        Millis list{};    // span to the end of a list
    };

    explicit Requests(std::string prefix) : prefix_(std::move(prefix)) {}

    [[nodiscard]] std::size_t size() const { return open_.size(); }
    [[nodiscard]] std::string next_id() const { return prefix_ + std::to_string(last_ + 1); }
    // Under next_id(). `item` empty and `list` false: the response ends it.
    void add(Millis now, Timing timing, bool list, Session::Item item, Session::Done done);

    // A response; false when nobody waits for it.
    bool response(const Message& message, Millis now);
    // An event; nothing happens when it belongs to no open list.
    void event(const Message& message, Millis now);
    void expire(Millis now);
    void lose(std::string_view reason);  // answers all with link_lost
    [[nodiscard]] Millis next_deadline() const;

 private:
    struct Request {
        Millis deadline{};
        Millis list_deadline{};
        Timing timing;
        bool list = false;
        bool started = false;  // the response of a list has come
        std::size_t items = 0;
        Session::Item item;
        Session::Done done;
    };
    using Open = std::map<std::uint64_t, Request>;

    Open::iterator find(const Message& message);
    void finish(Open::iterator request, Reply reply);

    std::string prefix_;
    std::uint64_t last_ = 0;
    std::size_t lists_ = 0;  // open ones; without any, events are not searched for an ActionID
    Open open_;
};

}  // namespace ami
