// What the daemon serves by HTTP (docs/design.md, section 4): /caller for the dialplan, /makecall for vTiger,
// /health, and the files of the console. Dispatch by table; every door is opened by its word in `http.serve`.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/config.hpp"
#include "bridge/dialer.hpp"
#include "bridge/http_server.hpp"
#include "bridge/reason.hpp"
#include "crm/types.hpp"

namespace bridge {

// The console's files, read once: what is not among them does not exist, whatever a path says.
class ConsoleFiles {
 public:
    static constexpr std::size_t most_files = 2000, most_bytes = 64UL * 1024 * 1024;
    // The error names the directory and what to do.
    static std::expected<ConsoleFiles, std::string> read(const std::filesystem::path& directory);
    // `origins`: of the CRM's pages, which may hold frame.html; nobody else's may hold anything.
    [[nodiscard]] HttpAnswer answer(const HttpRequest& request,
                                    const std::vector<std::string>& origins = {}) const;

 private:
    struct File {
        std::string body, tag;
    };
    std::map<std::string, File, std::less<>> files_;  // by path, "/index.html"
};

class HttpDoors {
 public:
    struct Ports {
        std::function<crm::Lookup(const std::string& number)> lookup;  // from memory, everything visible
        std::function<const crm::Operator*(std::string_view crm_user)> of_crm_user;
        std::function<const crm::Operator*(std::string_view jid)> operator_of;
        std::function<const crm::Operator*(std::string_view seat)> of_extension;  // "201", "hq/201"; active
        // JID of who talked with this number last; may never answer.
        std::function<void(const std::string& number, std::function<void(std::string)>)> last_operator;
        using Dialed = std::function<void(const std::expected<DialPlan, DialRefusal>&)>;
        std::function<void(const DialRequest&, Dialed)> dial;
        std::function<void(Millis span, std::function<void()>)>
            after;  // a timer; its function is called once
        // The exchange was given this name for a number; it comes back as the caller's.
        std::function<void(const std::string& number, const std::string& name)> gave;
        std::function<bool()> ready;
        std::function<void(const Reason&)> explain;
        std::function<void(int priority, std::string_view line)> log;
    };
    static constexpr Millis caller_budget{50}, makecall_budget{500};  // spans

    explicit HttpDoors(Ports ports) : ports_(std::move(ports)) {}

    // A server for one entry of `http`; absent: the fault has been said.
    HttpServer::Handler handler(const HttpConfig& config);

 private:
    struct Place;
    struct Row;
    static const Row rows[];
    void dispatch(const std::shared_ptr<const Place>& place, const HttpRequest& request,
                  const HttpServer::Reply& reply);
    void caller(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply);
    void makecall(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply);
    void health(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply);
    void console(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply);

    Ports ports_;
};

// The answer to /caller, a form: "name=Ann%20Lee&owner=201&last=202&record=12&module=Contacts". Only a single
// exact match is named. Nothing in a value that a dialplan could take for syntax.
std::string caller_form(const crm::Lookup& lookup, std::string_view owner, std::string_view last);

}  // namespace bridge
