#include "xmpp/component.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <utility>

#include "xmpp/service.hpp"
#include "xmpp/stream.hpp"
#include "xmpp/xml.hpp"

namespace xmpp {
namespace {

// What a stream error means for the next attempt, and what an administrator should do about it.
struct FailureRow {
    std::string_view condition;
    bool in_handshake;  // only before the handshake is done; later the condition means something else
    Failure failure;
    std::string_view remedy;
};

constexpr std::string_view name_taken =
    "another connection has this component's name: a second bridge, or a dead connection of ours";

constexpr std::array failures{
    FailureRow{"not-authorized", false, Failure::credentials,
               "xmpp.secret is not the one the server has for this component (ejabberd says the same of a "
               "name it does not know)"},
    FailureRow{"host-unknown", false, Failure::credentials,
               "the server has no component of this name: add it there or change xmpp.component"},
    FailureRow{"invalid-namespace", true, Failure::credentials,
               "this is no port for components: see xmpp.port"},
    FailureRow{"internal-server-error", true, Failure::credentials,
               "Openfire has no secret for components: set one"},
    FailureRow{"conflict", false, Failure::conflict, name_taken},
    FailureRow{"system-shutdown", false, Failure::network, "the server is going down"},
    FailureRow{"connection-timeout", false, Failure::network, "the server gave the connection up"},
    FailureRow{"reset", false, Failure::network, "the server wants a new connection"},
    FailureRow{"remote-connection-failed", false, Failure::network,
               "the server lost a connection of its own"},
    FailureRow{"resource-constraint", false, Failure::network, "the server is short of resources"},
    FailureRow{"internal-server-error", false, Failure::network,
               "the server has a fault of its own: see its log"},
};

std::string text_of(pugi::xml_node stanza, const char* child) {
    return stanza.child(child).text().get();
}

}  // namespace

struct Component::Impl {
    struct Asked {
        std::string to;
        std::function<void(const IqAnswer&)> answered;
        std::vector<std::function<void(bool)>> marks;
        Millis span{0};
        std::optional<Millis> deadline;  // set at the next tick: senders have no clock
        bool is_ping = false;
    };

    Impl(ComponentConfig c, const IqTable& t, ComponentHandler& h)
        : config(std::move(c)), table(t), handler(h) {
        config.domain = bare_jid(config.domain);
        config.user_domain = bare_jid(config.user_domain);
        output->limit = config.queue_limit;
    }

    void opened() {
        stream.emplace(
            config.domain, config.secret, GuardLimits{config.stanza_limit, config.depth_limit}, output->bytes,
            Stream::Handler{[this] { on_up(); }, [this](pugi::xml_node s, bool cut) { on_stanza(s, cut); },
                            [this](std::string_view c, std::string_view t) { on_down(c, t); }});
        state = StreamState::handshake;
        began = now;
        stream->open();
        handler.on_state(state, "connected, shaking hands");
    }

    void on_up() {
        state = StreamState::up;
        output->up = true;
        next_ping = now + config.ping_interval;
        handler.on_state(state, {});
    }

    void on_down(std::string_view condition, std::string_view text) {
        if (condition.empty()) return lose(std::string(text));
        std::string why = "stream error " + std::string(condition);
        if (!text.empty()) why += " (" + std::string(text.substr(0, 200)) + ")";
        const auto* row = std::find_if(failures.begin(), failures.end(), [&](const auto& r) {
            return r.condition == condition && (!r.in_handshake || state == StreamState::handshake);
        });
        if (row == failures.end()) return fail(Failure::protocol, why);
        fail(row->failure, why + ": " + std::string(row->remedy));
    }

    // The stream has ended without a stream error. Openfire 5 tells a second connection of one name no
    // conflict: it answers with a header without an id and closes.
    void lose(std::string why) {
        if (state == StreamState::handshake && stream && stream->nameless())
            return fail(Failure::conflict, std::string(name_taken) + " (the server refused without a word)");
        fail(Failure::network, std::move(why));
    }

    void fail(Failure what, std::string why) {
        if (state == StreamState::closed) return;
        state = StreamState::closed;
        output->up = false;
        failure = what;
        detail = std::move(why);
        if (stream) stream->close();
        for (auto& [id, asked] : std::exchange(waiting, {})) settle(asked, {});
        handler.on_state(state, detail);
    }

    static void settle(Asked& asked, const IqAnswer& answer) {
        const bool lives = answer.kind == IqAnswer::Kind::result || answer.kind == IqAnswer::Kind::error;
        for (auto& mark : asked.marks) mark(lives);
        if (asked.answered) asked.answered(answer);
    }

