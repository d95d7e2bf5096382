#include "bridge/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config_values.hpp"
#include "bridge/printable.hpp"

using bridge::load_config;
using bridge::Millis;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

// A folder of its own with sql/vtiger beside the configuration.
class ConfigFile : public testing::Test {
 protected:
    void SetUp() override {
        std::string pattern = (std::filesystem::temp_directory_path() / "cti-config-XXXXXX").string();
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        dir_ = pattern;
        std::filesystem::create_directories(dir_ / "sql" / "vtiger");
    }
    void TearDown() override { std::filesystem::remove_all(dir_); }

    std::filesystem::path write(const std::string& name, std::string_view text, int mode = 0600) {
        std::ofstream(dir_ / name, std::ios::binary) << text;
        ::chmod((dir_ / name).c_str(), static_cast<mode_t>(mode));
        return dir_ / name;
    }
    auto load(std::string_view yaml, bridge::LoadOptions options = {}) {
        return load_config(write("c.yaml", yaml), options);
    }
    std::vector<std::string> faults(std::string_view yaml, bridge::LoadOptions options = {}) {
        auto config = load(yaml, options);
        if (config) return {};
        auto prefix = (dir_ / "c.yaml").string();
        for (auto& line : config.error().lines) {
            EXPECT_TRUE(line.starts_with(prefix)) << line;
            line.erase(0, prefix.size());
        }
        return config.error().lines;
    }

    std::filesystem::path dir_;
};

// The least there may be, one key a line; the lines are numbered in the tests below.
constexpr std::string_view least = R"(pbx:
  - name: hq
    username: ctibridge
    secret: s3cret
xmpp:
  component: cti.example.org
  secret: x
crm:
  url: mysql://cti@localhost/vtiger?socket=/run/m.sock
sql: sql
)";

std::string with(std::string_view more) {
    return std::string(least) + std::string(more);
}

// `least` with a line added to the group that begins with `head`.
std::string in_group(std::string_view head, std::string_view line) {
    std::string text(least);
    auto at = text.find(head);
    text.insert(text.find('\n', at) + 1, std::string(line) + "\n");
    return text;
}

}  // namespace

TEST_F(ConfigFile, least_configuration_has_the_documented_defaults) {
    auto config = load(least);
    ASSERT_TRUE(config) << config.error().lines.front();
    const auto& pbx = config->pbx.at(0);
    EXPECT_EQ(pbx.name, "hq");
    EXPECT_EQ(pbx.host, "127.0.0.1");
    EXPECT_EQ(pbx.port, 5038);
    EXPECT_FALSE(pbx.tls);
    EXPECT_EQ(pbx.secret, "s3cret");
    EXPECT_THAT(pbx.channels, ElementsAre("PJSIP/{extension}", "SIP/{extension}"));
    EXPECT_EQ(pbx.dial.context, "from-internal");
    EXPECT_EQ(pbx.dial.timeout, Millis{30000});
    EXPECT_EQ(pbx.reconnect.first, Millis{1000});
    EXPECT_EQ(pbx.reconnect.max, Millis{30000});
    EXPECT_EQ(pbx.reconnect.attempts, 0U);
    EXPECT_EQ(config->xmpp.port, 5275);
    EXPECT_EQ(config->xmpp.user_domain, "example.org");
    EXPECT_TRUE(config->xmpp.spark);
    EXPECT_EQ(config->pop.mode, bridge::PopMode::automatic);
    EXPECT_EQ(config->pop.missed, bridge::MissedMode::notice);
    EXPECT_EQ(config->crm.adapter, "vtiger");
    EXPECT_EQ(config->crm.sql_dir, dir_ / "sql");
    EXPECT_EQ(config->crm.crm.socket, "/run/m.sock");
    EXPECT_EQ(config->crm.own.schema, "ctibridge");
    EXPECT_EQ(config->crm.own.socket, "/run/m.sock");
    EXPECT_EQ(config->crm.own.user, "cti");
    EXPECT_FALSE(config->crm.visibility_all);
    EXPECT_EQ(config->crm.budget, Millis{150});
    EXPECT_EQ(config->crm.sites.at(0).pbx, "hq");
    EXPECT_EQ(config->state, "/var/lib/ctibridge");
    EXPECT_EQ(config->dialing.per_minute, 10U);
    EXPECT_EQ(config->dialing.concurrent, 2U);
    EXPECT_EQ(config->retention_calls, Millis{730LL * 86400000});
    EXPECT_TRUE(config->control.empty());
    EXPECT_EQ(config->log_level, "info");
    EXPECT_THAT(config->warnings, IsEmpty());
}

