// /etc/ctibridge/ctibridge.yaml (docs/design.md, section 4): read, checked, with secrets resolved.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/agents_config.hpp"
#include "bridge/hours.hpp"
#include "bridge/link.hpp"
#include "bridge/sight_config.hpp"
#include "crm/config.hpp"

namespace bridge {

struct PbxConfig {
    std::string name, host = "127.0.0.1";
    unsigned short port = 5038;
    std::optional<Tls> tls;
    bool allow_plaintext = false;  // plain to a non-loopback host only with it
    std::string username, secret;
    std::vector<std::string> channels{"PJSIP/{extension}", "SIP/{extension}"};
    std::vector<std::string> extensions;
    std::string country;
    struct Dial {
        bool operator==(const Dial&) const = default;
        std::string context = "from-internal";
        Millis timeout{30000};
        std::string caller_id = "{extension}";
        std::vector<std::pair<std::string, std::string>>
            auto_answer;  // SIP header, value added to the own phone's INVITE
    } dial;
    std::string queue_member = "{channel}", queue_state_interface = "{channel}";
    bool queue_names = false;  // callers get the name of their record before an agent's phone rings
    std::string pickup_context, pickup_exten, park_context;
    ReconnectPolicy reconnect;
    bool operator==(const PbxConfig&) const = default;
};

struct XmppConfig {
    std::string component, host = "127.0.0.1";
    unsigned short port = 5275;
    std::optional<Tls> tls;
    bool allow_plaintext = false;
    std::string secret, user_domain;
    std::vector<std::string> administrators;
    bool spark = true;
    Millis ping{30000};  // span: how often the server is asked whether it is there
    bool operator==(const XmppConfig&) const = default;
};

enum class PopMode : std::uint8_t { automatic, rich, spark, plain };
enum class MissedMode : std::uint8_t { notice, store, none };

struct PopConfig {
    PopMode mode = PopMode::automatic;
    std::string language = "en";
    MissedMode missed = MissedMode::notice;
    std::vector<std::string> schemes;  // of pages that services open, beside http and https
    bool operator==(const PopConfig&) const = default;
};

struct DialRewrite {
    std::string from, to;
    bool operator==(const DialRewrite&) const = default;
};

// What a service or an operator has of its own in the place of the general rules.
struct DialRules {
    std::optional<std::vector<std::string>> allow, deny;
    std::optional<WeekHours> hours;
    std::optional<unsigned> per_minute, concurrent;
    bool operator==(const DialRules&) const = default;
};

struct DialingConfig {  // the longest matching pattern decides; at equal length deny
    std::vector<std::string> allow, deny;
    std::vector<DialRewrite> rewrite;  // in order
    unsigned per_minute = 10, concurrent = 2;
    WeekHours hours;                            // of calls to the outside; none: always
    std::vector<std::string> emergency{"112"};  // as dialled; no other rule holds for them
    std::map<std::string, DialRules, std::less<>> services, operators;  // by name; by bare JID
    bool operator==(const DialingConfig&) const = default;
};

struct HttpConfig {
    std::string listen;
    std::vector<std::string> serve;
    std::string makecall_secret;
    std::string caller_token;              // needed by /caller where others than this machine may ask
    std::filesystem::path console;         // directory of the console's files
    std::vector<std::string> crm_origins;  // "https://crm.example.org": pages that may hold its frame
    bool operator==(const HttpConfig&) const = default;
};

struct Config {
    std::filesystem::path file;
    std::vector<std::string> warnings;  // "FILE:LINE: key ...": worth a line in the log, no fault
    std::vector<PbxConfig> pbx;
    XmppConfig xmpp;
    PopConfig pop;
    crm::Config crm;
    std::filesystem::path state = "/var/lib/ctibridge";
    DialingConfig dialing;
    SightConfig see;      // what operators may see
    AgentsConfig agents;  // of every pbx; what is a pbx's own is left open
    Millis retention_events{30LL * 86400 * 1000}, retention_calls{730LL * 86400 * 1000};
    std::vector<HttpConfig> http;
    std::string control, control_group;  // path of the unix socket, empty: none; who may ask beside root
    std::string log_level = "info";
};

// One fault: "FILE:LINE: key pbx[0].port: what is wrong; what to do".
struct ConfigError {
    std::vector<std::string> lines;
};

struct LoadOptions {
    bool secrets = true;  // false (`replay`): secrets are not read and may be absent
};

// All faults at once, in the order of the file.
std::expected<Config, ConfigError> load_config(const std::filesystem::path& file, LoadOptions options = {});

}  // namespace bridge
