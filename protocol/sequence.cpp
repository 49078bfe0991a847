#include "protocol/sequence.hpp"

#include <algorithm>

#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kSequences = "sequence";

struct Sequence {
  std::int64_t last = 0;
  std::vector<std::int64_t> gaps;  ///< Ascending.
  Time heard{};
  template <class V>
  void visit(V& v) {
    v("last", last), v("gaps", gaps), v("heard", heard);
  }
};

std::string key_of(std::string_view contact_id, const Message& message) {
  return std::string(contact_id) + " " + message_id_key(message.thread());
}

std::optional<std::int64_t> order_of(const Message& message) {
  const auto order = crypto::json_optional_int(message.others, kSenderOrder);
  if (!order.has_value() || !*order || **order < 1 || **order > crypto::kJsonIntegerMax)
    return std::nullopt;
  return **order;
}

void make_room(Host& host) {
  const auto ids = host.list(kSequences);
  if (ids.size() < kSequencesMax) return;
  const auto oldest = std::ranges::min_element(
      ids, {}, [&](const std::string& id) { return load<Sequence>(host, kSequences, id)->heard; });
  host.erase({std::string(kSequences), *oldest});
}

}  // namespace

bool is_sent_again(const Message& message) {
  const auto count = crypto::json_optional_int(message.others, kSentCount);
  return count.has_value() && *count && **count > 1;
}

void note_order(Host& host, const Contact& contact, const Message& message) {
  const auto order = order_of(message);
  if (!order) return;
  const std::string key = key_of(contact.id, message);
  auto sequence = load<Sequence>(host, kSequences, key);
  if (!sequence) {
    make_room(host);
    sequence.emplace();
  }
  std::vector<std::int64_t>& gaps = sequence->gaps;
  if (*order <= sequence->last) {
    std::erase(gaps, *order);
  } else {
    const auto most = static_cast<std::int64_t>(kGapsMax);
    for (std::int64_t missing = std::max(sequence->last + 1, *order - most); missing < *order;
         ++missing) {
      gaps.push_back(missing);
    }
    if (gaps.size() > kGapsMax) {
      gaps.erase(gaps.begin(), gaps.end() - static_cast<std::ptrdiff_t>(kGapsMax));
    }
    sequence->last = *order;
  }
  sequence->heard = host.now();
  save(host, kSequences, key, *sequence);
}

void tell_received_orders(Host& host, const Inbound& inbound, Message& answer) {
  if (!order_of(inbound.message)) return;
  const auto contact = sender_of(host, inbound);
  if (!contact.has_value()) return;
  const auto sequence = load<Sequence>(host, kSequences, key_of(contact->id, inbound.message));
  if (!sequence) return;
  JsonObject seen{{"id", inbound.info.sender->text()},
                  {"last", sequence->last},
                  {"gaps", JsonArray(sequence->gaps.begin(), sequence->gaps.end())}};
  answer.others[kReceivedOrders] = JsonArray{std::move(seen)};
}

}  // namespace kith::protocol
