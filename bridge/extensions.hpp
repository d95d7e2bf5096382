// Which number belongs to a channel, and which numbers are internal (pbx[].channels, pbx[].extensions).
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace bridge {

// `*` any run, `?` one character.
bool glob(std::string_view pattern, std::string_view text);

// Digits with an optional `+` in front, or a feature code with `*` and `#`; not `s`, `h`, names.
bool looks_dialed(std::string_view exten);

class Extensions {
 public:
    // `channels`: patterns as "PJSIP/{extension}". `internal`: globs of internal numbers; empty: the people's
    // and what is not longer.
    Extensions(std::vector<std::string> channels, std::vector<std::string> internal);
    // `devices`: phones that no pattern names, "PJSIP/anna-desk" -> extension.
    void set_people(std::unordered_set<std::string> extensions,
                    std::unordered_map<std::string, std::string> devices = {});

    // The extension of a phone's channel ("PJSIP/201-0000002a") or dial string ("PJSIP/201"); empty: no phone
    // of ours.
    [[nodiscard]] std::string of_channel(std::string_view channel) const;
    // What {extension} would be, whether we know it or not.
    [[nodiscard]] std::string_view candidate(std::string_view channel) const;
    [[nodiscard]] std::string_view pattern_of(std::string_view channel) const;  // that it fits; empty: none
    [[nodiscard]] bool is_phone(std::string_view extension) const;  // of a person, or internal by a pattern
    [[nodiscard]] bool is_internal(
        std::string_view number) const;  // extensions, feature codes, short numbers
 private:
    struct Fit {
        std::string_view pattern, extension;
    };
    [[nodiscard]] Fit fit(std::string_view channel) const;
    std::vector<std::string> channels_, internal_;
    std::unordered_set<std::string> people_;
    std::unordered_map<std::string, std::string> devices_;
    std::size_t longest_ = 0;
};

}  // namespace bridge
