#include "bridge/dial_switch.hpp"

#include <charconv>

#include <fmt/format.h>

#include "bridge/explain.hpp"

namespace bridge {

namespace {

constexpr std::string_view key = "dialing off";

crm::Owed owed(const std::string& pbx, const DialSwitch::Off& off) {
    return {{}, pbx, std::string(key), off.by, fmt::to_string(off.since.count())};
}

}  // namespace

bool DialSwitch::restore(const crm::Owed& kept) {
    if (!kept.jid.empty() || kept.leg != key) return false;
    std::int64_t since = 0;
    std::from_chars(kept.stanza.data(), kept.stanza.data() + kept.stanza.size(), since);
    off_[kept.pbx] = {kept.id, Millis{since}};
    return true;
}

void DialSwitch::set(std::string_view pbx, bool on, std::string_view by, Millis now) {
    const std::string name(pbx);
    if (!on) {
        const auto [place, is_new] = off_.try_emplace(name, Off{std::string(by), now});
        if (is_new) ports_.keep(owed(name, place->second));
        return;
    }
    for (auto it = off_.begin(); it != off_.end();) {
        if (!pbx.empty() && it->first != name) {
            ++it;
            continue;
        }
        ports_.drop(owed(it->first, it->second));
        it = off_.erase(it);
    }
}

const DialSwitch::Off* DialSwitch::off(std::string_view pbx) const {
    for (const auto name : {std::string_view{}, pbx})
        if (const auto found = off_.find(name); found != off_.end()) return &found->second;
    return nullptr;
}

std::string switched_off_text(const DialSwitch::Off& off) {
    return fmt::format("dialling is switched off since {}; ask the administrator",
                       local_time(off.since, true));
}

}  // namespace bridge