TEST_F(ConfigFile, every_key_of_the_contract_is_read) {
    write("ca.pem", "x");
    write("ami.secret", "#\"a b'\n");
    ::setenv("CTI_TEST_SECRET", "from env", 1);
    auto config = load(R"(
pbx:
  - name: hq
    host: pbx.example.org
    port: 5039
    tls: {ca: ca.pem, verify: false}
    username: ctibridge
    secret: {file: ami.secret}
    channels: ["SIP/{extension}"]
    extensions: ["2??", 30]
    country: GB
    dial: {context: ctd, timeout: 20s, caller_id: "0207{extension}", auto_answer: [{Call-Info: "<sip:x>;answer-after=0"}, "Alert-Info: auto"]}
    queue: {member: "Local/{extension}@q/n", state_interface: "hint:{extension}@h"}
    pickup: {context: pk, exten: "**{extension}"}
    park: {context: parked}
    reconnect: {first: 2s, max: 1m, attempts: 7}
  - {name: north, host: 10.0.0.2, allow_plaintext: true, username: u, secret: {env: CTI_TEST_SECRET}}
xmpp:
  component: CTI.example.org
  host: im.example.org
  port: 5276
  tls: true
  secret: {env: CTI_TEST_SECRET}
  user_domain: people.example.org
  administrators: [admin@example.org]
  spark: false
  ping: 45s
pop: {mode: plain, language: de, missed: store, presence: none}
crm:
  adapter: vtiger
  url: mysql://u%40x@db.example.org:3307/vt?tls=required&ca=/etc/ca.pem
  password: {file: ami.secret}
  web: https://crm.example.org/base
  visibility: all
  budget: 90ms
  jid: "{user_name}@other.org"
database: {url: mysql://own@localhost/own, password: pw}
state: st
sql: sql
dialing:
  allow: ["+44*", "2??"]
  deny: ["+449*"]
  rewrite: [{from: "+44", to: "0"}, {from: "9", to: ""}]
  per_minute: 5
  concurrent: 1
  hours: [mon-fri 08:00-18:00]
  emergency: ["112", "999"]
  services: {campaign: {hours: [sat 09:00-12:00], per_minute: 60}}
  operators: {Anna@example.org: {allow: ["+*"], deny: [], concurrent: 3}}
retention: {events: 10d, calls: 1h}
http:
  - {listen: 127.0.0.1:8383, serve: [metrics, makecall], makecall_secret: mk, crm_origins: ["https://crm.example.org"]}
control: /run/c
log: {level: debug}
)");
    ASSERT_TRUE(config) << config.error().lines.front();
    const auto& pbx = config->pbx.at(0);
    EXPECT_EQ(pbx.host, "pbx.example.org");
    EXPECT_EQ(pbx.port, 5039);
    ASSERT_TRUE(pbx.tls);
    EXPECT_EQ(pbx.tls->ca, dir_ / "ca.pem");
    EXPECT_FALSE(pbx.tls->verify);
    EXPECT_EQ(pbx.secret, "#\"a b'");
    EXPECT_THAT(pbx.channels, ElementsAre("SIP/{extension}"));
    EXPECT_THAT(pbx.extensions, ElementsAre("2??", "30"));
    EXPECT_EQ(pbx.country, "GB");
    EXPECT_EQ(pbx.dial.context, "ctd");
    EXPECT_EQ(pbx.dial.timeout, Millis{20000});
    EXPECT_EQ(pbx.dial.caller_id, "0207{extension}");
    EXPECT_THAT(pbx.dial.auto_answer,
                ElementsAre(std::pair<std::string, std::string>("Call-Info", "<sip:x>;answer-after=0"),
                            std::pair<std::string, std::string>("Alert-Info", "auto")));
    EXPECT_EQ(pbx.queue_member, "Local/{extension}@q/n");
    EXPECT_EQ(pbx.queue_state_interface, "hint:{extension}@h");
    EXPECT_EQ(pbx.pickup_context, "pk");
    EXPECT_EQ(pbx.pickup_exten, "**{extension}");
    EXPECT_EQ(pbx.park_context, "parked");
    EXPECT_EQ(pbx.reconnect.first, Millis{2000});
    EXPECT_EQ(pbx.reconnect.max, Millis{60000});
    EXPECT_EQ(pbx.reconnect.attempts, 7U);
    EXPECT_EQ(config->pbx.at(1).secret, "from env");
    EXPECT_EQ(config->xmpp.component, "cti.example.org");
    EXPECT_EQ(config->xmpp.host, "im.example.org");
    EXPECT_EQ(config->xmpp.port, 5276);
    ASSERT_TRUE(config->xmpp.tls);
    EXPECT_TRUE(config->xmpp.tls->verify);
    EXPECT_EQ(config->xmpp.user_domain, "people.example.org");
    EXPECT_EQ(config->crm.user_domain, "people.example.org");
    EXPECT_THAT(config->xmpp.administrators, ElementsAre("admin@example.org"));
    EXPECT_FALSE(config->xmpp.spark);
    EXPECT_EQ(config->xmpp.ping, Millis{45000});
    EXPECT_EQ(config->pop.mode, bridge::PopMode::plain);
    EXPECT_EQ(config->pop.language, "de");
    EXPECT_EQ(config->pop.missed, bridge::MissedMode::store);
    EXPECT_EQ(config->crm.crm.user, "u@x");
    EXPECT_EQ(config->crm.crm.host, "db.example.org");
    EXPECT_EQ(config->crm.crm.port, 3307U);
    EXPECT_EQ(config->crm.crm.schema, "vt");
    EXPECT_TRUE(config->crm.crm.tls_required);
    EXPECT_EQ(config->crm.crm.ca, "/etc/ca.pem");
    EXPECT_EQ(config->crm.crm.password, "#\"a b'");
    EXPECT_EQ(config->crm.web, "https://crm.example.org/base/");
    EXPECT_TRUE(config->crm.visibility_all);
    EXPECT_EQ(config->crm.budget, Millis{90});
    EXPECT_EQ(config->crm.jid_pattern, "{user_name}@other.org");
    EXPECT_EQ(config->crm.own.user, "own");
    EXPECT_EQ(config->crm.own.schema, "own");
    EXPECT_EQ(config->crm.own.password, "pw");
    EXPECT_EQ(config->crm.sites.size(), 2U);
    EXPECT_EQ(config->crm.state, dir_ / "st");
    EXPECT_THAT(config->dialing.allow, ElementsAre("+44*", "2??"));
    EXPECT_THAT(config->dialing.deny, ElementsAre("+449*"));
    ASSERT_EQ(config->dialing.rewrite.size(), 2U);
    EXPECT_EQ(config->dialing.rewrite[0].to, "0");
    EXPECT_EQ(config->dialing.rewrite[1].from, "9");
    EXPECT_EQ(config->dialing.per_minute, 5U);
    EXPECT_EQ(config->dialing.concurrent, 1U);
    EXPECT_EQ(config->dialing.hours.text(), "mon-fri 08:00-18:00");
    EXPECT_THAT(config->dialing.emergency, ElementsAre("112", "999"));
    EXPECT_EQ(config->dialing.services.at("campaign").hours->text(), "sat 09:00-12:00");
    EXPECT_EQ(config->dialing.services.at("campaign").per_minute, 60U);
    EXPECT_FALSE(config->dialing.services.at("campaign").allow);
    EXPECT_THAT(*config->dialing.operators.at("anna@example.org").allow, ElementsAre("+*"));
    EXPECT_TRUE(config->dialing.operators.at("anna@example.org").deny->empty());
    EXPECT_EQ(config->retention_events, Millis{864000000});
    EXPECT_EQ(config->retention_calls, Millis{3600000});
    EXPECT_EQ(config->http.at(0).listen, "127.0.0.1:8383");
    EXPECT_THAT(config->http.at(0).serve, ElementsAre("metrics", "makecall"));
    EXPECT_EQ(config->http.at(0).makecall_secret, "mk");
    EXPECT_THAT(config->http.at(0).crm_origins, ElementsAre("https://crm.example.org"));
    EXPECT_EQ(config->control, "/run/c");
    EXPECT_EQ(config->log_level, "debug");
}

TEST_F(ConfigFile, the_control_socket_may_have_a_group) {
    auto config = load(with("control: {path: /run/c, group: adm}"));
    ASSERT_TRUE(config);
    EXPECT_EQ(config->control, "/run/c");
    EXPECT_EQ(config->control_group, "adm");
}

TEST_F(ConfigFile, faults_name_line_key_and_remedy) {
    struct Case {
        std::string yaml, fault;
    };
    const Case cases[] = {
        {"", ":1: the file is empty, but must hold the keys pbx, xmpp and crm"},
        {"- 1", ":1: the file is a list, but must hold the keys pbx, xmpp and crm"},
        {with("looging: {}"),
         ":11: key looging: is unknown here; known are pbx, xmpp, pop, crm, database, state, sql, dialing, "
         "see, agents, retention, http, control, log"},
        {with("retentoin: {}"), ":11: key retentoin: is unknown here; did you mean `retention`?"},
        {with("log: {levle: info}"), ":11: key log.levle: is unknown here; did you mean `level`?"},
        {with("log: {level: loud}"), ":11: key log.level: must be one of debug, info, warning, error"},
        {with("log: info"), ":11: key log: is a single value, but must hold keys: level"},
        {with("log: [level]"), ":11: key log: is a list, but must hold keys: level"},
        {with("log:"), ":11: key log: has no value; give one or delete the key"},
        {with("state: a\nstate: b"), ":12: key state: is given twice; delete one of the two"},
        {with("? [a]\n: b"), ":11: the file has a key that is no word; keys are plain words"},
        {in_group("- name", "    port: 70000"),
         ":3: key pbx[0].port: must be a whole number from 1 to 65535"},
        {in_group("- name", "    port: \"5038\""),
         ":3: key pbx[0].port: must be a whole number from 1 to 65535"},
        {in_group("- name", "    port: 5038x"),
         ":3: key pbx[0].port: must be a whole number from 1 to 65535"},
        {in_group("- name", "    port: [5038]"),
         ":3: key pbx[0].port: must be a whole number from 1 to 65535"},
        {in_group("- name", "    port:"), ":3: key pbx[0].port: has no value; give one or delete the key"},
        {in_group("- name", "    host: a b"), ":3: key pbx[0].host: is no host name or address"},
        {in_group("- name", "    host: {a: b}"), ":3: key pbx[0].host: is a group of keys, but must be text"},
        {in_group("- name", "    host: pbx.example.org"),
         ":2: key pbx[0]: goes in plain text to pbx.example.org; use tls, or say allow_plaintext: true"},
        {in_group("- name", "    tls: yes"), ":3: key pbx[0].tls: must be true or false, without quotes"},
        {in_group("- name", "    tls: []"),
         ":3: key pbx[0].tls: is a list, but must be true, false or {ca: FILE, verify: true}"},
        {in_group("- name", "    tls: {verify: maybe}"),
         ":3: key pbx[0].tls.verify: must be true or false, without quotes"},
        {in_group("- name", "    country: gb"),
         ":3: key pbx[0].country: must be two capital letters (ISO 3166), like GB"},
        {in_group("- name", "    channels: PJSIP/{extension}"),
         ":3: key pbx[0].channels: is a single value, but must be a list: [a, b]"},
        {in_group("- name", "    channels: [PJSIP/201]"),
         ":3: key pbx[0].channels[0]: is no channel of a phone; write it like PJSIP/{extension}"},
        {in_group("- name", "    channels: []"),
         ":3: key pbx[0].channels: is an empty list; name at least one channel"},
        {in_group("- name", "    extensions: [2xx]"),
         ":3: key pbx[0].extensions[0]: is no pattern of numbers; use digits, +, #, ? for one digit, * for "
         "any rest"},
        {in_group("- name", "    dial: {timeout: 30}"),
         ":3: key pbx[0].dial.timeout: has no unit; write a number with a unit: 500ms, 10s, 2m, 1h or 30d"},
        {in_group("- name", "    dial: {auto_answer: [Call-Info]}"),
         ":3: key pbx[0].dial.auto_answer[0]: is no SIP header; write {Call-Info: "
         "\"<sip:ctibridge>;answer-after=0\"}"},
        {in_group("- name", "    dial: {auto_answer: [{A: 'x,y'}]}"),
         ":3: key pbx[0].dial.auto_answer[0]: has a comma, quote or backslash, which Asterisk would take for "
         "its "
         "own; leave it out"},
        {in_group("- name", "    dial: {context: \"a\\nb\"}"),
         ":3: key pbx[0].dial.context: has a control character or a line break; write it on one line"},
        {in_group("- name", "    reconnect: {first: 1ms}"),
         ":3: key pbx[0].reconnect: has a `first` below 100ms, which would hammer the pbx"},
        {in_group("- name", "    reconnect: {first: 5s, max: 1s}"),
         ":3: key pbx[0].reconnect: has a `max` below its `first`"},
        {in_group("xmpp:", "  administrators: [admin]"),
         ":6: key xmpp.administrators[0]: is no bare JID; write it like admin@example.org"},
        {in_group("xmpp:", "  component2: x"),
         ":6: key xmpp.component2: is unknown here; did you mean `component`?"},
        {in_group("xmpp:", "  user_domain: a@b"),
         ":6: key xmpp.user_domain: is no domain; write it like cti.example.org"},
        {in_group("crm:", "  web: crm.example.org"),
         ":9: key crm.web: is no address of a web site; write it like https://crm.example.org/"},
        {in_group("crm:", "  budget: 9s"),
         ":9: key crm.budget: is longer than 5s; a pop would come when the phone is answered"},
        {in_group("crm:", "  visibility: some"), ":9: key crm.visibility: must be one of crm, all"},
        {in_group("crm:", "  jid: nobody"),
         ":9: key crm.jid: has no @; write it like {user_name}@{user_domain}"},
        {in_group("crm:", "  adapter: sugar"), ":9: key crm.adapter: there is no folder `sugar` in "},
        {in_group("crm:", "  adapter: ../x"), ":9: key crm.adapter: is no name of a folder"},
        {with("database: {url: mysql://a@db.example.org/x}"),
         ":11: key database: goes in plain text to db.example.org; use tls, or say allow_plaintext: true"},
        {with("database: {url: postgres://a@b/c}"),
         ":11: key database.url: is not a mysql:// URL; write mysql://"},
        {with("pop: {mode: loud}"), ":11: key pop.mode: must be one of auto, rich, spark, plain"},
        {with("pop: {language: english}"), ":11: key pop.language: must be two small letters, like en"},
        {with("pop: {missed: x}"), ":11: key pop.missed: must be one of notice, store, none"},
        {with("dialing: {allow: ['4+4']}"), ":11: key dialing.allow[0]: has a + that is not at the front"},
        {with("dialing: {hours: [mon 8-18]}"),
         ":11: key dialing.hours[0]: is no hours of the week; write them like `mon-fri 08:00-18:00`, `sat "
         "09:00-12:00` or `daily 08:00-20:00`"},
        {with("dialing: {emergency: ['+112']}"),
         ":11: key dialing.emergency[0]: is no emergency number: digits as they are dialled, 6 at most"},
        {with("dialing: {services: {sales: {rewrite: []}}}"),
         ":11: key dialing.services.sales.rewrite: is unknown here; known are allow, deny, hours, "
         "per_minute, "
         "concurrent"},
        {with("dialing: {operators: {anna: {deny: []}}}"),
         ":11: key dialing.operators: is no operator's address; write it like anna@example.org"},
        {with("dialing: {rewrite: [{from: '+44'}]}"), ":11: key dialing.rewrite[0].to: is missing; add it"},
        {with("dialing: {rewrite: [{from: '+44', to: 'x'}]}"),
         ":11: key dialing.rewrite[0].to: may have digits, +, * and # only"},
        {with("dialing: {per_minute: 0}"),
         ":11: key dialing.per_minute: must be a whole number from 1 to 1000"},
        {with("http: [{listen: 8383, serve: [metrics]}]"),
         ":11: key http[0].listen: is no address to listen on; write it like 127.0.0.1:8383"},
        {with("http: [{listen: 'a:8383', serve: [makecall]}]"),
         ":11: key http[0].makecall_secret: is missing, but makecall is served; add it"},
        {with("http: [{listen: 'a:8383', serve: [console]}]"),
         ":11: key http[0].console: is missing, but the console is served; name the directory of its files"},
        {with("http: [{listen: '10.0.0.1:8383', serve: [caller]}]"),
         ":11: key http[0].caller_token: is missing, but caller is served to other machines; add it, or "
         "listen on 127.0.0.1"},
        {with("http: [{listen: '127.0.0.1:1', serve: [health], crm_origins: ['https://crm.example.org/']}]"),
         ":11: key http[0].crm_origins[0]: is no origin of encrypted pages; write it like "
         "https://crm.example.org, without a path (http:// only for this machine)"},
        {with("http: [{listen: 'a:8383', serve: [all]}]"),
         ":11: key http[0].serve[0]: must be one of metrics, health, console, makecall, caller"},
        {with("control: /" + std::string(120, 'x')),
         ":11: key control: is longer than 107 bytes, too long for a unix socket"},
        {with("control: {group: adm}"), ":11: key control.path: is missing; add it"},
        {with("control: {path: /run/c, users: adm}"),
         ":11: key control.users: is unknown here; known are path, group"},
        {with("retention: {events: -1d}"),
         ":11: key retention.events: is not a span of time; write a number with a unit"},
        {with("retention: {events: 99999999999d}"),
         ":11: key retention.events: is longer than ten years; write a number with a unit"},
    };
    for (const auto& [yaml, fault] : cases) {
        auto found = faults(yaml);
        ASSERT_FALSE(found.empty()) << yaml;
        EXPECT_THAT(found.front(), testing::StartsWith(fault)) << yaml;
        EXPECT_EQ(found.size(), 1U) << testing::PrintToString(found);
    }
}

TEST_F(ConfigFile, all_faults_are_collected) {
    EXPECT_THAT(faults("pbx: [{name: 'a b', port: x}, {}]\nxmpp: {}\ncrm: {}\nfoo: 1\nsql: sql\n"),
                ElementsAre(HasSubstr("pbx[0].name"), HasSubstr("pbx[0].port"),
                            HasSubstr("pbx[0].username: is missing"), HasSubstr("pbx[0].secret: is missing"),
                            HasSubstr("pbx[1].name: is missing"), HasSubstr("pbx[1].username"),
                            HasSubstr("pbx[1].secret"), HasSubstr(":2: key xmpp.component: is missing"),
                            HasSubstr("xmpp.secret: is missing"), HasSubstr(":3: key crm.url: is missing"),
                            HasSubstr(":4: key foo")));
}

TEST_F(ConfigFile, missing_rooms_are_named) {
    EXPECT_THAT(faults("state: x\n"),
                ElementsAre(":1: key pbx: is missing; add it", ":1: key xmpp: is missing; add it",
                            ":1: key crm: is missing; add it"));
}

TEST_F(ConfigFile, two_pbx_of_one_name_are_refused) {
    EXPECT_THAT(
        faults(in_group("pbx:", "  - {name: hq, username: u, secret: s}")),
        ElementsAre(
            ":3: key pbx[1].name: is `hq`, which another pbx has already; every pbx needs its own name"));
}

TEST_F(ConfigFile, aliases_are_read_as_what_they_stand_for) {
    auto config = load(
        "pbx: [&a {name: hq, username: u, secret: &s 'x y'}, {name: b, username: *name, secret: *s}]\n"
        "xmpp: {component: &name cti.example.org, secret: *s}\ncrm: {url: "
        "'mysql://u@localhost/v?socket=/s'}\nsql: sql\n");
    ASSERT_FALSE(config) << "an alias before its anchor";
    config = load(
        "xmpp: {component: cti.example.org, secret: &s 'x y'}\npbx: [{name: hq, username: u, secret: *s}]\n"
        "crm: {url: 'mysql://u@localhost/v?socket=/s'}\nsql: sql\n");
    ASSERT_TRUE(config) << config.error().lines.front();
    EXPECT_EQ(config->pbx[0].secret, "x y");
    EXPECT_THAT(faults("pbx: [&a {name: hq, username: u, secret: s}, *a]\nxmpp: {component: c.d, secret: s}\n"
                       "crm: {url: 'mysql://u@localhost/v?socket=/s'}\nsql: sql\n"),
                ElementsAre(HasSubstr("key pbx[1].name: is `hq`, which another pbx has already")));
}

TEST_F(ConfigFile, a_country_that_is_none_is_named) {
    EXPECT_THAT(
        faults(in_group("- name", "    country: ZZ")),
        ElementsAre(":3: key pbx[0].country: is `ZZ`, which is no country (ISO 3166); write it like GB"));
}

TEST_F(ConfigFile, broken_yaml_names_the_line) {
    const std::pair<std::string, std::string> cases[] = {
        {"pbx:\n\t- name: x\n", ":2: this is not YAML: "},
        {"pbx: [1, 2\n", "this is not YAML: end of sequence flow not found"},
        {"pbx: \"x", "this is not YAML: illegal EOF in scalar"},
        {"pbx: a: b\n", ":1: this is not YAML: illegal map value"},
        {"a: 1\n b: 2\n", ":2: this is not YAML: "},
        {"a: &x [*x]\n", ":1: an alias (*) stands inside its own anchor (&)"},
        {"pbx:\n  secret: *oops\n", ":2: "},
        {with("---\na: 1\n"), ":11: there is a second document"},
        {std::string("a: 1\nb: \0c\n", 10), ":2: there is a byte 0x00, which is no text"},
        {"a: \x1b[0m\n", ":1: there is a byte 0x1b"},
        {"\xff\xfe"
         "a\0:\0",
         ":1: there is a byte 0xff"},
        {"%YAML 9.9\n--- a", ":1: this is not YAML: "},
    };
    for (const auto& [yaml, fault] : cases) {
        auto found = faults(yaml);
        ASSERT_EQ(found.size(), 1U) << yaml;
        EXPECT_THAT(found.front(), HasSubstr(fault)) << yaml;
    }
    EXPECT_THAT(faults("pbx:\n\t- name: x\n").front(), HasSubstr("indented with a tab"));
}

TEST_F(ConfigFile, hostile_files_cost_nothing) {
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char c = 'b'; c <= 'k'; ++c) {
        std::string before(1, static_cast<char>(c - 1));
        bomb += std::string(1, c) + ": &" + c + " [*" + before + ",*" + before + ",*" + before + ",*" +
                before + ",*" + before + "]\n";
    }
    EXPECT_THAT(faults(bomb),
                ElementsAre(HasSubstr(": there are more than 100000 values, aliases (*) counted")));
    EXPECT_THAT(faults(std::string(10UL << 20, 'x')),
                ElementsAre(HasSubstr(":0: the file is larger than 1 MB")));
    EXPECT_EQ(faults(std::string(100000, '[')).size(), 1U);
    EXPECT_EQ(faults(std::string(100000, '{')).size(), 1U);
    EXPECT_THAT(faults(with(std::string(70000, 'k') + ": 1")),
                ElementsAre(testing::ResultOf([](const auto& s) { return s.size() < 500; }, true)));
    EXPECT_THAT(load_config(dir_ / "absent.yaml").error().lines,
                ElementsAre(HasSubstr("there is no such file")));
    EXPECT_THAT(load_config(dir_).error().lines, ElementsAre(HasSubstr("this is no file")));
}

