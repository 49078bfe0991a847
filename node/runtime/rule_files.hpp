#pragma once

/// The owner's policy documents as files: `policy/*.toml` in the home, one document each, in the
/// order of their names. docs/policy-documents.md has the keys. What is read here is their shape;
/// what it means is judged by the agent (node/rules.hpp), which gets the number of each rule's
/// line.
///
/// A directory that is not there holds no documents.

#include <string>
#include <string_view>

#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::node {

/// Errors: usage, naming `file`, the line and what is wrong.
[[nodiscard]] Result<crypto::JsonObject> parse_rule_file(std::string_view text,
                                                         const std::string& file);
/// All of a home, as policy-load takes them. Errors: usage, io, limit_exceeded; refused (a file or
/// the directory may be written by others, or is a symbolic link).
[[nodiscard]] Result<crypto::JsonObject> read_rule_files(const std::string& home);

}  // namespace kith::node
