#include "xmpp/stream.hpp"

#include <optional>
#include <utility>

#include <gloox/component.h>
#include <gloox/connectionbase.h>
#include <gloox/connectiondatahandler.h>
#include <gloox/connectionlistener.h>
#include <gloox/tag.h>

namespace xmpp {
namespace {

constexpr std::string_view component_accept = "jabber:component:accept";

// What gloox believes to be a socket.
class MemoryConnection final : public gloox::ConnectionBase {
 public:
    explicit MemoryConnection(std::string& out) : ConnectionBase(nullptr), out_(out) {}

    gloox::ConnectionError connect() override {
        m_state = gloox::StateConnected;
        m_handler->handleConnect(this);
        return gloox::ConnNoError;
    }
    gloox::ConnectionError recv(int) override { return gloox::ConnNoError; }
    gloox::ConnectionError receive() override { return gloox::ConnNoError; }
    bool send(const std::string& data) override {
        if (m_state != gloox::StateConnected) return false;
        out_ += data;
        return true;
    }
    void disconnect() override { m_state = gloox::StateDisconnected; }
    void getStatistics(long& in, long& out) override { in = out = 0; }
    gloox::ConnectionBase* newInstance() const override { return new MemoryConnection(out_); }

    void deliver(const std::string& bytes) {
        if (m_state == gloox::StateConnected) m_handler->handleReceivedData(this, bytes);
    }

 private:
    std::string& out_;
};

// Depth is bounded by the guard.
void copy(const gloox::Tag& tag, pugi::xml_node node, const std::string& parent_namespace) {
    node.set_name(tag.name().c_str());
    const std::string own_namespace = tag.xmlns() == component_accept ? std::string() : tag.xmlns();
    if (own_namespace != parent_namespace) node.append_attribute("xmlns").set_value(own_namespace.c_str());
    for (const auto* attribute : tag.attributes()) {
        const auto& prefix = attribute->prefix();
        if (prefix == "xmlns" || (prefix.empty() && attribute->name() == "xmlns")) continue;
        const std::string name = prefix.empty() ? attribute->name() : prefix + ':' + attribute->name();
        node.append_attribute(name.c_str()).set_value(attribute->value().c_str());
    }
    if (const auto text = tag.cdata(); !text.empty())
        node.append_child(pugi::node_pcdata).set_value(text.c_str());
    for (const auto* child : tag.children())
        copy(*child, node.append_child(pugi::node_element), own_namespace);
}

// The header alone is an open element, at which pugixml complains and which it reads all the same.
bool is_nameless(const std::string& header) {
    pugi::xml_document document;
    document.load_string(header.c_str());
    return std::string_view(document.first_child().attribute("id").value()).empty();
}

}  // namespace

struct Stream::Impl final : gloox::Component, gloox::ConnectionListener {
    Impl(const std::string& domain, const std::string& secret, GuardLimits limits, std::string& out,
         Handler handler)
        : Component(gloox::XMLNS_COMPONENT_ACCEPT, domain, domain, secret),
          handler_(std::move(handler)),
          guard_(limits, [this](Guard::Part part, const std::string& xml) { take(part, xml); }),
          connection_(new MemoryConnection(out)) {
        setTls(gloox::TLSDisabled);  // else gloox reads all of the system's certificates for nothing
        setCompression(false);
        connection_->registerConnectionDataHandler(this);
        setConnectionImpl(connection_);
        registerConnectionListener(this);
    }
    ~Impl() override { removeConnectionListener(this); }

    void take(Guard::Part part, const std::string& xml) {
        if (over_) return;
        if (part == Guard::Part::end) return down({}, "the server has ended the stream");
        if (part == Guard::Part::header) nameless_ = is_nameless(xml);
        connection_->deliver(xml);
        if (std::exchange(connected_, false)) handler_.up();
        if (std::exchange(got_stanza_, false) && !over_)
            handler_.stanza(document_.first_child(), part == Guard::Part::cut);
        if (lost_ && !over_) down(condition_, text_);
    }

    void down(std::string_view condition, std::string_view text) {
        if (std::exchange(over_, true)) return;
        handler_.down(condition, text);
    }

    // ---- called by gloox

    void handleTag(gloox::Tag* tag) override {
        if (tag == nullptr) return;
        const auto ns = tag->xmlns();
        if (ns == gloox::XMLNS_STREAM && tag->name() == "error") {
            for (const auto* child : tag->children()) {
                (child->name() == "text" ? text_ : condition_) =
                    child->name() == "text" ? child->cdata() : child->name();
            }
            if (condition_.empty()) condition_ = "undefined-condition";
        }
        if (ns == gloox::XMLNS_STREAM || (!ready_ && tag->name() == "handshake"))
            return Component::handleTag(tag);
        // gloox's own answers lack `from`, for which ejabberd ends the stream: it never sees a stanza.
        if (!ready_ || (!ns.empty() && ns != component_accept)) return;
        document_.reset();
        copy(*tag, document_.append_child(pugi::node_element), {});
        got_stanza_ = true;
    }

    void onConnect() override { ready_ = connected_ = true; }
    void onDisconnect(gloox::ConnectionError reason) override {
        lost_ = true;
        if (condition_.empty() && reason == gloox::ConnParseError) condition_ = "restricted-xml";
    }
    bool onTLSConnect(const gloox::CertInfo&) override { return false; }

    Handler handler_;
    Guard guard_;
    MemoryConnection* connection_;  // gloox owns it
    pugi::xml_document document_;
    bool got_stanza_ = false, connected_ = false, ready_ = false, lost_ = false, over_ = false,
         nameless_ = false;
    std::string condition_, text_;
};

Stream::Stream(const std::string& domain, const std::string& secret, GuardLimits limits, std::string& out,
               Handler handler)
    : impl_(std::make_unique<Impl>(domain, secret, limits, out, std::move(handler))) {}
Stream::~Stream() = default;

void Stream::open() {
    impl_->connect(false);
}

void Stream::feed(std::string_view bytes) {
    if (!impl_->guard_.feed(bytes) && !impl_->over_) {
        impl_->down("not-well-formed", "the server's bytes are not XML: " + impl_->guard_.fault());
    }
}

void Stream::close() {
    impl_->over_ = true;
    impl_->disconnect();
}

bool Stream::nameless() const {
    return impl_->nameless_;
}

std::size_t Stream::cut() const {
    return impl_->guard_.cut();
}

}  // namespace xmpp
