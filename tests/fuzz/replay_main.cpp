// Runs a fuzz target over files and folders given on the command line, without libFuzzer. Fails when there is
// none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void replay(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    std::cout << file.string() << " (" << bytes.size() << " bytes)" << std::endl;
    // Exactly as large as the input, so that AddressSanitizer sees a byte read behind it.
    const auto exact = std::make_unique<std::uint8_t[]>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), exact.get());
    LLVMFuzzerTestOneInput(exact.get(), bytes.size());
    // Damaged too: every input cut short, and with each of its bytes changed.
    for (std::size_t i = 0; i < bytes.size() && i < 4096; ++i) {
        LLVMFuzzerTestOneInput(exact.get(), i);
        const std::uint8_t kept = exact[i];
        for (const char other : std::string("\0\n\r:\xF8\xFE", 6)) {
            exact[i] = static_cast<std::uint8_t>(other);
            LLVMFuzzerTestOneInput(exact.get(), bytes.size());
        }
        exact[i] = kept;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
            if (!entry.is_regular_file() || entry.path().filename() == ".gitkeep") continue;
            replay(entry.path());
            ++count;
        }
    }
    std::cout << count << " inputs\n";
    return count > 0 ? 0 : 1;
}
