// The name of a caller who waits in a queue or menu, for the agents' phones, and their record for the CDR
// (docs/design.md, section 9): whether, what, and before whom. Decisions only; the daemon asks and sets.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "crm/types.hpp"

namespace bridge {

struct CallerName {
    std::string name, record;
};

// The only record a number leads to without doubt; nullptr: none, several, or a guess.
const crm::Match* only_record(const crm::Lookup& lookup);

// `seen_by_all`: everybody whose phone may ring may see the record. The error says why there is no name.
std::expected<CallerName, std::string> caller_name(const crm::Lookup& lookup, bool seen_by_all);

// CRM users of those whose phone may ring: who works for the service, everybody at this pbx where it names
// nobody. Empty text: somebody whom the CRM does not know.
std::vector<std::string> audience_of(const crm::Service* service, std::string_view pbx,
                                     const std::map<std::string, crm::Operator, std::less<>>& people);

}  // namespace bridge
