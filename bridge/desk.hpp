// One pbx as its operators see it, without sockets, clocks or SQL: AMI messages in, notices and log rows out.
// CallModel (call_model.hpp) follows calls and legs; Desk decides which operator must know what, and why.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ami/message.hpp"
#include "bridge/call_model.hpp"
#include "bridge/notice.hpp"
#include "bridge/reason.hpp"
#include "crm/types.hpp"

namespace bridge {

struct DeskConfig {
    std::string pbx = "hq";
    std::vector<std::string> channels{"PJSIP/{extension}",
                                      "SIP/{extension}"};  // first is dialled, all are recognised
    std::vector<std::string> extensions;  // patterns of internal numbers; empty: those of the people
};

// What a sync found that had happened while the link was down (docs/design.md, section 9).
struct GapAccount {
    std::string pbx;
    std::optional<Millis> from;  // the link was lost; nothing: the first sync of this run
    Millis to{0};                // the lists were read
    int calls_begun = 0, calls_ended = 0, calls_changed = 0, calls_merged = 0;
    int rings_opened = 0, rings_closed = 0, rings_changed = 0;
    int memberships_mended = 0;  // of operators in queues, put right afterwards
};
std::string to_string(const GapAccount& gap);  // one line of key=value, nobody's number or name

// Somebody outside whose call came to a service or queue, and may be named before phones ring.
struct WaitingCaller {
    std::string id;       // of the call
    std::string channel;  // Uniqueid of theirs
    std::string number, service, queue;
};

// What the daemon must do after an input. Everything in order.
struct Outcome {
    std::vector<Notice> notices;      // seq is set
    std::vector<crm::CallRow> calls;  // rows that changed, whole
    std::vector<crm::LegRow> legs;
    std::vector<std::string> hangups;    // Uniqueids to hang up (a click-to-dial that voicemail took)
    std::vector<std::string> lookups;    // numbers of callers whose channel appeared: start looking now
    std::vector<WaitingCaller> callers;  // once for each service and queue a call comes to
    std::vector<Reason> reasons;         // every decision, for explain and replay --explain
    bool ask_channels = false;           // ask the pbx which channels live; answer with channels_listed()
    std::optional<GapAccount> gap;       // of the sync that ended
    void append(Outcome&& other);
};

// A click-to-dial that was accepted and is about to be originated.
struct Dialing {
    std::string channel_id;  // ctd-<uuid>: Uniqueid and Linkedid of the first leg
    std::string jid, extension;
    std::string number;   // E.164, else the digits asked for: cti_call.dialed_number
    std::string request;  // id of the IQ
    std::string module, record, label, service;
};

// One ring as the exchange has it now: what can be done with it, and with which channels.
struct Standing {
    std::string jid, id, leg;  // of the notice
    RingState state = RingState::ringing;
    bool own = false;  // a call the operator makes
    std::string extension;
    std::string channel, uniqueid;          // the operator's, which talks if one does
    std::string bridge;                     // it is in; empty: none
    std::string partner, partner_uniqueid;  // channel of the other side; empty: nobody, or several
};
// What is offered in the `actions` of a notice; words separated by blanks.
using Offers = std::function<std::string(const Standing&)>;

class Desk {
 public:
    explicit Desk(DeskConfig config);
    ~Desk();

    // Replaces all; calls go on. `elsewhere`: those of other exchanges and of none, to explain why they get
    // nothing here.
    void set_people(std::vector<crm::Operator> people, std::vector<crm::Operator> elsewhere = {});
    void set_services(std::vector<crm::Service> services);  // the same; others' pbx are left out
    Outcome apply(const ami::Message& message, Millis now);
    Outcome tick(Millis now);  // deadlines inside (e.g. waiting for the Hangup after a failed Originate)
    [[nodiscard]] Millis next_deadline() const;  // Millis::max() when none

    Outcome dial(const Dialing& dialing,
                 Millis now);  // before the Originate is sent: the row, then `dialing` when the phone rings
    Outcome dial_failed(std::string_view channel_id, std::string_view text,
                        Millis now);  // Asterisk refused, or no answer

    Outcome link_lost(Millis now);  // calls are kept, unknown until the sync
    void sync_begin(Millis now);
    Outcome sync_end(Millis now);  // what the sync did not show has ended unseen: `lost`

    // The answer to Outcome::ask_channels: the Uniqueids of all living channels; nullopt: the pbx did not
    // answer, it is asked again later. A channel that is not among them and gives no sign of life within
    // seconds has ended unheard: `lost`. So a Hangup that never comes is found within about two minutes.
    Outcome channels_listed(const std::optional<std::vector<std::string>>& uniqueids, Millis now);

    // A waiting caller is about to be given this name at the exchange: what to set, behind a prefix of the
    // dialplan; nullopt: they are gone. It is not read back as what the network sent.
    std::optional<std::string> name_caller(const WaitingCaller& caller, std::string_view name);
    // What the network had sent, when a name was given.
    [[nodiscard]] std::optional<std::string> network_name(const WaitingCaller& caller) const;

    [[nodiscard]] std::vector<Notice> current(std::string_view jid) const;  // rings and calls going on
    [[nodiscard]] std::vector<Notice> current() const;                      // of everybody
    // The channel to hang up for this operator's ring; nullopt: not theirs, or over.
    [[nodiscard]] std::optional<std::string> channel_of(std::string_view jid, std::string_view id,
                                                        std::string_view leg) const;
    // This operator's ring, or with an empty `jid` anybody's; an empty `leg` means the call's first that goes
    // on.
    [[nodiscard]] std::optional<Standing> standing(std::string_view jid, std::string_view id,
                                                   std::string_view leg) const;
    // Those of everybody, oldest call first.
    [[nodiscard]] std::vector<Standing> standings() const;
    void set_offers(Offers offers);    // without one: `hangup`
    Outcome renew_offers(Millis now);  // notices of the rings whose offers have changed
    [[nodiscard]] const crm::Operator* operator_by_jid(std::string_view jid) const;
    [[nodiscard]] std::size_t calls() const;  // going on
    [[nodiscard]] std::size_t dials_of(
        std::string_view jid) const;  // click-to-dials going on (concurrency cap)
    // How much is kept, for tests and metrics. Without a call everything but `graves` is 0.
    struct Sizes {
        std::size_t talks = 0, rings = 0, waiting = 0, listed = 0, suspects = 0;
        CallModel::Sizes model;
    };
    [[nodiscard]] Sizes sizes() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace bridge
