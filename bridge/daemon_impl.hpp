// The inside of Daemon, shared by its source files: every part, how they are joined, and what happens on each
// event.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bridge/administrator_commands.hpp"
#include "bridge/agent_requests.hpp"
#include "bridge/audience.hpp"
#include "bridge/call_book.hpp"
#include "bridge/call_commands.hpp"
#include "bridge/call_requests.hpp"
#include "bridge/caller_names.hpp"
#include "bridge/control_server.hpp"
#include "bridge/daemon.hpp"
#include "bridge/desk_requests.hpp"
#include "bridge/dial_switch.hpp"
#include "bridge/explain.hpp"
#include "bridge/herald.hpp"
#include "bridge/http_doors.hpp"
#include "bridge/line_contacts.hpp"
#include "bridge/notice_flow.hpp"
#include "bridge/operator_commands.hpp"
#include "bridge/pbx_side.hpp"
#include "bridge/reason_log.hpp"
#include "bridge/requests.hpp"
#include "bridge/sight.hpp"
#include "bridge/stanzas.hpp"
#include "bridge/status.hpp"
#include "bridge/xmpp_side.hpp"
#include "crm/call_log.hpp"
#include "crm/callers.hpp"
#include "crm/numbers.hpp"

namespace bridge {

namespace asio = boost::asio;
using boost::system::error_code;

struct Daemon::Impl {
    Impl(Config config_, Logger& log_);
    ~Impl() { stopping = true; }

    // A timer of the one thread, re-armed for a deadline of some sans-I/O part. Times are of the wall clock.
    struct Alarm {
        explicit Alarm(asio::io_context& io) : timer(io) {}
        asio::steady_timer timer;
        Millis armed{Millis::max()};
        template <class Ring>
        void arm(Millis when, Ring ring) {
            if (when == armed) return;
            armed = when;
            timer.cancel();
            if (when == Millis::max()) return;
            timer.expires_after(std::max(when - wall_now(), Millis{0}));
            timer.async_wait([this, ring](error_code error) {
                if (error) return;
                armed = Millis::max();
                ring();
            });
        }
    };

    int run();
    void stop();   // the agents are seen to first
    void leave();  // then everything ends
    // What was applied, or what is wrong with the file.
    std::expected<std::string, std::string> reload();

    void wait_for_signal();
    void watch(Millis every);
    void note_alive(const std::string& pbx_name);
    void pulse();  // again and again: notes on disk until when the calls of each pbx were followed

    // ---- what the parts need of each other ----
    Herald::Ports herald_ports();
    NoticeFlow::Find flow_find();
    NoticeFlow::Index flow_index();
    NoticeFlow::Send flow_send();
    Requests::Office office();
    CallRequests::Ports call_ports();  // daemon_calls.cpp
    DeskRequests::Ports desk_ports();
    HttpDoors::Ports http_ports();

    // ---- what happens ----
    void handle(PbxSide& side, Outcome&& outcome);
    void record(crm::CallRow row);
    void record(const crm::LegRow& row, const std::string& pbx_name);
    void log_row(const crm::CallRow& row);
    void dial_ended(const crm::CallRow& row, Millis now);
    void matched(const std::string& pbx, const std::string& number, const crm::Lookup& lookup);
    void operators(std::vector<crm::Operator> found);
    void own_tables(const crm::Roster& own);
    void crm_link(bool up, const std::string& detail);
    void pbx_link(PbxSide& side, bool up);
    void pbx_synced(PbxSide& side);
    void xmpp_link(bool up);

    // ---- what operators are told (daemon_voice.cpp) ----
    std::vector<std::string> render(const Notice& notice, const crm::Lookup& lookup);
    std::string call_xml(Notice notice);
    [[nodiscard]] StanzaStyle style() const;
    std::string calls_xml(std::string_view jid);
    void tell_link(std::string_view to, std::string_view name, bool up, Millis since);
    void send_presence(std::string_view from, std::string_view to, std::string_view type);
    void ask_clients();  // those of whom it is not known whether they are still there
    void systemd_status();
    void introduce();  // XMPP is up: who are you, and here is our epoch
    void sync_consoles();
    void farewell_presence();
    void presence(const xmpp::Presence& presence);
    bool phone_query(std::string_view from, std::string_view node);
    void apply_pop();

