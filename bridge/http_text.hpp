// What HTTP texts mean, without sockets: forms, paths, secrets. Sources: RFC 9110, WHATWG URL (forms).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace bridge {

using HttpForm = std::map<std::string, std::string, std::less<>>;

// "a=1&b=x+y%21"; of two equal names the first counts, broken escapes stay as they are, at most 64 fields.
HttpForm parse_form(std::string_view text);
std::string url_form(std::string_view value);  // for a form: letters, digits and -._~ stay. Not even a
                                               // blank is +, which Asterisk's CURL does not decode

// Takes as long for a wrong secret as for the right one, whatever they have in common. An empty `right` fits
// nothing.
bool same_secret(std::string_view given, std::string_view right);

std::string_view content_type_of(std::string_view path);

// Whether a Host header names this machine by itself: an address of loopback, or localhost.
bool is_loopback_host(std::string_view host);

// "https://crm.example.org", with a port or without; http:// only of this machine. Nothing that would end its
// place in a header of security.
bool is_web_origin(std::string_view text);

}  // namespace bridge
