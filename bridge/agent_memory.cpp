#include "bridge/agent_memory.hpp"

#include <fmt/format.h>
#include <pugixml.hpp>

#include "xmpp/xml.hpp"

namespace bridge {

namespace {

constexpr std::string_view key_word = "agent ";

struct Text {
    const char* name;
    std::string AgentMemory::* member;
};
constexpr Text texts[] = {
    {"seat", &AgentMemory::seat}, {"reason", &AgentMemory::reason}, {"by", &AgentMemory::by}};
struct Base {
    const char* name;
    AgentBase AgentMemory::* member;
};
constexpr Base bases[] = {{"base", &AgentMemory::base}, {"resume", &AgentMemory::resume}};
struct Time {
    const char* name;
    Millis AgentMemory::* member;
};
constexpr Time times[] = {{"since", &AgentMemory::since}, {"wrap_until", &AgentMemory::wrap_until}};
template <class Of>
struct Flag {
    const char* name;
    bool Of::* member;
};
constexpr Flag<AgentMemory> flags[] = {{"watched", &AgentMemory::watched}, {"joined", &AgentMemory::joined}};

using Member = AgentMemory::Member;
struct MemberText {
    const char* name;
    std::string Member::* member;
};
constexpr MemberText member_texts[] = {
    {"queue", &Member::queue}, {"interface", &Member::interface}, {"reason", &Member::reason}};
constexpr Flag<Member> member_flags[] = {{"in", &Member::in},           {"added", &Member::added},
                                         {"paused", &Member::paused},   {"held", &Member::held},
                                         {"wrap_up", &Member::wrap_up}, {"followed", &Member::followed}};

}  // namespace

bool is_blank(const AgentMemory& memory) {
    return memory.base == AgentBase::out && memory.resume == AgentBase::out && memory.members.empty() &&
           memory.seat.empty();
}

crm::Owed owed_agent(const AgentMemory& memory, std::string_view pbx) {
    xmpp::Xml xml;
    xml.open("agent");
    for (const auto& one : bases) xml.attr(one.name, to_string(memory.*one.member));
    for (const auto& one : texts)
        if (!(memory.*one.member).empty()) xml.attr(one.name, memory.*one.member);
    for (const auto& one : times) xml.attr(one.name, fmt::to_string((memory.*one.member).count()));
    for (const auto& one : flags)
        if (memory.*one.member) xml.attr(one.name, "1");
    for (const auto& member : memory.members) {
        xml.open("member");
        for (const auto& one : member_texts) xml.attr(one.name, member.*one.member);
        for (const auto& one : member_flags)
            if (member.*one.member) xml.attr(one.name, "1");
        xml.close();
    }
    return {{}, std::string(pbx), fmt::format("{}{}", key_word, memory.jid), memory.jid, xml.close().take()};
}

std::optional<AgentMemory> recalled_agent(const crm::Owed& owed) {
    if (!owed.jid.empty() || !owed.leg.starts_with(key_word)) return std::nullopt;
    pugi::xml_document document;
    if (!document.load_buffer(owed.stanza.data(), owed.stanza.size())) return std::nullopt;
    const auto node = document.child("agent");
    if (!node) return std::nullopt;
    AgentMemory memory{.jid = owed.id, .members = {}};
    for (const auto& one : bases)
        for (auto base : {AgentBase::out, AgentBase::ready, AgentBase::not_ready})
            if (node.attribute(one.name).as_string() == to_string(base)) memory.*one.member = base;
    for (const auto& one : texts) memory.*one.member = node.attribute(one.name).as_string();
    for (const auto& one : times) memory.*one.member = Millis{node.attribute(one.name).as_llong()};
    for (const auto& one : flags) memory.*one.member = node.attribute(one.name).as_bool();
    for (const auto child : node.children("member")) {
        Member member;
        for (const auto& one : member_texts) member.*one.member = child.attribute(one.name).as_string();
        for (const auto& one : member_flags) member.*one.member = child.attribute(one.name).as_bool();
        memory.members.push_back(std::move(member));
    }
    return memory;
}

}  // namespace bridge
