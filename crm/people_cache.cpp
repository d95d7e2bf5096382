#include "crm/people_cache.hpp"

#include <functional>
#include <stdexcept>

#include <fmt/format.h>

#include "crm/fact.hpp"
#include "crm/roster.hpp"
#include "crm/sql_files.hpp"
#include "crm/sqlite.hpp"

namespace crm {
namespace {

constexpr std::int64_t page = 10'000;
constexpr std::string_view layout = "2";  // of the tables: another number throws the content away

const std::string people_part = "people", own_part = "own";

std::string joined(const std::vector<std::string>& lines) {
    std::string out;
    for (const auto& one : lines) out += one + "\n";
    return out;
}
std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> out;
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return out;
}

std::unique_ptr<Sqlite> open_file(const std::filesystem::path& file, const SqlFiles& files) {
    const auto attempt = [&] {
        auto database = std::make_unique<Sqlite>(file);
        for (const auto& statement : files.all("schema"))
            if (auto done = database->run(statement); !done) throw std::runtime_error(done.error().text);
        if (auto read = database->run(files.one("properties")); !read)
            throw std::runtime_error(read.error().text);
        return database;
    };
    try {
        return attempt();
    } catch (const std::runtime_error&) {
        std::error_code error;
        if (!std::filesystem::exists(file, error)) throw;
        for (const char* part : {"-wal", "-shm"}) std::filesystem::remove(file.string() + part, error);
        std::filesystem::rename(file, file.string() + ".damaged", error);
        if (error) throw;
        return attempt();
    }
}

}  // namespace

struct PeopleCache::Impl {
    SqlFiles files;
    std::unique_ptr<Sqlite> file;
    std::string origin;
    Statement put, erase, clear_records, clear_roster, put_roster, clear_may_see, put_may_see, put_property;

    Impl(const std::filesystem::path& state, const std::filesystem::path& sql_dir, std::string origin_)
        : files(sql_dir, "ctibridge/people"),
          file(open_file(state / "people.sqlite", files)),
          origin(std::move(origin_)),
          put(files.one("put")),
          erase(files.one("erase")),
          clear_records(files.one("clear_records")),
          clear_roster(files.one("clear_roster")),
          put_roster(files.one("put_roster")),
          clear_may_see(files.one("clear_may_see")),
          put_may_see(files.one("put_may_see")),
          put_property(files.one("put_property")) {}

    Sql<void> set_property(const std::string& name, const std::string& value) {
        auto done = file->run(put_property, {{"name", name}, {"value", value}});
        if (!done) return std::unexpected(done.error());
        return {};
    }
    Sql<void> put_record(const IndexedRecord& r) {
        auto done = file->run(put, {{"id", r.id},
                                    {"module", r.module},
                                    {"label", r.label},
                                    {"organization", r.organization},
                                    {"owner", r.owner},
                                    {"owner_user", r.owner_user},
                                    {"owner_id", r.owner_id},
                                    {"modified", std::int64_t{r.modified.count()}},
                                    {"numbers", joined(r.numbers)}});
        if (!done) return std::unexpected(done.error());
        return {};
    }
    // All or nothing.
    Sql<void> together(const std::function<Sql<void>()>& work) {
        if (auto done = file->begin(); !done) return done;
        auto done = work();
        if (done) done = file->commit();
        if (!done) file->rollback();
        return done;
    }
    Sql<void> replace_part(const std::string& part, const std::vector<RosterRow>& rows) {
        return together([&]() -> Sql<void> {
            if (auto done = run(clear_roster, {{"part", part}}); !done) return done;
            for (const auto& row : rows)
                if (auto done =
                        run(put_roster, {{"part", part}, {"kind", row.kind}, {"body", encode(row.values)}});
                    !done)
                    return done;
            return {};
        });
    }
    Sql<void> load_roster(CachedPeople& out) {
        auto found = file->run(files.one("roster"));
        if (!found) return std::unexpected(found.error());
        std::vector<RosterRow> own;
        for (std::size_t i = 0; i < found->size(); ++i) {
            auto values = decode_params(found->text(i, "body"));
            if (!values) continue;
            if (found->text(i, "part") == own_part) {
                own.push_back({found->text(i, "kind"), std::move(*values)});
                continue;
            }
            out.operators.push_back(operator_of(*values));
            out.operators.back().devices = split(values->text("devices"));
        }
        out.own = roster_of(own);
        return {};
    }
    Sql<void> run(const Statement& statement, const SqlParams& params = {}) {
        auto done = file->run(statement, params);
        if (!done) return std::unexpected(done.error());
        return {};
    }
};

