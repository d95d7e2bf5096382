// `ctibridge lookup`: who matches a number, ranked, and why (docs/design.md, section 7).
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "crm/config.hpp"

namespace bridge {

struct LookupOptions {
    bool json = false;
    std::string as;                    // JID of the operator whose view is wanted; empty: everything
    std::vector<std::string> numbers;  // "-": one number a line from `in`
};

// Asks the CRM's database, without it the cache of the state directory (and says so on `err`). JSON: one
// object a line on `out`, in the order asked. Returns 0, or 2 after one line on `err` that says what is
// wrong: no index and no database, an unknown JID.
int lookup_command(const crm::Config& config, const LookupOptions& options, std::istream& in,
                   std::ostream& out, std::ostream& err);

}  // namespace bridge
