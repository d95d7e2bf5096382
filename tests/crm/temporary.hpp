// Places of the tests: our SQL, the vTiger data, folders that vanish.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace test {

inline std::filesystem::path sql_dir() {
    return std::filesystem::path(CTIBRIDGE_SOURCE_DIR) / "sql";
}
// tests/data/vtiger.tar.xz, unpacked at configure
inline std::filesystem::path vtiger_data() {
    return CTIBRIDGE_VTIGER_DATA;
}

inline std::string read_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    if (!in) throw std::runtime_error(file.string() + " cannot be read");
    return out.str();
}

// A folder that is removed with everything in it.
class TemporaryDirectory {
 public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "ctibridge-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
        path_ = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
    std::filesystem::path path_;
};

}  // namespace test
