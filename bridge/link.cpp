#include "bridge/link.hpp"

namespace bridge {

Millis steady_now() { return std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()); }
Millis wall_now() { return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch()); }

}  // namespace bridge
