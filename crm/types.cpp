#include "crm/types.hpp"
