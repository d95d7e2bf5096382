#include "bridge/replay.hpp"

#include <algorithm>
#include <map>
#include <ostream>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "ami/parser.hpp"
#include "bridge/json.hpp"
#include "bridge/trace.hpp"

namespace bridge {

namespace {

class Report {
 public:
    Report(const ReplayOptions& options, std::ostream& out, std::ostream& err)
        : options_(options), out_(out), err_(err) {}

    void take(const Outcome& outcome) {
        for (const Notice& notice : outcome.notices) out_ << notice_line(notice) << '\n';
        for (const crm::CallRow& row : outcome.calls) {
            if (!calls_.contains(row.id)) order_.push_back(row.id);
            calls_[row.id] = row;
        }
        for (const crm::LegRow& row : outcome.legs) {
            const auto key = std::pair(row.uniqueid, row.jid);
            if (!legs_.contains(key)) leg_order_.push_back(key);
            legs_[key] = row;
        }
        if (!options_.explain) return;
        for (const Reason& reason : outcome.reasons)
            err_ << fmt::format("{:>8} {}: {}\n", reason.at.count(), to_string(reason.why),
                                json_text(sentence(reason)));
    }

    void finish() {
        for (const std::string& id : order_) out_ << call_line(calls_[id]) << '\n';
        for (const auto& key : leg_order_) out_ << leg_line(legs_[key]) << '\n';
        out_.flush();
    }

 private:
    static void put(JsonObject& object, std::string_view key, const std::optional<Millis>& value) {
        value ? object.number(key, value->count()) : object.null(key);
    }

    [[nodiscard]] std::string number(const std::string& text) const {
        return options_.normalise && !text.empty() ? options_.normalise(text) : text;
    }

    [[nodiscard]] std::string notice_line(const Notice& n) const {
        JsonObject line;
        line.begin("notice")
            .text("to", n.to)
            .text("pbx", n.pbx)
            .text("leg", n.leg)
            .text("id", n.id)
            .text_or_null("replaces", n.replaces)
            .number("seq", static_cast<std::int64_t>(n.seq))
            .text("state", to_string(n.state))
            .text("direction", word(n.direction))
            .text_or_null("cause", to_string(n.cause))
            .text_or_null("extension", n.extension);
        line.begin("party")
            .text_or_null("number", number(n.party_number))
            .text_or_null("name", n.withheld ? std::string() : n.party_name)
            .end();
        line.text_or_null("dialed", n.dialed).text_or_null("queue", n.queue);
        n.waited ? line.number("waited", *n.waited) : line.null("waited");
        line.text_or_null("service", n.service).begin("variables");
        for (const auto& [name, value] : n.variables) line.text(name, value);
        line.end().text_or_null("request", n.request).number("at_ms", n.at.count());
        return line.str();
    }

    [[nodiscard]] std::string call_line(const crm::CallRow& c) const {
        JsonObject line;
        line.begin("call")
            .text("id", c.id)
            .text("pbx", c.pbx)
            .text("linkedid", c.linkedid)
            .text_or_null("merged_into", c.merged_into)
            .text("direction", word(c.direction))
            .text_or_null("caller_number",
                          c.direction == crm::Direction::inbound ? number(c.caller_number) : c.caller_number)
            .text_or_null("caller_name", c.caller_name)
            .text_or_null("dialed_number",
                          c.direction == crm::Direction::outbound ? number(c.dialed_number) : c.dialed_number)
            .text_or_null("service", c.service)
            .text_or_null("queue", c.queue)
            .text_or_null("module", c.module)
            .text_or_null("record", c.record)
            .text_or_null("label", c.label)
            .number("started_ms", c.started.count());
        put(line, "answered_ms", c.answered);
        put(line, "ended_ms", c.ended);
        put(line, "wait_ms", c.wait);
        put(line, "talk_ms", c.talk);
        line.text_or_null("disposition", word(c.disposition))
            .text_or_null("answered_by", c.answered_by)
            .text_or_null("request", c.request)
            .text_or_null("recording", c.recording)
            .text_or_null("note", c.note)
            .text_or_null("code", c.code);
        return line.str();
    }

    [[nodiscard]] static std::string leg_line(const crm::LegRow& l) {
        JsonObject line;
        line.begin("leg")
            .text("call", l.call)
            .text("leg", l.uniqueid)
            .text("jid", l.jid)
            .text_or_null("extension", l.extension);
        put(line, "offered_ms", l.offered);
        put(line, "answered_ms", l.answered);
        put(line, "ended_ms", l.ended);
        line.text_or_null("cause", l.cause);
        return line.str();
    }

