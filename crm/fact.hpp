// A fact of the call log: a row as named values, which are at once what the outbox stores and what the SQL
// files name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crm/mysql.hpp"
#include "crm/types.hpp"

namespace crm {

enum class FactKind : std::uint8_t { call = 1, leg = 2, dial = 3, agent = 4 };  // the numbers are on disk
constexpr bool is_known(std::int64_t kind) {
    return kind >= 1 && kind <= 4;
}
std::string_view name_of_key(FactKind kind);  // the value that says what a fact is about

struct Fact {
    FactKind kind = FactKind::call;
    SqlParams values;  // sql/README.md lists the names
};

// Texts are cleaned; empty ones are NULL; times are texts in UTC ("2026-11-20 15:08:49.303"), spans are
// milliseconds.
Fact fact_of(const CallRow& row);
Fact fact_of(const LegRow& row);
Fact fact_of(const DialRow& row);
Fact fact_of(const AgentRow& row);

std::string_view to_string(Direction direction);
std::string_view to_string(Disposition disposition);  // none: ""
std::string sql_time(Millis since_1970);

// The form on disk: every version reads what older ones wrote. decode: nothing when it is not of this form.
std::string encode(const SqlParams& values);
std::optional<SqlParams> decode_params(std::string_view bytes);

}  // namespace crm
