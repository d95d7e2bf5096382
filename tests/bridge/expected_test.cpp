// What replay must print for each recorded trace: tests/data/expected, written from what is known of the
// traces, not from the model.
#include <fstream>

#include <gtest/gtest.h>

#include "trace_files.hpp"

namespace {

using traces::Trace;

bool same_value(const std::string& key, const YAML::Node& expected, const YAML::Node& got) {
    if (expected.IsMap()) {
        for (const auto& pair : expected)
            if (!got || !same_value(pair.first.Scalar(), pair.second, got[pair.first.Scalar()])) return false;
        return true;
    }
    if (key.ends_with("_ms") && !expected.IsNull() && got && !got.IsNull())
        return std::abs(expected.as<long>() - got.as<long>()) <= 100;
    return traces::text(expected) == traces::text(got);
}

class expected : public testing::TestWithParam<Trace> {};

TEST_P(expected, every_notice_and_row_and_no_other) {
    std::ifstream file(std::string(CTIBRIDGE_TEST_DATA) + "/expected/" + GetParam().name + ".jsonl");
    std::stringstream wanted_text;
    ASSERT_TRUE(file) << "no expected file";
    wanted_text << file.rdbuf();
    const auto wanted = traces::lines(wanted_text.str());

    const auto replayed = traces::replay(GetParam());
    ASSERT_EQ(replayed.status, 0) << replayed.err;
    const auto got = traces::lines(replayed.out);
    std::vector<bool> used(got.size());
    EXPECT_EQ(got.size(), wanted.size()) << replayed.out;
    for (const YAML::Node& object : wanted) {
        const std::string kind = object.begin()->first.Scalar();
        std::size_t at = 0;
        while (at < got.size() && (used[at] || !got[at][kind] || !same_value(kind, object, got[at]))) ++at;
        if (at < got.size()) {
            used[at] = true;
        } else {
            ADD_FAILURE() << "missing: " << object << "\nin:\n" << replayed.out;
        }
    }
    for (std::size_t at = 0; at < got.size(); ++at) EXPECT_TRUE(used[at]) << "not expected: " << got[at];
}

INSTANTIATE_TEST_SUITE_P(traces, expected, testing::ValuesIn(traces::all()), traces::named_after);

}  // namespace
