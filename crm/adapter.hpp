// A CRM as a folder of SQL files and one YAML file, sql/NAME/ (see sql/README.md): what it takes to know its
// people and records.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crm/sql_files.hpp"
#include "crm/types.hpp"

namespace crm {

// A row of phone_columns: names of the database's own, checked to be plain identifiers before they become
// part of a statement.
struct PhoneColumn {
    std::string module, table, column, key;
};

class Adapter {
 public:
    // Throws std::runtime_error that names the file and what to do; for an unknown name, those that exist.
    Adapter(const std::filesystem::path& sql_dir, const std::string& name);
    [[nodiscard]] static std::vector<std::string> available(const std::filesystem::path& sql_dir);

    // {table}, {column}, {key} and {module} replaced.
    [[nodiscard]] static Statement expanded(const Statement& statement, const PhoneColumn& column);
    // One statement of all columns of `module`, joined by UNION ALL; absent when it has none.
    [[nodiscard]] static std::optional<Statement> joined(const Statement& statement,
                                                         const std::vector<PhoneColumn>& columns,
                                                         std::string_view module);
    // Letters, digits and _ only, at most 64: safe as part of a statement.
    [[nodiscard]] static bool is_identifier(std::string_view name);

    [[nodiscard]] std::string record_url(std::string_view web, const Match& match) const;
    [[nodiscard]] std::string create_url(std::string_view web, std::string_view number) const;
    [[nodiscard]] std::size_t module_rank(std::string_view module) const;  // place in the adapter's order

    Statement operators, phone_columns, numbers, numbers_of, records, record;
    std::optional<Statement> feed_position, find_exact, may_see, viewers;
    std::vector<Statement> changes;
    std::string create_module;
    bool visible_by_owner = false;  // may_see depends on module and owner alone

 private:
    std::string record_link_, create_link_;
    std::vector<std::string> modules_;
};

// For links: everything but letters, digits, - . _ ~ becomes %XX.
std::string url_encoded(std::string_view text);

}  // namespace crm
