#include "crm/people_source.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <syslog.h>

#include "crm/number_text.hpp"
#include "crm/text.hpp"

namespace crm {
namespace {

constexpr std::int64_t page = 20'000;         // rows of one answer of a full read
constexpr std::int64_t changes_page = 5'000;  // changes of one answer; more is read as a whole
constexpr std::size_t longest_label = 255;

// XEP-0106: what a JID's local part may not hold.
std::string jid_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (std::string_view(" \"&'/:<>@\\").contains(c))
            out += fmt::format("\\{:02x}", static_cast<unsigned char>(c));
        else
            out += c;
    }
    return out;
}

std::string line(const Rows& rows, std::size_t row, std::string_view column) {
    auto text = clean_text(rows.text(row, column), longest_label);
    std::ranges::replace(text, '\n', ' ');
    std::ranges::replace(text, '\t', ' ');
    return std::string(trimmed(text));
}

}  // namespace

std::string jid_from_pattern(std::string_view pattern, std::string_view user_domain, const Rows& rows,
                             std::size_t row) {
    std::string out;
    for (std::size_t at = 0; at < pattern.size();) {
        const auto close = pattern[at] == '{' ? pattern.find('}', at) : std::string_view::npos;
        if (close == std::string_view::npos) {
            out += pattern[at++];
            continue;
        }
        const auto name = pattern.substr(at + 1, close - at - 1);
        const auto value = name == "user_domain" ? std::string(user_domain) : line(rows, row, name);
        if (value.empty()) return {};
        // an address as a whole ("{email}") brings its own @
        out += name == "user_domain" || !out.empty() || close + 1 < pattern.size()
                   ? (name == "user_domain" ? value : jid_escaped(value))
                   : value;
        at = close + 1;
    }
    const auto jid = lower_ascii(out);
    return std::ranges::count(jid, '@') == 1 && !jid.starts_with('@') && !jid.ends_with('@') ? jid
                                                                                             : std::string();
}

PeopleSource::PeopleSource(const Config& config, const Adapter& adapter, const Numbers& numbers,
                           MysqlOptions options, Log log)
    : config_(config),
      adapter_(adapter),
      numbers_(numbers),
      log_(std::move(log)),
      crm_(config.crm, config.sql_dir, options),
      own_(config.own, config.sql_dir, options),
      store_(config.sql_dir) {}

PeopleSource::~PeopleSource() = default;

bool PeopleSource::connected() const {
    return crm_.connected();
}

std::string PeopleSource::description() const {
    return fmt::format("{} at {}", crm_.server(), crm_.address());
}

Sql<void> PeopleSource::connect() {
    if (auto done = crm_.connect(); !done) return done;
    auto rows = crm_.run(adapter_.phone_columns);
    if (!rows) return std::unexpected(rows.error());
    columns_.clear();
    std::vector<std::string> unreadable;
    for (std::size_t i = 0; i < rows->size(); ++i) {
        PhoneColumn column{rows->text(i, "module"), rows->text(i, "table"), rows->text(i, "column"),
                           rows->text(i, "key")};
        const bool usable = Adapter::is_identifier(column.module) && Adapter::is_identifier(column.table) &&
                            Adapter::is_identifier(column.column) && Adapter::is_identifier(column.key);
        if (usable)
            columns_.push_back(std::move(column));
        else
            unreadable.push_back(clean_text(fmt::format("{}.{}", column.table, column.column), 128));
    }
    if (columns_.empty())
        return std::unexpected(SqlError{
            SqlFault::configuration, 0,
            fmt::format("{}: no telephone field can be read: grant SELECT on the CRM's tables to this user",
                        crm_.address())});
    const auto warning = unreadable.empty() ? std::string()
                                            : fmt::format(
                                                  "{}: these telephone fields cannot be read, their callers "
                                                  "stay unknown; grant SELECT on their tables: {}",
                                                  crm_.address(), fmt::join(unreadable, ", "));
    if (!warning.empty() && warning != last_columns_warning_) log_(LOG_WARNING, warning);
    last_columns_warning_ = warning;
    return {};
}

Sql<void> PeopleSource::read_own() {
    if (config_.own.schema.empty()) return {};
    if (!own_.connected())
        if (auto done = own_.connect(); !done) return done;
    auto read = store_.read(own_);
    if (!read) return std::unexpected(read.error());
    own_known_ = std::move(*read);
    return {};
}