    void tick() {
        for (auto& [id, asked] : waiting) {
            if (!asked.deadline) asked.deadline = now + asked.span;
        }
        if (state == StreamState::handshake && now >= began + config.handshake_deadline) {
            return fail(Failure::network, "the server has not answered the handshake in time");
        }
        if (std::any_of(waiting.begin(), waiting.end(), [&](const auto& entry) {
                return entry.second.is_ping && now >= *entry.second.deadline;
            })) {
            return fail(Failure::network,
                        "the server has not answered a ping in time: it hangs, or the network does");
        }
        std::vector<Asked> late;
        for (auto it = waiting.begin(); it != waiting.end();) {
            if (now < *it->second.deadline) {
                ++it;
            } else {
                late.push_back(std::move(it->second));
                it = waiting.erase(it);
            }
        }
        for (auto& asked : late) settle(asked, {IqAnswer::Kind::timeout, {}, {}});
        if (state == StreamState::up && now >= next_ping) {
            ping();
            waiting.at(last_ping).deadline = now + config.ping_deadline;
        }
    }

    [[nodiscard]] Millis next_deadline() const {
        if (state == StreamState::closed) return Millis::max();
        if (state == StreamState::handshake) return began + config.handshake_deadline;
        Millis next = next_ping;
        for (const auto& [id, asked] : waiting) next = std::min(next, asked.deadline.value_or(now));
        return next;
    }

    // ---- what we ask

    std::string ask(std::string_view to, bool set, std::string_view payload, Asked asked) {
        auto id = new_id();
        Xml xml;
        xml.open("iq")
            .attr("type", set ? "set" : "get")
            .attr("from", config.domain)
            .attr("to", to)
            .attr("id", id)
            .raw(payload)
            .close();
        asked.to = bare_jid(to);
        if (const auto slash = to.find('/'); slash != std::string_view::npos) asked.to += to.substr(slash);
        if (!asked.is_ping && !output->append(xml.str())) {
            settle(asked, {});
            return {};
        }
        if (asked.is_ping)
            output->bytes += xml.str();  // never refused: it is what finds out why the queue is full
        waiting.emplace(id, std::move(asked));
        return id;
    }

    void ping() {
        Asked asked;
        asked.is_ping = true;
        asked.span = config.ping_deadline;
        last_ping = ask(config.user_domain, false, "<ping xmlns='urn:xmpp:ping'/>", std::move(asked));
        next_ping = now + config.ping_interval;
        bytes_at_ping = output->bytes.size();
    }

    void mark(std::function<void(bool)> read) {
        if (state != StreamState::up) return read(false);
        // Nothing has been queued since the last ping, and it has not left yet: it serves again.
        const auto last = waiting.find(last_ping);
        if (last != waiting.end() && bytes_at_ping == output->bytes.size() && bytes_at_ping != 0) {
            last->second.marks.push_back(std::move(read));
            return;
        }
        ping();
        waiting.at(last_ping).marks.push_back(std::move(read));
    }

    // ---- what comes in

    void on_stanza(pugi::xml_node stanza, bool was_cut) {
        const std::string_view kind = stanza.name(), type = stanza.attribute("type").value();
        const std::string from = stanza.attribute("from").value(), to = stanza.attribute("to").value();
        const bool answers = kind == "iq" && (type == "result" || type == "error");
        if (answers) return on_answer(stanza, from, type);
        if (type == "error") return void(++counters.errors);
        if (domain_of(to) != config.domain) return void(++counters.misdirected);
        const auto bare = bare_jid(from);
        const auto domain = domain_of(from);
        if (bare.empty() || domain == config.domain) return void(++counters.impossible);
        if (kind == "iq") return on_request(stanza, from, to, bare, domain == config.user_domain, was_cut);
        if (kind != "message" && kind != "presence") return void(++counters.misdirected);
        if (domain != config.user_domain) return void(++counters.foreign);
        if (kind == "message") {
            if (!was_cut) handler.on_message(from, to, type, text_of(stanza, "body"));
            return;
        }
        Presence presence{
            from, bare, to, std::string(type), text_of(stanza, "show"), text_of(stanza, "status"), 0};
        const std::string priority = text_of(stanza, "priority");
        std::from_chars(priority.data(), priority.data() + priority.size(), presence.priority);
        handler.on_presence(presence);
    }

    // Openfire matches answers by id alone, and so may users guess: the sender must be who was asked.
    void on_answer(pugi::xml_node stanza, const std::string& from, std::string_view type) {
        const auto found = waiting.find(stanza.attribute("id").value());
        if (found == waiting.end()) return void(++counters.errors);
        auto sender = bare_jid(from);
        if (const auto slash = from.find('/'); slash != std::string::npos) sender += from.substr(slash);
        const bool from_server = found->second.is_ping && (from.empty() || sender == config.domain);
        if (sender != found->second.to && !from_server) return void(++counters.impossible);
        auto asked = std::move(found->second);
        waiting.erase(found);
        IqAnswer answer{IqAnswer::Kind::result, {}, {}};
        if (type == "error") {
            answer.kind = IqAnswer::Kind::error;
            for (const auto child : stanza.child("error").children()) {
                if (child.type() == pugi::node_element && std::string_view(child.name()) != "text") {
                    answer.condition = child.name();
                    break;
                }
            }
        } else {
            answer.payload = first_element(stanza);
        }
        settle(asked, answer);
    }

