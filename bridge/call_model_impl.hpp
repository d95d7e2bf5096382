// The inside of CallModel: one event on its way to its handler. Included by call_model*.cpp only.
#pragma once

#include "bridge/ami_values.hpp"
#include "bridge/call_model.hpp"

namespace bridge {

struct CallModel::Event {
    const ami::Message& message;
    Millis now;
    std::vector<Change>& changes;
    Leg* leg = nullptr;  // of the header Uniqueid, alive
    [[nodiscard]] std::string_view get(std::string_view name) const { return message.get(name); }
    void note(Change::Kind kind, Leg* who = nullptr, Leg* other = nullptr) const {
        changes.push_back({kind, who, who != nullptr ? who->call : nullptr, other, {}, {}, {}});
    }
};

}  // namespace bridge
