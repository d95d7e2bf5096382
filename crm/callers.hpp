// Who is calling: our own index of the CRM's telephone numbers, kept on disk, followed by the change feed,
// answered from memory; a hit is re-checked and a miss asked again at the database within a budget.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crm/config.hpp"
#include "crm/types.hpp"

namespace crm {

struct CallersStatus {
    bool loaded = false;
    std::size_t records = 0, numbers = 0;
    Millis full_read{0};  // when everything was read last; 0: not in this run, the cache answers
    Millis followed{0};   // when the change feed was asked last; 0: not yet
};

// Lives on the owner's thread; blocking work is done on threads of its own, whose results arrive through
// `post` (which must run the function on the owner's thread, e.g. asio::post).
class Callers {
 public:
    using Post = std::function<void(std::function<void()>)>;
    using Log = std::function<void(
        int priority, std::string_view line)>;  // syslog priorities; names no secrets; on the owner's thread

    // Reads the cached index of the state directory; start() then goes to the database. Throws
    // std::runtime_error with what to do when the adapter does not exist or the state directory cannot be
    // used.
    Callers(const Config& config, Post post, Log log);
    ~Callers();  // stops the threads; pending find() calls are answered from the index

    void start();
    // The index is usable (from the cache or from the database).
    [[nodiscard]] bool loaded() const;
    [[nodiscard]] bool database_up() const;
    [[nodiscard]] CallersStatus status() const;
    void on_loaded(std::function<void()> loaded);  // each time a full read was taken over
    void on_link(
        std::function<void(bool up, std::string detail)> changed);  // the first outcome, then when it differs
    // People with an extension or a JID: the cached ones at start(), then the first read, then every change.
    void on_operators(std::function<void(std::vector<Operator>)> changed);
    [[nodiscard]] const std::vector<Operator>& operators() const;
    // Where they sit now: who is the colleague behind an extension. Until the next change of people.
    void set_seated(const std::vector<Operator>& people);
    // What our own tables hold (services, seats; its operators are only what they add to the CRM's users):
    // the cached ones at start(), then every change.
    void on_own(std::function<void(const Roster&)> changed);
    [[nodiscard]] const Roster& own() const;

    // From memory, at once. `pbx` selects the site's extensions (empty: all sites'). `as_crm_user`:
    // visibility as that user, as far as it is known (empty: everything).
    [[nodiscard]] Lookup from_index(std::string_view number, std::string_view pbx,
                                    std::string_view as_crm_user = {}) const;
    // With the database if it answers within the configured budget, else from the index. `done` is called
    // exactly once, on the owner's thread, never from inside find(). `as_crm_user`: visibility as that user
    // (empty: everything). What nobody could tell to be visible is not.
    void find(std::string_view number, std::string_view pbx, std::string_view as_crm_user,
              std::function<void(Lookup)> done);
    // Whether all of these users may see every record of the number, as far as anybody asked.
    [[nodiscard]] bool all_may_see(std::string_view number, std::string_view pbx,
                                   const std::vector<std::string>& crm_users) const;
    [[nodiscard]] Number understand(std::string_view number, std::string_view pbx) const;
    // See Numbers::dial_number.
    [[nodiscard]] std::expected<Number, std::string> dial_number(std::string_view text,
                                                                 std::string_view pbx) const;
    void reload();  // full comparison

 private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace crm
