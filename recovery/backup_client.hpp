#pragma once

/// Puts sealed parts to backup locations and gets them back: jobs that survive crashes.
///
/// A job belongs to another module: when it ends, timer `context` of module `owner` is set to now,
/// and that module asks for the result. Chunks are records until then, so resends are the same
/// bytes. Requests go one at a time and are repeated until answered.

#include <optional>
#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/messages.hpp"

namespace kith::recovery {

/// One version of one part, as sealed (recovery-protocol section 3).
struct PartVersion {
  BackupPart part = BackupPart::backup;
  Bytes set_id;
  std::uint64_t counter = 0;
  std::vector<Bytes> chunks;  ///< Each at most limits::kBackupChunkBytes.
  std::vector<Bytes> token_hashes;
};

/// Who talks to whom: DIDs that can be packed for. A client uses its relationship with the
/// location, a recovering device a one-time DID.
struct LocationLink {
  std::string own_did;
  std::string location_did;
  Bytes token;  ///< Empty for the client itself.
  template <class V>
  void visit(V& v) {
    v("own_did", own_did), v("location_did", location_did), v("token", token);
  }
};

enum class JobState : std::uint8_t { running = 1, done = 2, failed = 3 };
constexpr bool is_valid(JobState state) {
  return state >= JobState::running && state <= JobState::failed;
}

/// Uploads all parts, then reads every chunk back and compares. Returns the job's id.
[[nodiscard]] std::string start_put(Host& host, std::string_view owner, std::string_view context,
                                    const LocationLink& link,
                                    const std::vector<PartVersion>& parts);
/// Downloads one version; `counter` absent: the newest.
[[nodiscard]] std::string start_get(Host& host, std::string_view owner, std::string_view context,
                                    const LocationLink& link, BackupPart part,
                                    std::optional<std::uint64_t> counter);

struct JobResult {
  JobState state = JobState::running;
  std::string problem;  ///< When failed: why, in plain words.
};
/// Errors: not_found.
[[nodiscard]] Result<JobResult> job_result(Host& host, std::string_view job_id);
/// What a finished get brought; its digest is checked. Errors: not_found, wrong_state.
[[nodiscard]] Result<PartVersion> job_download(Host& host, std::string_view job_id);
/// Forgets a job and its chunks.
void drop_job(Host& host, std::string_view job_id);

class BackupClient final : public Module {
 public:
  std::string_view name() const override { return "backup"; }
  std::vector<std::string> message_types() const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_problem(Host& host, const Inbound& inbound,
                  const protocol::ProblemReport& report) override;
  void on_start(Host& host) override;
};

}  // namespace kith::recovery
