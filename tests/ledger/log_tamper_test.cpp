#include <gtest/gtest.h>

#include "ledger/log_reader.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

/// A log with every operation that moves the head.
LogLab make_log(Kind kind) {
  LogLab lab(kind);
  lab.start();
  lab.post(lab.update(1));
  lab.post(lab.rotate());
  lab.post(lab.recover(2));
  lab.time += 72h;
  lab.post(lab.update(2));
  lab.post(lab.deactivate());
  return lab;
}

/// Reads with blob `at` replaced: it must be junk, and the log end before it.
void expect_ends_before(const LogLab& lab, std::size_t at, Bytes bad, const std::string& what) {
  std::vector<ledger::AnchoredBlob> blobs = lab.blobs;
  blobs[at].blob = std::move(bad);
  const auto view = ledger::read_log(lab.subject, blobs, {lab.time, false});
  if (at == 0) {
    EXPECT_FALSE(view.has_value()) << what;
    return;
  }
  ASSERT_TRUE(view.has_value()) << what;
  EXPECT_EQ(view->history.size(), at) << what;
  EXPECT_EQ(view->junk_count, blobs.size() - at) << what;
  EXPECT_EQ(view->head().position, at - 1) << what;
}

TEST(LogTamper, AChangedByteEndsTheLogBeforeItsEntry) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    const LogLab lab = make_log(kind);
    ASSERT_EQ(lab.view().history.size(), lab.blobs.size());
    for (std::size_t at = 0; at < lab.blobs.size(); ++at) {
      const bool last = at + 1 == lab.blobs.size();
      const std::size_t step = last && kind == Kind::did ? 1 : 23;
      for (std::size_t i = 0; i < lab.blobs[at].blob.size(); i += step) {
        Bytes bad = lab.blobs[at].blob;
        bad[i] ^= 1U;
        expect_ends_before(lab, at, bad,
                           "entry " + std::to_string(at) + " byte " + std::to_string(i));
      }
    }
  }
}

TEST(LogTamper, ATruncatedOrExtendedBlobEndsTheLogBeforeIt) {
  const LogLab lab = make_log(Kind::did);
  for (std::size_t at = 0; at < lab.blobs.size(); ++at) {
    Bytes bad = lab.blobs[at].blob;
    bad.pop_back();
    expect_ends_before(lab, at, bad, "truncated");
    bad = lab.blobs[at].blob;
    bad.push_back(' ');
    expect_ends_before(lab, at, bad, "extended");
    expect_ends_before(lab, at, {}, "empty");
  }
}

/// Another value of the same type, as different as need be.
Json other_value(const Json& value) {
  if (value.is_int64()) return value.get_int64() + 1;
  if (value.is_bool()) return !value.get_bool();
  if (value.is_string()) return Json(std::string(value.get_string()) + "x");
  if (value.is_array()) {
    JsonArray array = value.get_array();
    if (array.empty()) {
      array.emplace_back("x");
    } else {
      array.pop_back();
    }
    return array;
  }
  JsonObject object = value.get_object();
  object.erase(object.begin());
  return object;
}

TEST(LogTamper, AChangedMemberEndsTheLogBeforeItsEntry) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    const LogLab lab = make_log(kind);
    for (std::size_t at = 0; at < lab.blobs.size(); ++at) {
      const Json good = *crypto::parse_json(crypto::as_text(lab.blobs[at].blob));
      for (const auto& member : good.get_object()) {
        const std::string name(member.key());
        const auto check = [&](const Json& bad, const std::string& what) {
          expect_ends_before(lab, at, crypto::to_bytes(crypto::canonical_json(bad)),
                             "entry " + std::to_string(at) + " " + name + " " + what);
        };
        Json bad = good;
        bad.as_object().erase(name);
        check(bad, "removed");
        bad = good;
        bad.as_object()[name] = other_value(member.value());
        check(bad, "changed");
        bad = good;
        bad.as_object()[name] = member.value().is_string() ? Json(7) : Json("text");
        check(bad, "of another type");
      }
      Json bad = good;
      bad.as_object()["extra"] = 1;
      expect_ends_before(lab, at, crypto::to_bytes(crypto::canonical_json(bad)), "extra member");
    }
  }
}

TEST(LogTamper, AnEntryOfAnotherLogIsNoPartOfThisOne) {
  const LogLab lab = make_log(Kind::did);
  LogLab other(Kind::did, {}, 99);
  other.start();
  other.post(other.update(1));
  expect_ends_before(lab, 1, other.blobs[1].blob, "foreign entry");
}

}  // namespace
}  // namespace kith::test
