// Versions of our tables: sql/ctibridge/migrations/NNN_name.sql, applied in order, each noted in cti_schema.
#pragma once

#include <filesystem>

namespace crm {

// The version this program knows: the highest NNN. Throws std::runtime_error when the folder holds anything
// else.
int newest_migration(const std::filesystem::path& sql_dir);

}  // namespace crm
