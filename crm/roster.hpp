// What an administrator keeps: operators, services, seats (crm::Roster), as rows of our tables and back, and
// what changes between two of them. Plain functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crm/mysql.hpp"
#include "crm/types.hpp"

namespace crm {

// One row of one of our tables: `kind` is the table without `cti_` and the name of its files in
// sql/ctibridge/roster (KIND.sql reads, put_KIND.sql writes); values are texts or NULL.
struct RosterRow {
    std::string kind;
    SqlParams values;
};

// The kinds, each after the one it belongs to.
const std::vector<std::string>& roster_kinds();

std::vector<RosterRow> rows_of(const Roster& roster);
// The inverse. Texts are cleaned and cut, JIDs and keys lower case; a row that belongs to nothing is left
// out. Sorted.
Roster roster_of(const std::vector<RosterRow>& rows);

// Sorted by JID, name and id; what belongs to one keeps its order but the operators of a service.
void sort(Roster& roster);

// What would change, one line each: "+ service sales", "- seat 4", "~ operator anna@example.org: extension
// 201 -> 205".
std::vector<std::string> differences(const Roster& from, const Roster& to);

// What a row belongs to: (kind, key), kind one of operator, service, seat.
using RosterKey = std::pair<std::string, std::string>;
RosterKey owner_of(const RosterRow& row);

// The main row of an operator alone, and back.
SqlParams values_of(const Operator& one);
Operator operator_of(const SqlParams& values);

// What differs between them, or is in one only.
std::vector<RosterKey> changed_keys(const Roster& from, const Roster& to);

}  // namespace crm
