#include "crypto/sealed_backup.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/sealed_backup_format.hpp"

namespace kith::crypto {

using namespace container;

struct ContainerSealer::State {
  explicit State(Stream started) : stream(std::move(started)) {}

  /// The next `size` bytes of length || content || zeros.
  SecretBytes padded(std::size_t size);
  Result<Bytes> last_record();

  ContainerCore core;
  PublicKey signer;
  ContainerSign sign;
  SecretBytes content;
  std::vector<std::size_t> record_bytes;
  Bytes first_record;
  std::size_t next_record = 0;
  std::size_t content_taken = 0;
  Sha256 rest;
  Stream stream;
};

SecretBytes ContainerSealer::State::padded(std::size_t size) {
  SecretBytes out(size);
  auto room = out.expose_mutable();
  if (next_record == 1) {
    Bytes length;
    append_u64_be(length, content.size());
    std::ranges::copy(length, room.begin());
    room = room.subspan(kLengthBytes);
  }
  const std::size_t count = std::min(room.size(), content.size() - content_taken);
  std::ranges::copy(content.expose().subspan(content_taken, count), room.begin());
  content_taken += count;
  return out;
}

Result<Bytes> ContainerSealer::State::last_record() {
  const Bytes message = signed_message(core, rest.finish());
  TRY(const Bytes signature, sign(message));
  declassify(message);
  declassify(signature);
  // Checked here: a backup that nobody will accept must fail while its owner can still act.
  CHECK(verify(signer, message, signature));
  Bytes plaintext(kSignedBytes);
  plaintext[0] = static_cast<std::uint8_t>(signer.type);
  plaintext[1] = static_cast<std::uint8_t>(signer.bytes.size());
  std::ranges::copy(signer.bytes, plaintext.begin() + 2);
  std::ranges::copy(signature, plaintext.begin() + 2 + kKeyBytesMax);
  return stream.seal(plaintext, Stream::Mark::last);
}

ContainerSealer::ContainerSealer(std::unique_ptr<State> state) : state_(std::move(state)) {}
ContainerSealer::~ContainerSealer() = default;
ContainerSealer::ContainerSealer(ContainerSealer&&) noexcept = default;
ContainerSealer& ContainerSealer::operator=(ContainerSealer&&) noexcept = default;

Result<ContainerSealer> ContainerSealer::start(const SecretPoint& recovery_key,
                                               const ContainerParams& params, SecretBytes content,
                                               ContainerSign sign, Random& random) {
  CHECK(check_counter(params.format, params.counter));
  const std::size_t key_bytes = signer_key_bytes(params.signer.type);
  if (key_bytes == 0 || params.signer.bytes.size() != key_bytes) {
    return fail(Errc::bad_key, "this key cannot sign a backup");
  }
  const std::size_t classes = params.format == ContainerFormat::capsule ? 1 : kContainerSizeClasses;
  std::uint8_t size_class = 0;
  while (size_class < classes && container_capacity(size_class) < content.size()) ++size_class;
  if (size_class == classes) {
    return fail(Errc::limit_exceeded, "the content does not fit the largest backup");
  }

  ContainerCore core;
  core.format = params.format;
  core.size_class = size_class;
  core.counter = params.counter;
  core.created_s = params.created_s;
  random.fill(core.core_salt);
  const Scalar ephemeral = Scalar::random_nonzero(random);
  TRY(core.ephemeral, Point::base_times(ephemeral));
  core.ycheck = ycheck(core.core_salt, recovery_key);
  TRY(const Point product, recovery_key.expose_point().times(ephemeral));
  const SecretPoint opening(product);

  auto state = std::make_unique<State>(Stream::sealing(stream_key(core, recovery_key, opening)));
  state->core = core;
  state->first_record = encode(core);
  append(state->first_record, state->stream.header());
  state->rest.update(state->stream.header());
  state->signer = params.signer;
  state->sign = std::move(sign);
  state->content = std::move(content);
  state->record_bytes = container_record_bytes(size_class);
  return ContainerSealer(std::move(state));
}

const ContainerCore& ContainerSealer::core() const {
  return state_->core;
}

Result<std::optional<Bytes>> ContainerSealer::next() {
  State& state = *state_;
  const std::size_t index = state.next_record;
  std::optional<Bytes> record;
  if (index == state.record_bytes.size()) return record;
  if (index == 0) {
    record = std::move(state.first_record);
  } else if (index + 1 == state.record_bytes.size()) {
    TRY(record, state.last_record());
  } else {
    const SecretBytes plaintext = state.padded(state.record_bytes[index] - kRecordOverheadBytes);
    record = state.stream.seal(plaintext.expose(), Stream::Mark::more);
    state.rest.update(*record);
  }
  ASSERT(record->size() == state.record_bytes[index]);
  ++state.next_record;
  return record;
}

Result<std::vector<Bytes>> seal_container(const SecretPoint& recovery_key,
                                          const ContainerParams& params, SecretBytes content,
                                          ContainerSign sign, Random& random) {
  TRY(auto sealer,
      ContainerSealer::start(recovery_key, params, std::move(content), std::move(sign), random));
  std::vector<Bytes> records;
  while (true) {
    TRY(auto record, sealer.next());
    if (!record.has_value()) return records;
    records.push_back(std::move(*record));
  }
}

}  // namespace kith::crypto
