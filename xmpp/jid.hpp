// Addresses (RFC 7622) and ids of stanzas.
#pragma once

#include <string>
#include <string_view>

namespace xmpp {

// Parts of a JID as written; views into the argument.
struct JidParts {
    std::string_view local, domain, resource;
};

// Splits; all parts empty for an impossible JID (no domain, an empty part, a character that none may have, a
// part over 1023 bytes).
JidParts split_jid(std::string_view jid);

// `user@domain/resource` -> `user@domain`, lower case, also beyond ASCII. Empty for an impossible JID.
std::string bare_jid(std::string_view jid);

// The domain of a JID, lower case. Empty for an impossible JID.
std::string domain_of(std::string_view jid);

std::string new_id();  // globally unique: random prefix of the process + counter

}  // namespace xmpp
