#include "protocol/contact.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kContacts = "contact";
constexpr std::string_view kByDid = "contact-by-did";

struct ContactId {
  std::string id;
  template <class V>
  void visit(V& v) {
    v("id", id);
  }
};

std::string pair_key(std::string_view mine, std::string_view theirs) {
  return std::string(mine) + " " + std::string(theirs);
}

/// Without control characters, at most kNameCharsMax bytes, never cut inside a UTF-8 sequence.
std::string clean_name(std::string_view wanted) {
  std::string name;
  for (const char c : wanted) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) name.push_back(c);
  }
  if (name.size() > limits::kNameCharsMax) {
    std::size_t end = limits::kNameCharsMax;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
    name.resize(end);
  }
  return name.empty() ? "someone" : name;
}

}  // namespace

void save_contact(Host& host, const Contact& contact) {
  if (const auto old = find_contact(host, contact.id); old && !old->their_did.empty()) {
    host.erase({std::string(kByDid), pair_key(old->my_did, old->their_did)});
  }
  save(host, kContacts, contact.id, contact);
  if (!contact.their_did.empty()) {
    save(host, kByDid, pair_key(contact.my_did, contact.their_did), ContactId{contact.id});
  }
}

std::vector<Contact> list_contacts(Host& host) {
  std::vector<Contact> contacts;
  for (const std::string& id : host.list(kContacts)) {
    if (auto contact = find_contact(host, id)) contacts.push_back(std::move(*contact));
  }
  std::ranges::stable_sort(contacts, {}, &Contact::name);
  return contacts;
}

bool has_other_devices(Host& host) {
  const auto all = list_contacts(host);
  return std::ranges::any_of(all, [](const Contact& contact) {
    return contact.role == ContactRole::device && contact.state == ContactState::connected;
  });
}

std::optional<Contact> find_contact(Host& host, std::string_view id) {
  return load<Contact>(host, kContacts, id);
}

Result<Contact> contact_named(Host& host, std::string_view name_or_id) {
  if (auto contact = find_contact(host, name_or_id)) return std::move(*contact);
  std::optional<Contact> found;
  for (Contact& contact : list_contacts(host)) {
    if (contact.name != name_or_id) continue;
    if (found) return fail(Errc::conflict, "two contacts have that name; use the id");
    found = std::move(contact);
  }
  if (!found) return fail(Errc::unknown_peer, std::string(name_or_id));
  return std::move(*found);
}

Result<Contact> contact_of(Host& host, const Did& own_did, const Did& sender) {
  const auto id = load<ContactId>(host, kByDid, pair_key(own_did.text(), sender.text()));
  auto contact = id ? find_contact(host, id->id) : std::nullopt;
  const bool takes_mail = contact && (contact->state == ContactState::connected ||
                                      contact->state == ContactState::answered);
  if (!takes_mail) {
    return fail(Errc::unknown_peer, "no connected contact sent this");
  }
  return std::move(*contact);
}

std::string free_contact_name(Host& host, std::string_view wanted) {
  const std::string name = clean_name(wanted);
  const auto contacts = list_contacts(host);
  const auto taken = [&](const std::string& candidate) {
    return std::ranges::any_of(contacts,
                               [&](const Contact& other) { return other.name == candidate; });
  };
  if (!taken(name)) return name;
  for (std::size_t n = 2;; ++n) {
    const std::string candidate = name + " (" + std::to_string(n) + ")";
    if (!taken(candidate)) return candidate;
  }
}

}  // namespace kith::protocol
