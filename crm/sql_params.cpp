#include <algorithm>
#include <charconv>

#include "crm/mysql.hpp"

namespace crm {
namespace {

bool by_name(const std::pair<std::string, SqlParam>& entry, std::string_view name) {
    return entry.first < name;
}

}  // namespace

SqlParams::SqlParams(std::initializer_list<std::pair<std::string, SqlParam>> values) {
    for (const auto& [name, value] : values) set(name, value);
}

void SqlParams::set(std::string_view name, SqlParam value) {
    const auto at = std::lower_bound(values_.begin(), values_.end(), name, by_name);
    if (at != values_.end() && at->first == name)
        at->second = std::move(value);
    else
        values_.emplace(at, std::string(name), std::move(value));
}

void SqlParams::set_or_null(std::string_view name, std::string_view text) {
    set(name, text.empty() ? SqlParam{} : SqlParam{std::string(text)});
}

const SqlParam* SqlParams::find(std::string_view name) const {
    const auto at = std::lower_bound(values_.begin(), values_.end(), name, by_name);
    return at != values_.end() && at->first == name ? &at->second : nullptr;
}

std::string SqlParams::text(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (const auto* number = std::get_if<std::int64_t>(value)) return std::to_string(*number);
    const auto* text = std::get_if<std::string>(value);
    return text == nullptr ? std::string() : *text;
}

bool Rows::has(std::string_view column) const {
    return std::ranges::find(columns_, column) != columns_.end();
}

const SqlValue& Rows::at(std::size_t row, std::string_view column) const {
    static const SqlValue null;
    const auto found = std::ranges::find(columns_, column);
    if (row >= rows_.size() || found == columns_.end()) return null;
    return rows_[row][static_cast<std::size_t>(found - columns_.begin())];
}

std::string Rows::text(std::size_t row, std::string_view column) const {
    return at(row, column).value_or(std::string());
}

std::optional<std::int64_t> Rows::integer(std::size_t row, std::string_view column) const {
    const auto& value = at(row, column);
    if (!value) return std::nullopt;
    std::int64_t number = 0;
    const auto* end = value->data() + value->size();
    const auto [stopped, error] = std::from_chars(value->data(), end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

}  // namespace crm
