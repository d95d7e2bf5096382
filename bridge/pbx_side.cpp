#include "bridge/pbx_side.hpp"

#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/core.h>

#include "bridge/printable.hpp"
#include "bridge/protocols.hpp"

namespace bridge {

namespace {
constexpr std::size_t longest_variables = 800;  // of one header, whose line Asterisk reads up to 1024 bytes
constexpr std::size_t gaps_kept = 20;
}  // namespace

struct PbxSide::Timer {
    explicit Timer(boost::asio::io_context& io) : timer(io) {}
    boost::asio::steady_timer timer;
    Millis armed{Millis::max()};
};

PbxSide::PbxSide(boost::asio::io_context& io, const PbxConfig& config, AgentsConfig agents, Events events,
                 Logger& log)
    : io_(io),
      config_(config),
      events_(std::move(events)),
      log_(log),
      desk_(DeskConfig{.pbx = config.name, .channels = config.channels, .extensions = config.extensions}),
      agents_(io, std::move(agents),
              {.submit = [this](const ami::Action& action, bool list,
                                ami::Session::Done done) { submit(action, list, std::move(done)); },
               .told = [this](AgentOutcome&& outcome) { events_.agents(*this, std::move(outcome)); }}),
      timer_(std::make_unique<Timer>(io)),
      since_(wall_now()) {
    session_config_.username = config.username;
    session_config_.secret = config.secret;
    set_services({});
    link_ = std::make_unique<Link>(
        io, "pbx:" + config.name, Endpoint{config.host, config.port, config.tls}, config.reconnect,
        [this] {
            session_events_ = session_config_.events;
            return std::make_unique<AmiProtocol>(
                session_config_, *this, [this](std::string_view bytes, Millis now) { heard(bytes, now); });
        },
        [this](int priority, std::string_view line) { log_(priority, line); });
}

PbxSide::~PbxSide() = default;

void PbxSide::set_services(const std::vector<crm::Service>& services) {
    desk_.set_services(services);
    services_.set(services, config_.name);
    std::string events = services_.need_dialplan_events()
                             ? fmt::format("{},dialplan", ami::SessionConfig{}.events)
                             : ami::SessionConfig{}.events;
    // What the dialplan may have set before we came (docs/design.md, section 9).
    session_config_.sync_variables = {"FROM_DID", "CALLINGNUMPRES_SV", "CTI_NAME"};
    std::size_t line = 0;
    for (const std::string& name : services_.interest().variables) {
        line += name.size() + 1;
        if (line <= longest_variables) session_config_.sync_variables.push_back(name);
    }
    session_config_.events = std::move(events);
    choose_events();
}

// A session that logged in before the services were known has the classes of that time.
void PbxSide::choose_events() {
    auto* session_now = session();
    if (session_now == nullptr || session_now->state() != ami::SessionState::up ||
        session_events_ == session_config_.events)
        return;
    session_events_ = session_config_.events;
    log_(log_info, fmt::format("pbx={} events={}", config_.name, session_events_));
    submit(ami::events(session_events_), [this](const ami::Reply& reply) {
        if (!reply.ok())
            log_(log_warning,
                 fmt::format("pbx={} its events could not be chosen: {}", config_.name, reply.message));
    });
}

void PbxSide::start(std::function<void()> first_attempt_decided) {
    link_->on_first_attempt(std::move(first_attempt_decided));
    link_->start();
}

void PbxSide::stop() {
    timer_->timer.cancel();
    agents_.close();
    link_->stop();
}

ami::Session* PbxSide::session() const {
    auto* protocol = link_ ? static_cast<AmiProtocol*>(link_->protocol()) : nullptr;
    return protocol != nullptr ? &protocol->session() : nullptr;
}

std::string PbxSide::version() const {
    auto* session_now = session();
    return session_now != nullptr ? session_now->version() : std::string();
}

std::expected<void, std::string> PbxSide::listen(const std::shared_ptr<Listener>& listener) {
    if (!up_ || version().empty())
        return std::unexpected(fmt::format("the link to {} is down", config_.name));
    Ear ear{listener, Cleaner("Asterisk Call Manager/" + version() + "\r\n")};
    if (!between_messages_) ear.cleaner.skip_rest();
    ears_.push_back(std::move(ear));
    return {};
}

void PbxSide::heard(std::string_view bytes, Millis now) {
    between_messages_ = bytes.ends_with("\r\n\r\n");
    std::erase_if(ears_, [](const Ear& ear) { return ear.listener.expired(); });
    for (Ear& ear : ears_) {
        auto listener = ear.listener.lock();
        if (auto clean = ear.cleaner.feed(bytes); !clean.empty() && listener) listener->heard(clean, now);
    }
}

void PbxSide::submit(const ami::Action& action, bool list, ami::Session::Done done) {
    auto fail = [&](ami::Reply::Outcome outcome, std::string text) {
        boost::asio::post(io_, [done = std::move(done), outcome, text = std::move(text)] {
            ami::Reply reply;
            reply.outcome = outcome;
            reply.message = text;
            if (done) done(reply);
        });
    };
    auto* session_now = session();
    if (session_now == nullptr)
        return fail(ami::Reply::Outcome::link_lost, "the telephone exchange cannot be reached at present");
    auto kept = std::make_shared<ami::Session::Done>(done);
    auto id = std::make_shared<std::string>();
    auto answered = [this, kept, id](const ami::Reply& reply) {
        agent_lists_.erase(*id);
        if (*kept) (*kept)(reply);
    };
    auto sent = list ? session_now->submit_list(action, steady_now(), {}, answered)
                     : session_now->submit(action, steady_now(), answered);
    if (sent && list) agent_lists_.insert(*id = *sent);
    if (!sent) {
        auto outcome =
            sent.error().field == "session" ? ami::Reply::Outcome::link_lost : ami::Reply::Outcome::refused;
        return fail(outcome, fmt::format("{}: {}", sent.error().field, sent.error().text));
    }
    link_->poke();
}

void PbxSide::apply(Outcome&& outcome) {
    if (outcome.ask_channels) ask_channels();
    events_.outcome(*this, std::move(outcome));
    arm();
}

void PbxSide::arm() {
    auto when = desk_.next_deadline();
    if (when == timer_->armed) return;
    timer_->armed = when;
    timer_->timer.cancel();
    if (when == Millis::max()) return;
    timer_->timer.expires_after(std::max(when - wall_now(), Millis{0}));
    timer_->timer.async_wait([this](boost::system::error_code error) {
        if (error) return;
        timer_->armed = Millis::max();
        apply(desk_.tick(wall_now()));
    });
}

void PbxSide::ask_channels() {
    auto* session_now = session();
    auto ids = std::make_shared<std::vector<std::string>>();
    auto answered = [this, ids](const ami::Reply& reply) {
        channels_id_.clear();
        apply(desk_.channels_listed(reply.ok() ? std::optional(std::move(*ids)) : std::nullopt, wall_now()));
    };
    auto item = [ids](const ami::Message& message) {
        if (auto id = message.get("Uniqueid"); !id.empty()) ids->emplace_back(id);
    };
    if (session_now != nullptr) {
        if (auto sent = session_now->submit_list(ami::status({}), steady_now(), item, answered)) {
            channels_id_ = *sent;
            link_->poke();
            return;
        }
    }
    apply(desk_.channels_listed(std::nullopt, wall_now()));
}

void PbxSide::on_message(const ami::Message& message) {
    // an event of a channel may still be on its way behind the list that shows it
    if (!channels_id_.empty() && message.get("ActionID") == channels_id_) return;
    const bool of_agents = !agent_lists_.empty() && agent_lists_.contains(message.get("ActionID"));
    if (!of_agents) apply(desk_.apply(message, wall_now()));
    if (message.name().starts_with("Queue")) agents_.apply(agents_.agents().apply(message, wall_now()));
    if (!of_agents && events_.message) events_.message(*this, message);
}

void PbxSide::on_state(ami::SessionState state, std::string_view detail) {
    if (!detail.empty() && state != ami::SessionState::closed)
        log_(state == ami::SessionState::up ? log_info : log_debug,
             fmt::format("link=pbx:{} state={} {}", config_.name, ami::to_string(state), detail));
    if (state == ami::SessionState::closed)
        for (const Ear& ear : std::exchange(ears_, {}))
            if (auto listener = ear.listener.lock()) listener->link_ended();
    if (state == ami::SessionState::closed && up_) {
        set_up(false);
        apply(desk_.link_lost(wall_now()));
    } else if (state == ami::SessionState::up && !up_) {
        set_up(true);
        choose_events();
    }
    if (state == ami::SessionState::closed && std::exchange(agents_linked_, false))
        agents_.apply(agents_.agents().link_lost(wall_now()));
}

void PbxSide::on_sync_begin() {
    desk_.sync_begin(wall_now());
    agents_linked_ = true;
    agents_.agents().sync_begin(wall_now());
}

void PbxSide::on_sync_end() {
    Outcome outcome = desk_.sync_end(wall_now());
    if (outcome.gap) {
        log_(log_info, "gap " + to_string(*outcome.gap));
        gaps_.push_back(*outcome.gap);
        if (gaps_.size() > gaps_kept) gaps_.pop_front();
    }
    apply(std::move(outcome));
    agents_.apply(agents_.agents().sync_end(wall_now()));
    synced_once_ = true;
    events_.synced(*this);
}

void PbxSide::set_up(bool up) {
    up_ = up;
    since_ = wall_now();
    events_.link(*this, up);
}

}  // namespace bridge