TEST_F(ConfigFile, secrets_come_from_files_environment_and_credentials) {
    auto secret_of = [&](std::string_view source) {
        std::string yaml(least);
        yaml.replace(yaml.find("s3cret"), 6, source);
        auto config = load(yaml);
        return config ? config->pbx[0].secret
                      : config.error().lines.front().substr((dir_ / "c.yaml").string().size());
    };
    write("one", "a#b \"c'\n");
    write("crlf", "abc\r\n");
    write("two", "abc\n\n");
    write("empty", "\n");
    write("long", std::string(5000, 'x'));
    ::setenv("CREDENTIALS_DIRECTORY", dir_.c_str(), 1);
    ::unsetenv("CTI_NO_SUCH");
    EXPECT_EQ(secret_of("{file: one}"), "a#b \"c'");
    EXPECT_EQ(secret_of("{file: crlf}"), "abc");
    EXPECT_EQ(secret_of("{credential: one}"), "a#b \"c'");
    EXPECT_EQ(secret_of("'#x: \"y\" z'"), "#x: \"y\" z");
    EXPECT_EQ(secret_of("12345"), "12345");
    EXPECT_THAT(
        secret_of("{file: two}"),
        HasSubstr(":4: key pbx[0].secret.file: is a secret with a control character or several lines"));
    EXPECT_THAT(secret_of("{file: empty}"), HasSubstr("is an empty secret"));
    EXPECT_THAT(secret_of("{file: long}"), HasSubstr("longer than 4096 bytes"));
    EXPECT_THAT(secret_of("{file: absent}"), HasSubstr("/absent is not there; create it"));
    EXPECT_THAT(secret_of("{file: [a]}"), HasSubstr("key pbx[0].secret.file: is a list, but must be text"));
    EXPECT_THAT(secret_of("{env: CTI_NO_SUCH}"), HasSubstr("the environment has no variable CTI_NO_SUCH"));
    EXPECT_THAT(secret_of("{credential: ../one}"), HasSubstr("is no name of a credential"));
    EXPECT_THAT(secret_of("{fiel: one}"), HasSubstr("did you mean `file`?"));
    EXPECT_THAT(secret_of("{file: one, env: two}"),
                HasSubstr("is not one source of a secret, but must be {file: PATH}"));
    EXPECT_THAT(secret_of("''"), HasSubstr("is an empty secret"));
    EXPECT_THAT(secret_of(""), HasSubstr("key pbx[0].secret: has no value"));
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_THAT(secret_of("{credential: one}"), HasSubstr("there is no $CREDENTIALS_DIRECTORY"));
}

