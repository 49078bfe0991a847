#include "protocol/look_up.hpp"

#include <algorithm>
#include <vector>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "protocol/did_web.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kLookUps = "look-up";
constexpr std::string_view kParked = "parked";

struct ParkedEnvelope {
  Bytes envelope;
  Arrival how;
  template <class V>
  void visit(V& v) {
    v("envelope", envelope);
    how.visit(v);
  }
};

struct ParkedNote {
  std::string id;
  std::uint64_t bytes = 0;
  template <class V>
  void visit(V& v) {
    v("id", id), v("bytes", bytes);
  }
};

struct LookUp {
  std::string effect;  ///< The open fetch; empty: it failed, and a timer is set.
  std::uint32_t redirects = 0;
  std::uint32_t failures = 0;
  Time begun{};
  std::vector<ParkedNote> parked;
  template <class V>
  void visit(V& v) {
    v("effect", effect), v("redirects", redirects), v("failures", failures), v("begun", begun);
    v("parked", parked);
  }
};

struct Load {
  std::size_t look_ups = 0;
  std::size_t envelopes = 0;
  std::size_t bytes = 0;
};

Load load_of(Host& host) {
  Load load_now;
  for (const std::string& did : host.list(kLookUps)) {
    const LookUp one = *load<LookUp>(host, kLookUps, did);
    ++load_now.look_ups;
    load_now.envelopes += one.parked.size();
    for (const ParkedNote& note : one.parked) load_now.bytes += note.bytes;
  }
  return load_now;
}

void fetch(Host& host, LookUp& look_up, const std::string& did, const std::string& url) {
  Effect effect = did_web_fetch(url, host.now(), host.test_mode());
  effect.owner = kLookUpModule;
  effect.context = did;
  look_up.effect = host.start(std::move(effect));
}

/// Drops what waits for it, and the look-up itself.
void give_up(Host& host, const std::string& did, const LookUp& look_up, Errc why) {
  for (const ParkedNote& note : look_up.parked) {
    host.erase({std::string(kParked), note.id});
    host.audit("envelope.dropped", {{"code", crypto::error_text(why).code}});
  }
  if (!look_up.effect.empty()) host.cancel_effect(look_up.effect);
  host.cancel_timer(kLookUpModule, did);
  host.erase({std::string(kLookUps), did});
}

bool has_room(const Load& now, bool another, std::size_t bytes) {
  return now.look_ups + (another ? 1 : 0) <= limits::kLookUpsMax &&
         now.envelopes < limits::kParkedEnvelopesMax &&
         now.bytes + bytes <= limits::kParkedBytesMax;
}

/// Drives out look-ups that failed before, the oldest first, until there is room.
Result<void> make_room(Host& host, const std::string& did, bool another, std::size_t bytes) {
  while (!has_room(load_of(host), another, bytes)) {
    std::optional<std::pair<Time, std::string>> oldest;
    for (const std::string& other : host.list(kLookUps)) {
      const LookUp one = *load<LookUp>(host, kLookUps, other);
      if (one.failures == 0 || other == did) continue;
      if (!oldest || one.begun < oldest->first) oldest = {one.begun, other};
    }
    if (!oldest) return fail(Errc::wrong_state, "too many messages wait for their senders' keys");
    give_up(host, oldest->second, *load<LookUp>(host, kLookUps, oldest->second),
            Errc::limit_exceeded);
  }
  return {};
}

/// The first pause, then twice as long each time.
Duration pause_after(std::uint32_t failures) {
  return Duration{limits::kLookUpPause} * (1 << std::min<std::uint32_t>(failures - 1, 6));
}

bool may_come_later(Errc code) {
  return code == Errc::unreachable || code == Errc::timeout;
}

