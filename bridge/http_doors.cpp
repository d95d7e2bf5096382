#include "bridge/http_doors.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <openssl/sha.h>

#include "bridge/caller_names.hpp"
#include "bridge/dial_text.hpp"
#include "bridge/json.hpp"
#include "bridge/log.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr std::size_t longest_number = 64;

HttpAnswer text(unsigned status, std::string body) {
    return {.status = status, .body = std::move(body), .headers = {{"Cache-Control", "no-store"}}};
}

std::string field(const HttpRequest& request, std::string_view name) {
    const auto found = request.form.find(name);
    return found == request.form.end() ? std::string() : found->second;
}

// What the frame asks for, too: it listens to these pages only, whatever the browser makes of the policy.
HttpAnswer origins_answer(const std::vector<std::string>& origins) {
    std::vector<std::string> values(origins.size());
    std::ranges::transform(origins, values.begin(), json_text);
    auto answer = text(200, json_list(values));
    answer.content_type = "application/json";
    return answer;
}

std::string hex_digest(std::string_view body) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data());
    std::string out;
    for (std::size_t i = 0; i < 8; ++i) out += fmt::format("{:02x}", digest[i]);
    return out;
}

}  // namespace

std::string caller_form(const crm::Lookup& lookup, std::string_view owner, std::string_view last) {
    std::string name = lookup.colleague, record, module;
    if (const auto* match = only_record(lookup)) {
        name = match->label;
        record = match->id;
        module = match->module;
    } else {
        owner = {};
    }
    return fmt::format("name={}&owner={}&last={}&record={}&module={}", url_form(dialplan_text(name)),
                       url_form(owner), url_form(last), url_form(dialplan_text(record)),
                       url_form(dialplan_text(module)));
}

// ---- files ----

std::expected<ConsoleFiles, std::string> ConsoleFiles::read(const std::filesystem::path& directory) {
    namespace fs = std::filesystem;
    const auto fault = [&](std::string_view why) {
        return std::unexpected(
            fmt::format("the console's files in {} cannot be served: {}; set `console` in "
                        "`http` to the directory that the build of web/ made",
                        directory.string(), why));
    };
    ConsoleFiles files;
    std::size_t bytes = 0;
    std::error_code error;
    fs::recursive_directory_iterator next(directory, error);
    if (error) return fault(error.message());
    for (; next != fs::recursive_directory_iterator(); next.increment(error)) {
        if (error) return fault(error.message());
        if (next->is_symlink(error) || !next->is_regular_file(error)) continue;
        std::ifstream in(next->path(), std::ios::binary);
        std::string body{std::istreambuf_iterator<char>(in), {}};
        bytes += body.size();
        if (!in || files.files_.size() >= most_files || bytes > most_bytes)
            return fault(in ? "there are too many" : "one cannot be read");
        auto tag = fmt::format("\"{}\"", hex_digest(body));
        files.files_.emplace("/" + fs::relative(next->path(), directory, error).generic_string(),
                             File{std::move(body), std::move(tag)});
    }
    if (!files.files_.contains("/index.html")) return fault("there is no index.html");
    return files;
}

// Nothing but what is beside the page runs in it. Where the XMPP server is, only its config.json says; what
// is not encrypted is this machine's.
constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' https: wss: "
    "http://127.0.0.1:* ws://127.0.0.1:* http://localhost:* ws://localhost:*; base-uri 'none'; form-action "
    "'self'; frame-ancestors {}";

HttpAnswer ConsoleFiles::answer(const HttpRequest& request, const std::vector<std::string>& origins) const {
    auto path = request.path.ends_with('/') ? request.path + "index.html" : request.path;
    if (path == "/origins.json") return origins_answer(origins);
    const bool framed = path == "/frame.html" && !origins.empty();
    const auto ancestors = framed ? fmt::format("{}", fmt::join(origins, " ")) : std::string("'none'");
    const auto found = files_.find(path);
    if (found == files_.end()) return text(404, "there is no such page\n");
    const auto& [body, tag] = found->second;
    // What the build names by its content never changes; the rest is asked for again.
    const bool named_by_content = path.starts_with("/assets/");
    HttpAnswer answer{
        .content_type = std::string(content_type_of(path)),
        .body = body,
        .headers = {{"ETag", tag},
                    {"Cache-Control", named_by_content ? "public, max-age=31536000, immutable" : "no-cache"},
                    {"Content-Security-Policy", fmt::format(policy, ancestors)},
                    {"Referrer-Policy", "no-referrer"}}};
    if (request.match == tag) {
        answer.status = 304;
        answer.body.clear();
    }
    return answer;
}

// ---- doors ----

struct HttpDoors::Place {
    HttpConfig config;
    ConsoleFiles files;
    [[nodiscard]] bool serves(std::string_view door) const {
        return std::ranges::find(config.serve, door) != config.serve.end();
    }
};

struct HttpDoors::Row {
    std::string_view path, door;  // an empty path: any that no other row has
    std::vector<std::string_view> methods;
    void (HttpDoors::*answer)(const Place&, const HttpRequest&, const HttpServer::Reply&);
};

