// Stands before gloox's parser. Takes the bytes of the server's stream as they come and hands on whole
// stanzas in the plain XML that gloox reads: references resolved, attributes in '...' with quotes escaped,
// CDATA as text, comments, processing instructions and white space between stanzas left out, characters that
// XML forbids cleaned (xml.hpp). A stanza that is too large or too deep is cut down to its first tag instead
// of being read: it costs its sender an answer, never the stream. Time and memory are linear in the bytes;
// any chunking gives the same result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace xmpp {

struct GuardLimits {
    std::size_t stanza = 256UL * 1024;  // bytes of one stanza as it arrived
    unsigned depth = 64;                // nesting of elements in a stanza, the stanza itself is 1
};

class Guard {
 public:
    enum class Part : std::uint8_t {
        header,  // the stream's first tag
        stanza,  // a whole stanza
        cut,     // the empty first tag of a stanza that broke a limit
        end,     // the stream's end tag; the text is empty
    };
    using Sink = std::function<void(Part part, const std::string& xml)>;

    Guard(GuardLimits limits, Sink sink);

    // False when the bytes are not XML of a stream; nothing more is read then and fault() says why.
    bool feed(std::string_view bytes);
    [[nodiscard]] const std::string& fault() const { return fault_; }
    // Stanzas that broke a limit, those included whose first tag alone did and that left no trace in the
    // sink.
    [[nodiscard]] std::size_t cut() const { return cut_; }

 private:
    enum class State : std::uint8_t {
        text,
        less,
        name,
        inside,
        attribute,
        equals,
        quote,
        value,
        after_value,
        slash,
        close_first,
        close,
        close_space,
        bang,
        comment_start,
        comment,
        comment_dash,
        comment_end,
        cdata_start,
        cdata,
        cdata_bracket,
        cdata_end,
        instruction,
        instruction_end,
        reference,
    };

    bool step(char c);
    bool text(char c);
    bool less(char c);
    bool name(char c);
    bool inside(char c);
    bool attribute(char c);
    bool value(char c);
    bool markup(char c);  // what begins with <!
    bool cdata(char c);
    bool reference(char c);
    bool opened(bool empty);  // the > of a start tag
    bool closed();            // an element has ended
    bool fail(std::string_view what);
    bool expect(std::string_view word, char c, State next);
    bool count();
    void put(std::string_view plain);
    void put(char c) { put(std::string_view(&c, 1)); }
    void begin_name(char c);
    void end_name();
    bool nests(bool opening);
    void flush_run();
    void next();
    void skip();

    GuardLimits limits_;
    Sink sink_;
    State state_ = State::text, resume_ = State::text;  // resume_: where a reference goes back to
    char quote_ = 0;
    unsigned depth_ = 0;         // elements open, the stream included
    std::size_t bytes_ = 0;      // of this stanza, or of what stands before the header
    std::size_t matched_ = 0;    // characters of the word that expect() has seen
    std::size_t name_at_ = 0;    // where the name being read begins in held_
    std::size_t first_tag_ = 0;  // length of the stanza's first tag without its end, once it is complete
    bool skipping_ = false;
    bool ended_ = false;
    std::string held_;                // the stanza so far, rewritten
    std::vector<std::string> names_;  // of the stanza's open elements
    std::string run_;                 // text or attribute value so far, as it means
    std::string reference_;
    std::string fault_;
    std::size_t cut_ = 0;
};

}  // namespace xmpp