Sql<std::vector<Operator>> PeopleSource::operators() {
    auto rows = crm_.run(adapter_.operators);
    if (!rows) return std::unexpected(rows.error());
    const auto own = read_own();
    const auto error = own ? std::string() : own.error().text;
    if (!error.empty() && error != last_own_error_)
        log_(LOG_NOTICE,
             fmt::format("our own tables of operators, services and seats cannot be read, what they "
                         "said last counts ({} operators, {} services): {}; `ctibridge migrate` makes "
                         "tables that are missing",
                         own_known_.operators.size(), own_known_.services.size(), error));
    last_own_error_ = error;
    return joined(*rows);
}

Operator PeopleSource::user(const Rows& users, std::size_t row) const {
    return {.jid = jid_from_pattern(config_.jid_pattern, config_.user_domain, users, row),
            .crm_user = line(users, row, "crm_user"),
            .extension = line(users, row, "extension"),
            .name = line(users, row, "name"),
            .active = users.integer(row, "active").value_or(1) != 0};
}

void PeopleSource::place(Operator one, std::vector<Operator>& out) const {
    const auto seat = numbers_.seat(one.extension);
    one.extension = seat.extension;
    if (one.pbx.empty()) one.pbx = seat.pbx;
    if (one.pbx.empty() && config_.sites.size() == 1) one.pbx = config_.sites.front().pbx;
    out.push_back(std::move(one));
}

std::vector<Operator> PeopleSource::joined(const Rows& users) const {
    const auto& ours = own_known_.operators;
    std::vector<bool> used(ours.size());
    std::vector<Operator> out;
    for (std::size_t i = 0; i < users.size(); ++i) {
        const auto one = user(users, i);
        bool found = false;
        for (std::size_t at = 0; at < ours.size(); ++at) {
            const auto& row = ours[at];
            // by the CRM's id; without one, by the JID that the CRM's user has anyway
            if (row.crm_user.empty() ? row.jid != one.jid : row.crm_user != one.crm_user) continue;
            found = used[at] = true;
            auto merged = row;
            merged.crm_user = one.crm_user;
            merged.active = one.active && row.active;
            for (auto text : {&Operator::extension, &Operator::name})
                if ((merged.*text).empty()) merged.*text = one.*text;
            place(std::move(merged), out);
        }
        if (!found) place(one, out);
    }
    // People of our table whom the CRM does not know; a user that it no longer has is nobody.
    for (std::size_t at = 0; at < ours.size(); ++at) {
        if (used[at] || !ours[at].crm_user.empty()) continue;
        auto one = ours[at];
        if (one.name.empty()) one.name = one.jid.substr(0, one.jid.find('@'));
        place(std::move(one), out);
    }
    return out;
}

IndexedRecord PeopleSource::read_record(const Rows& rows, std::size_t row) const {
    return {.id = rows.text(row, "id"),
            .module = line(rows, row, "module"),
            .label = line(rows, row, "label"),
            .organization = line(rows, row, "organization"),
            .owner = line(rows, row, "owner"),
            .owner_user = line(rows, row, "owner_user"),
            .owner_id = line(rows, row, "owner_id"),
            .modified = Millis(rows.integer(row, "modified").value_or(0)),
            .numbers = {}};
}

Sql<std::vector<IndexedRecord>> PeopleSource::all(const std::function<bool()>& stopped) {
    std::unordered_map<std::string, std::vector<std::string>> keys;
    const auto interrupted = [] { return std::unexpected(SqlError{SqlFault::other, 0, "stopped"}); };
    for (const auto& column : columns_) {
        const auto statement = Adapter::expanded(adapter_.numbers, column);
        std::string after = "0";
        for (;;) {
            if (stopped()) return interrupted();
            auto rows = crm_.run(statement, {{"after", after}, {"count", page}});
            if (!rows) return std::unexpected(rows.error());
            for (std::size_t i = 0; i < rows->size(); ++i)
                for (const auto& number : numbers_.stored(rows->text(i, "number"))) {
                    auto& of = keys[rows->text(i, "id")];
                    if (auto key = number_key(number); std::ranges::find(of, key) == of.end())
                        of.push_back(std::move(key));
                }
            if (rows->size() < static_cast<std::size_t>(page)) break;
            after = rows->text(rows->size() - 1, "id");
        }
    }
    std::vector<IndexedRecord> out;
    std::string after = "0";
    for (;;) {
        if (stopped()) return interrupted();
        auto rows = crm_.run(adapter_.records, {{"after", after}, {"count", page}});
        if (!rows) return std::unexpected(rows.error());
        for (std::size_t i = 0; i < rows->size(); ++i) {
            const auto found = keys.find(rows->text(i, "id"));
            if (found == keys.end()) continue;
            auto record = read_record(*rows, i);
            record.numbers = std::move(found->second);
            std::ranges::sort(record.numbers);
            keys.erase(found);
            out.push_back(std::move(record));
        }
        if (rows->size() < static_cast<std::size_t>(page)) break;
        after = rows->text(rows->size() - 1, "id");
    }
    return out;
}