const HttpDoors::Row HttpDoors::rows[] = {
    {"/caller", "caller", {"GET", "HEAD"}, &HttpDoors::caller},
    {"/makecall", "makecall", {"GET", "POST"}, &HttpDoors::makecall},
    {"/health", "health", {"GET", "HEAD"}, &HttpDoors::health},
    {"", "console", {"GET", "HEAD"}, &HttpDoors::console},
};

HttpServer::Handler HttpDoors::handler(const HttpConfig& config) {
    auto place = std::make_shared<Place>(Place{config, {}});
    if (place->serves("console")) {
        auto files = ConsoleFiles::read(config.console);
        if (files)
            place->files = std::move(*files);
        else
            ports_.log(log_error, files.error());
    }
    if (place->serves("metrics")) ports_.log(log_warning, "http: `metrics` is not served by this version");
    return [this, place](const HttpRequest& request, const HttpServer::Reply& reply) {
        dispatch(place, request, reply);
    };
}

void HttpDoors::dispatch(const std::shared_ptr<const Place>& place, const HttpRequest& request,
                         const HttpServer::Reply& reply) {
    for (const auto& row : rows) {
        if ((!row.path.empty() && row.path != request.path) || !place->serves(row.door)) continue;
        if (std::ranges::find(row.methods, request.method) == row.methods.end())
            return reply(text(405, "this is not how this page is asked for\n"));
        return (this->*row.answer)(*place, request, reply);
    }
    reply(text(404, "there is no such page\n"));
}

void HttpDoors::health(const Place&, const HttpRequest&, const HttpServer::Reply& reply) {
    const bool ready = ports_.ready();
    reply(text(ready ? 200 : 503, ready ? "ok\n" : "starting\n"));
}

void HttpDoors::console(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply) {
    reply(place.files.answer(request, place.config.crm_origins));
}

void HttpDoors::caller(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply) {
    const auto& token = place.config.caller_token;
    const auto given = request.token.empty() ? field(request, "token") : request.token;
    if (token.empty() ? !request.near : !same_secret(given, token)) {
        ports_.log(log_warning, fmt::format("http: {} may not ask for callers", request.peer));
        return reply(text(403, "this door is for the telephone exchange\n"));
    }
    const auto number = field(request, "number").substr(0, longest_number);
    const auto lookup = ports_.lookup(number);
    const auto* owner = lookup.matches.empty() || lookup.matches.front().owner_user.empty()
                            ? nullptr
                            : ports_.of_crm_user(lookup.matches.front().owner_user);
    const auto extension = owner != nullptr && owner->active ? owner->extension : std::string();
    auto done = std::make_shared<bool>(false);
    auto finish = [this, reply, lookup, extension, number, done](const std::string& last) {
        if (std::exchange(*done, true)) return;
        const auto* who = last.empty() ? nullptr : ports_.operator_of(last);
        auto form = caller_form(lookup, extension, who != nullptr && who->active ? who->extension : "");
        ports_.explain(
            {wall_now(), Why::caller_asked, {}, {}, {}, {{Fact::number, number}, {Fact::text, form}}});
        if (const auto told = parse_form(form); !told.at("name").empty())
            ports_.gave(number, told.at("name"));
        reply(text(200, std::move(form)));
    };
    // A call waits for this answer: whoever called last is left out when the database is slow.
    ports_.after(caller_budget, [finish] { finish({}); });
    if (lookup.number.anonymous || lookup.number.internal) return finish({});
    ports_.last_operator(lookup.number.e164.value_or(lookup.number.digits), finish);
}

// vTiger takes any other body than these for a success.
void HttpDoors::makecall(const Place& place, const HttpRequest& request, const HttpServer::Reply& reply) {
    const auto from = field(request, "from");
    const auto tell = [this, peer = request.peer, from, reply](std::string_view outcome,
                                                               std::string_view why) {
        ports_.log(outcome == "Success" ? log_info : log_warning,
                   fmt::format("http: makecall by {} from={} outcome={}{}{}", peer, printable(from, 40),
                               outcome, why.empty() ? "" : ": ", why));
        reply(text(200, std::string(outcome)));
    };
    if (!same_secret(field(request, "secret"), place.config.makecall_secret))
        return tell("Authentication Failure", "");
    if (field(request, "event") != "OutgoingCall") return tell("Error", "the event is not OutgoingCall");
    const auto* who = ports_.of_extension(from);
    if (who == nullptr) return tell("Error", "this is no extension of an operator");
    auto done = std::make_shared<bool>(false);
    const auto finish = [tell, done](std::string_view outcome, std::string_view why) {
        if (!std::exchange(*done, true)) tell(outcome, why);
    };
    // vTiger has no time-out of its own: the operator's page stands still until the answer.
    ports_.after(makecall_budget, [finish] { finish("Error", "the exchange did not take it in time"); });
    ports_.dial({.jid = who->jid,
                 .number = field(request, "to"),
                 .service = {},
                 .module = {},
                 .record = {},
                 .request = {},
                 .in_person = false},
                [finish](const auto& dialed) {
                    finish(dialed ? "Success" : "Error", dialed ? std::string_view() : dialed.error().text);
                });
}

}  // namespace bridge
