#include "bridge/operator_commands.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "bridge/operator_words.hpp"
#include "bridge/printable.hpp"
#include "xmpp/jid.hpp"

namespace bridge {

namespace {

using Kind = AgentRequest::Kind;

// Two programs that answer each other shall not go on for ever.
constexpr Millis puzzled_span{10000};
constexpr std::size_t most_puzzled = 1000;

}  // namespace

// A phone, or a seat to sit down on.
bool OperatorCommands::has_desk(const std::string& bare) const {
    const auto picture = agents_.picture(bare);
    return picture && (!picture->extension.empty() || !office_.seats(bare).empty());
}

// One request; the text is how it stands afterwards, or why not.
void OperatorCommands::change(AgentRequest request, const Told& told) {
    const auto jid = request.jid;
    agents_.ask(std::move(request), [this, jid, told](const std::optional<AgentFault>& fault) {
        const auto picture = agents_.picture(jid);
        if (fault)
            told(false, fault->text);
        else
            told(true, picture ? agent_sentence(*picture, office_.reasons()) : std::string("Done."));
        office_.answered();
    });
}

// ---- ad-hoc commands ----

xmpp::Form OperatorCommands::reason_form() const {
    xmpp::FormField reason{.var = "reason", .label = "Reason"};
    for (const auto& one : office_.reasons()) reason.options.emplace_back(one.code, one.label);
    if (!reason.options.empty()) reason.type = "list-single";
    return {.title = "Not ready", .instructions = "No queue calls you.", .fields = {std::move(reason)}};
}

xmpp::Form OperatorCommands::seat_form(const std::string& bare) const {
    xmpp::FormField seat{.var = "seat", .label = "Seat", .type = "list-single"};
    seat.options.emplace_back("", "where I sit now");
    for (const auto& one : office_.seats(bare))
        seat.options.emplace_back(one.id,
                                  one.place.empty() ? one.id : fmt::format("{}, {}", one.id, one.place));
    if (seat.options.size() == 1) return {};
    return {.title = "Sign in", .instructions = {}, .fields = {std::move(seat)}};
}

void OperatorCommands::add_own(xmpp::Commands& commands) {
    struct Row {
        std::string_view node, name;
        Kind kind;
        xmpp::Form (*form)(const OperatorCommands&, const std::string&);
    };
    static constexpr Row rows[] = {
        {"login", "Sign in to the queues", Kind::login,
         [](const OperatorCommands& self, const std::string& bare) { return self.seat_form(bare); }},
        {"ready", "Ready for calls", Kind::ready, nullptr},
        {"not-ready", "Not ready", Kind::not_ready,
         [](const OperatorCommands& self, const std::string&) { return self.reason_form(); }},
        {"logout", "Sign out of the queues", Kind::logged_out, nullptr},
    };
    for (const auto& row : rows) {
        xmpp::Command command{.node = std::string(row.node), .name = std::string(row.name)};
        command.offered = [this](const std::string& bare) { return has_desk(bare); };
        if (row.form != nullptr)
            command.form = [this, form = row.form](const std::string& bare) { return form(*this, bare); };
        command.run = [this, kind = row.kind](const xmpp::CommandCall& call, const Done& done) {
            office_.seen(call.bare, call.from);
            change({.jid = call.bare,
                    .by = call.bare,
                    .kind = kind,
                    .reason = call.value("reason"),
                    .seat = call.value("seat")},
                   [done](bool good, std::string text) {
                       done({good, (good ? "You are " : "") + std::move(text), {}});
                   });
        };
        commands.add(std::move(command));
    }
}

xmpp::FormTable OperatorCommands::table() const {
    xmpp::FormTable table{.title = "Agents",
                          .columns = {{"jid", "Operator"},
                                      {"pbx", "Exchange"},
                                      {"extension", "Phone"},
                                      {"seat", "Seat"},
                                      {"state", "State"}},
                          .rows = {}};
    for (const auto& picture : office_.pictures())
        table.rows.push_back({picture.jid, picture.pbx, picture.extension, picture.seat,
                              agent_sentence(picture, office_.reasons())});
    return table;
}

void OperatorCommands::add_for_administrators(xmpp::Commands& commands) {
    const auto only_they = [this](const std::string& bare) { return office_.is_administrator(bare); };
    commands.add({.node = "agents",
                  .name = "Agents and their states",
                  .offered = only_they,
                  .form = {},
                  .run = [this](const xmpp::CommandCall&, const Done& done) { done({true, {}, table()}); }});

    static constexpr std::pair<Kind, std::string_view> states[] = {
        {Kind::ready, "ready"}, {Kind::not_ready, "not-ready"}, {Kind::logged_out, "logged-out"}};
    xmpp::Command set{.node = "set-agent-state", .name = "Set the state of an agent", .offered = only_they};
    set.form = [this](const std::string&) {
        xmpp::FormField jid{.var = "jid", .label = "Operator", .type = "jid-single", .required = true};
        xmpp::FormField state{.var = "state", .label = "State", .type = "list-single", .required = true};
        for (const auto& [kind, word] : states) state.options.emplace_back(word, word);
        auto reason = reason_form().fields.front();
        return xmpp::Form{.title = "State of an agent",
                          .instructions = {},
                          .fields = {std::move(jid), std::move(state), std::move(reason)}};
    };
    set.run = [this](const xmpp::CommandCall& call, const Done& done) {
        const auto jid = xmpp::bare_jid(call.value("jid"));
        const auto state =
            std::ranges::find(states, call.value("state"), &std::pair<Kind, std::string_view>::second);
        if (!agents_.picture(jid) || state == std::end(states))
            return done(
                {false, fmt::format("{} signs in to no exchange here.", printable(call.value("jid"))), {}});
        const bool pauses = state->first == Kind::not_ready;
        change({.jid = jid,
                .by = call.bare,
                .kind = state->first,
                .reason = pauses ? call.value("reason") : std::string()},
               [done, jid](bool good, const std::string& text) {
                   done({good, good ? fmt::format("{} is {}", jid, text) : text, {}});
               });
    };
    commands.add(std::move(set));
}

void OperatorCommands::fill(xmpp::Commands& commands) {
    add_own(commands);
    xmpp::Command dial{.node = "dial", .name = "Call a number"};
    dial.offered = [this](const std::string& bare) {
        const auto* who = office_.operator_of(bare);
        return who != nullptr && who->active && !who->extension.empty();
    };
    dial.form = [](const std::string&) {
        return xmpp::Form{.title = "Call a number",
                          .instructions = "Your own phone rings first.",
                          .fields = {{.var = "number", .label = "Number", .required = true}}};
    };
    dial.run = [this](const xmpp::CommandCall& call, const Done& done) {
        office_.dial(call.bare, call.value("number"),
                     [done](bool good, std::string text) { done({good, std::move(text), {}}); });
    };
    commands.add(std::move(dial));
    add_for_administrators(commands);
}

// ---- chat lines ----

void OperatorCommands::order(const std::string& bare, std::string_view line, Millis now, const Told& told) {
    const auto asked = chat_order(line);
    const auto state = [&](Kind kind, std::string reason = {}, std::string seat = {}) {
        change({.jid = bare, .by = bare, .kind = kind, .reason = std::move(reason), .seat = std::move(seat)},
               [told](bool good, const std::string& text) { told(good, (good ? "You are " : "") + text); });
    };
    switch (asked.kind) {
        case ChatOrder::Kind::help:
            return told(true, chat_help(office_.reasons()));
        case ChatOrder::Kind::state: {
            const auto picture = agents_.picture(bare);
            return told(true, picture ? "You are " + agent_sentence(*picture, office_.reasons())
                                      : std::string("You sign in to no exchange here."));
        }
        case ChatOrder::Kind::ready:
            return state(Kind::ready);
        case ChatOrder::Kind::not_ready:
            return state(Kind::not_ready, reason_code(asked.rest, office_.reasons()));
        case ChatOrder::Kind::login:
            return state(Kind::login, {}, asked.rest);
        case ChatOrder::Kind::logout:
            return state(Kind::logged_out);
        case ChatOrder::Kind::dial:
            return office_.dial_by_chat(bare, asked.rest, told);
        case ChatOrder::Kind::unknown:
            break;
    }
    std::erase_if(puzzled_, [&](const auto& one) { return one.second + puzzled_span <= now; });
    if (puzzled_.size() >= most_puzzled || !puzzled_.emplace(bare, now).second) return;
    told(false, "That is not known here. You may write:\n" + chat_help(office_.reasons()));
}

void OperatorCommands::chat(std::string_view from, std::string_view bare, std::string_view type,
                            std::string_view body, Millis now) {
    const bool of_a_person = type.empty() || type == "chat" || type == "normal";
    if (!of_a_person || body.empty()) return;
    const std::string who(bare), to(from);
    const auto* person = office_.operator_of(bare);
    if (person == nullptr || !person->active) {
        std::erase_if(puzzled_, [&](const auto& one) { return one.second + puzzled_span <= now; });
        if (puzzled_.size() < most_puzzled && puzzled_.emplace(who, now).second)
            office_.say(to, "You are not an operator here; ask the administrator.");
        return;
    }
    office_.seen(bare, from);
    order(who, body, now, [this, to](bool, const std::string& text) { office_.say(to, text); });
}

}  // namespace bridge