PeopleCache::PeopleCache(const std::filesystem::path& state, const std::filesystem::path& sql_dir,
                         std::string origin)
    : impl_(std::make_unique<Impl>(state, sql_dir, fmt::format("{} {}", layout, origin))) {}
PeopleCache::~PeopleCache() = default;

Sql<CachedPeople> PeopleCache::load() {
    CachedPeople out;
    auto& file = *impl_->file;
    auto properties = file.run(impl_->files.one("properties"));
    if (!properties) return std::unexpected(properties.error());
    std::string origin;
    for (std::size_t i = 0; i < properties->size(); ++i) {
        if (properties->text(i, "name") == "origin") origin = properties->text(i, "value");
        if (properties->text(i, "name") == "complete") out.complete = properties->text(i, "value") == "1";
    }
    if (origin != impl_->origin) {
        auto done = impl_->together([&]() -> Sql<void> {
            for (const auto& statement : impl_->files.all("clear"))
                if (auto cleared = impl_->run(statement); !cleared) return cleared;
            return impl_->set_property("origin", impl_->origin);
        });
        if (!done) return std::unexpected(done.error());
        out.complete = false;
        return out;
    }
    const auto records = impl_->files.one("records");
    std::string after;
    for (;;) {
        auto rows = file.run(records, {{"after", after}, {"count", page}});
        if (!rows) return std::unexpected(rows.error());
        for (std::size_t i = 0; i < rows->size(); ++i)
            out.records.push_back({.id = rows->text(i, "id"),
                                   .module = rows->text(i, "module"),
                                   .label = rows->text(i, "label"),
                                   .organization = rows->text(i, "organization"),
                                   .owner = rows->text(i, "owner"),
                                   .owner_user = rows->text(i, "owner_user"),
                                   .owner_id = rows->text(i, "owner_id"),
                                   .modified = Millis(rows->integer(i, "modified").value_or(0)),
                                   .numbers = split(rows->text(i, "numbers"))});
        if (rows->size() < static_cast<std::size_t>(page)) break;
        after = out.records.back().id;
    }
    if (auto done = impl_->load_roster(out); !done) return std::unexpected(done.error());
    auto seen = file.run(impl_->files.one("may_see"));
    if (!seen) return std::unexpected(seen.error());
    for (std::size_t i = 0; i < seen->size(); ++i)
        out.visibility[{seen->text(i, "crm_user"), seen->text(i, "subject")}] =
            seen->integer(i, "yes").value_or(0) != 0;
    return out;
}

Sql<void> PeopleCache::replace(const std::vector<IndexedRecord>& records) {
    return impl_->together([&]() -> Sql<void> {
        if (auto done = impl_->run(impl_->clear_records); !done) return done;
        for (const auto& record : records)
            if (auto done = impl_->put_record(record); !done) return done;
        if (auto done = impl_->set_property("origin", impl_->origin); !done) return done;
        return impl_->set_property("complete", "1");
    });
}

Sql<void> PeopleCache::apply(const std::vector<Index::Change>& changes) {
    return impl_->together([&]() -> Sql<void> {
        for (const auto& change : changes) {
            auto done = change.now && !change.now->numbers.empty()
                            ? impl_->put_record(*change.now)
                            : impl_->run(impl_->erase, {{"id", change.id}});
            if (!done) return done;
        }
        return {};
    });
}

Sql<void> PeopleCache::put_operators(const std::vector<Operator>& operators) {
    std::vector<RosterRow> rows;
    for (const auto& one : operators) {
        rows.push_back({"operator", values_of(one)});
        rows.back().values.set_or_null("devices", joined(one.devices));
    }
    return impl_->replace_part(people_part, rows);
}

Sql<void> PeopleCache::put_own(const Roster& own) {
    return impl_->replace_part(own_part, rows_of(own));
}

Sql<void> PeopleCache::put_visibility(const Visibility& visibility) {
    return impl_->together([&]() -> Sql<void> {
        if (auto done = impl_->run(impl_->clear_may_see); !done) return done;
        for (const auto& [who, yes] : visibility)
            if (auto done = impl_->run(
                    impl_->put_may_see,
                    {{"crm_user", who.first}, {"subject", who.second}, {"yes", std::int64_t{yes ? 1 : 0}}});
                !done)
                return done;
        return {};
    });
}

}  // namespace crm
