// Writes JSON text. Any bytes may be given: what is not UTF-8 becomes U+FFFD.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bridge {

std::string json_text(std::string_view text);  // with its quotes

std::string json_list(const std::vector<std::string>& values);  // of complete values

// One object, members in the order given. begin()/end() open and close a nested one.
class JsonObject {
 public:
    JsonObject& text(std::string_view key, std::string_view value);          // always a string
    JsonObject& text_or_null(std::string_view key, std::string_view value);  // null when empty
    JsonObject& number(std::string_view key, std::int64_t value);
    JsonObject& flag(std::string_view key, bool value);
    JsonObject& null(std::string_view key);
    JsonObject& raw(std::string_view key, std::string_view json);  // a complete value
    JsonObject& begin(std::string_view key);
    JsonObject& end();
    [[nodiscard]] std::string str() const;  // closed

 private:
    void key(std::string_view key);
    std::string out_ = "{";
    unsigned open_ = 1;
};

}  // namespace bridge
