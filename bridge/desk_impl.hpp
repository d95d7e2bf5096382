// The inside of Desk: what it keeps per call and per ring. Included by desk*.cpp only.
//
// An AMI message walks: CallModel::apply (what changed?) -> process (a handler per kind of change) -> settle
// (what waited for evidence, what is over). A Talk is a call with its row of the log; a Ring is what one
// operator is told; a RingLeg is one of their phones in it, with its row. Where what is in which file:
//
//   desk.cpp                 the door: inputs, questions           desk_rings.cpp    channel -> operator,
//   state of a ring desk_changes.cpp         the table of changes, their handlers  desk_notices.cpp  what an
//   operator is told desk_people_of_call.cpp  who calls whom, caller, number        desk_calls.cpp evidence,
//   end and row of a call desk_dials.cpp           click-to-dial                         desk_merge.cpp two
//   calls become one desk_sync.cpp            lost link, lists                      verdict.cpp       the
//   cause of an end
#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "bridge/call_model.hpp"
#include "bridge/desk.hpp"
#include "bridge/extensions.hpp"
#include "bridge/services.hpp"
#include "bridge/verdict.hpp"

namespace bridge {

constexpr Millis evidence_grace{100};  // span: the events of one moment come in no fixed order

// One leg of a ring, and its row in the log.
struct RingLeg {
    Leg* leg = nullptr;
    crm::LegRow row;
    bool decided = false;  // its end and cause are known
    Cause cause = Cause::none;
};

// One or more simultaneous legs of one operator in one call.
struct Ring {
    std::string jid, extension;
    bool own = false;        // a call the operator makes
    bool announced = false;  // a notice went out
    RingState state = RingState::ringing;
    Cause cause = Cause::none;
    bool far_ringing = false;
    bool shared = false;
    bool joined = false;  // it came with a younger call: pickup, unparking, consultation
    std::string key;      // Uniqueid of the first leg
    std::vector<RingLeg> legs;
    std::optional<Millis> answered;  // when the operator took it, or their far end did
    Notice last;                     // as sent
    std::optional<Millis> unheld;    // an Unhold that may belong to a transfer or hangup

    [[nodiscard]] bool live() const { return state != RingState::ended; }
    [[nodiscard]] bool rings() const {
        return std::any_of(legs.begin(), legs.end(), [](const RingLeg& one) { return one.leg->alive(); });
    }
};

// One call as the log sees it.
struct Talk {
    crm::CallRow row;
    bool own = false;         // made by an operator: outbound or internal
    bool classified = false;  // `own` is settled: the first channel is known
    std::string own_extension;
    std::optional<Dialing> dialing;  // our click-to-dial
    bool click_to_dial = false;
    std::list<Ring> rings;
    std::string first_rung_user;
    bool touched = false;    // an operator was rung or made it
    bool outside = false;    // it left through a trunk
    bool voicemail = false;  // took the click-to-dial in the operator's place
    bool looked_up = false;
    std::string waits_at;                   // service and queue of the last WaitingCaller
    bool withheld = false;                  // the caller's number is nobody's business
    std::optional<Millis> last_answer;      // when a called party answered last
    std::optional<Millis> voicemail_check;  // decide then whether a person is on our Originate
    std::optional<Millis> give_up;          // a dial without any channel
    bool refused = false;                   // our dial: the operator was told so instead of a call
    bool lost = false;                      // it ended unseen
    bool no_more_evidence = false;          // ... or Asterisk was started anew after its end
    bool unseen = false;                    // things happened in a gap before which nobody had answered
    std::optional<Millis> blind_until;      // ... which ended then
    struct {
        bool lost = false, busy = false, failed = false, other = false;
    } ends;  // how its rings ended
};

struct Desk::Impl {
    explicit Impl(DeskConfig configuration);

    // --- people
    void set_people(std::vector<crm::Operator> list, std::vector<crm::Operator> elsewhere);
    void set_services(std::vector<crm::Service> list);
    [[nodiscard]] std::vector<std::size_t> people_at(const std::string& extension) const;
    [[nodiscard]] std::vector<std::size_t> active_at(
        const std::string& extension) const;  // those who get pops

