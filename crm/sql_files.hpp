// SQL statements from files: sql/FOLDER/NAME.sql. A file holds one or more statements, each ended by `;`,
// with comments and named parameters (`:caller_number`). Everything the bridge says to a database (PRAGMA and
// transactions aside) comes from here.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace crm {

// One statement, ready to be prepared by MySQL, MariaDB or SQLite: comments removed, each `:name` replaced by
// `?`.
struct Statement {
    std::string text;
    std::vector<std::string> parameters;  // name of each `?`, in order; a name may come more than once
    std::string origin;                   // "vtiger/record.sql:12", for error texts
};

// Splits a script. `origin` names it in error texts. Throws std::runtime_error for an open quote or comment,
// and for a bare `?`.
std::vector<Statement> parse_sql(std::string_view script, std::string_view origin);

// The files of one folder. All functions throw std::runtime_error with a text that names the file and what to
// do.
class SqlFiles {
 public:
    SqlFiles(const std::filesystem::path& sql_dir, std::string folder);  // the folder must exist

    [[nodiscard]] Statement one(std::string_view name) const;               // exactly one statement
    [[nodiscard]] std::vector<Statement> all(std::string_view name) const;  // at least one
    // Absent when there is no such file: for what an adapter may leave out.
    [[nodiscard]] std::optional<std::vector<Statement>> optional(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> names() const;  // sorted, without ".sql"
    [[nodiscard]] const std::filesystem::path& folder() const { return path_; }

 private:
    std::filesystem::path path_;
    std::string folder_;
};

}  // namespace crm
