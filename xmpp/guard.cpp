#include "xmpp/guard.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "xmpp/xml.hpp"

namespace xmpp {
namespace {

constexpr std::size_t longest_reference = 32;  // "#x10FFFF", with leading zeros to spare

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// Beyond ASCII generous: the server has checked names already. What matters is that gloox sees the same tags
// as we do.
bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_name_start(char c) {
    return is_name_char(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != ':';
}

void append_utf8(std::string& out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) {
        out += static_cast<char>(static_cast<unsigned char>(value));
    };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | (code >> 6));
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3F));
        byte(0x80 | ((code >> 6) & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

// The text of a reference such as "amp" or "#x1F600". False: there is no such reference.
bool resolve(std::string_view reference, std::string& out) {
    constexpr std::array<std::pair<std::string_view, char>, 5> names{
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"apos", '\''}, {"quot", '"'}}};
    for (const auto& [name, c] : names) {
        if (reference == name) return out += c, true;
    }
    if (!reference.starts_with('#')) return false;
    reference.remove_prefix(1);
    const int base = reference.starts_with('x') ? 16 : 10;
    if (base == 16) reference.remove_prefix(1);
    std::uint32_t code = 0;
    const auto* end = reference.data() + reference.size();
    const auto [last, error] = std::from_chars(reference.data(), end, code, base);
    if (reference.empty() || error != std::errc() || last != end || code > 0x10FFFF) return false;
    // Characters that XML forbids are left out here too, as raw ones are by append_escaped().
    if (code != 0 && !(code >= 0xD800 && code <= 0xDFFF)) append_utf8(out, code);
    return true;
}

}  // namespace

Guard::Guard(GuardLimits limits, Sink sink) : limits_(limits), sink_(std::move(sink)) {}

bool Guard::feed(std::string_view bytes) {
    if (!fault_.empty()) return false;
    for (const char c : bytes) {
        if (ended_) return true;
        if (!count() || !step(c)) return false;
    }
    return true;
}

bool Guard::fail(std::string_view what) {
    fault_ = what;
    held_.clear();
    run_.clear();
    return false;
}

bool Guard::count() {
    if (skipping_ || ++bytes_ <= limits_.stanza) return true;
    if (depth_ == 0) return fail("the stream does not begin with a stream header of a sane length");
    skip();
    return true;
}

// A stanza begins, counted from its first byte.
void Guard::next() {
    held_.clear();
    names_.clear();
    first_tag_ = 0;
    bytes_ = 1;
    skipping_ = false;
}

// From here on the stanza is only followed, not kept.
void Guard::skip() {
    skipping_ = true;
    ++cut_;
    held_.resize(first_tag_);
    run_.clear();
    run_.shrink_to_fit();
}

void Guard::put(std::string_view plain) {
    if (!skipping_) held_ += plain;
}

void Guard::begin_name(char c) {
    name_at_ = held_.size();
    put(c);
}

// gloox takes <stream:stream> at any depth for a new stream, and stops at names that are not UTF-8 or have a
// second or a last colon.
void Guard::end_name() {
    if (skipping_ || depth_ == 0) return;
    const auto name = std::string_view(held_).substr(name_at_);
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (!std::all_of(name.begin(), name.end(), is_ascii)) {
        std::string cleaned;
        append_escaped(cleaned, name);
        if (cleaned != name)
            std::replace_if(held_.begin() + static_cast<std::ptrdiff_t>(name_at_), held_.end(),
                            std::not_fn(is_ascii), '_');
    }
    const auto colon = name.find(':');
    if (colon == std::string_view::npos) return;
    if (name == "stream:stream" || colon == name.size() - 1 ||
        name.find(':', colon + 1) != std::string_view::npos) {
        std::replace(held_.begin() + static_cast<std::ptrdiff_t>(name_at_), held_.end(), ':', '-');
    }
}

