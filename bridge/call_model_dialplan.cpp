// What the dialplan tells of a call: variables, and the contexts that services ask for.
#include <algorithm>

#include "bridge/call_model_impl.hpp"

namespace bridge {

namespace {

constexpr std::size_t longest_value = 256;  // characters

std::string shortened(std::string_view text) {
    std::size_t characters = 0, end = 0;
    for (; end < text.size() && end < 4 * longest_value; ++end)
        if ((static_cast<unsigned char>(text[end]) & 0xC0) != 0x80 && ++characters > longest_value) break;
    return std::string(text.substr(0, end));
}

bool same_letters(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

void CallModel::on_var_set(const Event& event) {
    take_variable(*event.leg, event.get("Variable"), unescape(event.get("Value")));
}

void CallModel::take_variable(Leg& leg, std::string_view name, std::string_view value) {
    while (name.starts_with('_')) name.remove_prefix(1);
    value = value_or_nothing(value);
    collect(leg, name, value);
    if (&leg != leg.call->origin || value.empty()) return;
    if (name == "FROM_DID") leg.call->did = value;
    if (name == "CTI_NAME") name_given(*leg.call, std::string(value));
    if (name == "CALLINGNUMPRES_SV" && value.starts_with("prohib")) leg.call->withheld = true;
}

// What the dialplan hands over by UserEvent() stands behind the header of that name; before it, the channel.
// From whichever channel of the call: it was written for us.
void CallModel::on_user_event(const Event& event) {
    const Leg* origin = event.leg->call->origin;
    if (origin == nullptr) return;
    bool handed_over = false;
    for (const ami::Header& header : event.message.headers()) {
        if (handed_over)
            for (const std::string& name : interest_.variables)
                if (same_letters(name, header.name)) collect(*origin, name, header.value);
        handed_over = handed_over || same_letters(header.name, "UserEvent");
    }
}

bool CallModel::speaks_for_call(const Leg& leg) {
    const Leg* origin = leg.call->origin;
    return origin != nullptr && (&leg == origin || &leg == origin->sibling);
}

// A variable that was emptied is none.
void CallModel::collect(const Leg& leg, std::string_view name, std::string_view value) {
    if (interest_.variables.empty() || !speaks_for_call(leg)) return;
    std::string key(name);
    if (!interest_.variables.contains(key)) return;
    if (value.empty())
        leg.call->variables.erase(key);
    else
        leg.call->variables[std::move(key)] = shortened(value);
}

// Where the origin is in the dialplan (a subroutine's return counts as entering again), and the variables of
// `channelvars` in manager.conf.
void CallModel::take_dialplan(const Event& event, const Leg& leg) {
    Call& call = *leg.call;
    if (!interest_.contexts.empty() && &leg == call.origin) {
        std::string context(event.get("Context"));
        if (interest_.contexts.contains(context) &&
            (call.contexts.empty() || call.contexts.back() != context)) {
            std::erase(call.contexts, context);
            call.contexts.push_back(std::move(context));
            if (event.leg == &leg) event.note(Change::Kind::evidence, event.leg);
        }
    }
    if (interest_.variables.empty() || !speaks_for_call(leg)) return;
    for (const ami::Header& header : event.message.headers()) {
        if (header.name != "ChanVariable" && !header.name.starts_with("ChanVariable(")) continue;
        const std::size_t equals = header.value.find('=');
        // every event lists them all: one that is not set says nothing against what a UserEvent told
        if (equals == std::string_view::npos || equals + 1 == header.value.size()) continue;
        collect(leg, header.value.substr(0, equals), unescape(header.value.substr(equals + 1)));
    }
}

}  // namespace bridge
