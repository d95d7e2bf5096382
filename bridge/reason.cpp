#include "bridge/reason.hpp"
