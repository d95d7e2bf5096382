#include "bridge/stanzas.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include "bridge/page_url.hpp"
#include "bridge/pop_text.hpp"
#include "xmpp/jid.hpp"
#include "xmpp/xml.hpp"

namespace bridge {
namespace {

using xmpp::Xml;

constexpr std::string_view ours = "urn:ctibridge:1";
constexpr std::size_t most_matches = 10;
constexpr std::size_t most_variables = 32;
constexpr std::size_t longest_value = 256;
constexpr std::size_t longest_name = 128;

// Decimal digits without an allocation.
class Digits {
 public:
    explicit Digits(std::uint64_t number) : end_(std::to_chars(text_, text_ + sizeof text_, number).ptr) {}
    operator std::string_view() const { return {text_, end_}; }

 private:
    char text_[20];
    char* end_;
};

void attribute(Xml& xml, std::string_view name, std::string_view value, std::size_t most = longest_name) {
    if (!value.empty()) xml.attr(name, clipped(value, most));
}

void url_attribute(Xml& xml, std::string_view url) {
    if (is_usable_link(url)) xml.attr("url", url);
}

std::string match_element(const crm::Match& match) {
    Xml xml;
    xml.open("match");
    if (match.may_see) {
        attribute(xml, "module", match.module);
        attribute(xml, "id", match.id);
        attribute(xml, "label", match.label);
        attribute(xml, "organization", match.organization);
        url_attribute(xml, match.url);
        xml.attr("quality", name_of(match.quality));
    } else {
        xml.attr("known", "true").attr("owner", clipped(match.owner, longest_name));
    }
    return xml.close().take();
}

std::string variable_element(const std::pair<std::string, std::string>& variable) {
    Xml xml;
    xml.open("variable")
        .attr("name", clipped(variable.first, 64))
        .text(clipped(variable.second, longest_value))
        .close();
    return xml.take();
}

std::string service_element(const Notice& notice, std::string_view page) {
    if (notice.service.empty()) return {};
    Xml xml;
    xml.open("service").attr("name", clipped(notice.service, longest_name));
    attribute(xml, "language", notice.language);
    url_attribute(xml, page);
    return xml.close().take();
}

// <call/> in at most `room` bytes: what does not fit of matches is counted, of variables left out.
std::string call_element(const Notice& notice, const crm::Lookup& lookup, std::string_view epoch,
                         std::string_view page, std::size_t room) {
    Xml details;
    details.open("party");
    if (notice.withheld) details.attr("withheld", "true");
    attribute(details, "number", party_number(notice, lookup));
    // Here the caller's own words stay as they are: a client shows them as such.
    attribute(details, "name",
              notice.withheld            ? std::string_view()
              : lookup.colleague.empty() ? notice.party_name
                                         : lookup.colleague);
    details.close();
    if (!notice.dialed.empty()) details.open("dialed").attr("number", clipped(notice.dialed, 64)).close();
    if (!notice.far_end.empty()) details.open("far-end").attr("state", notice.far_end).close();
    if (!notice.queue.empty()) {
        details.open("queue").attr("name", clipped(notice.queue, longest_name));
        if (notice.waited) details.attr("waited", std::to_string(*notice.waited));
        details.close();
    }
    details.raw(service_element(notice, page));
    // A second record of somebody who has one is not suggested.
    const bool has_one =
        std::ranges::find(lookup.matches, crm::Quality::exact, &crm::Match::quality) != lookup.matches.end();
    Xml create;
    if (!has_one && lookup.create && is_usable_link(*lookup.create)) {
        create.open("create");
        attribute(create, "module", lookup.create_module);
        create.attr("url", *lookup.create).close();
    }

    const auto head = [&](std::uint64_t more) {
        Xml xml;
        xml.open("call").attr("xmlns", ours).attr("pbx", notice.pbx).attr("leg", clipped(notice.leg, 256));
        xml.attr("id", clipped(notice.id, 320));
        attribute(xml, "replaces", notice.replaces, 320);
        xml.attr("epoch", epoch).attr("seq", Digits(notice.seq)).attr("state", to_string(notice.state));
        xml.attr("direction", word(notice.direction));
        if (notice.state == RingState::ended && notice.cause != Cause::none)
            xml.attr("cause", to_string(notice.cause));
        attribute(xml, "extension", notice.extension);
        xml.attr("at", iso8601(notice.at)).attr("started", iso8601(notice.started));
        if (notice.answered) xml.attr("answered", iso8601(*notice.answered));
        if (notice.shared) xml.attr("shared", "true");
        attribute(xml, "request", notice.request, longest_value);
        attribute(xml, "actions", notice.actions);
        if (notice.pop != crm::PopRule::ringing) xml.attr("pop", crm::name_of(notice.pop));
        if (more > 0) xml.attr("more", Digits(more));
        return xml;
    };
    auto xml = head(1'000'000'000);
    std::size_t used = xml.str().size() + details.str().size() + create.str().size() + sizeof "</call>";

    std::string matches;
    std::size_t shown = 0;
    for (const auto& match : lookup.matches) {
        const auto element = match_element(match);
        if (shown == most_matches || used + element.size() > room) break;
        used += element.size();
        matches += element;
        ++shown;
    }
    std::string variables;
    for (const auto& variable :
         std::span(notice.variables).first(std::min(notice.variables.size(), most_variables))) {
        const auto element = variable_element(variable);
        if (used + element.size() > room) break;
        used += element.size();
        variables += element;
    }
    xml = head(lookup.more + lookup.matches.size() - shown);
    xml.raw(details.str()).raw(variables).raw(matches).raw(create.str()).close();
    return xml.take();
}

std::string replaced(std::string_view pattern, std::string_view extension) {
    std::string text(pattern);
    constexpr std::string_view place = "{extension}";
    if (const auto at = text.find(place); at != std::string::npos) text.replace(at, place.size(), extension);
    return text;
}

}  // namespace

std::string iso8601(Millis time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date{sys_days{day}};
    const hh_mm_ss clock{time - day};
    std::string text = "0000-00-00T00:00:00.000Z";
    const auto put = [&](std::size_t at, std::size_t width, std::uint64_t value) {
        for (auto i = at + width; i-- > at; value /= 10) text[i] = static_cast<char>('0' + value % 10);
    };
    put(0, 4, static_cast<std::uint64_t>(static_cast<int>(date.year())));
    put(5, 2, static_cast<unsigned>(date.month()));
    put(8, 2, static_cast<unsigned>(date.day()));
    put(11, 2, static_cast<std::uint64_t>(clock.hours().count()));
    put(14, 2, static_cast<std::uint64_t>(clock.minutes().count()));
    put(17, 2, static_cast<std::uint64_t>(clock.seconds().count()));
    put(20, 3, static_cast<std::uint64_t>(clock.subseconds().count()));
    return text;
}

bool is_pop(const Notice& notice) {
    switch (notice.pop) {
        case crm::PopRule::ringing:
            return notice.state == RingState::ringing;
        case crm::PopRule::answered:
            return notice.just_answered;
        case crm::PopRule::never:
            return false;
    }
    return false;
}

bool is_missed(const Notice& notice) {
    if (notice.pop != crm::PopRule::ringing) return false;  // nobody was to see it
    if (notice.state != RingState::ended || notice.direction == Direction::outbound) return false;
    if (notice.cause == Cause::cancelled) return true;
    return notice.cause == Cause::no_answer && notice.queue.empty();
}

namespace {
// The one door to what operators see of a call: `write` gets of it what they may see.
template <class Write>
std::string as_seen(const Sight* sight, const Notice& notice, const crm::Lookup& lookup, Write write) {
    if (sight == nullptr || !sight->limits(notice)) return write(notice, lookup);
    auto seen = notice;
    auto known = lookup;
    sight->limit(seen, known);
    return write(seen, known);
}
}  // namespace

std::string Stanzas::call(const Notice& notice, const crm::Lookup& lookup) const {
    return as_seen(style_.sight, notice, lookup, [&](const Notice& seen, const crm::Lookup& known) {
        return call_element(seen, known, style_.epoch, page_url(seen, known, style_.schemes), largest);
    });
}

std::string Stanzas::notice(const Notice& notice, const crm::Lookup& lookup,
                            const Recipient& recipient) const {
    return as_seen(style_.sight, notice, lookup, [&](const Notice& seen, const crm::Lookup& known) {
        return written(seen, known, recipient);
    });
}

std::string Stanzas::written(const Notice& notice, const crm::Lookup& lookup,
                             const Recipient& recipient) const {
    const bool missed = is_missed(notice) && style_.missed != MissedMode::none;
    const bool body = recipient.body && (is_pop(notice) || missed);
    const auto page = page_url(notice, lookup, style_.schemes);
    const bool store = body && missed && style_.missed == MissedMode::store;

    Xml rest;
    if (recipient.phone_event) {
        rest.open("phone-event").attr("xmlns", "http://jivesoftware.com/xmlns/phone");
        rest.attr("callID",
                  clipped(recipient.phone_call_id.empty() ? notice.id : recipient.phone_call_id, 320));
        rest.attr("type", phone_event_type(notice.state));
        if (const auto device = style_.devices.find(notice.pbx);
            device != style_.devices.end() && !notice.extension.empty()) {
            rest.attr("device", clipped(replaced(device->second, notice.extension), longest_name));
        }
        if (notice.state != RingState::ended) {
            const auto number = party_number(notice, lookup);
            auto name = party_name(notice, lookup);
            // Spark shows callerID only when it has exactly ten characters.
            if (!number.empty()) name += (name.empty() ? "" : " ") + number;
            rest.open("callerID").text(number).close().open("callerIDName").text(name).close();
        }
        rest.close();
    }
    PopText text;
    if (body) {
        text = pop_text(notice, lookup, style_.language);
        if (!page.empty()) {
            text.label = text.label.empty() ? notice.service : std::move(text.label);
            text.url = page;
        }
        if (!text.url.empty()) {
            rest.open("x").attr("xmlns", "jabber:x:oob").open("url").text(text.url).close();
            rest.open("desc").text(text.label).close().close();
        }
    }
    if (!store) rest.open("no-store").attr("xmlns", "urn:xmpp:hints").close();

    Xml xml;
    xml.open("message")
        .attr("type", store ? "normal" : "headline")
        .attr("from", style_.component)
        .attr("to", recipient.to);
    xml.attr("id", xmpp::new_id());
    if (body) xml.open("body").text(text.body).close();
    if (recipient.call) {
        const auto used = xml.str().size() + rest.str().size() + sizeof "</message>";
        xml.raw(call_element(notice, lookup, style_.epoch, page, used < largest ? largest - used : 0));
    }
    return xml.raw(rest.str()).close().take();
}

std::string Stanzas::calls(std::uint64_t seq, std::span<const std::string> calls) const {
    Xml xml;
    xml.open("calls").attr("xmlns", ours).attr("epoch", style_.epoch).attr("seq", Digits(seq));
    for (const auto& call : calls) xml.raw(call);
    return xml.close().take();
}

std::string Stanzas::sync(std::string_view to, std::uint64_t seq) const {
    Xml xml;
    xml.open("message")
        .attr("type", "headline")
        .attr("from", style_.component)
        .attr("to", to)
        .attr("id", xmpp::new_id());
    xml.open("sync").attr("xmlns", ours).attr("epoch", style_.epoch).attr("seq", Digits(seq)).close();
    xml.open("no-store").attr("xmlns", "urn:xmpp:hints").close();
    return xml.close().take();
}

std::string Stanzas::link_now(std::string_view kind, std::string_view name, bool up, Millis since) {
    Xml xml;
    xml.open("link").attr("to", kind).attr("name", name).attr("state", up ? "up" : "down");
    return xml.attr("since", iso8601(since)).close().take();
}

std::string Stanzas::link(std::string_view to, std::uint64_t seq, std::string_view kind,
                          std::string_view name, bool up, Millis since) const {
    Xml xml;
    xml.open("message")
        .attr("type", "headline")
        .attr("from", style_.component)
        .attr("to", to)
        .attr("id", xmpp::new_id());
    xml.open("link")
        .attr("xmlns", ours)
        .attr("to", kind)
        .attr("name", name)
        .attr("state", up ? "up" : "down");
    xml.attr("since", iso8601(since)).attr("epoch", style_.epoch).attr("seq", Digits(seq)).close();
    xml.open("no-store").attr("xmlns", "urn:xmpp:hints").close();
    return xml.close().take();
}

}  // namespace bridge
