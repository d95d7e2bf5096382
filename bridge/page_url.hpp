// The page that a service opens for a call: a template of the administrator, filled with what is known of the
// call. Values are percent-encoded, so a caller's name never becomes a host, a path or a scheme. RFC 3986.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "bridge/notice.hpp"
#include "crm/types.hpp"

namespace bridge {

// Why this cannot be a scheme of pages (without `:`); empty: it can. `javascript`, `data` and their like
// never can: a page that a client opens must not run in the client.
std::string fault_of_scheme(std::string_view scheme);

// Why this template cannot be used; empty: it can. Names what is known where a placeholder is not.
// `variables`: those the service collects, for `{variable:NAME}`. `schemes`: beside http and https.
std::string fault_of_page(std::string_view page, std::span<const std::string> variables,
                          std::span<const std::string> schemes);

// notice.page filled; empty when there is none, it cannot be used, or it became too long to be shown.
// `lookup` as this operator may see it: a hidden record's id does not get into a URL.
std::string page_url(const Notice& notice, const crm::Lookup& lookup, std::span<const std::string> schemes);

}  // namespace bridge