Sql<std::optional<IndexedRecord>> PeopleSource::record(std::string_view id) {
    auto rows = crm_.run(adapter_.record, {{"id", std::string(id)}});
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::optional<IndexedRecord>{};
    auto out = read_record(*rows, 0);
    if (const auto statement = Adapter::joined(adapter_.numbers_of, columns_, out.module)) {
        auto numbers = crm_.run(*statement, {{"id", std::string(id)}});
        if (!numbers) return std::unexpected(numbers.error());
        for (std::size_t i = 0; i < numbers->size(); ++i)
            for (const auto& number : numbers_.stored(numbers->text(i, "number")))
                if (auto key = number_key(number); std::ranges::find(out.numbers, key) == out.numbers.end())
                    out.numbers.push_back(std::move(key));
        std::ranges::sort(out.numbers);
    }
    return std::optional(std::move(out));
}

Sql<std::vector<std::string>> PeopleSource::find_exact(const Number& number) {
    std::vector<std::string> out;
    if (!adapter_.find_exact) return out;
    const auto forms = Numbers::forms(number);
    SqlParams params;
    params.set_or_null("e164", forms.e164);
    params.set_or_null("digits", forms.digits);
    params.set_or_null("international", forms.international);
    params.set_or_null("national", forms.national);
    params.set_or_null("trunk", forms.trunk);
    params.set_or_null("international_trunk", forms.international_trunk);
    auto rows = crm_.run(*adapter_.find_exact, params);
    if (!rows) return std::unexpected(rows.error());
    for (std::size_t i = 0; i < rows->size(); ++i) out.push_back(rows->text(i, "id"));
    return out;
}

Sql<bool> PeopleSource::may_see(std::string_view crm_user, std::string_view id) {
    if (!adapter_.may_see) return true;
    auto rows = crm_.run(*adapter_.may_see, {{"user", std::string(crm_user)}, {"id", std::string(id)}});
    if (!rows) return std::unexpected(rows.error());
    return !rows->empty() && rows->integer(0, rows->columns().front()).value_or(0) != 0;
}

Sql<std::set<std::string, std::less<>>> PeopleSource::viewers(std::string_view id) {
    auto rows = crm_.run(*adapter_.viewers, {{"id", std::string(id)}});
    if (!rows) return std::unexpected(rows.error());
    std::set<std::string, std::less<>> users;
    for (std::size_t i = 0; i < rows->size(); ++i) users.insert(rows->text(i, "crm_user"));
    return users;
}

Sql<std::optional<SqlParams>> PeopleSource::position() {
    if (!adapter_.feed_position) return std::optional<SqlParams>{};
    auto rows = crm_.run(*adapter_.feed_position);
    if (!rows) return std::unexpected(rows.error());
    SqlParams out;
    if (!rows->empty())
        for (const auto& column : rows->columns()) out.set_or_null(column, rows->text(0, column));
    return std::optional(std::move(out));
}

Sql<std::vector<PeopleSource::Changed>> PeopleSource::changes(std::size_t which, const SqlParams& since,
                                                              bool& full) {
    auto params = since;
    params.set("count", changes_page);
    auto rows = crm_.run(adapter_.changes[which], params);
    if (!rows) return std::unexpected(rows.error());
    std::vector<Changed> out;
    for (std::size_t i = 0; i < rows->size(); ++i)
        out.push_back({rows->text(i, "id"), rows->text(i, "stamp")});
    full = rows->size() >= static_cast<std::size_t>(changes_page);
    return out;
}

}  // namespace crm
