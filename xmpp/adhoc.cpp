#include "xmpp/adhoc.hpp"

#include <algorithm>

#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace xmpp {
namespace {

constexpr std::string_view commands_namespace = "http://jabber.org/protocol/commands";
constexpr std::string_view data_namespace = "jabber:x:data";
constexpr std::size_t most_open = 500;       // a hostile user may open any number
constexpr std::size_t longest_value = 1000;  // of a field

void field(Xml& xml, const FormField& one) {
    xml.open("field").attr("var", one.var).attr("type", one.type).attr("label", one.label);
    if (one.required) xml.open("required").close();
    if (!one.value.empty()) xml.open("value").text(one.value).close();
    for (const auto& [value, label] : one.options)
        xml.open("option").attr("label", label).open("value").text(value).close().close();
    xml.close();
}

std::string form_xml(const Form& form) {
    Xml xml;
    xml.open("x").attr("xmlns", data_namespace).attr("type", "form");
    if (!form.title.empty()) xml.open("title").text(form.title).close();
    if (!form.instructions.empty()) xml.open("instructions").text(form.instructions).close();
    for (const auto& one : form.fields) field(xml, one);
    return xml.close().take();
}

std::string table_xml(const FormTable& table) {
    Xml xml;
    xml.open("x").attr("xmlns", data_namespace).attr("type", "result");
    if (!table.title.empty()) xml.open("title").text(table.title).close();
    xml.open("reported");
    for (const auto& [var, label] : table.columns)
        xml.open("field").attr("var", var).attr("label", label).close();
    xml.close();
    for (const auto& row : table.rows) {
        xml.open("item");
        for (std::size_t i = 0; i < table.columns.size() && i < row.size(); ++i)
            xml.open("field").attr("var", table.columns[i].first).open("value").text(row[i]).close().close();
        xml.close();
    }
    return xml.close().take();
}

Xml head(const std::string& node, const std::string& session, std::string_view status) {
    Xml xml;
    xml.open("command").attr("xmlns", commands_namespace).attr("node", node);
    if (!session.empty()) xml.attr("sessionid", session);
    xml.attr("status", status);
    return xml;
}

// What a submitted form says of the fields there are; or which of them is missing or no choice.
struct Filled {
    std::map<std::string, std::string, std::less<>> values;
    std::string fault;
};
Filled filled(const Form& form, pugi::xml_node submitted) {
    Filled result;
    for (const auto& one : form.fields) {
        std::string value;
        for (const auto given : submitted.children("field"))
            if (given.attribute("var").as_string() == one.var) value = given.child("value").text().get();
        const bool choice = one.options.empty() || value.empty() ||
                            std::any_of(one.options.begin(), one.options.end(),
                                        [&](const auto& option) { return option.first == value; });
        if (one.required && value.empty()) result.fault = "\"" + one.label + "\" is missing";
        if (value.size() > longest_value) result.fault = "\"" + one.label + "\" is too long";
        if (!choice) result.fault = "\"" + one.label + "\" is none of the choices";
        if (!result.fault.empty()) return result;
        result.values[one.var] = std::move(value);
    }
    return result;
}

pugi::xml_node submitted_form(const Iq& iq) {
    return iq.payload.find_child([](const pugi::xml_node& node) {
        return std::string_view(node.name()) == "x" &&
               node.attribute("xmlns").as_string() == data_namespace &&
               std::string_view(node.attribute("type").as_string()) == "submit";
    });
}

// Answers at most once, and when it is dropped unanswered too.
struct Answer {
    Responder responder;
    std::string node, session;
    bool given = false;
    void give(const CommandResult& result) {
        if (std::exchange(given, true)) return;
        auto xml = head(node, session, "completed");
        if (!result.table.columns.empty()) xml.raw(table_xml(result.table));
        if (!result.note.empty())
            xml.open("note").attr("type", result.good ? "info" : "error").text(result.note).close();
        responder.result(xml.close().take());
    }
};

}  // namespace

void Commands::add(Command command) {
    commands_.push_back(std::move(command));
}

std::vector<CommandItem> Commands::offered_to(const std::string& bare) const {
    std::vector<CommandItem> items;
    for (const auto& command : commands_)
        if (command.offered(bare)) items.push_back({command.node, command.name});
    return items;
}

void Commands::fill(IqTable& table) {
    table.on(commands_namespace, "command", true,
             [this](const Iq& iq, const Responder& responder) { asked(iq, responder); });
    table.offer([this](const std::string& bare) { return offered_to(bare); });
}

std::string Commands::open_session(const std::string& from, const std::string& node) {
    std::erase_if(open_, [&](const Open& one) { return one.from == from && one.node == node; });
    if (open_.size() >= most_open) open_.pop_front();
    open_.push_back({from, node, new_id()});
    return open_.back().id;
}

bool Commands::close_session(const std::string& from, const std::string& node, const std::string& id) {
    return std::erase_if(open_, [&](const Open& one) {
               return one.from == from && one.node == node && one.id == id;
           }) > 0;
}

void Commands::asked(const Iq& iq, const Responder& responder) {
    const std::string node = iq.payload.attribute("node").as_string();
    const auto found = std::find_if(commands_.begin(), commands_.end(),
                                    [&](const Command& command) { return command.node == node; });
    if (found == commands_.end())
        return responder.error(Condition::item_not_found, "There is no such command.");
    if (!found->offered(iq.bare))
        return responder.error(Condition::forbidden, "This command is not for you.");
    const std::string session = iq.payload.attribute("sessionid").as_string();
    const std::string_view action = iq.payload.attribute("action").as_string("execute");
    if (action == "cancel") {
        close_session(iq.from, node, session);
        return responder.result(head(node, session, "canceled").close().take());
    }
    if (action != "execute" && action != "complete" && action != "next")
        return responder.error(Condition::bad_request, "This action is not known.");
    const auto form = submitted_form(iq);
    const auto asks = found->form ? found->form(iq.bare) : Form{};
    if (!asks.fields.empty() && !form) {
        if (!session.empty())
            return responder.error(Condition::bad_request, "The form was not sent with it.");
        auto xml = head(node, open_session(iq.from, node), "executing");
        xml.open("actions").attr("execute", "complete").open("complete").close().close();
        return responder.result(xml.raw(form_xml(asks)).close().take());
    }
    // A form without a session is a program that knows the fields; with one it must be its own.
    if (!session.empty() && !close_session(iq.from, node, session))
        return responder.error(Condition::bad_request, "This session has ended; begin again.");
    run(*found, iq, form, responder);
}

void Commands::run(const Command& command, const Iq& iq, pugi::xml_node form, const Responder& responder) {
    auto answer = std::make_shared<Answer>(
        Answer{responder, command.node, iq.payload.attribute("sessionid").as_string()});
    auto values = filled(command.form ? command.form(iq.bare) : Form{}, form);
    if (!values.fault.empty()) return answer->give({false, values.fault + ".", {}});
    command.run({iq.from, iq.bare, std::move(values.values)},
                [answer](const CommandResult& result) { answer->give(result); });
}

}  // namespace xmpp
