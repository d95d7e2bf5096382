// The calls of one pbx as the AMI tells them: channels (legs), who dialled whom, bridges, calls and their
// merges. Knows no operators; Desk asks it. No clock, no I/O. Facts behind the rules: docs/design.md,
// sections 2, 3 and 9.
//
// leg      One channel, known by its Uniqueid from Newchannel (or a list of a sync) to Hangup.
// call     All legs with one Linkedid. Its origin is the oldest leg, whose Uniqueid is the Linkedid: the
//          caller, or the first channel of an Originate.
// dialer   The leg whose DialBegin named this one: who rings it. An Originate's own leg has none.
// sibling  A Local channel is a pair of halves, `;1` and `;2`: what dials `;1` is behind `;2`, which runs the
//          dialplan and dials on. So the way from a phone up to the caller goes dialer, sibling, dialer, ...
// bridge   Legs in one bridge talk. Leaving it without a hangup is how a transfer looks (`left_by`).
// merge    Pickup, attended transfer and unparking join two calls: no event says so, but the next events of
//          the younger one's legs carry the older Linkedid, or the two meet in a bridge. The older call takes
//          the legs in; `merged_` sends those who ask for the younger one there.
// grave    The Uniqueid of a leg that ended. Events of one channel may come after its Hangup; they must not
//          bring it back, so the newest graves are remembered. Asterisk makes Uniqueids of the second and a
//          counter that begins anew with it: after a restart, or a clock set back, one may come again. A
//          Newchannel then is a new channel, its call `reused`: it is another call than the one before.
// remains  Channels of a call that is over for everybody (its caller is gone): a mobile still asked to
// confirm,
//          a dialplan that goes on. They are followed, but nobody's business unless a phone rings in them.
//
// Files: call_model.cpp has the table (which event, which function); the functions are in call_model_channels
// (life of a leg, caller, hold), _dials (DialBegin, DialEnd, Originate, pickup), _bridges (bridges, merges,
// transfers, parking), _queues, _dialplan (contexts and variables that services ask for), _lists (the sync)
// and _memory (what is forgotten).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "ami/message.hpp"

namespace bridge {

using Millis = std::chrono::milliseconds;

enum class ChannelState : std::uint8_t { down, ring, ringing, up, other };

struct Call;

// What of the dialplan's events is worth keeping: what services ask for.
struct Interest {
    std::unordered_set<std::string> contexts, variables;
};

// One channel. Never revived once it ended.
struct Leg {
    std::string uniqueid, channel;
    Call* call = nullptr;
    Leg* dialer = nullptr;   // whose DialBegin named this leg; null for the first leg of an Originate
    Leg* sibling = nullptr;  // the other half of a Local channel
    Leg* reached = nullptr;  // who answered its Dial or Queue
    ChannelState state = ChannelState::down;
    bool local = false;
    bool second_half = false;                   // `;2` of a Local channel: runs the dialplan
    bool dialed = false;                        // a DialBegin named it as destination
    bool originated = false;                    // ... without a source: an Originate
    bool listed = false;                        // known from a list first: its past is unknown
    bool seen_complete = false;                 // ... and that list was complete
    bool seen = true;                           // by the sync going on
    bool lost = false;                          // it ended unseen
    bool forwarded = false;                     // the phone answered 302
    bool picked_up = false;                     // somebody else took it by pickup
    bool explained = false;                     // why it is no operator's was said
    bool transferred = false;                   // it handed its call on: transfer, parking
    bool answer_told = false;                   // a dial that it answered was noted
    bool places_call = false;                   // it was in state Ring: somebody dials on it
    bool up_listed = false;                     // a list said that it is up, no event
    bool bridge_listed = false;                 // a list said in which bridge it is, no event
    std::string application, application_data;  // what a list says it runs; only during a sync
    Leg* left_by =
        nullptr;  // the partner that left their bridge first, not asked to hang up: led elsewhere, or ending
    bool partner_hung_up = false;  // the only other one in its bridge was asked to hang up, and left
    std::optional<Millis> hangup_requested;  // its own end asked for the hangup
    bool hung_up_talking = false;            // ... while it was in a bridge
    bool soft_hangup = false;                // Asterisk hangs it up
    std::string number, name;                // CallerID now
    std::string first_number;                // the first that was known
    std::string first_name;                  // of its Newchannel
    std::string connected_number, connected_name;
    std::string first_exten, context;  // of the first event
    std::string bridge;                // BridgeUniqueid it is in
    std::optional<Millis> ended_by;    // its end was not seen: it was between `ended` and this
    bool bridged = false;              // it was in one, if only once
    std::string dial_status;           // of the DialEnd that named it; NOANSWER stays when CANCEL follows
    int cause = 0;                     // of the Hangup, or of the HangupRequest before
    Millis born{0};
    Millis heard{0};  // last sign of life: an event or list item that named it
    std::optional<Millis> rang, up, ended;

