#include "bridge/administrator_commands.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bridge/explain.hpp"
#include "bridge/notice.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

constexpr std::size_t longest_table = 1000;  // rows of one answer: a stanza has its limits

// Lines for people as rows of one column, as clients show them under each other.
xmpp::FormTable lines_of(std::string title, std::string_view text) {
    xmpp::FormTable table{.title = std::move(title), .columns = {{"line", "Line"}}, .rows = {}};
    while (!text.empty() && table.rows.size() < longest_table) {
        const auto end = std::min(text.find('\n'), text.size());
        table.rows.push_back({std::string(text.substr(0, end))});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return table;
}

std::string cut_note(std::size_t all) {
    return all <= longest_table ? std::string() : fmt::format("{} of {} are shown.", longest_table, all);
}

std::string_view yes_no(bool yes) {
    return yes ? "yes" : "no";
}

}  // namespace

xmpp::FormTable AdministratorCommands::operators() const {
    xmpp::FormTable table{.title = "Operators",
                          .columns = {{"jid", "Operator"},
                                      {"name", "Name"},
                                      {"role", "Role"},
                                      {"active", "Active"},
                                      {"pbx", "Exchange"},
                                      {"extension", "Phone"},
                                      {"agent", "Agent"}},
                          .rows = {}};
    for (const auto& who : ports_.operators())
        if (table.rows.size() < longest_table)
            table.rows.push_back({who.jid, who.name, std::string(name_of(who.role)),
                                  std::string(yes_no(who.active)), who.pbx, who.extension,
                                  ports_.agent(who.jid)});
    return table;
}

xmpp::FormTable AdministratorCommands::services() const {
    xmpp::FormTable table{.title = "Services",
                          .columns = {{"name", "Service"},
                                      {"pbx", "Exchange"},
                                      {"direction", "Calls"},
                                      {"enabled", "Enabled"},
                                      {"contexts", "Contexts"},
                                      {"queue", "Queue"},
                                      {"pop", "Pop"},
                                      {"operators", "Operators"}},
                          .rows = {}};
    for (const auto& service : ports_.services())
        if (table.rows.size() < longest_table)
            table.rows.push_back(
                {service.name, service.pbx, std::string(word(service.direction)),
                 std::string(yes_no(service.enabled)), fmt::format("{}", fmt::join(service.contexts, " ")),
                 service.queue, std::string(name_of(service.pop)), fmt::to_string(service.operators.size())});
    return table;
}

xmpp::FormTable AdministratorCommands::dialing() const {
    xmpp::FormTable table{
        .title = "Dialling",
        .columns = {{"pbx", "Exchange"}, {"state", "Dialling"}, {"since", "Since"}, {"by", "By"}},
        .rows = {}};
    const auto& all = ports_.dialing();
    for (const auto& name : ports_.pbx_names()) {
        const auto* off = all.off(name);
        table.rows.push_back({name, off != nullptr ? "off" : "on",
                              off != nullptr ? utc_time(off->since) : std::string(),
                              off != nullptr ? off->by : std::string()});
    }
    return table;
}

xmpp::Form AdministratorCommands::dialing_form() const {
    xmpp::FormField state{.var = "state", .label = "Dialling", .type = "list-single", .value = ""};
    state.options = {{"", "only show how it is"}, {"on", "on"}, {"off", "off: nothing is dialled"}};
    xmpp::FormField place{.var = "pbx", .label = "Exchange", .type = "list-single"};
    place.options.emplace_back("", "all");
    for (const auto& name : ports_.pbx_names()) place.options.emplace_back(name, name);
    return {.title = "Dialling", .instructions = {}, .fields = {std::move(state), std::move(place)}};
}

void AdministratorCommands::switch_dialing(const xmpp::CommandCall& call, const Done& done) {
    const auto state = call.value("state"), place = call.value("pbx");
    if (state.empty()) return done({true, {}, dialing()});
    ports_.switch_dialing(place, state == "on", call.bare);
    done({true,
          fmt::format("Dialling is {} {}.", state == "on" ? "on" : "switched off",
                      place.empty() ? std::string("everywhere") : "at " + place),
          dialing()});
}

void AdministratorCommands::fill(xmpp::Commands& commands) {
    using Run = void (*)(AdministratorCommands&, const xmpp::CommandCall&, const Done&);
    using Ask = xmpp::Form (*)(const AdministratorCommands&);
    struct Row {
        std::string_view node, name;
        Ask form;
        Run run;
    };
    static constexpr Row rows[] = {
        {"status", "State of the bridge", nullptr,
         [](auto& self, const auto&, const auto& done) {
             done({true, {}, lines_of("State of the bridge", self.ports_.status())});
         }},
        {"operators", "Operators", nullptr,
         [](auto& self, const auto&, const auto& done) {
             done({true, cut_note(self.ports_.operators().size()), self.operators()});
         }},
        {"services", "Services", nullptr,
         [](auto& self, const auto&, const auto& done) {
             done({true, cut_note(self.ports_.services().size()), self.services()});
         }},
        {"explain", "Explain a call, an operator or a number",
         [](const auto&) {
             return xmpp::Form{
                 .title = "Explain",
                 .instructions = "Why there was a pop or none, this match, this refusal.",
                 .fields = {{.var = "of", .label = "Call, address or number", .required = true}}};
         },
         [](auto& self, const auto& call, const auto& done) {
             done({true, {}, lines_of("Explanation", self.ports_.explain(call.value("of")))});
         }},
        {"reload", "Read the configuration anew", nullptr,
         [](auto& self, const auto&, const auto& done) {
             auto read = self.ports_.reload();
             done(read ? xmpp::CommandResult{true, std::move(*read), {}}
                       : xmpp::CommandResult{false, std::move(read.error()), {}});
         }},
        {"dialing", "Switch dialling off or on", [](const auto& self) { return self.dialing_form(); },
         [](auto& self, const auto& call, const auto& done) { self.switch_dialing(call, done); }},
    };
    for (const auto& row : rows) {
        xmpp::Command command{.node = std::string(row.node), .name = std::string(row.name)};
        command.offered = [this](const std::string& bare) { return ports_.is_administrator(bare); };
        if (row.form != nullptr)
            command.form = [this, ask = row.form](const std::string&) { return ask(*this); };
        command.run = [this, run = row.run](const xmpp::CommandCall& call, const Done& done) {
            run(*this, call, done);
        };
        commands.add(std::move(command));
    }
}

}  // namespace bridge
