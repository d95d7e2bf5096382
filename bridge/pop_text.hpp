// The line a person reads: body of the pop, of a missed call, and the names in it. Never a guess: matches by
// suffix are left out.
#pragma once

#include <string>
#include <string_view>

#include "bridge/notice.hpp"
#include "crm/types.hpp"

namespace bridge {

// At most `most` characters, the last an ellipsis when it was cut; at most four bytes for each, whatever the
// bytes are.
std::string clipped(std::string_view text, std::size_t most);

// Foreign text for people: one line, without characters that turn the reading direction of what follows.
std::string readable(std::string_view text, std::size_t most);

// Not too long for a message, escaped; a link is shown whole or not at all.
bool is_usable_link(std::string_view url);

// The party's number as E.164, else as presented; empty when withheld.
std::string party_number(const Notice& notice, const crm::Lookup& lookup);
// Who it is: the record if exactly one is meant and visible, a colleague, else the caller's own words; may be
// empty.
std::string party_name(const Notice& notice, const crm::Lookup& lookup);

struct PopText {
    std::string body;
    std::string url, label;  // of the one link worth a button; empty when there is none or several
};
PopText pop_text(const Notice& notice, const crm::Lookup& lookup, std::string_view language);

}  // namespace bridge
