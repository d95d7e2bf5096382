#include "crm/types.hpp"

namespace crm {

std::string_view name_of(Quality quality) {
    switch (quality) {
        case Quality::exact:
            return "exact";
        case Quality::national:
            return "national";
        case Quality::suffix:
            return "suffix";
    }
    return "";
}

std::string_view name_of(LookupReason reason) {
    switch (reason) {
        case LookupReason::matched:
            return "matched";
        case LookupReason::nobody:
            return "nobody";
        case LookupReason::anonymous:
            return "anonymous";
        case LookupReason::too_short:
            return "too-short";
        case LookupReason::internal:
            return "internal";
        case LookupReason::not_a_number:
            return "not-a-number";
    }
    return "";
}

std::string_view name_of(Role role) {
    switch (role) {
        case Role::agent:
            return "operator";
        case Role::supervisor:
            return "supervisor";
        case Role::administrator:
            return "administrator";
        case Role::application:
            return "application";
    }
    return "";
}

std::string_view name_of(PopRule rule) {
    switch (rule) {
        case PopRule::ringing:
            return "ringing";
        case PopRule::answered:
            return "answered";
        case PopRule::never:
            return "never";
    }
    return "";
}

}  // namespace crm
