// A small HTTP/1.1 server on the daemon's thread (Boost.Beast): requests in, answers out. Everything a client
// can take up is bounded: connections, header, body, the time for each. Who exceeds it is cut off; nobody
// else notices.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/http_text.hpp"
#include "bridge/link.hpp"

namespace bridge {

struct HttpLimits {
    std::size_t connections = 64;
    unsigned header = 8192, body = 16384;  // bytes
    unsigned requests = 100;               // of one connection
    Millis reading{5000};                  // span: a request, from its first chance to its last byte
    Millis answering{10000};               // span: until the handler has answered
    Millis writing{10000};                 // span
};

struct HttpRequest {
    std::string method, path;  // path: without the query, as it came
    HttpForm form;             // of the query; then of a form in the body
    std::string peer;          // address
    bool near = false;         // from this machine itself, not through a proxy
    std::string token;         // Authorization: Bearer …
    std::string match;         // If-None-Match
};

struct HttpAnswer {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

class HttpServer {
 public:
    using Reply = std::function<void(HttpAnswer)>;  // the first call counts; none at all is a 500
    using Handler = std::function<void(const HttpRequest&, Reply)>;
    using Log = std::function<void(int priority, std::string_view line)>;

    HttpServer(boost::asio::io_context& io, Handler handler, Log log, HttpLimits limits = {});
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // "127.0.0.1:8383", "[::1]:0"; the error says what to do.
    std::expected<void, std::string> open(const std::string& listen);
    void close();  // connections too
    [[nodiscard]] unsigned short port() const;
    [[nodiscard]] std::size_t connections() const;

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace bridge