    [[nodiscard]] bool alive() const { return !ended; }
};

// A name that we gave the exchange for the caller, and what the network had sent in its place.
struct GivenName {
    std::string given, network;
};

// All legs with one Linkedid. A merged call is emptied into the older one.
struct Call {
    std::string linkedid;
    std::uint64_t order = 0;  // of appearance
    Millis started{0};
    Millis made{0};           // when we heard of it first
    Leg* origin = nullptr;    // the oldest leg; null when it was never seen
    std::vector<Leg*> legs;   // in order of appearance, ended ones too
    std::string did;          // FROM_DID or DNID
    std::string asked_exten;  // what an Originate was to dial: OriginateResponse
    std::string queue;        // joined last
    std::optional<Millis> joined;
    bool in_queue = false;
    bool queue_seen = true;       // by the sync going on
    bool changed_unseen = false;  // legs, states, bridges: the sync going on shows others than were known
    std::optional<Millis>
        left_queue_unserved;            // QueueCallerAbandon: the caller hung up, or the queue gave up
    std::vector<std::string> contexts;  // of interest, that the origin entered; last entered last
    std::map<std::string, std::string> variables;  // of interest; latest value, at most 256 characters
    std::vector<GivenName> given_names;            // newest last, bounded
    bool withheld = false;
    std::optional<Millis> last_end, last_phone_end,
        last_ring_end;                     // of any leg; no Local half; one that rang
    std::optional<int> originate_failure;  // Reason of an OriginateResponse Failure
    bool originate_success = false;
    bool reused = false;           // there was a call with this Linkedid before
    std::uint32_t generation = 0;  // of its last channel that ended: see CallModel::new_generation()
    bool remains = false;          // ... and this is what is left of it
};

// What a message changed; the pointers stay valid until the call is forgotten.
struct Change {
    enum class Kind : std::uint8_t {
        leg_new,
        leg_state,
        leg_dialed,
        leg_ended,
        caller_known,
        held,
        unheld,
        dial_answered,  // `other` answered the dial of `leg`; `text` not empty: a queue says so
        in_bridge,
        merged,    // `call` took in the legs of the call with the id `text`
        evidence,  // something else that can decide how a leg or call ended
        originate_done,
        booted,                     // Asterisk is up for `text` seconds
        originate_without_channel,  // refused, and no channel was ever seen: ChannelId `text`, Channel
                                    // `device`, Exten `exten`
        list_complete,
        late_event,  // `text`: its name; the channel `exten` is over
    };
    Kind kind;
    Leg* leg = nullptr;
    Call* call = nullptr;
    Leg* other = nullptr;
    std::string text, device, exten;
};

class CallModel {
 public:
    // Follows one event or list item; what changed is appended to `changes`.
    void apply(const ami::Message& message, Millis now, std::vector<Change>& changes);
    void set_interest(Interest interest) { interest_ = std::move(interest); }  // counts from now on

    void new_generation();  // events from here on are about other channels than those that have ended
    void sync_begin();      // every leg is unseen from here
    // All lists were read: what they tell only together, such as who dialled whom.
    void sync_end(Millis now, std::vector<Change>& changes);
    [[nodiscard]] std::vector<Leg*> unseen();           // alive and not shown since sync_begin()
    [[nodiscard]] std::vector<Call*> changed_unseen();  // oldest first
    void end(Leg& leg, Millis now);                     // closes a leg that ended unseen

    [[nodiscard]] std::vector<Leg*> silent_since(Millis at);  // alive, and not heard of after `at`

    // From now on `name` is not read as the network's. The names that are known are put right.
    static void name_given(Call& call, std::string name);

    Call& make_call(std::string_view linkedid, Millis now);       // for an Originate to come
    [[nodiscard]] bool bridged_with_other(const Leg& leg) const;  // with a channel that is no Local half
    [[nodiscard]] const Leg* partner(const Leg& leg) const;  // the one it talks with, behind Local pairs;
                                                             // null: nobody, or several
    [[nodiscard]] bool changes_hands(
        const Leg& leg) const;  // more than two are in its talk: one of them leaves
    [[nodiscard]] std::vector<Leg*> conference_of(const Leg& leg) const;  // all in it; empty: in none
    [[nodiscard]] Leg* find_leg(std::string_view uniqueid);
    [[nodiscard]] Call* find_call(std::string_view linkedid);            // follows merges
    void prune(Call& call, const std::unordered_set<const Leg*>& kept);  // legs that ended, nothing refers to
    void forget(Call& call);  // it and its legs are gone; late events are ignored