    const ReplayOptions& options_;
    std::ostream& out_;
    std::ostream& err_;
    std::map<std::string, crm::CallRow> calls_;
    std::vector<std::string> order_;
    std::map<std::pair<std::string, std::string>, crm::LegRow> legs_;
    std::vector<std::pair<std::string, std::string>> leg_order_;
};

// In pieces of `chunk` bytes, 0: in those that were read at once; all of it makes the same messages.
std::expected<void, ami::ParseError> feed(std::string_view bytes, const std::vector<Arrival>& arrivals,
                                          std::size_t chunk, const ami::Parser::Sink& sink) {
    ami::Parser parser;
    std::size_t next_arrival = 1;
    for (std::size_t at = 0; at < bytes.size();) {
        std::size_t size = chunk;
        if (size == 0) {
            while (next_arrival < arrivals.size() && arrivals[next_arrival].offset <= at) ++next_arrival;
            size = next_arrival < arrivals.size() ? arrivals[next_arrival].offset - at : bytes.size() - at;
        }
        if (auto fed = parser.feed(bytes.substr(at, size), sink); !fed) return fed;
        at += size;
    }
    return {};
}

int fail(std::ostream& err, const std::string& text) {
    err << "ctibridge replay: " << text << '\n';
    return 2;
}

}  // namespace

std::expected<std::vector<crm::Operator>, std::string> load_people(const std::filesystem::path& file) {
    const auto text = read_file(file);
    if (!text) return std::unexpected(text.error());
    std::vector<crm::Operator> people;
    try {
        const YAML::Node list = YAML::Load(*text);
        if (list.IsNull()) return people;
        if (!list.IsSequence())
            return std::unexpected(fmt::format("{}:1: not a list of people", file.string()));
        for (const YAML::Node& entry : list) {
            const auto fault = [&](const YAML::Node& where, std::string_view what) {
                return std::unexpected(fmt::format("{}:{}: {}", file.string(), where.Mark().line + 1, what));
            };
            if (!entry.IsMap()) return fault(entry, "a person is a map of jid, pbx and extension");
            crm::Operator person;
            struct Field {
                std::string_view key;
                std::string* to;
            };
            const Field fields[] = {{"jid", &person.jid},
                                    {"pbx", &person.pbx},
                                    {"extension", &person.extension},
                                    {"name", &person.name},
                                    {"crm_user", &person.crm_user}};
            for (const auto& pair : entry) {
                const std::string key = pair.first.Scalar();
                if (key == "active") {
                    person.active = pair.second.as<bool>();
                    continue;
                }
                const auto* field = std::find_if(std::begin(fields), std::end(fields),
                                                 [&](const Field& one) { return one.key == key; });
                if (field == std::end(fields))
                    return fault(pair.first, fmt::format("unknown key {}", json_text(key)));
                if (!pair.second.IsScalar()) return fault(pair.second, fmt::format("{} is not a text", key));
                *field->to = pair.second.Scalar();
            }
            if (person.jid.empty() || person.extension.empty())
                return fault(entry, "a person needs jid and extension");
            people.push_back(std::move(person));
        }
    } catch (const YAML::Exception& error) {
        return std::unexpected(fmt::format("{}:{}: {}", file.string(), error.mark.line + 1, error.msg));
    }
    return people;
}

int replay(const ReplayOptions& options, std::ostream& out, std::ostream& err) {
    const auto bytes = read_file(options.trace);
    if (!bytes) return fail(err, bytes.error());
    std::vector<crm::Operator> people = options.operators;
    if (options.people) {
        auto loaded = load_people(*options.people);
        if (!loaded) return fail(err, loaded.error());
        people = std::move(*loaded);
    }
    std::vector<Arrival> arrivals;
    if (options.times) {
        auto read = read_times(*options.times);
        if (!read) return fail(err, read.error());
        arrivals = std::move(*read);
    }
    const auto trace = Trace::load(options.trace, options.times);
    if (!trace) return fail(err, trace.error());

    Desk desk(options.desk);
    desk.set_people(std::move(people));
    desk.set_services(options.services);
    Report report(options, out, err);
    std::size_t index = 0;
    const auto tick_until = [&](Millis until) {
        for (Millis due = desk.next_deadline(); due <= until && due != Millis::max();
             due = desk.next_deadline())
            report.take(desk.tick(due));
    };
    const auto sink = [&](const ami::Message& message) {
        const Millis now = index < trace->blocks().size() ? trace->blocks()[index].at : Millis{0};
        tick_until(now);
        // The recorder's lists of what went on before are a synchronisation, as the daemon's own are.
        if (index == 0 && trace->opening() > 0) desk.sync_begin(now);
        report.take(desk.apply(message, now));
        if (++index == trace->opening()) report.take(desk.sync_end(now));
    };
    if (auto fed = feed(*bytes, arrivals, options.chunk, sink); !fed)
        return fail(err, fmt::format("{}: {}", options.trace.string(), fed.error().text));
    // decisions that waited for evidence the trace no longer has
    tick_until(Millis::max() - Millis{1});
    report.finish();
    return 0;
}

}  // namespace bridge