    // --- input
    Outcome apply(const ami::Message& message, Millis at);
    Outcome tick(Millis at);
    Outcome sync_end(Millis at);
    std::vector<std::string> end_unseen(Millis at);  // Linkedids, oldest first
    Outcome channels_listed(const std::optional<std::vector<std::string>>& uniqueids, Millis at);
    // What is known when a sync begins, for the account of the gap.
    struct Picture {
        std::map<std::string, std::string> rings;  // key and JID -> what was told last
        std::unordered_set<std::string> calls;     // Linkedids
    };
    [[nodiscard]] Picture picture() const;
    [[nodiscard]] GapAccount account(const Picture& was, std::optional<Millis> lost_at, Millis at) const;
    Outcome dial(const Dialing& dialing, Millis at);
    Outcome dial_failed(std::string_view channel_id, std::string_view text, Millis at);
    void process(std::vector<Change>& changes);
    bool nobodys_business(const Change& change, Call* call);

    // --- change handlers, one per kind (table in desk_changes.cpp)
    using Handler = void (Impl::*)(const Change&, Talk*);
    struct Row;
    static const Row table[];
    void on_leg_new(const Change&, Talk*);
    void on_leg_state(const Change&, Talk*);
    void on_leg_dialed(const Change&, Talk*);
    void on_leg_ended(const Change&, Talk*);
    void on_caller_known(const Change&, Talk*);
    void on_held(const Change&, Talk*);
    void on_unheld(const Change&, Talk*);
    void on_dial_answered(const Change&, Talk*);
    static bool speaks_for(const Leg& leg, const Leg& caller);
    [[nodiscard]] bool taken(const Leg& dest) const;
    void adopt(Talk& talk, const Talk& young, Call& call);
    void on_in_bridge(const Change&, Talk*);
    void on_merged(const Change&, Talk*);
    void on_evidence(const Change&, Talk*);
    void on_originate_done(const Change&, Talk*);
    void on_originate_without_channel(const Change&, Talk*);
    void on_list_complete(const Change&, Talk*);
    void close_ended();
    void on_booted(const Change&, Talk*);
    void on_late_event(const Change&, Talk*);

    // --- calls
    Talk& talk_of(Call& call);
    void classify(Talk& talk, const Call& call);
    void learn_number(Talk& talk, const Call& call);
    void learn_inbound_number(Talk& talk, const Call& call);
    void learn_own_number(Talk& talk, const Call& call);
    void learn_caller(Talk& talk, const Call& call);
    void learn_service(Talk& talk, const Call& call);
    void answered(Talk& talk, const std::string& jid, std::string_view why) { answered(talk, jid, why, now); }
    void answered(Talk& talk, const std::string& jid, std::string_view why, Millis at);
    const crm::Service* service_of(const Call& call, const std::string& queue, crm::Direction direction,
                                   std::string* why) const;
    void tell_waiting(Talk& talk, const Call& call);
    [[nodiscard]] Leg* waiting_leg(const WaitingCaller& caller);
    void meet(const Leg& leg);
    void name_answerer(Talk& talk, const std::string& jid);
    void prune(Talk& talk, Call& call);  // what ended long ago in a call that goes on for hours
    void check_voicemail(Talk& talk, Call& call);
    void settle(Talk& talk, Call& call);  // decides what waited for evidence, closes what is over
    [[nodiscard]] Millis deadline(const Talk& talk) const;
    [[nodiscard]] bool over(const Talk& talk, const Call& call) const;
    void close(Talk& talk, Call& call);  // the talk and the call are gone after it
    void end_dial(const Talk& talk);     // `ended` of a dial that never had a channel
    void write(Talk& talk);              // the row, if it changed
    [[nodiscard]] crm::Disposition disposition(const Talk& talk, const Call& call) const;

    // --- channels whose Hangup never came
    void look_for_silence();  // at check_at: asks for the list of channels when one gave no sign for long
    void end_suspects();
    void schedule_check();
    void lose(Leg& leg, Millis at, std::string_view why);
    std::vector<std::string> calls_without(const std::vector<Leg*>& lost);
    void settle_all(const std::vector<std::string>& linkedids);

