#include "bridge/control_commands.hpp"

#include <optional>
#include <ostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bridge/control_client.hpp"
#include "bridge/json.hpp"

namespace bridge {

namespace {

constexpr int fine = 0, not_so = 1, no_daemon = 2;

// The answer, or nothing after the reason was printed.
std::optional<nlohmann::ordered_json> ask(const std::string& control, std::string request,
                                          std::ostream& err) {
    auto answered = ask_control({.path = control, .request = std::move(request), .item = {}});
    if (!answered) {
        err << "ctibridge: " << answered.error().text << '\n';
        return std::nullopt;
    }
    auto json = nlohmann::ordered_json::parse(*answered, nullptr, false);
    if (json.is_object() && json.contains("text") && json.contains("report")) return json;
    err << "ctibridge: the daemon that answers is of another version\n";
    return std::nullopt;
}

void print(const nlohmann::ordered_json& answer, bool json, std::ostream& out) {
    if (json)
        out << answer["report"].dump(2) << '\n';
    else
        out << answer["text"].get<std::string>();
    out.flush();
}

}  // namespace

int status_command(const std::string& control, bool json, std::ostream& out, std::ostream& err) {
    const auto answer = ask(control, JsonObject().text("verb", "status").str(), err);
    if (!answer) return no_daemon;
    print(*answer, json, out);
    return (*answer)["report"].value("all_up", false) ? fine : not_so;
}

int dialing_command(const std::string& control, const std::string& state, const std::string& pbx,
                    std::ostream& out, std::ostream& err) {
    const auto answer =
        ask(control, JsonObject().text("verb", "dialing").text("state", state).text("pbx", pbx).str(), err);
    if (!answer) return no_daemon;
    print(*answer, false, out);
    const auto& report = (*answer)["report"];
    return report.contains("dialing_off") && report["dialing_off"].empty() ? fine : not_so;
}

int explain_command(const std::string& control, const ExplainOptions& options, std::ostream& out,
                    std::ostream& err) {
    const auto request = JsonObject()
                             .text("verb", "explain")
                             .text("of", options.of)
                             .flag("all", options.all)
                             .number("last", static_cast<std::int64_t>(options.last))
                             .str();
    const auto answer = ask(control, request, err);
    if (!answer) return no_daemon;
    print(*answer, options.json, out);
    return (*answer)["report"].value("known", false) ? fine : not_so;
}

}  // namespace bridge
