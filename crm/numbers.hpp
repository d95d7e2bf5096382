// What a telephone number means at a site: an extension here, an E.164 number, digits, or nobody's number.
// Extensions are recognised before libphonenumber, which would turn 201 into +49201.
#pragma once

#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crm/config.hpp"
#include "crm/types.hpp"

namespace crm {

// The forms in which a CRM may hold a number, all digits only but the first; absent ones are empty.
struct NumberForms {
    std::string e164;                 // +442079460018
    std::string digits;               // 442079460018
    std::string international;        // 00442079460018
    std::string national;             // 2079460018
    std::string trunk;                // 02079460018, where the country has a trunk prefix
    std::string international_trunk;  // 4402079460018, from "+44 (0)20 ..."
};

class Numbers {
 public:
    explicit Numbers(std::vector<Site> sites);

    // As presented by a channel, a request or a person. `pbx` selects the site; empty: the first one's
    // country and the extensions of all. Takes anything: SIP/201, hq/201, sip:205@host, tel: URIs, any
    // separators, any bytes, any length.
    [[nodiscard]] Number understand(std::string_view raw, std::string_view pbx) const;

    // A phone field of a record: no extension of ours, several numbers in one field, comments around them.
    [[nodiscard]] std::vector<Number> stored(std::string_view field) const;

    // What a person asked to dial: a tel: URI (RFC 3966) or text with any separators. The error is a sentence
    // that says what is wrong with it: letters, control characters, no digits, ...
    [[nodiscard]] std::expected<Number, std::string> dial_number(std::string_view text,
                                                                 std::string_view pbx) const;

    // Extensions of people, internal beside the configured patterns. Operators without pbx count at every
    // site.
    void set_operators(const std::vector<Operator>& operators);
    // The extension of "201", "SIP/201", "hq/201", "sip:205@host", and the pbx if it is named; empty when
    // there is none.
    struct Seat {
        std::string pbx, extension;
    };
    [[nodiscard]] Seat seat(std::string_view text) const;

    [[nodiscard]] static NumberForms forms(const Number& number);
    // The number is a subscriber's without area code in this site's country: only its last digits can be
    // compared.
    [[nodiscard]] bool local_only(const Number& number, std::string_view pbx) const;
    // Country calling code of the site ("420"), empty when unknown.
    [[nodiscard]] std::string country_code(std::string_view pbx) const;
    // Changes when the same text may be understood differently: countries, version of the library's data.
    [[nodiscard]] std::string fingerprint() const;

 private:
    [[nodiscard]] const Site* site(std::string_view pbx) const;
    [[nodiscard]] bool is_extension(std::string_view text, std::string_view pbx) const;
    [[nodiscard]] std::vector<std::string> countries(std::string_view pbx) const;
    void read_telephone(std::string_view text, const std::vector<std::string>& regions, Number& number) const;

    std::vector<Site> sites_;
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> known_;  // extensions by pbx
};

}  // namespace crm