// Keeps the names of open elements; false when an end tag has another than the one it ends.
bool Guard::nests(bool opening) {
    if (skipping_ || depth_ == 0) return true;
    const auto name = std::string_view(held_).substr(name_at_);
    if (opening) {
        names_.emplace_back(name);
        return true;
    }
    if (names_.empty()) return true;  // the stream itself
    return names_.back() == name;
}

void Guard::flush_run() {
    if (!skipping_) append_escaped(held_, run_);
    run_.clear();
}

bool Guard::step(char c) {
    switch (state_) {
        case State::text:
            return text(c);
        case State::less:
            return less(c);
        case State::name:
        case State::slash:
        case State::close_first:
        case State::close:
        case State::close_space:
            return name(c);
        case State::inside:
            return inside(c);
        case State::attribute:
        case State::equals:
        case State::quote:
            return attribute(c);
        case State::value:
        case State::after_value:
            return value(c);
        case State::bang:
        case State::comment_start:
        case State::comment:
        case State::comment_dash:
        case State::comment_end:
        case State::instruction:
        case State::instruction_end:
            return markup(c);
        case State::cdata_start:
        case State::cdata:
        case State::cdata_bracket:
        case State::cdata_end:
            return cdata(c);
        case State::reference:
            return reference(c);
    }
    return false;
}

bool Guard::text(char c) {
    if (c == '<') {
        flush_run();
        if (depth_ == 1) next();
        state_ = State::less;
        return true;
    }
    if (depth_ <= 1) {  // white space keeps the stream alive and means nothing
        bytes_ = depth_ == 0 ? bytes_ : 0;
        return is_space(c) || static_cast<unsigned char>(c) >= 0x80 || depth_ == 1 ||
               fail("the stream does not begin with a tag");
    }
    if (c == '&') {
        resume_ = State::text;
        state_ = State::reference;
    } else if (!skipping_) {
        run_ += c;
    }
    return true;
}

bool Guard::less(char c) {
    if (c == '/') return state_ = State::close_first, true;
    if (c == '!') return state_ = State::bang, true;
    if (c == '?') return state_ = State::instruction, true;
    if (!is_name_start(c)) return fail("a tag without a name");
    put('<');
    begin_name(c);
    state_ = State::name;
    return true;
}

// Names of start and end tags, and how these end.
bool Guard::name(char c) {
    const bool opening = state_ == State::name;
    if (state_ == State::slash) return c == '>' ? opened(true) : fail("a / inside a tag");
    if (state_ == State::close_first) {
        if (!is_name_start(c)) return fail("an end tag without a name");
        put("</");
        begin_name(c);
        state_ = State::close;
        return true;
    }
    if (is_name_char(c) && state_ != State::close_space) return put(c), true;
    if (state_ != State::close_space) {
        end_name();
        if (!nests(opening)) return fail("an end tag that is not its element's");
    }
    if (is_space(c)) return state_ = opening ? State::inside : State::close_space, true;
    if (c == '>') return opening ? opened(false) : (put('>'), closed());
    if (c == '/' && opening) return state_ = State::slash, true;
    return fail("a name with a character that no name has");
}

bool Guard::inside(char c) {
    if (is_space(c)) return true;
    if (c == '>') return opened(false);
    if (c == '/') return state_ = State::slash, true;
    if (!is_name_start(c)) return fail("a tag with something that is no attribute");
    put(' ');
    begin_name(c);
    state_ = State::attribute;
    return true;
}

bool Guard::attribute(char c) {
    if (state_ == State::attribute) {
        if (is_name_char(c)) return put(c), true;
        end_name();
    }
    if (state_ != State::quote && c == '=') return state_ = State::quote, true;
    if (is_space(c)) return state_ = state_ == State::quote ? State::quote : State::equals, true;
    if (state_ != State::quote || (c != '\'' && c != '"'))
        return fail("an attribute without a value in quotes");
    put("='");
    quote_ = c;
    state_ = State::value;
    return true;
}

