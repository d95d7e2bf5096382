// A YAML file of people, read so that no file can hurt: bounded, one document, no bomb of aliases.
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <yaml-cpp/eventhandler.h>

#include "bridge/config_reader.hpp"

namespace bridge {

namespace {

// Looks at the stream of events before a tree is built: one document, and aliases (*) that cannot stand for
// more than a configuration ever needs: a handful of them nested stands for billions of values, one inside
// itself for no end of them.
class Screening final : public YAML::EventHandler {
 public:
    struct Fault {
        YAML::Mark mark;
        std::string text;
    };
    std::optional<Fault> fault;

    explicit Screening(std::size_t most) : most_(most) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) note(mark, "there is a second document (---); one file holds one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { value(mark, anchor); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        auto known = sizes_.find(anchor);
        if (known == sizes_.end()) return note(mark, "an alias (*) stands inside its own anchor (&)");
        add(mark, known->second);
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  const std::string&) override {
        value(mark, anchor);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        begin(mark, anchor);
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        begin(mark, anchor);
    }
    void OnMapEnd() override { end(); }

 private:
    struct Level {
        YAML::anchor_t anchor;
        std::size_t before;
    };
    void value(const YAML::Mark& mark, YAML::anchor_t anchor) {
        add(mark, 1);
        if (anchor != 0) sizes_[anchor] = 1;
    }
    void begin(const YAML::Mark& mark, YAML::anchor_t anchor) {
        levels_.push_back({anchor, total_});
        add(mark, 1);
    }
    void end() {
        auto level = levels_.back();
        levels_.pop_back();
        if (level.anchor != 0) sizes_[level.anchor] = total_ - level.before;
    }
    void add(const YAML::Mark& mark, std::size_t values) {
        total_ += values;
        if (total_ > most_)
            note(mark,
                 fmt::format("there are more than {} values, aliases (*) counted with all they stand for",
                             most_));
    }
    void note(const YAML::Mark& mark, std::string text) {
        if (!fault) fault = Fault{mark, std::move(text)};
        // What follows cannot make it better.
        total_ = 0;
    }
    std::size_t most_;
    int documents_ = 0;
    std::size_t total_ = 0;
    std::map<YAML::anchor_t, std::size_t> sizes_;
    std::vector<Level> levels_;
};

std::expected<std::string, std::string> read_whole(const std::filesystem::path& file,
                                                   const YamlLimits& limits) {
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return std::unexpected(fmt::format("{}:0: there is no such file; {}", file.string(), limits.missing));
    if (!std::filesystem::is_regular_file(file, error))
        return std::unexpected(
            fmt::format("{}:0: this is no file but a folder or a device; name a file", file.string()));
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return std::unexpected(fmt::format(
            "{}:0: the file cannot be read; give it to the user that ctibridge runs as", file.string()));
    if (std::filesystem::file_size(file, error) > limits.megabytes * 1024 * 1024)
        return std::unexpected(fmt::format("{}:0: the file is larger than {} MB; is this the right file?",
                                           file.string(), limits.megabytes));
    std::string text(std::istreambuf_iterator<char>(in), {});
    std::size_t line = 1;
    for (char c : text) {
        auto byte = static_cast<unsigned char>(c);
        if (c == '\n') ++line;
        if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte >= 0xFE)
            return std::unexpected(
                fmt::format("{}:{}: there is a byte {:#04x}, which is no text; save the file as UTF-8",
                            file.string(), line, byte));
    }
    return text;
}

// yaml-cpp's own text names the grammar, not the cause that people meet most.
std::string hint(std::string_view text, int line) {
    std::size_t begin = 0;
    for (int i = 0; i < line && begin != std::string_view::npos; ++i) begin = text.find('\n', begin) + 1;
    auto row = text.substr(begin, text.find('\n', begin) - begin);
    if (row.substr(0, row.find_first_not_of(" \t")).contains('\t'))
        return "; the line is indented with a tab: use blanks";
    return "; look at the indentation, quotes and brackets of this line and the one before";
}

}  // namespace

std::expected<YAML::Node, std::string> load_yaml(const std::filesystem::path& file,
                                                 const YamlLimits& limits) {
    auto text = read_whole(file, limits);
    if (!text) return std::unexpected(text.error());
    try {
        std::istringstream stream(*text);
        YAML::Parser parser(stream);
        Screening screening(limits.values);
        while (!screening.fault && parser.HandleNextDocument(screening)) {
        }
        if (screening.fault)
            return std::unexpected(fmt::format("{}:{}: {}", file.string(), screening.fault->mark.line + 1,
                                               screening.fault->text));
        return YAML::Load(*text);
    } catch (const YAML::Exception& error) {
        int line = std::max(error.mark.line, 0);
        return std::unexpected(fmt::format("{}:{}: this is not YAML: {}{}", file.string(), line + 1,
                                           error.msg, hint(*text, line)));
    }
}

}  // namespace bridge