    // ---- lines as contacts (daemon_lines.cpp) ----
    static constexpr std::string_view own_contact = "pbx";  // the bridge itself, not a line
    // The line that is written to; empty: the bridge.
    [[nodiscard]] static std::string line_named(std::string_view to);
    void index_lines();
    [[nodiscard]] std::vector<std::string> devices_of(const LinePlace& place) const;
    [[nodiscard]] std::optional<LinePlace> line_place(std::string_view line) const;
    LineContacts::Ports line_ports();
    [[nodiscard]] bool may_see_line(std::string_view jid, std::string_view line) const;
    Sight::Ports sight_ports();
    void apply_see();
    void arm_lines();
    void look_at_lines();

    // ---- agents (daemon_agents.cpp) ----
    [[nodiscard]] AgentsConfig agents_config(const PbxConfig& pbx_config) const;
    AgentRequests::Office agent_office();
    OperatorCommands::Office command_office();
    CallCommands::Ports call_command_ports();                    // daemon_commands.cpp
    AdministratorCommands::Ports administrator_command_ports();  // likewise
    void switch_dialing(const std::string& pbx_name, bool on, const std::string& by);
    [[nodiscard]] bool is_administrator(std::string_view jid) const;
    [[nodiscard]] bool responsible(std::string_view by, std::string_view jid) const;
    // An administrator, or responsible for them.
    [[nodiscard]] bool may_act_for(std::string_view by, std::string_view jid) const {
        return is_administrator(by) || responsible(by, jid);
    }
    [[nodiscard]] Requests::Workplace workplace(std::string_view jid) const;
    void muster();
    [[nodiscard]] std::vector<crm::Operator> seated(std::vector<crm::Operator> everybody) const;
    void take_seats();  // everybody at their place, to desks and dialer (daemon.cpp)
    void agents_told(PbxSide& side, AgentOutcome&& outcome);
    void tell_agent(const PbxSide& side, const AgentPicture& picture);
    void ping_agent(PbxSide& side, const std::string& client);
    void client_seen(std::string_view bare, std::string_view from);
    void agent_presence(const xmpp::Presence& seen);
    void phone_ordered(PbxSide& side, const ami::Message& message);
    void agent_messenger(bool up);
    [[nodiscard]] bool agents_leaving() const;
    void dismiss_agents();

    // ---- the control socket (daemon_control.cpp): a verb is a row of the table and a function ----
    struct ControlRow;
    static const ControlRow control_table[];
    void open_control();
    void asked(const ControlRequest& request, const ControlAnswer& answer);
    void control_help(const ControlRequest& request, const ControlAnswer& answer);
    // daemon_explain.cpp
    void control_status(const ControlRequest& request, const ControlAnswer& answer);
    void control_explain(const ControlRequest& request, const ControlAnswer& answer);
    void note_link(const std::string& name, bool up, const std::string& text);
    [[nodiscard]] std::vector<LinkView> links_now() const;
    [[nodiscard]] std::vector<std::string> number_keys(std::string_view text,
                                                       std::string_view pbx_name) const;
    [[nodiscard]] std::vector<std::string> numbers_of(const Reason& reason) const;
    [[nodiscard]] ExplainQuestion question_of(const ControlRequest& request) const;
    [[nodiscard]] Explanation explained(const ControlRequest& request) const;
    [[nodiscard]] StatusView status_view() const;
    [[nodiscard]] OperatorView view_of(const crm::Operator& who) const;
    void control_dialing(const ControlRequest& request, const ControlAnswer& answer);
    void control_record(const ControlRequest& request, const ControlAnswer& answer);

