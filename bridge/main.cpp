#include <fmt/core.h>

int main() { fmt::print("ctibridge {}\n", CTIBRIDGE_VERSION); }
