// What the CRM room needs to know; filled by the configuration file (bridge) and checked there.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace crm {

// mysql://user@host:3306/db?tls=required&ca=FILE  or  mysql://user@localhost/db?socket=PATH
struct DatabaseUrl {
    std::string user, password, host, schema, socket, ca;
    unsigned port = 3306;
    bool tls_required = false;
    bool operator==(const DatabaseUrl&) const = default;
};

struct Site {  // one pbx
    std::string pbx;
    std::vector<std::string> extensions;  // patterns with ? and *: "2??"
    std::string country;                  // ISO 3166 region of national numbers: "GB"
    bool operator==(const Site&) const = default;
};

struct Config {
    std::string adapter = "vtiger";  // folder under sql_dir
    std::filesystem::path sql_dir;   // where sql/ is installed
    std::filesystem::path state;     // directory of the index cache and the outbox, files 0600
    DatabaseUrl crm;
    DatabaseUrl own;  // our own tables; may be on another server
    std::string web;  // base of links, ends in "/"
    bool visibility_all = false;
    std::chrono::milliseconds budget{150};
    std::string jid_pattern = "{user_name}@{user_domain}";
    std::string user_domain;
    std::vector<Site> sites;
    std::chrono::milliseconds feed_interval{3000};
    bool operator==(const Config&) const = default;
};

}  // namespace crm
