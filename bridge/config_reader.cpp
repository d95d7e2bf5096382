#include "bridge/config_reader.hpp"

#include <charconv>

namespace bridge {

std::string_view kind_of(const YAML::Node& node) {
    switch (node.Type()) {
        case YAML::NodeType::Scalar:
            return "a single value";
        case YAML::NodeType::Sequence:
            return "a list";
        case YAML::NodeType::Map:
            return "a group of keys";
        default:
            return "empty";
    }
}

std::string ConfigReader::line(const YAML::Node& node, std::string_view what) const {
    return fmt::format("{}:{}: {}{}", file_.string(), node.Mark().line + 1,
                       path_.empty() ? std::string("the file ") : fmt::format("key {}: ", path_), what);
}

std::optional<std::string> ConfigReader::text(const YAML::Node& node, bool may_be_empty) {
    if (!node.IsScalar()) {
        fault(node, fmt::format("is {}, but must be text", kind_of(node)));
        return std::nullopt;
    }
    const auto& value = node.Scalar();
    if (value.empty() && !may_be_empty) {
        fault(node, "is empty; give a value or delete the key");
        return std::nullopt;
    }
    if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
        fault(node, "has a control character or a line break; write it on one line");
        return std::nullopt;
    }
    return value;
}

void ConfigReader::texts(const YAML::Node& node, std::vector<std::string>& into,
                         std::string (*wrong)(std::string_view)) {
    list(node, [&](const YAML::Node& item) {
        auto value = text(item);
        if (!value) return;
        if (auto what = wrong(*value); !what.empty()) return fault(item, what);
        if (std::find(into.begin(), into.end(), *value) != into.end())
            return fault(item, "is given twice; delete one of the two");
        into.push_back(std::move(*value));
    });
}

std::optional<bool> ConfigReader::yes_no(const YAML::Node& node) {
    // Quoted words are text: yaml-cpp tags them "!".
    if (node.IsScalar() && node.Tag() != "!") {
        if (node.Scalar() == "true") return true;
        if (node.Scalar() == "false") return false;
    }
    fault(node, "must be true or false, without quotes");
    return std::nullopt;
}

std::optional<long long> ConfigReader::number(const YAML::Node& node, long long least, long long most) {
    if (node.IsScalar() && node.Tag() != "!") {
        const auto& value = node.Scalar();
        long long out = 0;
        auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
        if (error == std::errc{} && end == value.data() + value.size() && out >= least && out <= most)
            return out;
    }
    fault(node, fmt::format("must be a whole number from {} to {}", least, most));
    return std::nullopt;
}

std::optional<std::chrono::milliseconds> ConfigReader::span(const YAML::Node& node) {
    auto value = text(node);
    if (!value) return std::nullopt;
    auto parsed = parse_span(*value);
    if (parsed) return *parsed;
    fault(node, parsed.error());
    return std::nullopt;
}

std::optional<std::filesystem::path> ConfigReader::path(const YAML::Node& node) {
    auto value = text(node);
    if (!value) return std::nullopt;
    std::filesystem::path out(*value);
    return out.is_absolute() ? out : std::filesystem::absolute(file_).parent_path() / out;
}

std::optional<std::string> ConfigReader::secret(const YAML::Node& node, bool may_be_empty) {
    static constexpr std::string_view forms = "{file: PATH}, {env: NAME}, {credential: NAME} or a text";
    auto checked = [&](const YAML::Node& at, std::string value) -> std::optional<std::string> {
        if (value.empty() && !may_be_empty) {
            fault(at, "is an empty secret; put the secret there");
            return std::nullopt;
        }
        if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
            fault(at, "is a secret with a control character or several lines; a secret is one line");
            return std::nullopt;
        }
        return value;
    };
    if (node.IsScalar()) return checked(node, node.Scalar());
    if (!node.IsMap() || node.size() != 1 || !node.begin()->first.IsScalar()) {
        fault(node, fmt::format("is {}, but must be {}",
                                node.IsMap() ? "not one source of a secret" : kind_of(node), forms));
        return std::nullopt;
    }
    auto source = node.begin()->first.Scalar();
    YAML::Node where = node.begin()->second;
    Inside inside(*this, printable(source));
    static constexpr std::string_view sources[] = {"file", "env", "credential"};
    if (std::find(std::begin(sources), std::end(sources), source) == std::end(sources)) {
        auto near = nearest(source, sources);
        fault(where, fmt::format("is no source of a secret; {}",
                                 near.empty() ? fmt::format("write {}", forms)
                                              : fmt::format("did you mean `{}`?", near)));
        return std::nullopt;
    }
    auto name = text(where);
    if (!name) return std::nullopt;
    if (!with_secrets_) return std::string();
    if (source == "env") {
        const char* value = std::getenv(name->c_str());
        if (value == nullptr) {
            fault(where,
                  fmt::format("the environment has no variable {}; set it for the daemon", printable(*name)));
            return std::nullopt;
        }
        return checked(where, value);
    }
    std::filesystem::path file;
    if (source == "file") {
        file = *path(where);
    } else {
        const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
        if (folder == nullptr) {
            fault(where,
                  "is a systemd credential, but there is no $CREDENTIALS_DIRECTORY; "
                  "add LoadCredential= to the unit, or use {file: PATH}");
            return std::nullopt;
        }
        if (name->contains('/') || name->starts_with('.')) {
            fault(where, "is no name of a credential; it is a plain word, as in LoadCredential=NAME:PATH");
            return std::nullopt;
        }
        file = std::filesystem::path(folder) / *name;
    }
    auto read = read_secret_file(file);
    if (!read) {
        fault(where, read.error());
        return std::nullopt;
    }
    if (source == "file" && !read->warning.empty()) warn(where, read->warning);
    return checked(where, std::move(read->value));
}

}  // namespace bridge
