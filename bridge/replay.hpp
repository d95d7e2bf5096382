// `ctibridge replay`: a recorded AMI session through parser, call model and desk, as JSON lines
// (docs/design.md, section 7).
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "bridge/desk.hpp"
#include "crm/types.hpp"

namespace bridge {

struct ReplayOptions {
    std::filesystem::path trace;                  // NAME.ami
    std::optional<std::filesystem::path> times;   // without it every time is 0
    std::optional<std::filesystem::path> people;  // YAML list; read by replay() when given
    std::vector<crm::Operator> operators;         // used when `people` is absent
    std::vector<crm::Service> services;
    DeskConfig desk;        // desk.pbx is --pbx
    std::size_t chunk = 0;  // bytes fed at once; 0: as recorded, else the whole file
    bool explain = false;   // reasons as sentences on `err`
    std::function<std::string(const std::string&)>
        normalise;  // number as printed in the rows; empty: as it came
};

// Exit status: 0, or 2 with one line on `err` for a file that is not an AMI session or cannot be read.
int replay(const ReplayOptions& options, std::ostream& out, std::ostream& err);

// [{jid: anna@example.org, pbx: hq, extension: "201"}, ...]; the error names file and line.
std::expected<std::vector<crm::Operator>, std::string> load_people(const std::filesystem::path& file);

}  // namespace bridge
