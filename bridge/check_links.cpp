// The two network links of check(): each connects once, as the daemon would, and looks at what it is told.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "ami/action.hpp"
#include "bridge/check.hpp"
#include "bridge/protocols.hpp"

namespace bridge {

namespace {

using namespace std::chrono_literals;

// What is needed of ListCommands, by the action that stands for a right.
struct Right {
    std::string_view action, write_class, without_it;
    Level level;
};
constexpr std::array rights{
    Right{"Status", "call or reporting", "calls that go on when the bridge starts or reconnects are not seen",
          Level::error},
    Right{"Originate", "originate", "click-to-dial is refused", Level::error},
    Right{"Hangup", "call", "hanging up from the client, and cancelling a click-to-dial, is refused",
          Level::error},
    Right{"Setvar", "call", "the CRM record cannot be written into the CDR of inbound calls", Level::warning},
    Right{"Redirect", "call", "transfer from the client is refused", Level::warning},
    Right{"QueueAdd", "agent", "queue login and pause are refused", Level::warning},
    Right{"ExtensionState", "call or reporting", "line states are not known at the start", Level::warning},
};
struct Danger {
    std::string_view action, write_class;
};
constexpr std::array dangers{Danger{"Command", "command"}, Danger{"UpdateConfig", "config"},
                             Danger{"ModuleLoad", "system"}};

struct Peer {  // where to look when a host does not answer
    std::string area, address, mend_reach, mend_login;
};

// Runs the loop until `decided`, or until the time is up.
template <class Decided>
bool run_until(boost::asio::io_context& io, std::chrono::milliseconds most, Decided decided) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (!decided() && std::chrono::steady_clock::now() < end) {
        if (io.stopped()) io.restart();
        io.run_one_for(50ms);
    }
    return decided();
}

class PbxProbe final : public ami::SessionHandler {
 public:
    void on_message(const ami::Message&) override {}
    void on_state(ami::SessionState state, std::string_view) override {
        state_ = state;
        if (state == ami::SessionState::syncing) booted_ = true;
    }
    [[nodiscard]] ami::SessionState state() const { return state_; }
    [[nodiscard]] bool booted() const { return booted_; }

 private:
    ami::SessionState state_ = ami::SessionState::closed;
    bool booted_ = false;
};

class XmppProbe final : public xmpp::ComponentHandler {
 public:
    void on_state(xmpp::StreamState state, std::string_view detail) override {
        state_ = state;
        if (!detail.empty()) detail_ = detail;
    }
    void on_presence(const xmpp::Presence&) override {}
    void on_message(std::string_view, std::string_view, std::string_view, std::string_view) override {}
    bool on_phone_query(std::string_view, std::string_view) override { return false; }
    [[nodiscard]] xmpp::StreamState state() const { return state_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
    xmpp::StreamState state_ = xmpp::StreamState::closed;
    std::string detail_;
};

// Keeps what a protocol said last when its link has dropped it.
template <class Adapter>
class Watched final : public Protocol {
 public:
    template <class... Args>
    explicit Watched(std::function<void(Adapter&, std::string_view)> over, Args&&... args)
        : inner_(std::forward<Args>(args)...), over_(std::move(over)) {}
    [[nodiscard]] Adapter& inner() { return inner_; }
    void opened(Millis now) override { inner_.opened(now); }
    void received(std::string_view bytes, Millis now) override { inner_.received(bytes, now); }
    void closed(std::string_view reason, Millis now) override {
        inner_.closed(reason, now);
        over_(inner_, reason);
    }
    void tick(Millis now) override { inner_.tick(now); }
    [[nodiscard]] Millis next_deadline() const override { return inner_.next_deadline(); }
    [[nodiscard]] std::string take_output() override { return inner_.take_output(); }
    [[nodiscard]] bool wants_close() const override { return inner_.wants_close(); }
    [[nodiscard]] std::optional<Millis> retry_after() const override { return inner_.retry_after(); }
    [[nodiscard]] bool was_up() const override { return inner_.was_up(); }

