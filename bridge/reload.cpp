#include "bridge/reload.hpp"

namespace bridge {

std::vector<std::string> needs_restart(const Config& running, const Config& next) {
    std::vector<std::string> keys;
    auto differs = [&](const char* key, bool equal) {
        if (!equal) keys.emplace_back(key);
    };
    differs("pbx", running.pbx == next.pbx);
    differs("xmpp", running.xmpp == next.xmpp);
    differs("crm or database", running.crm == next.crm);
    differs("state", running.state == next.state);
    differs("http", running.http == next.http);
    differs("control", running.control == next.control && running.control_group == next.control_group);
    return keys;
}

}  // namespace bridge
