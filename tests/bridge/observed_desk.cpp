#include "observed_desk.hpp"

#include <fmt/format.h>

namespace recorded {

using bridge::Notice;
using bridge::RingState;
using bridge::word;

namespace {

constexpr Millis unheard_most{130000};  // span: after it no ended channel is taken for a living one

std::string when(const std::optional<Millis>& at) {
    return at ? std::to_string(at->count()) : std::string("-");
}

class Comparison {
 public:
    Comparison(std::string subject, Millis tolerance, std::vector<std::string>& differences)
        : subject_(std::move(subject)), tolerance_(tolerance), differences_(differences) {}

    template <class Value>
    void same(const char* what, const Value& expected, const Value& got) {
        if (expected != got)
            differences_.push_back(fmt::format("{} {}: {}, expected {}", subject_, what, got, expected));
    }
    void near(const char* what, const std::optional<Millis>& expected, const std::optional<Millis>& got) {
        if (expected && got && std::chrono::abs(*expected - *got) <= tolerance_) return;
        if (expected != got)
            differences_.push_back(
                fmt::format("{} {}: {}, expected {}", subject_, what, when(got), when(expected)));
    }

 private:
    std::string subject_;
    Millis tolerance_;
    std::vector<std::string>& differences_;
};

// The keys of both maps, and what only one of them has.
template <class Map, class Both>
void pair_up(const char* what, const Map& expected, const Map& got, std::vector<std::string>& differences,
             const Both& both) {
    for (const auto& [key, value] : expected)
        if (const auto other = got.find(key); other != got.end())
            both(key, value, other->second);
        else
            differences.push_back(fmt::format("{} {} is missing", what, key));
    for (const auto& [key, value] : got)
        if (!expected.contains(key)) differences.push_back(fmt::format("{} {} is too much", what, key));
}

// "ringing answered ended hangup"; a further snapshot of a state is not a state.
std::string states_of(const std::vector<Notice>& notices) {
    std::string states;
    std::optional<RingState> last;
    for (const Notice& notice : notices)
        if (std::exchange(last, notice.state) != notice.state)
            states.append(to_string(notice.state)).append(" ");
    return states.append(to_string(notices.back().cause));
}

void compare(const Notice& expected, const Notice& got, Comparison& comparison) {
    comparison.same("id", expected.id, got.id);
    comparison.same("direction", word(expected.direction), word(got.direction));
    comparison.same("extension", expected.extension, got.extension);
    comparison.same("party", expected.party_number + " " + expected.party_name,
                    got.party_number + " " + got.party_name);
    comparison.same("withheld", expected.withheld, got.withheld);
    comparison.same("dialed", expected.dialed, got.dialed);
    comparison.same("queue", expected.queue, got.queue);
    comparison.same("service", expected.service, got.service);
    comparison.same("shared", expected.shared, got.shared);
    comparison.near("at", expected.at, got.at);
    comparison.near("started", expected.started, got.started);
}

void compare(const crm::CallRow& expected, const crm::CallRow& got, Comparison& comparison) {
    for (const auto& [name, field] : {std::pair("merged_into", &crm::CallRow::merged_into),
                                      {"caller_number", &crm::CallRow::caller_number},
                                      {"caller_name", &crm::CallRow::caller_name},
                                      {"dialed_number", &crm::CallRow::dialed_number},
                                      {"service", &crm::CallRow::service},
                                      {"queue", &crm::CallRow::queue},
                                      {"answered_by", &crm::CallRow::answered_by},
                                      {"request", &crm::CallRow::request},
                                      {"crm_owner", &crm::CallRow::crm_owner}})
        comparison.same(name, expected.*field, got.*field);
    comparison.same("direction", word(expected.direction), word(got.direction));
    comparison.same("disposition", word(expected.disposition), word(got.disposition));
    comparison.near("started", expected.started, got.started);
    comparison.near("answered", expected.answered, got.answered);
    comparison.near("ended", expected.ended, got.ended);
    comparison.near("wait", expected.wait, got.wait);
    comparison.near("talk", expected.talk, got.talk);
}

std::string key_of(const crm::LegRow& row) {
    return row.call + ' ' + row.uniqueid + ' ' + row.jid;
}

}  // namespace

std::vector<std::string> differences(const Picture& expected, const Picture& got, Millis tolerance) {
    std::vector<std::string> lines = got.faults;
    pair_up("call", expected.calls, got.calls, lines, [&](const auto& key, const auto& a, const auto& b) {
        Comparison comparison("call " + key, tolerance, lines);
        compare(a, b, comparison);
    });
    pair_up("leg", expected.legs, got.legs, lines, [&](const auto& key, const auto& a, const auto& b) {
        Comparison comparison("leg " + key, tolerance, lines);
        comparison.same("extension", a.extension, b.extension);
        comparison.same("cause", a.cause, b.cause);
        comparison.near("offered", a.offered, b.offered);
        comparison.near("answered", a.answered, b.answered);
        comparison.near("ended", a.ended, b.ended);
    });
    pair_up("ring", expected.notices, got.notices, lines, [&](const auto& key, const auto& a, const auto& b) {
        Comparison comparison("ring " + key, tolerance, lines);
        comparison.same("states", states_of(a), states_of(b));
        compare(a.back(), b.back(), comparison);
    });
    return lines;
}

std::string linkedid_of(const std::string& call) {
    const std::size_t from = call.find(':') + 1;
    return call.substr(from, call.find('~') - from);  // of another call that had the same one before
}

Picture without(Picture picture, const std::set<std::string>& linkedids) {
    const auto concerned = [&](const std::string& id) { return linkedids.contains(linkedid_of(id)); };
    std::erase_if(picture.calls, [&](const auto& call) { return concerned(call.first); });
    std::erase_if(picture.legs, [&](const auto& leg) { return concerned(leg.second.call); });
    std::erase_if(picture.notices, [&](const auto& ring) { return concerned(ring.second.back().id); });
    return picture;
}

ObservedDesk::ObservedDesk(std::vector<crm::Operator> people) : desk_(bridge::DeskConfig{}) {
    for (const crm::Operator& person : people) people_.insert(person.jid);
    desk_.set_people(std::move(people));
}

void ObservedDesk::fault(std::string text) {
    picture_.faults.push_back(std::move(text));
}

void ObservedDesk::play(const Stream& stream) {
    for (const Moment& moment : stream) hear(*moment.event, moment.at, moment.heard);
}

void ObservedDesk::hear(const Event& event, Millis at, bool heard) {
    wait(at);
    now_ = std::max(now_, at);
    const std::string channel(event.uniqueid);
    if (event.name == "Newchannel" || event.name == "Status" || event.name == "CoreShowChannel")
        living_.insert(channel);
    else if (event.name == "Hangup")
        living_.erase(channel);
    if (heard) take(desk_.apply(event.message(), now_));
}

void ObservedDesk::wait(Millis until) {
    for (Millis due = desk_.next_deadline(); due <= until && due != Millis::max();
         due = desk_.next_deadline()) {
        now_ = std::max(now_, due);
        take(desk_.tick(now_));
        if (desk_.next_deadline() <= due && due < now_) {
            fault("a deadline does not pass");
            return;
        }
    }
}

void ObservedDesk::take(bridge::Outcome&& outcome) {
    for (const Notice& notice : outcome.notices) look_at(notice);
    for (const crm::CallRow& row : outcome.calls) look_at(row);
    for (const crm::LegRow& row : outcome.legs) look_at(row);
    if (outcome.ask_channels)
        take(desk_.channels_listed(std::vector<std::string>(living_.begin(), living_.end()), now_));
}

void ObservedDesk::look_at(const Notice& notice) {
    const std::string key = notice.to + ' ' + notice.leg;
    const auto said = [&](const char* what) {
        fault(fmt::format("notice {} {} of {}: {}", to_string(notice.state), notice.seq, key, what));
    };
    if (notice.seq != ++seq_[notice.to]) said("seq has a gap");
    if (notice.pbx != "hq" || notice.leg.empty() || !notice.id.starts_with("hq:") || notice.extension.empty())
        said("is not full");
    if (!people_.contains(notice.to)) said("goes to nobody");
    if ((notice.state == RingState::ended) != (notice.cause != bridge::Cause::none))
        said("has a wrong cause");
    if ((notice.state == RingState::ended) != notice.actions.empty()) said("has wrong actions");
    if (notice.at < notice.started) said("is older than its call");
    auto& told = picture_.notices[key];
    if (!told.empty() && told.back().state == RingState::ended) {
        // only a Uniqueid that came again may make the same key again
        if (ended_.contains(key + ' ' + notice.id)) said("comes after the end");
        told.clear();
    }
    if (told.empty() && notice.state == RingState::held) said("is the first one");
    if (!told.empty() && told.back().state == RingState::answered &&
        (notice.state == RingState::ringing || notice.state == RingState::dialing))
        said("takes an answer back");
    if (!told.empty() && told.back().id != notice.id && "hq:" + notice.id != notice.id &&
        notice.replaces != told.back().id)
        said("changes its call without `replaces`");
    if (notice.state == RingState::ended) ended_.insert(key + ' ' + notice.id);
    told.push_back(notice);
}

void ObservedDesk::look_at(const crm::CallRow& row) {
    const auto said = [&](const char* what) { fault(fmt::format("row of {}: {}", row.id, what)); };
    if (const auto before = picture_.calls.find(row.id);
        before != picture_.calls.end() && before->second.ended) {
        said("written after the end");
    }
    if (row.answered && *row.answered < row.started) said("answered before it began");
    if (row.ended && *row.ended < row.answered.value_or(row.started)) said("ended before it was answered");
    if (row.wait.value_or(Millis{0}) < Millis{0} || row.talk.value_or(Millis{0}) < Millis{0})
        said("has a negative time");
    if (row.ended && row.merged_into.empty() && row.disposition == crm::Disposition::none)
        said("ended without disposition");
    if (row.disposition == crm::Disposition::answered && !row.answered) said("answered at no time");
    if (!row.ended && row.disposition != crm::Disposition::none) said("goes on with a disposition");
    if (!row.answered_by.empty() && !row.answered) said("names who answered, and nobody did");
    picture_.calls[row.id] = row;
}

void ObservedDesk::look_at(const crm::LegRow& row) {
    const std::string key = key_of(row);
    const auto said = [&](const char* what) { fault(fmt::format("leg row {}: {}", key, what)); };
    if (!row.call.starts_with("hq:") || row.uniqueid.empty() || row.jid.empty()) said("is not whole");
    if (row.ended.has_value() == row.cause.empty()) said("has a wrong cause");
    if (row.answered && row.offered && *row.answered < *row.offered) said("answered before it rang");
    if (row.ended && *row.ended < row.answered.value_or(row.offered.value_or(*row.ended)))
        said("ended before it began");
    // a merge moves the row to another call: the one under the old call is the CRM room's to remove
    std::erase_if(picture_.legs, [&](const auto& other) {
        return other.second.uniqueid == row.uniqueid && other.second.jid == row.jid &&
               other.second.call != row.call && !other.second.ended;
    });
    picture_.legs[key] = row;
}

// A list without a channel, read to its end.
static const Event nothing_listed({{"Event", "CoreShowChannelsComplete"}, {"ActionID", "s-1"}});

void ObservedDesk::gap(Millis at) {
    wait(at);
    now_ = std::max(now_, at);
    take(desk_.link_lost(now_));
    desk_.sync_begin(now_);
    take(desk_.apply(nothing_listed.message(), now_));
    take(desk_.sync_end(now_));
    now_ += Millis{1};
}

void ObservedDesk::restarted() {
    living_.clear();
    gap(now_ + Millis{1});
    wait(now_ + Millis{1000});
}

Picture ObservedDesk::finish() {
    wait(now_ + unheard_most);
    if (living_.empty() && desk_.calls() != 0)
        fault(fmt::format("{} calls go on without a channel", desk_.calls()));
    restarted();
    wait(now_ + std::chrono::minutes(10));
    const auto sizes = desk_.sizes();
    for (const auto& [what, size] : {std::pair("calls", desk_.calls()),
                                     {"notices", desk_.current().size()},
                                     {"rings", sizes.rings},
                                     {"waiting", sizes.waiting},
                                     {"listed", sizes.listed},
                                     {"suspects", sizes.suspects},
                                     {"legs of the model", sizes.model.legs},
                                     {"calls of the model", sizes.model.calls},
                                     {"merged", sizes.model.merged},
                                     {"bridges", sizes.model.bridges},
                                     {"locals", sizes.model.locals}})
        if (size != 0) fault(fmt::format("{} {} are left", size, what));
    for (const auto& [key, notices] : picture_.notices)
        if (notices.back().state != RingState::ended) fault("no `ended` of " + key);
    for (const auto& [id, row] : picture_.calls)
        if (!row.ended) fault("no end of call " + id);
    for (const auto& [key, row] : picture_.legs)
        if (!row.ended) fault("no end of leg " + key);
    for (const auto& [key, row] : picture_.legs)
        if (const auto call = picture_.calls.find(row.call); call == picture_.calls.end())
            fault("leg " + key + " belongs to no call");
    return picture_;
}

}  // namespace recorded
