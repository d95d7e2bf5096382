#include "crm/roster_store.hpp"

#include <set>

namespace crm {

RosterStore::RosterStore(const std::filesystem::path& sql_dir) {
    const SqlFiles files(sql_dir, "ctibridge/roster");
    for (const auto& kind : roster_kinds()) {
        reads_[kind] = files.one(kind);
        puts_[kind] = files.one("put_" + kind);
    }
    for (const auto* kind : {"operator", "service", "seat"})
        erases_[kind] = files.all(std::string("erase_") + kind);
    occupants_ = files.one("occupants");
    sit_down_ = files.one("sit_down");
}

Sql<Roster> RosterStore::read(Mysql& link) const {
    std::vector<RosterRow> rows;
    for (const auto& kind : roster_kinds()) {
        auto found = link.run(reads_.at(kind));
        if (!found) return std::unexpected(found.error());
        for (std::size_t i = 0; i < found->size(); ++i) {
            RosterRow row{kind, {}};
            for (const auto& column : found->columns())
                row.values.set_or_null(column, found->text(i, column));
            rows.push_back(std::move(row));
        }
    }
    return roster_of(rows);
}

Sql<void> RosterStore::replace(Mysql& link, const Roster& to) const {
    if (auto done = link.begin(); !done) return done;
    auto done = change(link, to);
    if (done) done = link.commit();
    if (!done) link.rollback();
    return done;
}

Sql<void> RosterStore::change(Mysql& link, const Roster& to) const {
    auto occupants = link.run(occupants_);
    if (!occupants) return std::unexpected(occupants.error());
    auto from = read(link);
    if (!from) return std::unexpected(from.error());
    const auto keys = changed_keys(*from, to);
    const std::set<RosterKey> changed(keys.begin(), keys.end());
    // Everything goes before anything comes: two seats may swap their extensions.
    for (const auto& [kind, key] : keys) {
        auto done = link.run(erases_.at(kind), {{"key", key}});
        if (!done) return std::unexpected(done.error());
    }
    for (const auto& row : rows_of(to)) {
        if (!changed.contains(owner_of(row))) continue;
        auto done = link.run(puts_.at(row.kind), row.values);
        if (!done) return std::unexpected(done.error());
    }
    for (std::size_t i = 0; i < occupants->size(); ++i) {
        if (!changed.contains({"seat", occupants->text(i, "id")})) continue;
        SqlParams who;
        for (const auto* column : {"id", "jid", "since"}) who.set_or_null(column, occupants->text(i, column));
        auto done = link.run(sit_down_, who);
        if (!done) return std::unexpected(done.error());
    }
    return {};
}

}  // namespace crm