TEST_F(ConfigFile, a_secret_that_others_may_read_is_a_warning) {
    write("open", "abc\n", 0644);
    std::string yaml(least);
    yaml.replace(yaml.find("s3cret"), 6, "{file: open}");
    auto config = load(yaml);
    ASSERT_TRUE(config);
    ASSERT_EQ(config->warnings.size(), 1U);
    EXPECT_THAT(config->warnings.front(), HasSubstr("c.yaml:4: key pbx[0].secret.file: the file "));
    EXPECT_THAT(config->warnings.front(), HasSubstr("mode 0644"));
}

TEST_F(ConfigFile, replay_needs_no_secrets) {
    std::string yaml(least);
    yaml.replace(yaml.find("s3cret"), 6, "{file: absent}");
    EXPECT_TRUE(load(yaml, {.secrets = false}));
    EXPECT_FALSE(load(yaml));
}

TEST_F(ConfigFile, a_fault_never_shows_a_secret) {
    for (std::string_view bad :
         {"{fiel: hunter2}", "[hunter2]", "{a: hunter2, b: hunter2}", "\"hunter2\\n\""}) {
        std::string yaml(least);
        yaml.replace(yaml.find("s3cret"), 6, bad);
        for (const auto& line : faults(yaml)) EXPECT_THAT(line, testing::Not(HasSubstr("hunter2")));
    }
    EXPECT_THAT(faults(in_group("crm:", "  url: mysql://u:hunter2@localhost/x")).front(),
                testing::Not(HasSubstr("hunter2")));
}

