// The characters of a telephone number as people, exchanges and CRMs write it, brought to ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace crm {

enum class TextFault : std::uint8_t { none, utf8, control };

struct FoldedText {
    // ASCII: digits of other scripts as 0-9, any dash as '-', any blank as ' ', marks without width left out,
    // other characters beyond ASCII as '\x01' (which is no part of a number).
    std::string text;
    TextFault fault = TextFault::none;
};
FoldedText fold_number_text(std::string_view raw);

std::string_view trimmed(std::string_view text);
std::string lower_ascii(std::string_view text);
std::string only_digits(std::string_view text);
// %2B -> +; what is no escape stays.
std::string percent_decoded(std::string_view text);

// "222333444 ext. 12", "+1 212 555 0123 x45", "222333444/15", "863;ext=12": the number before and the digits
// behind; `extension` empty when there is none. `text` is folded and in lower case.
struct SplitNumber {
    std::string_view number;
    std::string extension;
};
SplitNumber split_extension(std::string_view text);

}  // namespace crm