    // How much is kept, for tests and metrics.
    struct Sizes {
        std::size_t legs = 0, calls = 0, merged = 0, bridges = 0, locals = 0;
        std::size_t graves = 0;  // bounded; the rest is empty when no channel lives
    };
    [[nodiscard]] Sizes sizes() const;

 private:
    struct Event;
    using Handler = void (CallModel::*)(const Event&);
    struct Row;
    static const Row table[];

    void on_newchannel(const Event&);
    void on_newstate(const Event&);
    void on_caller(const Event&);
    void on_connected(const Event&);
    void on_hangup_request(const Event&);
    void on_soft_hangup(const Event&);
    void on_hangup(const Event&);
    void on_dial_begin(const Event&);
    void on_dial_end(const Event&);
    void on_bridge_enter(const Event&);
    void on_bridge_leave(const Event&);
    void on_hold(const Event&);
    void on_unhold(const Event&);
    void on_blind_transfer(const Event&);
    void on_attended_transfer(const Event&);
    void on_parked(const Event&);
    void on_pickup(const Event&);
    void on_queue_join(const Event&);
    void on_queue_leave(const Event&);
    void on_queue_abandon(const Event&);
    void on_queue_entry(const Event&);
    void on_agent_connect(const Event&);
    void on_originate_response(const Event&);
    void on_var_set(const Event&);
    void on_user_event(const Event&);
    void on_new_exten(const Event&) {}  // its Context is looked at as every event's is
    void on_listed(const Event&);
    void on_list_complete(const Event&);
    void on_queues_complete(const Event&);
    void on_fully_booted(const Event&);
    void on_device_state(const Event&);

    struct Bridge {
        bool joins_calls = false;  // Dial and Queue bridges merge calls, conferences and parking lots do not
        bool conference = false;
        std::vector<Leg*> legs;
    };

    struct Grave {
        Millis at;
        std::uint32_t generation;
    };
    [[nodiscard]] bool too_late(const Event& event, std::string_view uniqueid) const;
    [[nodiscard]] bool same_life(std::string_view id) const;  // it ended, and no restart came in between
    [[nodiscard]] bool just_over(std::string_view id,
                                 Millis now) const;  // ... or so short before that this is of it
    [[nodiscard]] Leg* living(std::string_view uniqueid);
    Leg* named(const Event& event, std::string_view header);  // the living channel a header names, heard of
    Leg& add_leg(const Event& event, std::string_view uniqueid, std::string_view linkedid);
    void pair_local(Leg& leg);
    void tie(Leg& from, Leg* Leg::* pointer, Leg& to);
    void untie(const std::unordered_set<const Leg*>& gone);
    void take_caller(const Event& event, Leg& leg);
    static std::string as_sent(const Call& call, const std::string& number, std::string name);
    void take_variable(Leg& leg, std::string_view name, std::string_view value);
    void take_dialplan(const Event& event, const Leg& leg);
    void collect(const Leg& leg, std::string_view name, std::string_view value);
    static bool speaks_for_call(const Leg& leg);  // the origin, or the other half of it
    void follow_linkedid(const Event& event, Leg& leg, std::string_view linkedid);
    void merge(const Event& event, Call& into, Call& from);
    void join(const Event& event, Call& one, Call& other);
    void enter_bridge(const Event& event, Leg& leg, std::string_view id, bool joins_calls);
    void leave_bridge(Leg& leg);
    void set_state(const Event& event, Leg& leg, ChannelState state);
    void bury(const std::string& uniqueid, std::uint32_t generation);
    void note_answer(const Event& event, Leg& leg);
    void infer_dialer(Leg& leg);
    // Does the phone of this leg hold the other side? Nothing: the device states do not tell.
    [[nodiscard]] std::optional<bool> holds(const Leg& leg) const;
    [[nodiscard]] static bool may_have_dialed(const Leg& dialer, const Leg& leg);

    Interest interest_;
    std::unordered_map<std::string, Leg> legs_;
    std::unordered_map<std::string, Call> calls_;
    std::unordered_map<std::string, std::string> merged_;  // Linkedid -> the one that took it in
    std::unordered_map<std::string, Bridge> bridges_;
    std::unordered_set<Leg*> crossing_;             // that point at a leg of another call
    std::unordered_map<std::string, Leg*> locals_;  // channel name of a living Local half
    std::unordered_map<std::string, Grave> dead_;   // Uniqueids that ended, newest kept
    std::deque<std::string> graves_;                // the same, oldest first
    std::uint32_t generation_ = 0;
    Millis now_{0};
    std::uint64_t order_ = 0;
    struct Device {
        bool on_hold = false;
        bool changed_unseen = false;  // the sync going on shows another state than was known
    };
    std::unordered_map<std::string, Device> devices_;       // of phones and trunks
    bool channels_listed_ = false, queues_listed_ = false;  // by the sync going on, completely
};

}  // namespace bridge