    // --- rings
    enum class Role : std::uint8_t { none, own, called, undecided };
    Role role_of(Talk& talk, const Leg& leg, std::string& extension);
    void watch(Talk& talk, Leg& leg);                          // makes rings for an operator's leg
    void follow(Talk& talk, Leg& leg);                         // state of a leg -> state of its rings
    bool follow_own(Talk& talk, Ring& ring, RingLeg& one);     // true: it is answered
    bool follow_called(Talk& talk, Ring& ring, RingLeg& one);  // true: it was answered just now
    void own_answered(Talk& talk, std::string_view why);
    static std::optional<Millis> seen_gone(const Talk& talk, const Call& call, Millis ended);
    void talked_unseen(Talk& talk, Ring& ring, RingLeg& one);
    void far_end_rings(Talk& talk, const Leg& leg);
    void end_leg(Talk& talk, Ring& ring, RingLeg& leg, Cause cause, std::string_view why, Millis at);
    static void note_end(Talk& talk, Cause cause);
    void party_changed(Talk& talk);
    void write(const Talk& talk, RingLeg& leg);
    [[nodiscard]] std::size_t rings_of(const Talk& talk,
                                       const Leg& leg) const;  // several when an extension is shared

    // --- notices
    struct Party {
        std::string number, name;
        bool withheld = false;
    };
    [[nodiscard]] Party party_of(const Talk& talk, const Ring& ring) const;
    [[nodiscard]] Party party_as_told(const Ring& ring, const Leg& leg) const;
    [[nodiscard]] Party party_dialled(const Talk& talk, const Ring& ring, const Leg& leg) const;
    [[nodiscard]] Party party_who_rings(const Talk& talk, const Ring& ring, const Leg& leg,
                                        const Leg* with) const;
    [[nodiscard]] Party connected(const Talk& talk, const Ring& ring, const Leg& leg, Party otherwise) const;
    [[nodiscard]] Party colleague(const std::string& extension, const std::string& told) const;
    static Party caller_of(const Talk& talk);
    [[nodiscard]] Party colleague_of(const Talk& talk) const;
    void announce(Talk& talk, Ring& ring, RingState state, Millis at, std::string_view replaces = {});
    Notice snapshot(const Talk& talk, const Ring& ring, Millis at) const;
    void show_service(Notice& notice, const Talk& talk, const Ring& ring) const;

    void reason(Why why, const Talk* talk, std::string_view leg, std::string_view jid, Data data);
    void reason(Why why, const Talk* talk, std::string_view leg, std::string_view jid, std::string text) {
        reason(why, talk, leg, jid, Data{{Fact::text, std::move(text)}});
    }
    // What decided whose phone it is: device, extension, pattern, and `more`.
    [[nodiscard]] Data phone_data(const Leg& leg, std::string_view extension, Data more = {}) const;
    void explain_nobody(const Talk& talk, Leg& leg, Role role, std::string_view extension);
    void explain_missing(const Talk& talk, Leg& leg, const std::string& extension);

    [[nodiscard]] Standing standing(const Talk& talk, const Ring& ring) const;

    DeskConfig config;
    Offers offers;
    CallModel model;
    Extensions extensions;
    Services services;
    std::vector<crm::Operator> people;
    std::unordered_map<std::string, crm::Operator> strangers;  // by extension: of other exchanges, or of none
    std::unordered_multimap<std::string, std::size_t> by_extension;
    std::unordered_map<std::string, std::size_t> by_jid;
    std::unordered_map<std::string, Talk> talks;         // by Linkedid
    std::unordered_map<std::string, std::uint64_t> seq;  // by JID
    std::unordered_set<std::string> waiting;             // Linkedids with a decision that is due later
    std::vector<std::string> listed;                     // Uniqueids from a list that is not complete
    std::optional<Millis> link_lost_at;
    std::optional<Millis> check_at;     // look then whether a channel has been silent for long
    std::optional<Millis> asked_at;     // the list of channels was asked for
    std::optional<Millis> suspects_at;  // decide then about the channels that were not in it
    std::vector<std::string> suspects;  // their Uniqueids
    bool syncing = false;
    std::optional<Picture> before_sync;  // of the sync going on, or broken off
    int merged_unseen = 0;
    bool synced_once = false;
    Millis now{0};
    std::vector<std::string> touched;  // Linkedids to settle after a message
    Outcome out;
};

}  // namespace bridge