    static pugi::xml_node first_element(pugi::xml_node stanza) {
        return stanza.find_child([](pugi::xml_node node) { return node.type() == pugi::node_element; });
    }

    void on_request(pugi::xml_node stanza, const std::string& from, const std::string& to,
                    const std::string& bare, bool ours, bool was_cut) {
        const std::string_view type = stanza.attribute("type").value();
        Iq iq{type == "set", stanza.attribute("id").value(), from, to, bare, first_element(stanza)};
        if (iq.id.empty()) return void(++counters.impossible);
        const Responder responder(std::make_shared<Responder::State>(output, from, to, iq.id));
        if (was_cut)
            return responder.error(Condition::not_acceptable,
                                   "The request is larger or nested deeper than is read here.");
        if (type != "get" && type != "set")
            return responder.error(Condition::bad_request, "An iq is a get or a set.");
        if (!iq.payload) return responder.error(Condition::bad_request, "The request is empty.");
        const std::string_view xmlns = iq.payload.attribute("xmlns").value(), element = iq.payload.name();
        if (answer_standard(iq, facts(bare, ours), responder)) return;
        if (!table.knows(xmlns))
            return responder.error(Condition::service_unavailable, "This is not known here.");
        if (!ours) {
            ++counters.foreign;
            return responder.error(Condition::forbidden,
                                   "Only users of " + config.user_domain + " are served here.");
        }
        if (const auto* handle = table.find(xmlns, element, iq.set)) return (*handle)(iq, responder);
        if (!table.knows(xmlns, element))
            return responder.error(Condition::feature_not_implemented, "There is no such request.");
        responder.error(Condition::bad_request, iq.set ? "This can only be asked for (type='get')."
                                                       : "This is an order (type='set').");
    }

    [[nodiscard]] ServiceFacts facts(const std::string& bare, bool ours) {
        return {config.domain,
                config.spark,
                std::chrono::duration_cast<std::chrono::seconds>(now - config.started.value_or(began)),
                table.namespaces(),
                ours ? table.offered_to(bare) : std::vector<CommandItem>{},
                [this, ours](const std::string& from, const std::string& node) {
                    return ours && handler.on_phone_query(from, node);
                }};
    }

    ComponentConfig config;
    const IqTable& table;
    ComponentHandler& handler;
    std::shared_ptr<Output> output = std::make_shared<Output>();
    std::optional<Stream> stream;
    StreamState state = StreamState::closed;
    Failure failure = Failure::network;
    std::string detail;
    Millis now{0}, began{0}, next_ping{0};
    std::map<std::string, Asked> waiting;
    std::string last_ping;
    std::size_t bytes_at_ping = 0;
    ComponentCounters counters;
};

Component::Component(ComponentConfig config, const IqTable& table, ComponentHandler& handler)
    : impl_(std::make_unique<Impl>(std::move(config), table, handler)) {}
Component::~Component() = default;

void Component::opened(Millis now) {
    impl_->now = now;
    impl_->opened();
}

void Component::received(std::string_view bytes, Millis now) {
    impl_->now = now;
    if (impl_->state != StreamState::closed) impl_->stream->feed(bytes);
}

void Component::closed(std::string_view reason, Millis now) {
    impl_->now = now;
    impl_->lose(std::string(reason));
}

void Component::tick(Millis now) {
    impl_->now = now;
    impl_->tick();
}

Millis Component::next_deadline() const {
    return impl_->next_deadline();
}

std::string Component::take_output() {
    impl_->bytes_at_ping = 0;
    return std::exchange(impl_->output->bytes, {});
}

bool Component::wants_close() const {
    return impl_->stream && impl_->state == StreamState::closed;
}
Failure Component::failure() const {
    return impl_->failure;
}
bool Component::send(std::string_view stanza) {
    return impl_->output->append(stanza);
}
void Component::mark(std::function<void(bool read)> read) {
    impl_->mark(std::move(read));
}

void Component::request(std::string_view to, bool set, std::string_view payload_xml,
                        std::function<void(const IqAnswer&)> answered, Millis deadline) {
    Impl::Asked asked;
    asked.answered = std::move(answered);
    asked.span = deadline;
    impl_->ask(to, set, payload_xml, std::move(asked));
}

void Component::stop() {
    impl_->fail(Failure::network, "stopped");
}
StreamState Component::state() const {
    return impl_->state;
}
const std::string& Component::detail() const {
    return impl_->detail;
}

ComponentCounters Component::counters() const {
    auto counters = impl_->counters;
    counters.cut = impl_->stream ? impl_->stream->cut() : 0;
    return counters;
}

}  // namespace xmpp