 private:
    Adapter inner_;
    std::function<void(Adapter&, std::string_view)> over_;
};

// One connection as the daemon would make it. `over` is told the protocol's last state when the link drops
// it.
template <class Adapter>
class Trial {
 public:
    template <class... Args>
    Trial(const Peer& peer, Endpoint endpoint, std::function<void(Adapter&)> over, Args&... args)
        : link_(
              io_, peer.area, std::move(endpoint), ReconnectPolicy{Millis{600000}, Millis{600000}, 1},
              [this, over = std::move(over), &args...] {
                  auto made = std::make_unique<Watched<Adapter>>(
                      [this, over](Adapter& protocol, std::string_view why) {
                          over(protocol);
                          reason_ = why;
                          lost_ = true;
                          live_ = nullptr;
                      },
                      args...);
                  live_ = made.get();
                  return made;
              },
              [this](int, std::string_view line) {
                  if (reason_.empty()) reason_ = line;
              }) {
        link_.on_first_attempt([this] { attempted_ = true; });
        link_.start();
    }
    // Until `done`, or the link is lost, or the time is up.
    template <class Done>
    void run(std::chrono::milliseconds most, Done done) {
        run_until(io_, most, [&] { return lost_ || done(); });
    }
    template <class Up>
    void connect(std::chrono::milliseconds most, Up up) {
        run(most, [&] { return up() || (attempted_ && live_ == nullptr); });
    }
    void poke() { link_.poke(); }
    void stop() {
        link_.stop();
        run(1s, [] { return false; });
    }
    [[nodiscard]] bool lost() const { return lost_; }
    [[nodiscard]] const std::string& reason() const { return reason_; }
    [[nodiscard]] Adapter* live() { return live_ == nullptr ? nullptr : &live_->inner(); }

