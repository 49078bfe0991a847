#pragma once

/// Limits of policy documents, each with its reason.

#include <cstddef>

namespace kith::node::rule_limits {

// Files

/// In the directory `policy` of a home: a framework or two, and one for each person who matters.
inline constexpr std::size_t kFilesMax = 64;
/// Of one document: a person writes it.
inline constexpr std::size_t kFileBytesMax = 64 * 1024;

// Documents

/// Rules in one document; all are looked at for every command.
inline constexpr std::size_t kRulesMax = 200;
/// Operations in one rule, keys or frameworks in one document.
inline constexpr std::size_t kItemsMax = 200;
/// Bytes of a name or a reason: a sentence.
inline constexpr std::size_t kTextBytesMax = 400;

// Ceremonies

/// A transcript that is checked: 200 steps and 200 witnesses of the longest texts.
inline constexpr std::size_t kTranscriptBytesMax = 512 * 1024;

}  // namespace kith::node::rule_limits
