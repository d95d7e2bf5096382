// A roster as YAML: what load_roster() reads. Every text is quoted, so that none is taken for a number or a
// word of YAML.
#include <yaml-cpp/yaml.h>

#include "bridge/roster_file.hpp"
#include "crm/roster.hpp"

namespace bridge {

namespace {

class Writer {
 public:
    explicit Writer(YAML::Emitter& out) : out_(out) {}

    void text(const char* key, std::string_view value) {
        if (!value.empty()) out_ << YAML::Key << key << YAML::Value << quoted(value);
    }
    void word(const char* key, std::string_view value, std::string_view by_default) {
        if (value != by_default) out_ << YAML::Key << key << YAML::Value << std::string(value);
    }
    void flag(const char* key, bool value, bool by_default) {
        if (value != by_default) out_ << YAML::Key << key << YAML::Value << value;
    }
    void list(const char* key, const std::vector<std::string>& values) {
        if (values.empty()) return;
        out_ << YAML::Key << key << YAML::Value << YAML::Flow << YAML::BeginSeq;
        for (const auto& value : values) out_ << quoted(value);
        out_ << YAML::EndSeq;
    }
    template <class All, class Each>
    void all(const char* key, const All& values, Each each) {
        if (values.empty()) return;
        out_ << YAML::Key << key << YAML::Value << YAML::BeginSeq;
        for (const auto& value : values) each(value);
        out_ << YAML::EndSeq;
    }
    YAML::Emitter& raw() { return out_; }

 private:
    struct Quoted {
        std::string text;
        friend YAML::Emitter& operator<<(YAML::Emitter& out, const Quoted& value) {
            return out << YAML::DoubleQuoted << value.text;
        }
    };
    static Quoted quoted(std::string_view value) { return {std::string(value)}; }
    YAML::Emitter& out_;
};

void write(Writer& to, const crm::Operator& one) {
    to.raw() << YAML::BeginMap;
    to.text("jid", one.jid);
    to.text("crm_user", one.crm_user);
    to.text("pbx", one.pbx);
    to.text("extension", one.extension);
    to.list("devices", one.devices);
    to.text("name", one.name);
    to.word("role", name_of(one.role), name_of(crm::Role::agent));
    to.flag("active", one.active, true);
    to.raw() << YAML::EndMap;
}

void write_pop(Writer& to, const crm::Service& one) {
    if (one.pop == crm::PopRule::ringing && one.modules.empty() && one.url.empty()) return;
    to.raw() << YAML::Key << "pop" << YAML::Value << YAML::BeginMap;
    to.word("rule", name_of(one.pop), name_of(crm::PopRule::ringing));
    to.list("modules", one.modules);
    to.text("url", one.url);
    to.raw() << YAML::EndMap;
}

void write_wrap_up(Writer& to, const crm::Service& one) {
    if (one.wrap_up.count() == 0 && one.codes.empty()) return;
    to.raw() << YAML::Key << "wrap_up" << YAML::Value << YAML::BeginMap;
    if (one.wrap_up.count() != 0) to.word("time", std::to_string(one.wrap_up.count() / 1000) + "s", "");
    to.all("codes", one.codes, [&](const crm::WrapUpCode& code) {
        to.raw() << YAML::Flow << YAML::BeginMap;
        to.text("code", code.code);
        to.text("label", code.label);
        to.raw() << YAML::EndMap;
    });
    to.raw() << YAML::EndMap;
}

void write(Writer& to, const crm::Service& one) {
    to.raw() << YAML::BeginMap;
    to.text("name", one.name);
    to.text("pbx", one.pbx);
    to.list("contexts", one.contexts);
    to.word("direction", one.direction == crm::Direction::outbound ? "outbound" : "inbound", "inbound");
    to.text("queue", one.queue);
    to.flag("enabled", one.enabled, true);
    to.text("language", one.language);
    to.text("skill", one.skill);
    to.list("variables", one.variables);
    write_pop(to, one);
    write_wrap_up(to, one);
    to.text("caller_id", one.caller_id);
    to.all("operators", one.operators, [&](const crm::ServiceOperator& person) {
        to.raw() << YAML::Flow << YAML::BeginMap;
        to.text("jid", person.jid);
        if (person.penalty != 0) to.raw() << YAML::Key << "penalty" << YAML::Value << person.penalty;
        to.flag("supervisor", person.supervisor, false);
        to.raw() << YAML::EndMap;
    });
    to.raw() << YAML::EndMap;
}

void write(Writer& to, const crm::Seat& one) {
    to.raw() << YAML::BeginMap;
    to.text("id", one.id);
    to.text("pbx", one.pbx);
    to.text("extension", one.extension);
    to.list("devices", one.devices);
    to.list("keys", one.keys);
    to.text("place", one.place);
    to.raw() << YAML::EndMap;
}

}  // namespace

std::string roster_yaml(crm::Roster roster) {
    crm::sort(roster);
    YAML::Emitter out;
    Writer to(out);
    const auto each = [&](const auto& one) { write(to, one); };
    out << YAML::BeginMap;
    to.all("operators", roster.operators, each);
    to.all("services", roster.services, each);
    to.all("seats", roster.seats, each);
    out << YAML::EndMap;
    return std::string(out.c_str()) + '\n';
}

}  // namespace bridge
