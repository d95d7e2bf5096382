#include "crm/applier.hpp"

#include <optional>

#include <fmt/format.h>

#include "crm/migrate.hpp"

namespace crm {
namespace {

using Statements = std::vector<Statement>;

bool same_login(const DatabaseUrl& a, const DatabaseUrl& b) {
    return a.host == b.host && a.port == b.port && a.socket == b.socket && a.user == b.user &&
           a.password == b.password && a.tls_required == b.tls_required && a.ca == b.ca;
}

const SqlParams& empty_values(FactKind kind) {
    static const SqlParams call = fact_of(CallRow{}).values, leg = fact_of(LegRow{}).values,
                           dial = fact_of(DialRow{}).values, agent = fact_of(AgentRow{}).values;
    switch (kind) {
        case FactKind::leg:
            return leg;
        case FactKind::dial:
            return dial;
        case FactKind::agent:
            return agent;
        case FactKind::call:
            break;
    }
    return call;
}

// What an older version wrote may lack names that the statements know by now.
SqlParams values_of(const StoredFact& stored) {
    auto values = empty_values(stored.fact.kind);
    for (const auto& [name, value] : stored.fact.values.all()) values.set(name, value);
    values.set("revision", stored.revision);
    return values;
}

bool given(const SqlParams& values, std::string_view name) {
    const auto* value = values.find(name);
    return value != nullptr && !std::holds_alternative<std::monostate>(*value);
}

}  // namespace

struct Applier::Impl {
    Config config;
    bool one_server;
    Mysql own;
    std::optional<Mysql> crm_elsewhere;
    Statements call_state, call_put, leg_put, dial_put, agent_put, ledger_put, ledger_done, ledger_note,
        ledger_forget, version, ping;
    Statements call_id, call_started, call_changed;
    std::optional<Statements> call_find, note;
    int known_version;

    explicit Impl(const Config& c)
        : config(c),
          one_server(same_login(c.own, c.crm)),
          own(c.own, c.sql_dir),
          known_version(newest_migration(c.sql_dir)) {
        if (!one_server) crm_elsewhere.emplace(c.crm, c.sql_dir);
        const SqlFiles ours(c.sql_dir, "ctibridge"), adapter(c.sql_dir, c.adapter);
        call_state = ours.all("call_state");
        call_put = ours.all("call_put");
        leg_put = ours.all("leg_put");
        dial_put = ours.all("dial_put");
        agent_put = ours.all("agent_put");
        ledger_put = ours.all("ledger_put");
        ledger_done = ours.all("ledger_done");
        ledger_note = ours.all("ledger_note");
        ledger_forget = ours.all("ledger_forget");
        version = ours.all("migration_version");
        ping = ours.all("session_version");
        call_id = adapter.all("call_id");
        call_started = adapter.all("call_started");
        call_changed = adapter.all("call_changed");
        call_find = adapter.optional("call_find");
        note = adapter.optional("note");
    }

    Mysql& crm_link() { return one_server ? own : *crm_elsewhere; }

    Sql<Rows> in_own(const Statements& statements, const SqlParams& values) {
        if (one_server)
            if (auto used = own.use(config.own.schema); !used) return std::unexpected(used.error());
        return own.run(statements, values);
    }
    Sql<Rows> in_crm(const Statements& statements, const SqlParams& values) {
        if (one_server)
            if (auto used = own.use(config.crm.schema); !used) return std::unexpected(used.error());
        return crm_link().run(statements, values);
    }

    // All or nothing. `work` returns Sql<void>.
    template <class F>
    static Sql<void> transaction(Mysql& link, F&& work) {
        auto done = link.begin();
        if (!done) return done;
        done = work();
        if (done) done = link.commit();
        if (!done) link.rollback();
        return done;
    }
    static Sql<void> nothing(Sql<Rows> rows) {
        if (!rows) return std::unexpected(std::move(rows.error()));
        return {};
    }

    Sql<void> put_own(const Statements& statements, const SqlParams& values) {
        return transaction(own, [&] { return nothing(in_own(statements, values)); });
    }

    Sql<std::int64_t> take_id(const SqlParams& values) {
        auto rows = in_crm(call_id, values);
        if (!rows) return std::unexpected(rows.error());
        const auto id = rows->integer(0, "id");
        if (!id || *id <= 0)
            return std::unexpected(
                SqlError{SqlFault::configuration, 0,
                         call_id.back().origin + ": gave no id; is the CRM's sequence empty?"});
        return *id;
    }
    Sql<std::int64_t> find_or_take_id(const SqlParams& values) {
        if (call_find) {
            auto rows = in_crm(*call_find, values);
            if (!rows) return std::unexpected(rows.error());
            if (const auto id = rows->integer(0, "id")) return *id;
        }
        return take_id(values);
    }

    Sql<void> write_crm_rows(const SqlParams& values, bool started_before) {
        Sql<void> done;
        if (!started_before) done = nothing(in_crm(call_started, values));
        if (done) done = nothing(in_crm(call_changed, values));
        if (done && given(values, "note_id")) done = nothing(in_crm(*note, values));
        return done;
    }
    Sql<void> write_own_rows(const SqlParams& values) {
        auto done = nothing(in_own(ledger_done, values));
        return done ? nothing(in_own(call_put, values)) : done;
    }

