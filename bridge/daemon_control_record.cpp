// `record` of the running daemon: what its own AMI session receives, secrets out, for one client of the
// control socket. Items are {"at": milliseconds since the beginning, "bytes": base64}; the first holds the
// banner.
#include <array>

#include <fmt/format.h>

#include "ami/action.hpp"
#include "bridge/base64.hpp"
#include "bridge/daemon_impl.hpp"
#include "bridge/json.hpp"
#include "bridge/printable.hpp"

namespace bridge {

namespace {

class Stream final : public PbxSide::Listener {
 public:
    Stream(ControlAnswer answer, Millis began) : answer_(std::move(answer)), began_(began) {}
    void heard(std::string_view clean, Millis now) override {
        JsonObject item;
        item.number("at", (now - began_).count()).text("bytes", to_base64(clean));
        answer_.item(item.str());
    }
    void link_ended() override { end("the link to the pbx ended"); }
    void end(std::string_view why) { answer_.done(JsonObject().text("why", why).str()); }

 private:
    ControlAnswer answer_;
    Millis began_;
};

}  // namespace

void Daemon::Impl::control_record(const ControlRequest& request, const ControlAnswer& answer) {
    auto* side = pbx(request.value("pbx"));
    if (side == nullptr)
        return answer.error("not-found",
                            fmt::format("ctibridge has no pbx `{}`", printable(request.value("pbx"), 60)));
    auto stream = std::make_shared<Stream>(answer, steady_now());
    if (auto listening = side->listen(stream); !listening) return answer.error("failed", listening.error());
    // The client's end is the only owner.
    answer.when_gone([stream] { stream->end("as asked"); });
    stream->heard(fmt::format("Asterisk Call Manager/{}\r\n", side->version()), steady_now());
    log(log_info, fmt::format("record: what pbx:{} sends is written down by a client of the control socket",
                              side->config().name));
    // What goes on already: a recording that begins in the middle of calls can be understood.
    for (const auto& list :
         {ami::core_settings(), ami::status({"FROM_DID", "CALLINGNUMPRES_SV"}), ami::core_show_channels(),
          ami::queue_status(), ami::device_state_list(), ami::extension_state_list()})
        side->submit(list, {});
}

}  // namespace bridge
