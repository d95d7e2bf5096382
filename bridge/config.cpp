#include "bridge/config.hpp"

#include <set>

#include <fmt/format.h>

#include "bridge/config_agents.hpp"
#include "bridge/config_dialing.hpp"
#include "bridge/config_reader.hpp"
#include "bridge/config_see.hpp"
#include "bridge/http_text.hpp"
#include "bridge/page_url.hpp"
#include "crm/numbers.hpp"

namespace bridge {

namespace {

using Node = YAML::Node;
using Reader = ConfigReader;

// ---- ready-made readers for the tables: one per type of value, the member is the template argument ----

template <auto Member, class T>
void put_text(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.text(node)) into.*Member = *value;
}
template <auto Member, class T>
void put_flag(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.yes_no(node)) into.*Member = *value;
}
template <auto Member, long long Least, long long Most, class T>
void put_number(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.number(node, Least, Most))
        into.*Member = static_cast<std::remove_reference_t<decltype(into.*Member)>>(*value);
}
template <auto Member, class T>
void put_span(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.span(node)) into.*Member = *value;
}
template <auto Member, class T>
void put_secret(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.secret(node)) into.*Member = *value;
}

struct Word {
    std::string_view word;
    int value;
};
std::optional<int> one_of(Reader& reader, const Node& node, std::span<const Word> words) {
    auto value = reader.text(node);
    if (!value) return std::nullopt;
    std::vector<std::string_view> known;
    for (const auto& word : words) {
        if (word.word == *value) return word.value;
        known.push_back(word.word);
    }
    reader.fault(node, fmt::format("must be one of {}", fmt::join(known, ", ")));
    return std::nullopt;
}

std::optional<std::string> matching(Reader& reader, const Node& node, std::string_view allowed,
                                    std::string_view what) {
    auto value = reader.text(node);
    if (value && value->find_first_not_of(allowed) != std::string::npos) {
        reader.fault(node, what);
        return std::nullopt;
    }
    return value;
}

constexpr std::string_view letters_digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

template <auto Member, class T>
void put_host(Reader& reader, const Node& node, T& into) {
    static const std::string allowed = std::string(letters_digits) + "-._:";
    if (auto value = matching(reader, node, allowed, "is no host name or address")) into.*Member = *value;
}
template <auto Member, class T>
void put_domain(Reader& reader, const Node& node, T& into) {
    auto value = reader.text(node);
    if (!value) return;
    if (value->find_first_of("@/ <>&'\"") != std::string::npos || value->starts_with('.') ||
        value->ends_with('.'))
        return reader.fault(node, "is no domain; write it like cti.example.org");
    for (char& c : *value)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    into.*Member = *value;
}

template <auto Member, class T>
void put_patterns(Reader& reader, const Node& node, T& into) {
    into.*Member = read_patterns(reader, node);
}

// false, true, or {ca: FILE, verify: true}
template <auto Member, class T>
void put_tls(Reader& reader, const Node& node, T& into) {
    if (node.IsMap()) {
        static constexpr Row<Tls> rows[] = {
            {"ca",
             [](Reader& r, const Node& n, Tls& tls) {
                 auto file = r.path(n);
                 if (!file) return;
                 std::error_code error;
                 if (!std::filesystem::is_regular_file(*file, error))
                     return r.fault(
                         n,
                         fmt::format("the file {} is not there; it holds the certificates to trust, in PEM",
                                     file->string()));
                 tls.ca = file->string();
             }},
            {"verify", put_flag<&Tls::verify>},
        };
        Tls tls;
        read_map<Tls>(reader, node, rows, tls);
        into.*Member = tls;
    } else if (auto on = node.IsScalar() ? reader.yes_no(node) : std::nullopt) {
        if (*on)
            into.*Member = Tls{};
        else
            into.*Member = std::nullopt;
    } else if (!node.IsScalar()) {
        reader.fault(
            node, fmt::format("is {}, but must be true, false or {{ca: FILE, verify: true}}", kind_of(node)));
    }
}

