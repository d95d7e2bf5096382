// One SQLite database file of ours, in WAL mode with every commit on disk, mode 0600. Blocking; belongs to
// one thread.
#pragma once

#include <filesystem>
#include <memory>

#include "crm/mysql.hpp"
#include "crm/sql_files.hpp"

struct sqlite3;

namespace crm {

class Sqlite {
 public:
    // Creates the file (and its folder) where there is none and takes rights of others away where it has
    // them. Throws std::runtime_error that names the file, the cause and what to do: not ours, not writable,
    // damaged, no database.
    explicit Sqlite(const std::filesystem::path& file);
    ~Sqlite();
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;

    // Texts and blobs come as bytes. Faults: retry (locked, disk full, I/O error), configuration (damaged,
    // read only), other.
    Sql<Rows> run(const Statement& statement, const SqlParams& params = {});
    Sql<void> begin();
    Sql<void> commit();
    void rollback();
    [[nodiscard]] std::int64_t last_insert_id() const;
    // Number of the layout, kept in the file (PRAGMA user_version); 0 in a new file.
    Sql<std::int64_t> version();
    Sql<void> set_version(std::int64_t version);

 private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace crm