void release(Host& host, const std::string& did, LookUp look_up) {
  for (const ParkedNote& note : look_up.parked) {
    auto parked = load<ParkedEnvelope>(host, kParked, note.id);
    if (parked) {
      parked->how.looked_up = did;  // Records of earlier versions do not say it.
      host.arrived(std::move(parked->envelope), parked->how);
    }
    host.erase({std::string(kParked), note.id});
  }
  host.cancel_timer(kLookUpModule, did);
  host.erase({std::string(kLookUps), did});
}

/// Asks again later while something waits; else nobody asks for a while.
void note_failure(Host& host, const std::string& did, LookUp look_up, Errc why) {
  ++look_up.failures;
  const Time again = host.now() + pause_after(look_up.failures);
  const bool hopeless =
      !may_come_later(why) || again >= look_up.begun + Duration{limits::kParkedLife};
  if (hopeless) {
    give_up(host, did, look_up, why);
    look_up.parked.clear();
  }
  look_up.redirects = 0;
  save(host, kLookUps, did, look_up);
  host.set_timer(kLookUpModule, did,
                 hopeless ? host.now() + Duration{limits::kLookUpPause} : again);
}

}  // namespace

std::string parked_id(ByteView envelope) {
  return crypto::hex(crypto::sha256(envelope));
}

Result<void> park(Host& host, ByteView envelope, const Arrival& how) {
  const std::string& did = how.looked_up;
  const auto unknown = [&] { return fail(Errc::unknown_peer, did); };
  const auto parsed = Did::parse(did);
  if (!parsed.has_value() || parsed->method() != "web") return unknown();
  TRY(const std::string url, did_web_url(*parsed, host.test_mode()));

  const auto under_way = load<LookUp>(host, kLookUps, did);
  LookUp look_up = under_way.value_or(LookUp{});
  if (under_way && look_up.effect.empty() && look_up.parked.empty()) return unknown();
  const std::string id = parked_id(envelope);
  if (std::ranges::find(look_up.parked, id, &ParkedNote::id) != look_up.parked.end()) return {};
  if (look_up.parked.size() >= limits::kParkedPerSenderMax) {
    return fail(Errc::wrong_state, "too many messages of that sender wait for its keys");
  }
  CHECK(make_room(host, did, !under_way, envelope.size()));
  if (!under_way) {
    look_up.begun = host.now();
    fetch(host, look_up, did, url);
  }
  look_up.parked.push_back({id, envelope.size()});
  save(host, kParked, id, ParkedEnvelope{crypto::to_bytes(envelope), how});
  save(host, kLookUps, did, look_up);
  return {};
}

void LookUps::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  const std::string& did = effect.context;
  auto look_up = load<LookUp>(host, kLookUps, did);
  const auto parsed = Did::parse(did);
  if (!look_up || look_up->effect != effect.id || !parsed.has_value()) return;
  look_up->effect.clear();
  const auto answer = read_did_web(host, *parsed, outcome);
  if (!answer.has_value()) {
    return note_failure(host, did, std::move(*look_up), answer.error().code);
  }
  if (answer->document) return release(host, did, std::move(*look_up));
  if (++look_up->redirects > limits::kHttpRedirectsMax) {
    return note_failure(host, did, std::move(*look_up), Errc::limit_exceeded);
  }
  fetch(host, *look_up, did, answer->next_url);
  save(host, kLookUps, did, *look_up);
}

/// A pause is over.
void LookUps::on_timer(Host& host, std::string_view timer) {
  const std::string did(timer);
  auto look_up = load<LookUp>(host, kLookUps, did);
  const auto parsed = Did::parse(did);
  if (!look_up || !parsed.has_value()) return;
  if (look_up->parked.empty()) return host.erase({std::string(kLookUps), did});
  const auto url = did_web_url(*parsed, host.test_mode());
  if (!url.has_value()) return give_up(host, did, *look_up, url.error().code);
  fetch(host, *look_up, did, *url);
  save(host, kLookUps, did, *look_up);
}

}  // namespace kith::protocol
