// The stream of a component: gloox behind the guard, over memory instead of a socket. Bytes in, whole stanzas
// out as pugixml trees with namespaces resolved: names without prefix, `xmlns` on each element whose
// namespace is not its parent's. Stanzas are handed over after gloox has returned, so whoever takes them may
// do anything but destroy the Stream.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <pugixml.hpp>

#include "xmpp/guard.hpp"

namespace xmpp {

class Stream {
 public:
    struct Handler {
        std::function<void()> up;  // the handshake is done
        std::function<void(pugi::xml_node stanza, bool cut)>
            stanza;  // cut: only its first tag, it broke a limit
        // The stream is over. `condition` is that of the stream error, empty when there was none.
        std::function<void(std::string_view condition, std::string_view text)> down;
    };
    // `out` gets what gloox sends: stream header, handshake, end tag.
    Stream(const std::string& domain, const std::string& secret, GuardLimits limits, std::string& out,
           Handler handler);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void open();
    void feed(std::string_view bytes);
    void close();  // sends the end tag; down() is not called
    // The server has answered with a stream header that has no id: nobody can shake hands on it.
    [[nodiscard]] bool nameless() const;
    [[nodiscard]] std::size_t cut() const;

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace xmpp