 private:
    boost::asio::io_context io_;
    bool attempted_ = false, lost_ = false;
    std::string reason_;
    Watched<Adapter>* live_ = nullptr;
    Link link_;
};

// Name, port, TLS: the same texts for both links.
Finding unreachable(const Peer& peer, std::string_view reason) {
    return {Level::error, peer.area, fmt::format("{} cannot be reached: {}", peer.address, reason),
            "no call is seen and nobody gets a pop", peer.mend_reach};
}

}  // namespace

Findings judge_rights(std::string_view area, const std::vector<std::string>& actions) {
    Findings found;
    const auto may = [&](std::string_view action) {
        return std::ranges::find(actions, action) != actions.end();
    };
    for (const auto& right : rights)
        if (!may(right.action))
            found.push_back(
                {right.level, std::string(area), fmt::format("the manager user may not {}", right.action),
                 std::string(right.without_it),
                 fmt::format("add write class {} to the user in manager.conf (etc/asterisk/manager.conf), "
                             "then `asterisk -rx \"manager reload\"`",
                             right.write_class)});
    for (const auto& danger : dangers)
        if (may(danger.action))
            found.push_back(
                {Level::warning, std::string(area), fmt::format("the manager user may {}", danger.action),
                 "who has this password controls the whole exchange; the bridge does not need it",
                 fmt::format("remove write class {} from the user in manager.conf", danger.write_class)});
    if (found.empty())
        found.push_back({Level::ok, std::string(area),
                         "the manager user's rights are sufficient, and not too many", "", ""});
    return found;
}

Findings check_pbx(const PbxConfig& pbx) {
    const Peer peer{"pbx " + pbx.name, fmt::format("{}:{}", pbx.host, pbx.port),
                    "compare pbx host, port and tls with `bindaddr`, `port` and `tlsbindaddr` in "
                    "manager.conf; is Asterisk running "
                    "(`asterisk -rx \"manager show settings\"`), does a firewall stand between?",
                    "compare username and secret with the section in manager.conf, and its permit and deny "
                    "lines with this host"};
    PbxProbe probe;
    std::string failure_text;
    ami::Failure failure = ami::Failure::network;
    ami::SessionConfig session;
    session.username = pbx.username;
    session.secret = pbx.secret;
    const auto over = [&](AmiProtocol& protocol) {
        failure = protocol.session().failure();
        failure_text = protocol.session().failure_text();
    };
    Trial<AmiProtocol> trial(peer, Endpoint{pbx.host, pbx.port, pbx.tls, Millis{5000}}, over, session, probe);
    const auto up = [&] { return probe.state() == ami::SessionState::up; };
    trial.connect(20s, up);

    Findings found;
    if (trial.live() == nullptr || !up()) {
        const std::string text = failure_text.empty() ? trial.reason() : failure_text;
        if (trial.lost() && failure == ami::Failure::credentials)
            found.push_back({Level::error, peer.area,
                             fmt::format("Asterisk refuses the login of {}: {}", pbx.username, text),
                             "no call is seen and nobody gets a pop", peer.mend_login});
        else if (trial.lost() && failure == ami::Failure::not_ami)
            found.push_back({Level::error, peer.area,
                             fmt::format("{} is not Asterisk's manager interface: {}", peer.address, text),
                             "no call is seen and nobody gets a pop",
                             "use the port of manager.conf (5038, or 5039 for TLS), not SIP's or HTTP's"});
        else
            found.push_back(unreachable(peer, text.empty() ? "no answer within 20 s" : text));
        return found;
    }
    auto& ready = trial.live()->session();
    found.push_back(
        {Level::ok, peer.area,
         fmt::format("{} is Asterisk {}, AMI {}, login as {} accepted", peer.address,
                     ready.asterisk_version().empty() ? "of unknown version" : ready.asterisk_version(),
                     ready.version(), pbx.username),
         "", ""});
    bool answered = false;
    std::vector<std::string> actions;
    ami::Action list{"ListCommands", {}};
    const auto sent = ready.submit(list, steady_now(), [&](const ami::Reply& reply) {
        answered = true;
        if (!reply.ok() || reply.response == nullptr) return;
        for (const auto& header : reply.response->headers()) actions.emplace_back(header.name);
    });
    trial.poke();
    if (sent) trial.run(6s, [&] { return answered; });
    if (actions.empty())
        found.push_back({Level::warning, peer.area,
                         "the manager user's rights could not be read (ListCommands)",
                         "what is missing shows only when it is used",
                         "see etc/asterisk/manager.conf for the rights needed"});
    else
        std::ranges::move(judge_rights(peer.area, actions), std::back_inserter(found));
    if (!probe.booted())
        found.push_back({Level::warning, peer.area, "Asterisk did not say FullyBooted",
                         "a restart of Asterisk cannot be told from a lost link",
                         "add read class system to the user in manager.conf"});
    if (!pbx.tls && pbx.allow_plaintext)
        found.push_back({Level::warning, peer.area, "the connection is not encrypted",
                         "the password's hash and every call cross the network readable",
                         "tlsenable = yes in manager.conf and tls: {ca: FILE} here"});
    trial.stop();
    return found;
}

Findings check_xmpp(const XmppConfig& xmpp_config) {
    const Peer peer{"xmpp", fmt::format("{}:{}", xmpp_config.host, xmpp_config.port),
                    "compare xmpp host, port and tls with the server: Openfire 5275 (TLS 5276), Prosody "
                    "component_ports (5347), "
                    "ejabberd's ejabberd_service listener",
                    ""};
    XmppProbe probe;
    xmpp::IqTable table;
    xmpp::Failure failure = xmpp::Failure::network;
    xmpp::ComponentConfig component;
    component.domain = xmpp_config.component;
    component.secret = xmpp_config.secret;
    component.user_domain = xmpp_config.user_domain;
    component.spark = xmpp_config.spark;
    const auto over = [&](XmppProtocol& protocol) { failure = protocol.component().failure(); };
    Trial<XmppProtocol> trial(peer,
                              Endpoint{xmpp_config.host, xmpp_config.port, xmpp_config.tls, Millis{5000}},
                              over, component, table, probe);
    const auto up = [&] { return probe.state() == xmpp::StreamState::up; };
    trial.connect(15s, up);

    Findings found;
    if (trial.live() == nullptr || !up()) {
        const std::string text = probe.detail().empty() ? trial.reason() : probe.detail();
        if (trial.lost() && failure == xmpp::Failure::credentials)
            found.push_back(
                {Level::error, "xmpp",
                 fmt::format("{} refuses component {}: {}", peer.address, xmpp_config.component, text),
                 "nobody gets a pop and nobody can dial",
                 "compare name and secret with the server (Openfire: Server Settings - External Components; "
                 "Prosody: "
                 "Component and component_secret; ejabberd: hosts of the ejabberd_service listener)"});
        else if (trial.lost() && failure == xmpp::Failure::conflict)
            found.push_back(
                {Level::note, "xmpp",
                 fmt::format("{}: the name {} is connected already", peer.address, xmpp_config.component),
                 "that is the running daemon, another bridge, or a dead connection the server "
                 "has not noticed yet",
                 "nothing, if the daemon is running; else wait some minutes, or end the session "
                 "at the server"});
        else
            found.push_back({Level::error, "xmpp",
                             fmt::format("{} cannot be reached as an XMPP component: {}", peer.address,
                                         text.empty() ? "no answer within 15 s" : text),
                             "nobody gets a pop and nobody can dial", peer.mend_reach});
        return found;
    }
    found.push_back({Level::ok, "xmpp",
                     fmt::format("{} accepts component {}", peer.address, xmpp_config.component), "", ""});
    bool marked = false, echoed = false;
    trial.live()->component().mark([&](bool read) {
        marked = true;
        echoed = read;
    });
    trial.poke();
    trial.run(6s, [&] { return marked; });
    if (!echoed)
        found.push_back(
            {Level::error, "xmpp", "the server accepts the component, but does not answer it",
             "notices would not arrive",
             fmt::format("is {} a host of this server? See the server's log", xmpp_config.component)});
    if (!xmpp_config.tls && xmpp_config.allow_plaintext)
        found.push_back({Level::warning, "xmpp", "the connection is not encrypted",
                         "every caller's name crosses the network readable",
                         "use the server's TLS component port (Openfire 5276) and tls: {ca: FILE}"});
    trial.stop();
    return found;
}

}  // namespace bridge
