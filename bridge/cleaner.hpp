// Takes secrets out of what Asterisk sends, before it is written down: answers to a login's challenge,
// headers and variables named like passwords, what a caller had to type to be let in.
#pragma once

#include <string>
#include <string_view>

#include "ami/message.hpp"
#include "ami/parser.hpp"

namespace bridge {

// A name that says its value is a secret: password, md5_cred, AUTH_TOKEN, ...
bool names_a_secret(std::string_view name);

// The message's bytes with its empty line; a secret's value is `redacted`. Empty: nothing of it is fit to be
// kept.
std::string without_secrets(const ami::Message& message);

// `header` as a line; one without a name is a line without a colon.
std::string header_line(std::string_view name, std::string_view value);

// Bytes of a connection in, whole clean messages out. Begins at the banner, or with `banner` between two
// messages.
class Cleaner {
 public:
    Cleaner() = default;
    explicit Cleaner(std::string_view banner) {
        (void)parser_.feed(banner, [](const auto&) {});
    }
    // What was completed by these bytes. After bytes that are no AMI: empty for ever.
    std::string feed(std::string_view bytes);
    // Drops what comes until the end of the message that is under way.
    void skip_rest() { skipping_ = true; }

 private:
    ami::Parser parser_;
    std::string tail_;
    bool skipping_ = false;
};

}  // namespace bridge