bool Guard::value(char c) {
    if (state_ == State::after_value) {
        state_ = State::inside;
        return is_space(c) || c == '>' || c == '/' ? inside(c)
                                                   : fail("attributes without a space between them");
    }
    if (c == quote_) {
        flush_run();
        put('\'');
        state_ = State::after_value;
    } else if (c == '&') {
        resume_ = State::value;
        state_ = State::reference;
    } else if (c == '<') {
        return fail("a < in an attribute");
    } else if (!skipping_) {
        run_ += c;
    }
    return true;
}

bool Guard::expect(std::string_view word, char c, State next) {
    if (c != word[matched_]) return fail("a document type or other markup that a stream may not have");
    if (++matched_ == word.size()) state_ = next;
    return true;
}

bool Guard::markup(char c) {
    switch (state_) {
        case State::bang:
            matched_ = 0;
            if (c == '-') return state_ = State::comment_start, true;
            state_ = State::cdata_start;
            return cdata(c);
        case State::comment_start:
            return expect("-", c, State::comment);
        case State::comment:
            state_ = c == '-' ? State::comment_dash : State::comment;
            return true;
        case State::comment_dash:
            state_ = c == '-' ? State::comment_end : State::comment;
            return true;
        case State::comment_end:
            if (c != '>') return fail("a -- inside a comment");
            state_ = State::text;
            return true;
        case State::instruction:
            state_ = c == '?' ? State::instruction_end : State::instruction;
            return true;
        default:
            state_ = c == '>' ? State::text : c == '?' ? State::instruction_end : State::instruction;
            return true;
    }
}

bool Guard::cdata(char c) {
    switch (state_) {
        case State::cdata_start:
            if (depth_ <= 1) return fail("a document type or other markup that a stream may not have");
            return expect("[CDATA[", c, State::cdata);
        case State::cdata_end:
            if (c == '>') return state_ = State::text, true;
            if (!skipping_) run_ += ']';  // of "]]]" the first belongs to the text
            if (c == ']') return true;
            if (!skipping_) (run_ += ']') += c;
            state_ = State::cdata;
            return true;
        case State::cdata_bracket:
            if (c == ']') return state_ = State::cdata_end, true;
            if (!skipping_) (run_ += ']') += c;
            state_ = State::cdata;
            return true;
        default:
            if (c == ']') {
                state_ = State::cdata_bracket;
            } else if (!skipping_) {
                run_ += c;
            }
            return true;
    }
}

bool Guard::reference(char c) {
    if (c == ';') {
        std::string meant;
        if (!resolve(reference_, meant)) return fail("a reference that XML does not know");
        if (!skipping_) run_ += meant;
        reference_.clear();
        state_ = resume_;
        return true;
    }
    if (reference_.size() == longest_reference) return fail("a reference that does not end");
    reference_ += c;
    return true;
}

bool Guard::opened(bool empty) {
    state_ = State::text;
    ++depth_;
    if (depth_ == 1) {
        if (empty) return fail("a stream header that is an empty element");
        held_ += '>';
        sink_(Part::header, std::exchange(held_, {}));
        bytes_ = 0;
        return true;
    }
    if (depth_ == 2 && !skipping_) first_tag_ = held_.size();
    if (depth_ - 1 > limits_.depth && !skipping_) skip();
    put(empty ? "/>" : ">");
    return !empty || closed();
}

bool Guard::closed() {
    state_ = State::text;
    if (depth_ == 0) return fail("an end tag without its beginning");
    --depth_;
    if (!names_.empty()) names_.pop_back();
    if (depth_ > 1) return true;
    if (depth_ == 0) {
        ended_ = true;
        held_.clear();
        sink_(Part::end, held_);
        return true;
    }
    if (!skipping_) {
        sink_(Part::stanza, held_);
    } else if (first_tag_ > 0) {
        held_ += "/>";
        sink_(Part::cut, held_);
    }
    next();
    return true;
}

}  // namespace xmpp
