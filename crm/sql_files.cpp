#include "crm/sql_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

namespace crm {
namespace {

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || (c >= '0' && c <= '9');
}
bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

class Splitter {
 public:
    Splitter(std::string_view script, std::string_view origin) : in_(script), origin_(origin) {}

    std::vector<Statement> split() {
        while (at_ < in_.size()) step();
        finish();
        return std::move(done_);
    }

 private:
    [[noreturn]] void fail(std::size_t line, std::string_view what) const {
        throw std::runtime_error(fmt::format("{}:{}: {}", origin_, line, what));
    }
    [[nodiscard]] char peek(std::size_t ahead = 1) const {
        return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
    }
    char take() {
        const char c = in_[at_++];
        if (c == '\n') ++line_;
        return c;
    }
    void put(char c) {
        if (now_.text.empty()) {
            if (is_space(c)) return;
            first_line_ = line_;
        }
        now_.text += c;
    }

    void step() {
        const char c = in_[at_];
        if (c == '\'' || c == '"' || c == '`') return quoted(c);
        // MySQL wants a blank after the two dashes; "5--3" is arithmetic.
        if (c == '#' || (c == '-' && peek() == '-' && (peek(2) == '\0' || is_space(peek(2)))))
            return line_comment();
        if (c == '/' && peek() == '*') return block_comment();
        if (c == ';') {
            take();
            return finish();
        }
        if (c == '?') fail(line_, "a bare ? is not allowed, name the parameter (:number)");
        if (c == ':' && starts_name(peek())) return parameter();
        put(take());
    }
    void quoted(char quote) {
        const auto opened = line_;
        put(take());
        while (at_ < in_.size()) {
            const char c = take();
            now_.text += c;
            if (c == '\\' && quote != '`' && at_ < in_.size())
                now_.text += take();
            else if (c == quote)
                return;  // a doubled quote opens the next piece at once, which reads the same
        }
        fail(opened, fmt::format("the quote {} is not closed", quote));
    }
    void line_comment() {
        while (at_ < in_.size() && in_[at_] != '\n') take();
    }
    void block_comment() {
        const auto opened = line_;
        while (at_ < in_.size()) {
            if (in_[at_] == '*' && peek() == '/') {
                at_ += 2;
                return put(' ');
            }
            take();
        }
        fail(opened, "the comment is not closed");
    }
    void parameter() {
        take();
        std::string name;
        while (at_ < in_.size() && is_name(in_[at_])) name += take();
        put('?');
        now_.parameters.push_back(std::move(name));
    }
    void finish() {
        while (!now_.text.empty() && is_space(now_.text.back())) now_.text.pop_back();
        if (!now_.text.empty()) {
            now_.origin = fmt::format("{}:{}", origin_, first_line_);
            done_.push_back(std::move(now_));
        }
        now_ = {};
    }

    std::string_view in_, origin_;
    std::size_t at_ = 0, line_ = 1, first_line_ = 1;
    Statement now_;
    std::vector<Statement> done_;
};

}  // namespace

std::vector<Statement> parse_sql(std::string_view script, std::string_view origin) {
    return Splitter(script, origin).split();
}

SqlFiles::SqlFiles(const std::filesystem::path& sql_dir, std::string folder)
    : path_(sql_dir / folder), folder_(std::move(folder)) {
    std::error_code error;
    if (!std::filesystem::is_directory(path_, error))
        throw std::runtime_error(fmt::format(
            "there is no folder {} with SQL files: check the name and the installation", path_.string()));
}

std::optional<std::vector<Statement>> SqlFiles::optional(std::string_view name) const {
    const auto file = path_ / fmt::format("{}.sql", name);
    std::error_code error;
    if (!std::filesystem::exists(file, error)) return std::nullopt;
    std::ifstream in(file, std::ios::binary);
    const std::string script{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) throw std::runtime_error(fmt::format("{} cannot be read", file.string()));
    return parse_sql(script, fmt::format("{}/{}.sql", folder_, name));
}

std::vector<Statement> SqlFiles::all(std::string_view name) const {
    auto statements = optional(name);
    if (!statements)
        throw std::runtime_error(
            fmt::format("{} is missing: each adapter and our own folder have fixed file names, "
                        "see sql/README.md",
                        (path_ / fmt::format("{}.sql", name)).string()));
    if (statements->empty())
        throw std::runtime_error(fmt::format("{}/{}.sql holds no statement", folder_, name));
    return std::move(*statements);
}

Statement SqlFiles::one(std::string_view name) const {
    auto statements = all(name);
    if (statements.size() != 1)
        throw std::runtime_error(
            fmt::format("{}/{}.sql holds {} statements, it must be one", folder_, name, statements.size()));
    return std::move(statements.front());
}

std::vector<std::string> SqlFiles::names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(path_))
        if (entry.path().extension() == ".sql") out.push_back(entry.path().stem().string());
    std::ranges::sort(out);
    return out;
}

}  // namespace crm
