// Random days: requests, calls, foreign programs, delayed, lost and refused actions, cuts of the link.
// However they mix, in the end every request was answered once, and the exchange's queues say what the desks
// show.
#include <cstdlib>
#include <random>

#include "tests/bridge/agents_floor.hpp"

namespace agents_test {

namespace {

using Kind = AgentRequest::Kind;

class RandomDay {
 public:
    explicit RandomDay(unsigned seed) : dice_(seed) {
        floor.fate = [this](const ami::Action& action) {
            static constexpr Fate fates[] = {Fate::event_first, Fate::no_event, Fate::late, Fate::lost,
                                             Fate::lost_after};
            if (calm || action.name == "QueueStatus" || roll(4) > 0) return Fate::normal;
            return fates[roll(5)];
        };
        for (const auto& jid : {anna, ben}) floor.client(jid + "/desk");
    }

    void step() {
        const auto jid = roll(2) == 0 ? anna : ben;
        const auto interface = "PJSIP/" + floor.picture(jid).extension;
        const auto queue = roll(2) == 0 ? "support" : "sales";
        switch (roll(14)) {
            case 0:
            case 1:
            case 2:
            case 3:
                ask(jid);
                break;
            case 4:
            case 5:
            case 6:
                call(jid);
                break;
            case 7:
                floor.others(ami::queue_pause(interface, roll(2) == 0, "fire", queue));
                break;
            case 8:
                if (jid == anna || std::string(queue) == "support")
                    floor.others({"QueueAdd", {{"Queue", queue}, {"Interface", interface}}});
                break;
            case 9:
                floor.others(ami::queue_remove(queue, interface));
                break;
            case 10:
                floor.cut();
                if (roll(4) == 0) floor.exchange.restart();
                if (roll(3) == 0) floor.exchange.queues[queue].erase(interface);
                floor.run(Millis{roll(9) * 1000});
                floor.sync();
                break;
            case 11:
                floor.gone(jid + "/desk");
                break;
            case 12:
                floor.client(jid + "/desk", roll(4) == 0 ? "away" : "");
                break;
            default:
                floor.run(Millis{roll(9) * 2000});
        }
        floor.run(Millis{roll(3) * 700});
        EXPECT_LE(floor.agents.in_flight(), config().window);
    }

    void evening() {
        calm = true;
        for (const auto& jid : {anna, ben}) {
            for (const auto leg : {"1.1", "2.1"}) floor.call(jid, RingState::ended, leg);
            floor.client(jid + "/desk");
        }
        for (int i = 0; i < 12; ++i) {  // every wrap-up is over, every overdue proof asked for
            floor.run(10s);
            for (const auto& jid : {anna, ben})
                floor.take(floor.agents.pinged(jid + "/desk", bridge::PingResult::here, floor.now));
        }
        floor.run();
    }

    unsigned roll(unsigned sides) { return std::uniform_int_distribution<unsigned>(0, sides - 1)(dice_); }

    Floor floor;
    bool calm = false;

 private:
    void ask(const std::string& jid) {
        static constexpr Kind kinds[] = {Kind::ready,      Kind::ready, Kind::login, Kind::not_ready,
                                         Kind::logged_out, Kind::seat,  Kind::extend};
        AgentRequest request{.jid = jid, .kind = kinds[roll(7)]};
        if (request.kind == Kind::not_ready) request.reason = roll(2) == 0 ? "lunch" : "meeting";
        if (request.kind == Kind::seat) request.seat = roll(2) == 0 ? "4" : "";
        if (roll(4) == 0) request.by = boss;
        request.extend = Millis{roll(3) * 5000};
        floor.ask(std::move(request));
    }
    void call(const std::string& jid) {
        static constexpr RingState ring_states[] = {RingState::ringing, RingState::dialing,
                                                    RingState::answered, RingState::held, RingState::ended};
        floor.call(jid, ring_states[roll(5)], roll(3) == 0 ? "2.1" : "1.1",
                   roll(2) == 0 ? "support-line" : "sales-line");
    }

    std::mt19937 dice_;
};

unsigned number_from(const char* name, unsigned otherwise) {
    const auto* text = std::getenv(name);
    return text != nullptr ? static_cast<unsigned>(std::atoi(text)) : otherwise;
}

// CTIBRIDGE_SEEDS more of them, CTIBRIDGE_SEED the first.
TEST(agents, random_days_end_with_queues_and_desks_equal) {
    const auto first = number_from("CTIBRIDGE_SEED", 1), days = number_from("CTIBRIDGE_SEEDS", 300);
    for (unsigned seed = first; seed < first + days; ++seed) {
        RandomDay day(seed);
        for (int i = 0; i < 60; ++i) day.step();
        day.evening();
        for (const auto& jid : {anna, ben}) day.floor.expect_equal(jid);
        EXPECT_TRUE(day.floor.open.empty());
        EXPECT_EQ(day.floor.agents.in_flight(), 0U);
        // Nobody was ever called who had said otherwise: a phone that nobody sits at is a member nowhere, but
        // where another program made it one, under no operator's name.
        for (const auto* interface : {"PJSIP/201", "PJSIP/202", "PJSIP/204"}) {
            const bool theirs = interface == "PJSIP/" + day.floor.picture(anna).extension ||
                                interface == "PJSIP/" + day.floor.picture(ben).extension;
            for (const auto& [queue, members] : day.floor.exchange.queues)
                if (const auto member = members.find(interface); member != members.end() && !theirs) {
                    EXPECT_EQ(member->second.name, interface) << queue;
                }
        }
        if (testing::Test::HasFailure()) {
            FAIL() << "seed " << seed;
        }
    }
}

}  // namespace

}  // namespace agents_test
