#include "crypto/sealed_backup.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/sealed_backup_format.hpp"

namespace kith::crypto {

using namespace container;

namespace {

/// Looks at every byte, wherever the first that is not zero lies.
bool is_all_zero(ByteView bytes) {
  std::uint8_t seen = 0;
  for (const std::uint8_t byte : bytes) seen |= byte;
  return declassified(seen) == 0;
}

}  // namespace

struct ContainerOpener::State {
  explicit State(Stream started) : stream(std::move(started)) {}

  Result<void> take(ByteView record);
  Result<void> take_chunk(std::span<const std::uint8_t> plaintext);
  Result<void> take_signature(ByteView plaintext);

  ContainerCore core;
  std::vector<std::size_t> record_bytes;
  std::size_t next_record = 1;
  bool usable = true;
  SecretBytes content;  ///< Allocated when the authenticated length is known.
  std::size_t content_filled = 0;
  Sha256 rest;
  PublicKey signer;
  Stream stream;
};

Result<void> ContainerOpener::State::take(ByteView record) {
  if (next_record == record_bytes.size()) {
    return fail(Errc::malformed, "a backup has more records than its size class");
  }
  if (record.size() != record_bytes[next_record]) {
    return fail(Errc::malformed, "a record of a backup has the wrong size");
  }
  SecretBytes plaintext(record.size() - kRecordOverheadBytes);
  TRY(const auto mark, stream.open(record, plaintext.expose_mutable()));
  const bool is_last = next_record + 1 == record_bytes.size();
  if ((mark == Stream::Mark::last) != is_last) {
    return fail(Errc::malformed, "a record of a backup is marked wrongly");
  }
  if (is_last) {
    CHECK(take_signature(plaintext.expose()));
  } else {
    rest.update(record);
    CHECK(take_chunk(plaintext.expose()));
  }
  ++next_record;
  return {};
}

Result<void> ContainerOpener::State::take_chunk(std::span<const std::uint8_t> plaintext) {
  if (next_record == 1) {
    std::uint64_t length = 0;
    for (const std::uint8_t byte : plaintext.first(kLengthBytes)) length = (length << 8U) | byte;
    length = declassified(length);
    if (length > container_capacity(core.size_class)) {
      return fail(Errc::malformed, "a backup claims more content than fits");
    }
    content = SecretBytes(static_cast<std::size_t>(length));
    plaintext = plaintext.subspan(kLengthBytes);
  }
  const std::size_t count = std::min(plaintext.size(), content.size() - content_filled);
  std::ranges::copy(plaintext.first(count),
                    content.expose_mutable().subspan(content_filled, count).begin());
  content_filled += count;
  const auto padding = plaintext.subspan(count);
  if (!is_all_zero(padding)) {
    return fail(Errc::malformed, "a backup's padding is not zero");
  }
  return {};
}

Result<void> ContainerOpener::State::take_signature(ByteView plaintext) {
  declassify(plaintext);
  signer.type = static_cast<KeyType>(plaintext[0]);
  const std::size_t key_bytes = signer_key_bytes(signer.type);
  if (key_bytes == 0 || plaintext[1] != key_bytes) {
    return fail(Errc::malformed, "a backup's signer has a key that does not sign");
  }
  const ByteView padded = plaintext.subspan(2, kKeyBytesMax);
  if (std::ranges::any_of(padded.subspan(key_bytes), [](auto byte) { return byte != 0; })) {
    return fail(Errc::malformed, "a backup's signer is not in its one form");
  }
  signer.bytes = to_bytes(padded.first(key_bytes));
  return verify(signer, signed_message(core, rest.finish()), plaintext.last(kSignatureBytes));
}

ContainerOpener::ContainerOpener(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContainerOpener::~ContainerOpener() = default;
ContainerOpener::ContainerOpener(ContainerOpener&&) noexcept = default;
ContainerOpener& ContainerOpener::operator=(ContainerOpener&&) noexcept = default;

Result<ContainerOpener> ContainerOpener::start(ByteView first_record,
                                               const SecretPoint& recovery_key,
                                               const SecretPoint& opening) {
  if (first_record.size() != kContainerCoreBytes + kStreamHeaderBytes) {
    return fail(Errc::malformed, "the first record of a backup has the wrong size");
  }
  TRY(const auto core, parse_container_core(first_record.first(kContainerCoreBytes)));
  if (!equal_constant_time(ycheck(core.core_salt, recovery_key), core.ycheck)) {
    return fail(Errc::bad_key, "the recovery key does not fit this backup");
  }
  const ByteView header = first_record.last(kStreamHeaderBytes);
  auto state =
      std::make_unique<State>(Stream::opening(stream_key(core, recovery_key, opening), header));
  state->core = core;
  state->rest.update(header);
  state->record_bytes = container_record_bytes(state->core.size_class);
  return ContainerOpener(std::move(state));
}

const ContainerCore& ContainerOpener::core() const {
  return state_->core;
}

Result<void> ContainerOpener::add(ByteView record) {
  if (!state_->usable) return fail(Errc::wrong_state, "this backup was refused already");
  auto taken = state_->take(record);
  if (!taken) state_->usable = false;
  return taken;
}

Result<OpenedContainer> ContainerOpener::finish() {
  if (!state_->usable) return fail(Errc::wrong_state, "this backup was refused already");
  state_->usable = false;
  if (state_->next_record != state_->record_bytes.size()) {
    return fail(Errc::malformed, "a backup is cut short");
  }
  return OpenedContainer{state_->core, std::move(state_->content), std::move(state_->signer)};
}

Result<OpenedContainer> open_container(std::span<const Bytes> records,
                                       const SecretPoint& recovery_key,
                                       const SecretPoint& opening) {
  if (records.empty()) return fail(Errc::malformed, "a backup is cut short");
  TRY(auto opener, ContainerOpener::start(records.front(), recovery_key, opening));
  for (const Bytes& record : records.subspan(1)) CHECK(opener.add(record));
  return opener.finish();
}

}  // namespace kith::crypto