void need_protection(Reader& reader, const Node& node, std::string_view host, bool protected_, bool allowed) {
    if (protected_ || allowed || is_loopback(host)) return;
    reader.fault(node, fmt::format("goes in plain text to {}; use tls, or say allow_plaintext: true",
                                   printable(host)));
}

// ---- pbx ----

void put_name(Reader& reader, const Node& node, PbxConfig& pbx) {
    static const std::string allowed = std::string(letters_digits) + "-_";
    auto value = matching(reader, node, allowed,
                          "may have letters, digits, - and _ only: it is part of every call's id");
    if (value && value->size() > 32) return reader.fault(node, "is longer than 32 characters");
    if (value) pbx.name = *value;
}

void put_channels(Reader& reader, const Node& node, PbxConfig& pbx) {
    std::vector<std::string> channels;
    reader.list(node, [&](const Node& item) {
        auto value = reader.text(item);
        if (!value) return;
        if (!value->contains("{extension}") || !value->contains('/') ||
            value->find_first_of(",&") != std::string::npos)
            return reader.fault(item, "is no channel of a phone; write it like PJSIP/{extension}");
        channels.push_back(*value);
    });
    if (node.IsSequence() && node.size() == 0)
        return reader.fault(node, "is an empty list; name at least one channel");
    pbx.channels = std::move(channels);
}

