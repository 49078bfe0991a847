#pragma once

/// The person at the terminal. Questions go to stderr, so that stdout holds results alone.

#include <optional>
#include <string>

#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::node {

/// stdin and stderr are a terminal.
[[nodiscard]] bool is_terminal();
/// stderr is: somebody reads progress.
[[nodiscard]] bool is_watched();
/// One line; Enter alone gives `otherwise`. nullopt at the end of input.
[[nodiscard]] std::optional<std::string> ask(const std::string& question,
                                             const std::string& otherwise = {});
/// y or n; Enter alone gives `otherwise`.
[[nodiscard]] bool ask_yes(const std::string& question, bool otherwise);
/// Without echo. Errors: step_up_required (no terminal), limit_exceeded.
[[nodiscard]] Result<SecretBytes> ask_passphrase(const std::string& question);
/// The first line of a file, or all of it if there is one line only; the line end is not part.
/// Errors: io, limit_exceeded (empty or too long).
[[nodiscard]] Result<SecretBytes> read_passphrase_file(const std::string& path);
/// The second line: the PIN of the wallet's token. Errors: io, token_pin_needed (none there).
[[nodiscard]] Result<SecretBytes> read_pin_in_file(const std::string& path);
/// Without echo. Errors: token_pin_needed (no terminal), limit_exceeded.
[[nodiscard]] Result<SecretBytes> ask_pin(const std::string& question);
/// A line of progress on stderr.
void say_progress(const std::string& text);

}  // namespace kith::node