    void decided(std::string_view link);
    void arm_alarms();

    // ---- why (daemon_reasons.cpp) ----
    void explain(Reason reason);
    void explain_match(const Notice& notice, const crm::Lookup& lookup);
    void told(const Notice& notice, Told what);

    // ---- what is done with calls (daemon_calls.cpp) ----
    void arm_calls();
    void open_http();
    // A caller waits: the phones are to show their name, the CDR their record.
    void name_caller(PbxSide& side, const WaitingCaller& caller);
    void set_caller_name(PbxSide& side, const WaitingCaller& caller, const CallerName& found);
    // The name that we gave the exchange for this number is not the network's.
    void without_given_name(const std::string& number, std::string& name) const;

    [[nodiscard]] const crm::Operator* operator_of(std::string_view jid) const {
        auto found = people.find(jid);
        return found == people.end() ? nullptr : &found->second;
    }
    [[nodiscard]] PbxSide* pbx(std::string_view name) const {
        for (auto& side : sides)
            if (side->config().name == name) return side.get();
        return nullptr;
    }
    // Whose records count for a pop: the CRM user's, everybody's with `visibility: all`.
    [[nodiscard]] std::string viewer(std::string_view jid) const {
        const auto* who = config.crm.visibility_all ? nullptr : operator_of(jid);
        return who != nullptr ? who->crm_user : std::string();
    }
    [[nodiscard]] crm::Lookup shown_to(const Notice& notice, crm::Lookup lookup) const;
    [[nodiscard]] std::string plain_number(const std::string& number, const std::string& pbx_name) const;

    Config config;
    Logger& log;
    std::string epoch;
    asio::io_context io;
    asio::signal_set signals;
    Alarm flow_alarm, herald_alarm, audience_alarm, call_alarm, lines_alarm;
    asio::steady_timer sync_timer, watchdog_timer, pulse_timer, patience, last_timer;
    bool stopping = false, ready = false, left = false, mustered = false;
    std::set<std::string, std::less<>> undecided;
    std::map<std::string, crm::Operator, std::less<>> people;  // each at their place
    std::vector<crm::Operator> found_people;                   // as the CRM and our tables say
    std::vector<crm::Seat> own_seats;
    std::vector<crm::Service> own_services;
    std::map<std::pair<std::string, std::string>, std::vector<std::string>>
        line_devices;  // by pbx and extension
    std::map<std::string, std::vector<AgentMemory>, std::less<>>
        kept_agents;                                        // by pbx, until the first muster
    std::map<std::string, Millis, std::less<>> last_alive;  // of the last run, by pbx, until its first sync
    ReasonLog reasons{ReasonLog::Limits{}, wall_now()};
    std::map<std::string, LinkView, std::less<>> link_views;  // crm, database
    std::vector<Recipient> recipients;                        // of the notice rendered last
    crm::Numbers numbers;
    std::map<std::string, Notice, std::less<>>
        answered_dials;  // by channel: shown by the answer, not yet by a notice
    CallBook book;
    Audience audience;
    Sight sight;
    Stanzas stanzas;
    crm::CallLog call_log;
    crm::Callers callers;
    Herald herald;
    NoticeFlow flow;
    DialSwitch dial_switch;
    Requests requests;
    AgentRequests agent_requests;
    CallRequests call_requests;
    crm::PastCalls past_calls;
    DeskRequests desk_requests;
    LineContacts line_contacts;
    HttpDoors http_doors;
    std::map<std::string, std::string, std::less<>> names_given;  // to the dialplan, by number
    OperatorCommands operator_commands;
    CallCommands call_commands;
    AdministratorCommands administrator_commands;
    xmpp::Commands commands;
    xmpp::IqTable table;
    std::vector<std::unique_ptr<PbxSide>> sides;
    std::unique_ptr<XmppSide> xmpp;
    ControlServer control;
    std::vector<std::unique_ptr<HttpServer>> http;
    Millis started_at{wall_now()};
};

}  // namespace bridge