TEST(config_values, spans_of_time) {
    EXPECT_EQ(bridge::parse_span("500ms"), Millis{500});
    EXPECT_EQ(bridge::parse_span("10s"), Millis{10000});
    EXPECT_EQ(bridge::parse_span("2m"), Millis{120000});
    EXPECT_EQ(bridge::parse_span("1h"), Millis{3600000});
    EXPECT_EQ(bridge::parse_span("30d"), Millis{2592000000});
    EXPECT_EQ(bridge::parse_span("0"), Millis{0});
    for (auto bad : {"", "10", "s", "-1s", "1.5s", "10 s", "1w", "10sec", "99999999999999999999s",
                     "9223372036854775807d", "+1s"})
        EXPECT_FALSE(bridge::parse_span(bad)) << bad;
}

TEST(config_values, mysql_urls) {
    auto url = bridge::parse_mysql_url("mysql://u@[::1]:3307/db");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->port, 3307U);
    const std::pair<const char*, const char*> bad[] = {
        {"http://u@h/d", "is not a mysql:// URL"},
        {"mysql://u@h", "names no database"},
        {"mysql://u@h/", "names no database"},
        {"mysql://h/d", "names no user"},
        {"mysql://@h/d", "names no user"},
        {"mysql://u:p@h/d", "holds a password"},
        {"mysql://u@h:0/d", "has a port that is none"},
        {"mysql://u@h:x/d", "has a port that is none"},
        {"mysql://u@h:99999/d", "has a port that is none"},
        {"mysql://u@/d", "names no host"},
        {"mysql://u@h/d?tls=yes", "something else than `required`"},
        {"mysql://u@h/d?tsl=required", "did you mean `tls`?"},
        {"mysql://u@h/d?ca=/x", "names a ca without tls=required"},
        {"mysql://u@h/d?socket=", "no usable value for `socket`"},
        {"mysql://u@h/d?socket", "without a value"},
        {"mysql://u@db.example.org/d?socket=/x", "its host is another machine"},
        {"mysql://u@h/a/b", "has a / in the name"},
        {"mysql://u%zz@h/d", "hexadecimal"},
        {"mysql://u@[::1/d", "unclosed ["},
    };
    for (const auto& [text, fault] : bad) {
        auto parsed = bridge::parse_mysql_url(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_THAT(parsed.error(), HasSubstr(fault)) << text;
    }
}

TEST(config_values, loopback) {
    for (auto host : {"localhost", "127.0.0.1", "127.9.9.9", "::1"}) EXPECT_TRUE(bridge::is_loopback(host));
    for (auto host : {"127.evil.org", "10.0.0.1", "localhost.example.org", "", "::2"})
        EXPECT_FALSE(bridge::is_loopback(host));
}

TEST(printable, keeps_one_valid_line) {
    EXPECT_EQ(bridge::printable("Zoë 😀"), "Zoë 😀");
    EXPECT_EQ(bridge::printable("a\nb\r\x1b\x7f"), "a\\x0Ab\\x0D\\x1B\\x7F");
    EXPECT_EQ(bridge::printable("\xff\xc3(\xed\xa0\x80"), "\\xFF\\xC3(\\xED\\xA0\\x80");
    EXPECT_EQ(bridge::printable("\xc2\x85x\xe2\x80\xa8"), "\\xC2\\x85x\\xE2\\x80\\xA8");
    EXPECT_EQ(bridge::printable(std::string(500, 'x'), 10), "xxxxxxxxxx...");
    EXPECT_EQ(bridge::printable("\xe2\x82"), "\\xE2\\x82");
}
