// `ctibridge import` and `export`: operators, services and seats of our tables as one YAML file.
#pragma once

#include <filesystem>
#include <iosfwd>

#include "bridge/config.hpp"

namespace bridge {

// Reads and checks the file, prints what changes, then changes all of it or nothing. 0: done (or nothing to
// do); 1: the database; 2: the file.
int import_roster(const Config& config, const std::filesystem::path& file, bool dry_run, std::ostream& out,
                  std::ostream& err);

// To `file`, replaced whole; to `out` when it is empty.
int export_roster(const Config& config, const std::filesystem::path& file, std::ostream& out,
                  std::ostream& err);

}  // namespace bridge
