#include "bridge/call_commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/pop_text.hpp"
#include "bridge/stanzas.hpp"

namespace bridge {

namespace {

constexpr std::string_view nothing_left = "You have no call.";

// The value that names a ring in a form: its call and its leg.
std::string key_of(const Notice& notice) {
    return notice.id + " " + notice.leg;
}

std::string party_of(const Notice& notice) {
    if (notice.withheld) return "withheld";
    const auto name = readable(notice.party_name, 80), number = readable(notice.party_number, 40);
    if (name.empty() || name == number) return number;
    return number.empty() ? name : fmt::format("{} ({})", name, number);
}

}  // namespace

bool CallCommands::has_phone(const std::string& bare) const {
    const auto* who = ports_.operator_of(bare);
    return who != nullptr && who->active && !who->extension.empty();
}

// Empty: the only call there is.
xmpp::FormField CallCommands::call_field(const std::string& bare) const {
    xmpp::FormField field{.var = "call", .label = "Call", .type = "list-single"};
    for (const auto& notice : ports_.calls(bare))
        field.options.emplace_back(key_of(notice),
                                   fmt::format("{} {}", to_string(notice.state), party_of(notice)));
    if (!field.options.empty()) field.value = field.options.front().first;
    return field;
}

xmpp::FormTable CallCommands::table(const std::string& bare) const {
    xmpp::FormTable table{.title = "Calls",
                          .columns = {{"call", "Call"},
                                      {"leg", "Leg"},
                                      {"state", "State"},
                                      {"direction", "Direction"},
                                      {"party", "With"},
                                      {"queue", "Queue"},
                                      {"started", "Since"},
                                      {"actions", "Possible now"}},
                          .rows = {}};
    for (const auto& notice : ports_.calls(bare))
        table.rows.push_back({notice.id, notice.leg, std::string(to_string(notice.state)),
                              std::string(word(notice.direction)), party_of(notice),
                              readable(notice.queue, 80), iso8601(notice.started), notice.actions});
    return table;
}

void CallCommands::order(CallAction action, const xmpp::CommandCall& call, std::string done_text,
                         const Done& done) {
    ports_.seen(call.bare, call.from);
    auto key = call.value("call");
    if (key.empty()) {
        const auto calls = ports_.calls(call.bare);
        if (calls.empty()) return done({false, std::string(nothing_left), {}});
        if (calls.size() > 1) return done({false, "You have several calls: say which one.", {}});
        key = key_of(calls.front());
    }
    const auto blank = key.find(' ');
    ports_.ask({.control = action,
                .by = call.bare,
                .id = key.substr(0, blank),
                .leg = blank == std::string::npos ? std::string() : key.substr(blank + 1),
                .to = call.value("to")},
               [done, text = std::move(done_text)](const CallActionRefusal* refusal, std::string_view) {
                   done(refusal != nullptr ? xmpp::CommandResult{false, refusal->text, {}}
                                           : xmpp::CommandResult{true, text, {}});
               });
}

void CallCommands::fill(xmpp::Commands& commands) {
    const auto offered = [this](const std::string& bare) { return has_phone(bare); };
    commands.add({.node = "calls",
                  .name = "My calls",
                  .offered = offered,
                  .form = {},
                  .run = [this](const xmpp::CommandCall& call, const Done& done) {
                      auto all = table(call.bare);
                      std::string note(all.rows.empty() ? nothing_left : std::string_view());
                      done({true, std::move(note), std::move(all)});
                  }});
    commands.add({.node = "hangup",
                  .name = "Hang up",
                  .offered = offered,
                  .form =
                      [this](const std::string& bare) {
                          return xmpp::Form{
                              .title = "Hang up", .instructions = {}, .fields = {call_field(bare)}};
                      },
                  .run = [this](const xmpp::CommandCall& call,
                                const Done& done) { order(CallAction::hangup, call, "Hung up.", done); }});

    struct Mode {
        std::string_view word, label, done;
        CallAction action;
    };
    static constexpr Mode modes[] = {
        {"blind", "at once", "Transferred.", CallAction::blind},
        {"attended", "ask the colleague first",
         "The colleague is on the line; complete or cancel the transfer.", CallAction::attended},
        {"complete", "complete: connect them", "Transferred.", CallAction::complete},
        {"cancel", "cancel: back to the caller", "You have the call again.", CallAction::cancel}};
    xmpp::Command transfer{.node = "transfer", .name = "Transfer a call", .offered = offered};
    transfer.form = [this](const std::string& bare) {
        xmpp::FormField mode{
            .var = "mode", .label = "How", .type = "list-single", .required = true, .value = "blind"};
        for (const auto& one : modes) mode.options.emplace_back(one.word, one.label);
        return xmpp::Form{
            .title = "Transfer a call",
            .instructions = {},
            .fields = {call_field(bare), std::move(mode), {.var = "to", .label = "To (number)"}}};
    };
    transfer.run = [this](const xmpp::CommandCall& call, const Done& done) {
        const auto* mode = std::ranges::find(modes, call.value("mode"), &Mode::word);
        if (mode == std::end(modes)) return done({false, "\"How\" is none of the choices.", {}});
        order(mode->action, call, std::string(mode->done), done);
    };
    commands.add(std::move(transfer));
}

}  // namespace bridge
