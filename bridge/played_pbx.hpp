// A recorded trace played as a pbx: the server side of AMI, without sockets or clocks. Any number of
// clients; each logs in, asks for lists and sees the recorded events its mask lets through, at their recorded
// distances. Nothing a client asks can change a recording: what would is refused in words.
// Source: Asterisk documentation "AMI v2 Specification"; answers as measured on Asterisk 22.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/picture.hpp"
#include "bridge/trace.hpp"

namespace bridge {

struct PlayOptions {
    std::string username;    // empty: any
    std::string secret;      // empty: any
    double speed = 1;        // times as fast as recorded
    bool wait = false;       // begin when a client has asked for all lists; else when one has logged in
    bool stay = false;       // keep the connections after the last event; else they end as recorded
    bool originate = false;  // each recorded click-to-dial waits for one of the client's and becomes it
};

// Times are milliseconds of a steady clock. Owner's thread only.
class PlayedPbx {
 public:
    using Client = std::uint64_t;

    PlayedPbx(Trace trace, PlayOptions options);

    Client open(Millis now);  // a connection was accepted
    void received(Client client, std::string_view bytes, Millis now);
    void closed(Client client);
    void tick(Millis now);
    [[nodiscard]] Millis next_deadline() const;            // Millis::max() when nothing is waited for
    [[nodiscard]] std::string take_output(Client client);  // bytes to write
    [[nodiscard]] bool wants_close(Client client) const;   // after its output was written
    [[nodiscard]] std::vector<std::string> take_news();    // what happened, a JSON object each
    [[nodiscard]] bool done() const;                       // played to the end, and not told to stay
    [[nodiscard]] std::size_t pending() const;             // events not played yet

 private:
    struct Asked {  // an action of a client
        std::map<std::string, std::string, std::less<>> headers;
        [[nodiscard]] std::string get(std::string_view name) const;
    };
    struct Session {
        std::string input, output, challenge;
        std::set<std::string, std::less<>> mask;
        std::set<std::string, std::less<>> lists;  // asked for so far
        bool logged_in = false, close = false;
        Millis refuse_at{Millis::max()};  // a wrong password is answered late
        std::string refused_id;
    };
    struct Play {  // a recorded event that is sent
        std::string_view bytes;
        Millis at{0};
        std::string privilege;  // first class; empty: everybody gets it
        bool shutdown = false;
    };
    struct Original {           // a recorded click-to-dial
        std::size_t first = 0;  // its first event in plays_
        std::string id, device, exten;
    };
    using Handler = void (PlayedPbx::*)(Session&, const Asked&, Millis);
    struct Row;
    static const Row table[];

    void read_trace();
    void find_originals();

    void act(Session& session, std::string_view block, Millis now);
    void on_challenge(Session&, const Asked&, Millis);
    void on_login(Session&, const Asked&, Millis);
    void on_logoff(Session&, const Asked&, Millis);
    void on_ping(Session&, const Asked&, Millis);
    void on_events(Session&, const Asked&, Millis);
    void on_core_settings(Session&, const Asked&, Millis);
    void on_list_commands(Session&, const Asked&, Millis);
    void on_status(Session&, const Asked&, Millis);
    void on_core_show_channels(Session&, const Asked&, Millis);
    void on_queue_status(Session&, const Asked&, Millis);
    void on_device_states(Session&, const Asked&, Millis);
    void on_extension_states(Session&, const Asked&, Millis);
    void on_get_variable(Session&, const Asked&, Millis);
    void on_set_variable(Session&, const Asked&, Millis);
    void on_originate(Session&, const Asked&, Millis);
    void on_change(Session&, const Asked&, Millis);

    void answer(Session& session, const Asked& asked, std::string_view response,
                const Picture::Headers& headers) const;
    void refuse(Session& session, const Asked& asked, std::string_view text) const;
    void list(Session& session, const Asked& asked, std::string_view complete,
              const std::vector<Picture::Headers>& items);
    void set_mask(Session& session, std::string_view words) const;
    void begin(Millis now);
    void play(const Play& event);
    [[nodiscard]] bool held() const;  // by a click-to-dial that has not come
    [[nodiscard]] Millis due(const Play& event) const;
    [[nodiscard]] Millis recorded(Millis now) const;  // the moment of the recording played at `now`
    void finish();

    Trace trace_;
    PlayOptions options_;
    Picture picture_;
    std::map<Client, Session> sessions_;
    Client last_client_ = 0;
    std::vector<Play> plays_;
    std::vector<Original> originals_;
    std::map<std::string, std::string> renamed_;  // recorded ChannelId -> the client's
    std::map<std::string, std::string> replies_;  // the client's ChannelId -> its ActionID
    std::string core_settings_;                   // as recorded, without ActionID
    bool login_refused_ = false;                  // the recording is one of a refused login
    std::size_t next_ = 0, next_original_ = 0;
    Millis base_{0};     // the recording's clock when it began
    Millis started_{0};  // ours
    bool playing_ = false, finished_ = false;
    std::vector<std::string> news_;
};

}  // namespace bridge
