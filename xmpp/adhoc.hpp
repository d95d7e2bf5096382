// Commands that any standard client can run (XEP-0050), with their forms (XEP-0004). A command is a row of
// the table: who is offered it, what it asks, what it does. One stage: a form, if there is something to ask,
// then the result.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "xmpp/iq.hpp"

namespace xmpp {

struct FormField {
    std::string var{}, label{};
    std::string type = "text-single";  // or list-single, jid-single, boolean
    bool required = false;
    std::string value{};                                         // filled in already
    std::vector<std::pair<std::string, std::string>> options{};  // of list-single: value, label
};
struct Form {
    std::string title{}, instructions{};
    std::vector<FormField> fields{};  // none: there is nothing to ask
};

// Rows of a table as a result; every row has a text for each column.
struct FormTable {
    std::string title{};
    std::vector<std::pair<std::string, std::string>> columns{};  // var, label
    std::vector<std::vector<std::string>> rows{};
};

struct CommandCall {
    std::string from{}, bare{};                                // of who runs it
    std::map<std::string, std::string, std::less<>> values{};  // of the form; only fields it has
    [[nodiscard]] std::string value(std::string_view var) const {
        const auto found = values.find(var);
        return found == values.end() ? std::string() : found->second;
    }
};
struct CommandResult {
    bool good = true;
    std::string note{};  // a person reads it
    FormTable table{};   // without columns: none
};

struct Command {
    std::string node{}, name{};
    std::function<bool(const std::string& bare)> offered{};
    std::function<Form(const std::string& bare)> form{};  // may be empty: nothing to ask
    // `done` is called once, now or later; one that is dropped answers an error.
    std::function<void(const CommandCall&, std::function<void(CommandResult)> done)> run{};
};

class Commands {
 public:
    void add(Command command);
    void fill(IqTable& table);
    [[nodiscard]] std::vector<CommandItem> offered_to(const std::string& bare) const;

 private:
    void asked(const Iq& iq, const Responder& responder);
    void run(const Command& command, const Iq& iq, pugi::xml_node form, const Responder& responder);
    std::string open_session(const std::string& from, const std::string& node);
    bool close_session(const std::string& from, const std::string& node, const std::string& id);

    struct Open {
        std::string from, node, id;
    };
    std::vector<Command> commands_;
    std::deque<Open> open_;  // forms that were sent and not come back yet; the oldest is forgotten first
};

}  // namespace xmpp