    Sql<void> apply_call(SqlParams values) {
        auto state = in_own(call_state, values);
        if (!state) return std::unexpected(state.error());
        const auto revision = std::get<std::int64_t>(*values.find("revision"));
        const auto own_revision = state->integer(0, "revision").value_or(0);
        if (own_revision > revision) return {};  // a newer fact has said more, here and in the CRM
        const auto ledger_id = state->integer(0, "crm_id");
        const auto crm_revision = state->integer(0, "crm_revision").value_or(0);
        const bool wanted =
            std::get<std::int64_t>(*values.find("to_crm")) != 0 && !given(values, "merged_into");
        if (ledger_id ? crm_revision >= revision : !wanted) {
            if (own_revision >= revision) return {};
            return put_own(call_put, values);
        }
        values.set("crm_id", ledger_id ? SqlParam{*ledger_id} : SqlParam{});
        values.set("note_id", SqlParam{});
        if (!ledger_id) {
            auto id = find_or_take_id(values);
            if (!id) return std::unexpected(id.error());
            values.set("crm_id", *id);
        }
        if (note && given(values, "record_id") && (given(values, "note") || given(values, "code"))) {
            auto id = state->integer(0, "note_id") ? Sql<std::int64_t>(*state->integer(0, "note_id"))
                                                   : take_id(values);
            if (!id) return std::unexpected(id.error());
            values.set("note_id", *id);
        }
        const bool started_before = ledger_id && crm_revision > 0;
        return one_server ? together(values, ledger_id.has_value(), started_before)
                          : one_after_the_other(values, ledger_id.has_value(), started_before);
    }
    Sql<void> together(const SqlParams& values, bool in_ledger, bool started_before) {
        return transaction(own, [&]() -> Sql<void> {
            Sql<void> done;
            if (!in_ledger) done = nothing(in_own(ledger_put, values));
            if (done) done = write_crm_rows(values, started_before);
            return done ? write_own_rows(values) : done;
        });
    }
    Sql<void> one_after_the_other(const SqlParams& values, bool in_ledger, bool started_before) {
        Sql<void> done;
        if (!in_ledger) done = nothing(in_own(ledger_put, values));
        if (done && given(values, "note_id")) done = nothing(in_own(ledger_note, values));
        if (done) done = transaction(*crm_elsewhere, [&] { return write_crm_rows(values, started_before); });
        if (!done && done.error().fault == SqlFault::duplicate) {
            if (auto forgotten = nothing(in_own(ledger_forget, values)); !forgotten) return forgotten;
        }
        if (done) done = transaction(own, [&] { return write_own_rows(values); });
        return done;
    }
};

Applier::Applier(const Config& config) : impl_(std::make_unique<Impl>(config)) {}
Applier::~Applier() = default;

Sql<void> Applier::connect() {
    auto& self = *impl_;
    if (auto up = self.own.connect(); !up) return up;
    auto version = self.in_own(self.version, {});
    if (!version) {
        auto error = version.error();
        if (error.code == 1146)
            error.text = "our tables are missing: run `ctibridge migrate` (" + error.text + ")";
        disconnect();
        return std::unexpected(std::move(error));
    }
    if (const auto found = version->integer(0, "version").value_or(0); found != self.known_version) {
        disconnect();
        return std::unexpected(SqlError{
            SqlFault::configuration, 0,
            fmt::format("our tables have version {}, this program knows {}: {} ({})", found,
                        self.known_version,
                        found < self.known_version ? "run `ctibridge migrate`" : "use the newer ctibridge",
                        self.own.address())});
    }
    if (self.crm_elsewhere)
        if (auto up = self.crm_elsewhere->connect(); !up) {
            self.own.disconnect();
            return up;
        }
    return {};
}

bool Applier::connected() const {
    return impl_->own.connected() && (!impl_->crm_elsewhere || impl_->crm_elsewhere->connected());
}

Sql<void> Applier::ping() {
    auto done = Impl::nothing(impl_->own.run(impl_->ping));
    if (done && impl_->crm_elsewhere) done = Impl::nothing(impl_->crm_elsewhere->run(impl_->ping));
    return done;
}

void Applier::disconnect() {
    impl_->own.disconnect();
    if (impl_->crm_elsewhere) impl_->crm_elsewhere->disconnect();
}

std::string Applier::address() const {
    auto& self = *impl_;
    return self.one_server ? self.own.address()
                           : self.own.address() + " and " + self.crm_elsewhere->address();
}

Sql<void> Applier::apply(const StoredFact& stored) {
    if (stored.fact.kind != FactKind::call) return apply_own(stored);
    return impl_->apply_call(values_of(stored));
}

Sql<void> Applier::apply_own(const StoredFact& stored) {
    auto& self = *impl_;
    switch (stored.fact.kind) {
        case FactKind::call:
            return self.put_own(self.call_put, values_of(stored));
        case FactKind::leg:
            return self.put_own(self.leg_put, values_of(stored));
        case FactKind::dial:
            return self.put_own(self.dial_put, values_of(stored));
        case FactKind::agent:
            return self.put_own(self.agent_put, values_of(stored));
    }
    return {};
}

}  // namespace crm
