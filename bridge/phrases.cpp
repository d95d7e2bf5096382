#include "bridge/phrases.hpp"

#include <algorithm>
#include <array>

namespace bridge {
namespace {

constexpr std::array table{
    Phrases{"en", "Call from {}", "Missed call from {}", "a withheld number", "an unknown number",
            "known to {}", "and {} more", "new record:"},
    Phrases{"sk", "Volá {}", "Zmeškaný hovor: {}", "skryté číslo", "neznáme číslo", "pozná {}",
            "a ďalšie: {}", "nový záznam:"},
    Phrases{"cs", "Volá {}", "Zmeškaný hovor: {}", "skryté číslo", "neznámé číslo", "zná {}", "a další: {}",
            "nový záznam:"},
    Phrases{"de", "Anruf von {}", "Verpasster Anruf von {}", "unterdrückter Nummer", "unbekannter Nummer",
            "bekannt bei {}", "und {} weitere", "neuer Eintrag:"},
};

}  // namespace

const Phrases& phrases(std::string_view language) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const auto& row) { return language.substr(0, 2) == row.language; });
    return found == table.end() ? table.front() : *found;
}

}  // namespace bridge
