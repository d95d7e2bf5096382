// Replaces the names and numbers of a recording so that it can be given away: the same number is the same
// pseudonym wherever it stands and in whatever form (+44 7700 900123, 07700 900123), of the same length and
// kind; a name is `Name 17`. What holds a recording together (ids, contexts, extensions, times) stays, so the
// calls, rings and causes that `replay` finds in it are the same.
// Not found: names in device names and in texts without any blank that no header calls a name.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ami/message.hpp"
#include "bridge/trace.hpp"

namespace bridge {

struct AnonymiseOptions {
    std::string key;  // what the pseudonyms are drawn from; empty: random
    // Numbers of six digits and more that are internal and stay; shorter ones always do.
    std::function<bool(std::string_view)> internal;
};

class Anonymiser {
 public:
    explicit Anonymiser(AnonymiseOptions options);

    void learn(const ami::Message& message);                         // of every message, before any rewrite()
    [[nodiscard]] std::string rewrite(const ami::Message& message);  // with its empty line

    // As they stand in the result.
    [[nodiscard]] std::string number(std::string_view text);  // every number in a text
    [[nodiscard]] std::string name(std::string_view text);    // of a header that holds a name

 private:
    void learn_name(std::string_view text);
    [[nodiscard]] std::string value(const ami::Message& message, const ami::Header& header);
    [[nodiscard]] std::string text(std::string_view text);  // names within, then numbers
    [[nodiscard]] std::string free_text(std::string_view text);
    [[nodiscard]] std::string variable(std::string_view name, std::string_view value);
    [[nodiscard]] std::string digits(std::string_view run, bool plus);
    [[nodiscard]] int turn(std::string_view suffix) const;
    void sort_names();

    AnonymiseOptions options_;
    std::unordered_map<std::string, std::string> names_, texts_, numbers_;
    std::array<std::vector<std::string>, 256> longest_first_;  // of names_, by their first byte
    bool sorted_ = false;
};

struct Anonymised {
    std::string bytes, times;  // of the `.ami` and the `.times` file
};
Anonymised anonymise(const Trace& trace, AnonymiseOptions options);

}  // namespace bridge