void put_country(Reader& reader, const Node& node, PbxConfig& pbx) {
    auto value = reader.text(node);
    if (!value) return;
    if (value->size() != 2 || value->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
        return reader.fault(node, "must be two capital letters (ISO 3166), like GB");
    pbx.country = *value;
}

// A header of the INVITE to the own phone: {Call-Info: "<sip:x>;answer-after=0"} or "Call-Info:
// <sip:x>;answer-after=0".
void put_auto_answer(Reader& reader, const Node& node, PbxConfig::Dial& dial) {
    static const std::string name_characters = std::string(letters_digits) + "-";
    dial.auto_answer.clear();
    reader.list(node, [&](const Node& item) {
        std::string name, value;
        if (item.IsMap() && item.size() == 1 && item.begin()->first.IsScalar()) {
            name = item.begin()->first.Scalar();
            auto text = reader.text(item.begin()->second);
            if (!text) return;
            value = *text;
        } else if (item.IsScalar() && item.Scalar().contains(": ")) {
            auto text = reader.text(item);
            if (!text) return;
            name = text->substr(0, text->find(": "));
            value = text->substr(text->find(": ") + 2);
        }
        if (name.empty() || value.empty() || name.find_first_not_of(name_characters) != std::string::npos)
            return reader.fault(item,
                                "is no SIP header; write {Call-Info: \"<sip:ctibridge>;answer-after=0\"}");
        if (value.find_first_of(",\"\\") != std::string::npos)
            return reader.fault(
                item, "has a comma, quote or backslash, which Asterisk would take for its own; leave it out");
        dial.auto_answer.emplace_back(std::move(name), std::move(value));
    });
}

constexpr Row<PbxConfig::Dial> dial_rows[] = {
    {"context", put_text<&PbxConfig::Dial::context>},
    {"timeout", put_span<&PbxConfig::Dial::timeout>},
    {"caller_id", put_text<&PbxConfig::Dial::caller_id>},
    {"auto_answer", put_auto_answer},
};
constexpr Row<PbxConfig> queue_rows[] = {
    {"member", put_text<&PbxConfig::queue_member>},
    {"state_interface", put_text<&PbxConfig::queue_state_interface>},
    {"names", put_flag<&PbxConfig::queue_names>},
};
constexpr Row<PbxConfig> pickup_rows[] = {
    {"context", put_text<&PbxConfig::pickup_context>},
    {"exten", put_text<&PbxConfig::pickup_exten>},
};
constexpr Row<PbxConfig> park_rows[] = {{"context", put_text<&PbxConfig::park_context>}};
constexpr Row<ReconnectPolicy> reconnect_rows[] = {
    {"first", put_span<&ReconnectPolicy::first>},
    {"max", put_span<&ReconnectPolicy::max>},
    {"attempts", put_number<&ReconnectPolicy::attempts, 0, 1000000>},
};

constexpr Row<PbxConfig> pbx_rows[] = {
    {"name", put_name, true},
    {"host", put_host<&PbxConfig::host>},
    {"port", put_number<&PbxConfig::port, 1, 65535>},
    {"tls", put_tls<&PbxConfig::tls>},
    {"allow_plaintext", put_flag<&PbxConfig::allow_plaintext>},
    {"username", put_text<&PbxConfig::username>, true},
    {"secret", put_secret<&PbxConfig::secret>, true},
    {"channels", put_channels},
    {"extensions", put_patterns<&PbxConfig::extensions>},
    {"country", put_country},
    {"dial",
     [](Reader& r, const Node& n, PbxConfig& pbx) { read_map<PbxConfig::Dial>(r, n, dial_rows, pbx.dial); }},
    {"queue", [](Reader& r, const Node& n, PbxConfig& pbx) { read_map<PbxConfig>(r, n, queue_rows, pbx); }},
    {"pickup", [](Reader& r, const Node& n, PbxConfig& pbx) { read_map<PbxConfig>(r, n, pickup_rows, pbx); }},
    {"park", [](Reader& r, const Node& n, PbxConfig& pbx) { read_map<PbxConfig>(r, n, park_rows, pbx); }},
    {"reconnect",
     [](Reader& r, const Node& n, PbxConfig& pbx) {
         read_map<ReconnectPolicy>(r, n, reconnect_rows, pbx.reconnect);
         if (pbx.reconnect.first < Millis{100})
             r.fault(n, "has a `first` below 100ms, which would hammer the pbx");
         if (pbx.reconnect.max < pbx.reconnect.first) r.fault(n, "has a `max` below its `first`");
     }},
};

void put_pbx(Reader& reader, const Node& node, Config& config) {
    std::set<std::string> names;
    reader.list(node, [&](const Node& item) {
        PbxConfig pbx;
        read_map<PbxConfig>(reader, item, pbx_rows, pbx);
        if (item.IsMap()) need_protection(reader, item, pbx.host, pbx.tls.has_value(), pbx.allow_plaintext);
        if (!pbx.name.empty() && !names.insert(pbx.name).second) {
            Reader::Inside inside(reader, "name");
            reader.fault(item["name"],
                         fmt::format("is `{}`, which another pbx has already; every pbx needs its own name",
                                     pbx.name));
        }
        config.pbx.push_back(std::move(pbx));
    });
    if (node.IsSequence() && node.size() == 0) reader.fault(node, "is an empty list; name at least one pbx");
}

// ---- xmpp ----

constexpr Row<XmppConfig> xmpp_rows[] = {
    {"component", put_domain<&XmppConfig::component>, true},
    {"host", put_host<&XmppConfig::host>},
    {"port", put_number<&XmppConfig::port, 1, 65535>},
    {"tls", put_tls<&XmppConfig::tls>},
    {"allow_plaintext", put_flag<&XmppConfig::allow_plaintext>},
    {"secret", put_secret<&XmppConfig::secret>, true},
    {"user_domain", put_domain<&XmppConfig::user_domain>},
    {"administrators",
     [](Reader& r, const Node& n, XmppConfig& xmpp) {
         r.list(n, [&](const Node& item) {
             auto jid = r.text(item);
             if (!jid) return;
             auto at = jid->find('@');
             if (at == 0 || at == std::string::npos || at + 1 == jid->size() ||
                 jid->find_first_of("/ <>&'\"") != std::string::npos)
                 return r.fault(item, "is no bare JID; write it like admin@example.org");
             xmpp.administrators.push_back(*jid);
         });
     }},
    {"spark", put_flag<&XmppConfig::spark>},
    {"ping", put_span<&XmppConfig::ping>},
};

void put_xmpp(Reader& reader, const Node& node, Config& config) {
    auto& xmpp = config.xmpp;
    read_map<XmppConfig>(reader, node, xmpp_rows, xmpp);
    if (!node.IsMap()) return;
    need_protection(reader, node, xmpp.host, xmpp.tls.has_value(), xmpp.allow_plaintext);
    // cti.example.org serves example.org unless told otherwise.
    if (auto dot = xmpp.component.find('.'); xmpp.user_domain.empty() && dot != std::string::npos)
        xmpp.user_domain = xmpp.component.substr(dot + 1);
    if (xmpp.user_domain.empty() && !xmpp.component.empty()) {
        Reader::Inside inside(reader, "user_domain");
        reader.fault(node, "is missing and cannot be read off the component's name; add it");
    }
}

// ---- pop ----

constexpr Row<PopConfig> pop_rows[] = {
    {"mode",
     [](Reader& r, const Node& n, PopConfig& pop) {
         static constexpr Word words[] = {{"auto", int(PopMode::automatic)},
                                          {"rich", int(PopMode::rich)},
                                          {"spark", int(PopMode::spark)},
                                          {"plain", int(PopMode::plain)}};
         if (auto value = one_of(r, n, words)) pop.mode = static_cast<PopMode>(*value);
     }},
    {"language",
     [](Reader& r, const Node& n, PopConfig& pop) {
         auto value = r.text(n);
         if (!value) return;
         if (value->size() != 2 ||
             value->find_first_not_of("abcdefghijklmnopqrstuvwxyz") != std::string::npos)
             return r.fault(n, "must be two small letters, like en");
         pop.language = *value;
     }},
    {"missed",
     [](Reader& r, const Node& n, PopConfig& pop) {
         static constexpr Word words[] = {{"notice", int(MissedMode::notice)},
                                          {"store", int(MissedMode::store)},
                                          {"none", int(MissedMode::none)}};
         if (auto value = one_of(r, n, words)) pop.missed = static_cast<MissedMode>(*value);
     }},
    {"schemes", [](Reader& r, const Node& n, PopConfig& pop) { r.texts(n, pop.schemes, fault_of_scheme); }},
    {"presence",
     [](Reader& r, const Node& n, PopConfig&) {
         static constexpr Word words[] = {{"none", 0}};
         one_of(r, n, words);
     }},
};

// ---- crm and our own database ----

struct DatabaseKeys {
    std::string url_text;
    std::optional<crm::DatabaseUrl> url;
    std::optional<std::string> password;
    bool allow_plaintext = false;
};

template <auto Base = nullptr, class T>
DatabaseKeys& keys_of(T& into) {
    if constexpr (std::is_same_v<T, DatabaseKeys>)
        return into;
    else
        return into.database;
}
template <class T>
void put_url(Reader& reader, const Node& node, T& into) {
    auto value = reader.text(node);
    if (!value) return;
    auto parsed = parse_mysql_url(*value);
    if (!parsed) return reader.fault(node, parsed.error());
    if (!parsed->ca.empty() && !std::filesystem::path(parsed->ca).is_absolute())
        return reader.fault(node, "has a relative ca; give its whole path");
    keys_of(into).url = *parsed;
}
template <class T>
void put_password(Reader& reader, const Node& node, T& into) {
    keys_of(into).password = reader.secret(node, true);
    // A fault was noted; do not add "is missing" to it.
    if (!keys_of(into).password) keys_of(into).password = std::string();
}
template <class T>
void put_database_plaintext(Reader& reader, const Node& node, T& into) {
    if (auto value = reader.yes_no(node)) keys_of(into).allow_plaintext = *value;
}

struct CrmKeys {
    DatabaseKeys database;
    crm::Config* config = nullptr;
};

constexpr Row<CrmKeys> crm_rows[] = {
    {"adapter",
     [](Reader& r, const Node& n, CrmKeys& keys) {
         static const std::string allowed = std::string(letters_digits) + "-_";
         if (auto value = matching(r, n, allowed, "is no name of a folder")) keys.config->adapter = *value;
     }},
    {"url", put_url<CrmKeys>, true},
    {"password", put_password<CrmKeys>},
    {"allow_plaintext", put_database_plaintext<CrmKeys>},
    {"web",
     [](Reader& r, const Node& n, CrmKeys& keys) {
         auto value = r.text(n);
         if (!value) return;
         if ((!value->starts_with("http://") && !value->starts_with("https://")) ||
             value->find_first_of(" <>\"'") != std::string::npos)
             return r.fault(n, "is no address of a web site; write it like https://crm.example.org/");
         if (!value->ends_with('/')) *value += '/';
         keys.config->web = *value;
     }},
    {"visibility",
     [](Reader& r, const Node& n, CrmKeys& keys) {
         static constexpr Word words[] = {{"crm", 0}, {"all", 1}};
         if (auto value = one_of(r, n, words)) keys.config->visibility_all = *value == 1;
     }},
    {"budget",
     [](Reader& r, const Node& n, CrmKeys& keys) {
         auto value = r.span(n);
         if (!value) return;
         if (*value > Millis{5000})
             return r.fault(n, "is longer than 5s; a pop would come when the phone is answered");
         keys.config->budget = *value;
     }},
    {"jid",
     [](Reader& r, const Node& n, CrmKeys& keys) {
         auto value = r.text(n);
         if (!value) return;
         if (!value->contains('@')) return r.fault(n, "has no @; write it like {user_name}@{user_domain}");
         keys.config->jid_pattern = *value;
     }},
};
constexpr Row<DatabaseKeys> database_rows[] = {
    {"url", put_url<DatabaseKeys>, true},
    {"password", put_password<DatabaseKeys>},
    {"allow_plaintext", put_database_plaintext<DatabaseKeys>},
};

void check_database(Reader& reader, const Node& node, DatabaseKeys& keys) {
    if (!keys.url) return;
    need_protection(reader, node, keys.url->host, keys.url->tls_required || !keys.url->socket.empty(),
                    keys.allow_plaintext);
    if (!keys.password && keys.url->socket.empty()) {
        Reader::Inside inside(reader, "password");
        reader.fault(node, "is missing; add it (a login without one: password: '')");
    }
    keys.url->password = keys.password.value_or("");
}

void put_crm(Reader& reader, const Node& node, Config& config) {
    CrmKeys keys;
    keys.config = &config.crm;
    read_map<CrmKeys>(reader, node, crm_rows, keys);
    check_database(reader, node, keys.database);
    if (keys.database.url) config.crm.crm = *keys.database.url;
}

void put_database(Reader& reader, const Node& node, Config& config) {
    DatabaseKeys keys;
    read_map<DatabaseKeys>(reader, node, database_rows, keys);
    if (!keys.url) return;
    need_protection(reader, node, keys.url->host, keys.url->tls_required || !keys.url->socket.empty(),
                    keys.allow_plaintext);
    config.crm.own = *keys.url;
    config.crm.own.password = keys.password.value_or("");
}

// ---- the rest ----

constexpr Row<Config> retention_rows[] = {
    {"events", put_span<&Config::retention_events>},
    {"calls", put_span<&Config::retention_calls>},
};
constexpr Row<HttpConfig> http_rows[] = {
    {"listen",
     [](Reader& r, const Node& n, HttpConfig& http) {
         auto value = r.text(n);
         if (!value) return;
         auto colon = value->rfind(':');
         if (colon == std::string::npos || colon == 0 || colon + 1 == value->size() ||
             value->size() - colon > 6 ||
             value->find_first_not_of("0123456789", colon + 1) != std::string::npos ||
             std::stoi(value->substr(colon + 1)) > 65535)
             return r.fault(n, "is no address to listen on; write it like 127.0.0.1:8383");
         http.listen = *value;
     },
     true},
    {"serve",
     [](Reader& r, const Node& n, HttpConfig& http) {
         static constexpr Word words[] = {
             {"metrics", 0}, {"health", 0}, {"console", 0}, {"makecall", 0}, {"caller", 0}};
         r.list(n, [&](const Node& item) {
             if (one_of(r, item, words)) http.serve.push_back(item.Scalar());
         });
     },
     true},
    {"makecall_secret", put_secret<&HttpConfig::makecall_secret>},
    {"caller_token", put_secret<&HttpConfig::caller_token>},
    {"console",
     [](Reader& r, const Node& n, HttpConfig& http) {
         if (auto value = r.path(n)) http.console = *value;
     }},
    {"crm_origins",
     [](Reader& r, const Node& n, HttpConfig& http) {
         r.list(n, [&](const Node& item) {
             auto value = r.text(item);
             if (!value) return;
             if (!is_web_origin(*value))
                 return r.fault(item,
                                "is no origin of encrypted pages; write it like https://crm.example.org, "
                                "without a path (http:// only for this machine)");
             http.crm_origins.push_back(*value);
         });
     }},
};

bool is_loopback_address(std::string_view listen) {
    const auto host = listen.substr(0, listen.rfind(':'));
    return host.starts_with("127.") || host == "[::1]" || host == "localhost";
}

// What a door needs beside the word in `serve`.
void need_keys(Reader& r, const Node& item, const HttpConfig& http) {
    struct Need {
        std::string_view door, key, why;
        bool needed;
    };
    const Need needs[] = {
        {"makecall", "makecall_secret", "is missing, but makecall is served; add it", true},
        {"console", "console", "is missing, but the console is served; name the directory of its files",
         true},
        {"caller", "caller_token",
         "is missing, but caller is served to other machines; add it, or listen on 127.0.0.1",
         !is_loopback_address(http.listen)},
    };
    for (const auto& need : needs)
        if (need.needed && std::ranges::find(http.serve, need.door) != http.serve.end() && item.IsMap() &&
            !item[std::string(need.key)]) {
            Reader::Inside inside(r, std::string(need.key));
            r.fault(item, std::string(need.why));
        }
}
constexpr Row<Config> log_rows[] = {
    {"level",
     [](Reader& r, const Node& n, Config& config) {
         static constexpr Word words[] = {{"debug", 0}, {"info", 0}, {"warning", 0}, {"error", 0}};
         if (one_of(r, n, words)) config.log_level = n.Scalar();
     }},
};

void put_control_path(Reader& r, const Node& n, Config& c) {
    auto value = r.path(n);
    if (!value) return;
    // sun_path holds 108 bytes with its final zero.
    if (value->string().size() > 107)
        return r.fault(n, "is longer than 107 bytes, too long for a unix socket");
    c.control = value->string();
}
constexpr Row<Config> control_rows[] = {{"path", put_control_path, true},
                                        {"group", put_text<&Config::control_group>}};
void put_control(Reader& r, const Node& n, Config& c) {
    if (n.IsMap()) return read_map<Config>(r, n, control_rows, c);
    put_control_path(r, n, c);
}

constexpr Row<Config> top_rows[] = {
    {"pbx", put_pbx, true},
    {"xmpp", put_xmpp, true},
    {"pop", [](Reader& r, const Node& n, Config& c) { read_map<PopConfig>(r, n, pop_rows, c.pop); }},
    {"crm", put_crm, true},
    {"database", put_database},
    {"state",
     [](Reader& r, const Node& n, Config& c) {
         if (auto value = r.path(n)) c.state = *value;
     }},
    {"sql",
     [](Reader& r, const Node& n, Config& c) {
         if (auto value = r.path(n)) c.crm.sql_dir = *value;
     }},
    {"dialing", [](Reader& r, const Node& n, Config& c) { read_dialing(r, n, c.dialing); }},
    {"see", [](Reader& r, const Node& n, Config& c) { read_see(r, n, c.see); }},
    {"agents", [](Reader& r, const Node& n, Config& c) { read_agents(r, n, c.agents); }},
    {"retention", [](Reader& r, const Node& n, Config& c) { read_map<Config>(r, n, retention_rows, c); }},
    {"http",
     [](Reader& r, const Node& n, Config& c) {
         r.list(n, [&](const Node& item) {
             HttpConfig http;
             read_map<HttpConfig>(r, item, http_rows, http);
             need_keys(r, item, http);
             c.http.push_back(std::move(http));
         });
     }},
    {"control", put_control},
    {"log", [](Reader& r, const Node& n, Config& c) { read_map<Config>(r, n, log_rows, c); }},
};

void finish(Reader& reader, const Node& root, Config& config) {
    if (config.crm.own.schema.empty()) {
        config.crm.own = config.crm.crm;
        config.crm.own.schema = "ctibridge";
    } else if (auto database = root["database"]; !database.IsMap() || !database["password"]) {
        config.crm.own.password = config.crm.crm.password;
    }
    if (config.crm.sql_dir.empty()) config.crm.sql_dir = default_sql_dir();
    config.crm.state = config.state;
    config.crm.user_domain = config.xmpp.user_domain;
    for (const auto& pbx : config.pbx) config.crm.sites.push_back({pbx.name, pbx.extensions, pbx.country});

    crm::Numbers numbers(config.crm.sites);
    for (std::size_t i = 0; i < config.pbx.size(); ++i) {
        const auto& pbx = config.pbx[i];
        if (pbx.country.empty() || !numbers.country_code(pbx.name).empty()) continue;
        Reader::Inside inside(reader, fmt::format("pbx[{}].country", i));
        reader.fault(root["pbx"][i]["country"],
                     fmt::format("is `{}`, which is no country (ISO 3166); write it like GB", pbx.country));
    }

    std::error_code error;
    if (!std::filesystem::is_directory(config.crm.sql_dir / config.crm.adapter, error)) {
        std::vector<std::string> folders;
        for (std::filesystem::directory_iterator it(config.crm.sql_dir, error), end; !error && it != end;
             it.increment(error))
            if (it->is_directory(error) && it->path().filename() != "ctibridge")
                folders.push_back(it->path().filename().string());
        std::sort(folders.begin(), folders.end());
        Reader::Inside inside(reader, "crm.adapter");
        reader.fault(root["crm"].IsMap() && root["crm"]["adapter"] ? root["crm"]["adapter"] : root["crm"],
                     fmt::format("there is no folder `{}` in {}; adapters there: {}", config.crm.adapter,
                                 config.crm.sql_dir.string(),
                                 folders.empty() ? "none" : fmt::format("{}", fmt::join(folders, ", "))));
    }
}

}  // namespace

std::expected<Config, ConfigError> load_config(const std::filesystem::path& file, LoadOptions options) {
    auto root = load_yaml(file, {.missing = "copy etc/ctibridge.yaml there, or name another with --config"});
    if (!root) return std::unexpected(ConfigError{{root.error()}});
    Reader reader(file, options.secrets);
    Config config;
    config.file = file;
    if (!root->IsMap()) {
        return std::unexpected(
            ConfigError{{fmt::format("{}:1: the file is {}, but must hold the keys pbx, xmpp and crm",
                                     file.string(), kind_of(*root))}});
    }
    read_map<Config>(reader, *root, top_rows, config);
    if ((*root)["crm"] && (*root)["crm"].IsMap()) finish(reader, *root, config);
    if (!reader.errors().empty()) return std::unexpected(ConfigError{reader.errors()});
    config.warnings = reader.warnings();
    return config;
}

}  // namespace bridge
