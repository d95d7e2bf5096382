// Names the cases of a table-driven test after their member `name`.
#pragma once

namespace ami_test {

inline constexpr auto case_name = [](const auto& given) { return given.param.name; };

}  // namespace ami_test
