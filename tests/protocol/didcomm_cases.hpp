#pragma once

/// Tables of messages and envelopes that DIDComm Messaging v2.1 says to take or to refuse, each
/// with the section that says so.

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/protocol/didcomm_forge.hpp"

namespace kith::test {

/// Sections of the specification.
namespace section {
inline constexpr const char* kHeaders = "Message Headers";
inline constexpr const char* kMediaTypes = "IANA Media Types";
inline constexpr const char* kConsistency = "Message Layer Addressing Consistency";
inline constexpr const char* kAttachments = "Attachments";
inline constexpr const char* kMessageIds = "Message IDs";
inline constexpr const char* kThreads = "Threads";
inline constexpr const char* kAcks = "ACKs";
inline constexpr const char* kTimeouts = "Timeouts";
inline constexpr const char* kLanguages = "Internationalization";
inline constexpr const char* kEncryption = "Message Encryption";
inline constexpr const char* kCurves = "Curves and Content Encryption Algorithms";
inline constexpr const char* kKeyIds = "Key IDs";
inline constexpr const char* kEcdh1Pu = "ECDH-1PU key wrapping and common protected headers";
inline constexpr const char* kEcdhEs = "ECDH-ES key wrapping and common protected headers";
inline constexpr const char* kProtectSender = "Protecting the Sender Identity";
inline constexpr const char* kSigning = "Message Signing";
inline constexpr const char* kRotation = "DID Rotation";
inline constexpr const char* kEnding = "Ending a Relationship";
inline constexpr const char* kProblemCodes = "Problem Codes";
}  // namespace section

struct Case {
  std::string section;
  std::string name;
  /// Makes the envelope that Bob gets.
  std::function<std::string(ForgeLab&)> envelope;
  std::optional<Errc> refused;  ///< Absent: it must open.
};

/// Every case in a lab of its own, so that none depends on another.
inline void run_cases(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    SCOPED_TRACE("[" + one.section + "] " + one.name);
    ForgeLab lab;
    const auto opened = lab.world.open(one.envelope(lab), lab.bob.party);
    EXPECT_EQ(opened.has_value(), !one.refused.has_value())
        << (opened.has_value() ? "opened" : opened.error().detail);
    if (!opened.has_value() && one.refused) {
      EXPECT_EQ(opened.error().code, *one.refused) << opened.error().detail;
    }
  }
}

/// A plaintext in authcrypt, changed before it is encrypted.
inline Case plain_case(std::string section, std::string name, Edit edit,
                       std::optional<Errc> refused = std::nullopt) {
  return {std::move(section), std::move(name),
          [edit = std::move(edit)](ForgeLab& lab) {
            return lab.auth(lab.plain(edit), lab.alice, lab.bob);
          },
          refused};
}

}  // namespace kith::test
