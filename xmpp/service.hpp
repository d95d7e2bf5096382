// What every XMPP entity is asked: who it is (XEP-0030), its version (XEP-0092), whether it lives (XEP-0199)
// and since when (XEP-0012). Answers are payloads for Responder; addresses are added there.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "xmpp/iq.hpp"

namespace xmpp {

// The facts the answers are made of.
struct ServiceFacts {
    std::string domain;
    bool spark = true;  // be the disco item named "phone"
    std::chrono::seconds uptime{0};
    std::vector<std::string> features;  // namespaces of the table
    std::vector<CommandItem> commands;  // that the asker is offered
    // Asterisk-IM's question: has the user `node` a phone? Asked by `from`.
    std::function<bool(const std::string& from, const std::string& node)> has_phone;
};

// Answers a standard request addressed to us. False: it is none of them.
bool answer_standard(const Iq& iq, const ServiceFacts& facts, const Responder& responder);

}  // namespace xmpp
