#include "ledger/add_checkpoint.hpp"

#include "ledger/hash_text.hpp"
#include "ledger/text_lines.hpp"
#include "ledger/witness_limits.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kOldWord = "old ";
/// What stands before the signature lines of the smallest note.
constexpr std::string_view kNoteStart = "x\n\n";

Result<std::string_view> next_line(std::string_view& text) {
  const auto line = take_line(text);
  if (!line) return fail(Errc::malformed, "the request ends too early");
  return *line;
}

Result<std::uint64_t> tree_size(std::string_view text) {
  const auto size = plain_decimal(text);
  if (!size) return fail(Errc::malformed, "a tree's size is not a number");
  return *size;
}

}  // namespace

std::string add_checkpoint_text(const AddCheckpoint& request) {
  std::string text = std::string(kOldWord) + std::to_string(request.old_size) + "\n";
  for (const Digest256& hash : request.consistency) text.append(base64(hash)).push_back('\n');
  return text.append("\n").append(request.checkpoint);
}

Result<AddCheckpoint> parse_add_checkpoint(std::string_view text) {
  if (text.size() > witness_limits::kRequestBytesMax) {
    return fail(Errc::limit_exceeded, "the request is too long");
  }
  AddCheckpoint request;
  TRY(std::string_view line, next_line(text));
  if (!line.starts_with(kOldWord)) return fail(Errc::malformed, "the request names no old size");
  TRY(request.old_size, tree_size(line.substr(kOldWord.size())));
  for (;;) {
    TRY(line, next_line(text));
    if (line.empty()) break;
    if (request.consistency.size() == witness_limits::kRequestHashesMax) {
      return fail(Errc::limit_exceeded, "the proof has too many hashes");
    }
    TRY(const Digest256 hash, parse_hash(line));
    request.consistency.push_back(hash);
  }
  CHECK(parse_note(text));
  request.checkpoint = text;
  return request;
}

std::string signature_lines(const std::vector<NoteSignature>& signatures) {
  return note_text({"x\n", signatures}).substr(kNoteStart.size());
}

Result<std::vector<NoteSignature>> parse_signature_lines(std::string_view lines) {
  if (lines.size() > witness_limits::kAnswerBytesMax) {
    return fail(Errc::limit_exceeded, "the witness's answer is too long");
  }
  TRY(SignedNote note, parse_note(std::string(kNoteStart) + std::string(lines)));
  if (note.text != "x\n") return fail(Errc::malformed, "more than signatures");
  return std::move(note.signatures);
}

std::string size_text(std::uint64_t size) {
  return std::to_string(size) + "\n";
}

Result<std::uint64_t> parse_size_text(std::string_view body) {
  if (!body.ends_with('\n')) return fail(Errc::malformed, "a size is one line");
  return tree_size(body.substr(0, body.size() - 1));
}

}  // namespace kith::ledger
