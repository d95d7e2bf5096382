// `ctibridge vtiger install` and `remove`: the widget in the pages of an unmodified vTiger. One row in
// vTiger's own table of links, one new file in its tree (vTiger drops links to other hosts); no existing file
// is changed. What will be done is said before; done twice it is done once; remove takes all of it away.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>

#include "bridge/config.hpp"

namespace bridge {

struct VtigerOptions {
    std::string console;            // install: where the console is, "https://cti.example.org/"
    std::filesystem::path docroot;  // vTiger's tree; empty: the only one of the usual places
    bool dry_run = false;           // say it, do nothing
    bool yes = false;               // do not ask
};

// 0: done, or nothing to do; 1: database or file system; 2: usage, or no vTiger there. The error says what to
// do; then nothing was changed. `in` answers the question.
int vtiger_install(const Config& config, const VtigerOptions& options, std::istream& in, std::ostream& out,
                   std::ostream& err);
int vtiger_remove(const Config& config, const VtigerOptions& options, std::istream& in, std::ostream& out,
                  std::ostream& err);

}  // namespace bridge
