// What the body of a pop says, by language.
#pragma once

#include <string_view>

namespace bridge {

// `{}` is replaced.
struct Phrases {
    std::string_view language;
    std::string_view call;      // {} who
    std::string_view missed;    // {} who
    std::string_view withheld;  // who, when the number is withheld
    std::string_view unknown;   // who, when there is no number at all
    std::string_view known_to;  // a record that this operator may not see; {} its owner
    std::string_view more;      // {} how many more match
    std::string_view create;    // before the link that makes a new record
};

// The language or, by its first two letters, a relative of it; else English.
const Phrases& phrases(std::string_view language);

}  // namespace bridge
