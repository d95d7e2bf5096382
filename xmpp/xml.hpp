// Text that goes into a stanza: one cleaning function, one small writer. Used for every stanza that is sent.
#pragma once

#include <string>
#include <string_view>

namespace xmpp {

// Appends `text` as XML 1.0 character data or attribute value: valid UTF-8 only (each bad sequence becomes
// U+FFFD), C0 controls but tab, LF, CR dropped, likewise U+FFFE and U+FFFF and surrogates; & < > ' " escaped.
// Never fails. (XML 1.0, 2.2 and 2.4)
void append_escaped(std::string& out, std::string_view text);

// Writes elements into one string, without allocation of its own beyond the buffer's growth.
// Usage: Xml x; x.open("message").attr("to", jid).open("body").text("..").close().close();
class Xml {
 public:
    Xml& open(std::string_view element);
    Xml& attr(std::string_view name, std::string_view value);  // only directly after open() or attr()
    Xml& text(std::string_view text);
    Xml& raw(std::string_view xml);  // must be well-formed already
    Xml& close();
    [[nodiscard]] const std::string& str() const { return out_; }
    [[nodiscard]] std::string take() { return std::move(out_); }

 private:
    void end_tag();
    std::string out_;
    std::string names_;  // stack of open element names
    bool in_tag_ = false;
};

}  // namespace xmpp
