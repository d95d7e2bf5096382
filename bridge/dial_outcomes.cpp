#include "bridge/dial_outcomes.hpp"

#include <fmt/format.h>

namespace bridge {

namespace {

// Nothing: nobody has to be told.
std::string sentence_of(const crm::CallRow& row, const std::string& number, bool rang) {
    std::string_view pattern;
    switch (row.disposition) {
        case crm::Disposition::none:
        case crm::Disposition::answered:
        case crm::Disposition::abandoned:
            return {};
        case crm::Disposition::busy:
            pattern = rang ? "The call to {} ended: busy." : "{} was not called: your own phone is busy.";
            break;
        case crm::Disposition::no_answer:
            pattern =
                rang ? "The call to {} was not answered." : "{} was not called: your own phone did not ring.";
            break;
        case crm::Disposition::lost:
            pattern = "What became of the call to {} was not seen: the link to the exchange was lost.";
            break;
        case crm::Disposition::failed:
            pattern = rang ? "The call to {} failed."
                           : "{} was not called: your phone did not ring. Is it switched on and registered?";
            break;
    }
    return fmt::format(fmt::runtime(pattern), number);
}

}  // namespace

void DialOutcomes::follow(const std::string& channel, std::string number, Tell tell) {
    if (calls_.size() < most) calls_.try_emplace(channel, Call{std::move(number), std::move(tell)});
}

void DialOutcomes::rang(std::string_view channel) {
    if (const auto found = calls_.find(channel); found != calls_.end()) found->second.rang = true;
}

void DialOutcomes::ended(const crm::CallRow& row) {
    const auto found = row.ended ? calls_.find(row.linkedid) : calls_.end();
    if (found == calls_.end()) return;
    const auto call = std::move(calls_.extract(found).mapped());
    if (const auto text = sentence_of(row, call.number, call.rang); !text.empty()) call.tell(text);
}

}  // namespace bridge
