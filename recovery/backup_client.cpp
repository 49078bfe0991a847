#include "recovery/backup_client.hpp"

#include <algorithm>

#include "protocol/audit_log.hpp"
#include "protocol/messenger.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/signed_times.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kBackupClient = "backup";
constexpr std::string_view kJobs = "bk-job";
constexpr Duration kAskAgain{2000};
constexpr Duration kAskAgainMax{300'000};

/// One part of a job; its chunks are records `bk-out/<job>` or `bk-in/<job>`.
struct JobPart {
  BackupPart part = BackupPart::backup;
  Bytes set_id;
  std::uint64_t counter = 0;
  std::uint32_t count = 0;
  Bytes digest;
  std::vector<Bytes> token_hashes;
  template <class V>
  void visit(V& v) {
    v("part", part), v("set_id", set_id), v("counter", counter), v("count", count),
        v("digest", digest), v("token_hashes", token_hashes);
  }
};

/// Stored: never renumber.
enum class Phase : std::uint8_t { put = 1, read_back = 2, get = 3 };
constexpr bool is_valid(Phase phase) {
  return phase >= Phase::put && phase <= Phase::get;
}

struct Job {
  std::string owner;
  std::string context;
  LocationLink link;
  std::vector<JobPart> parts;
  std::optional<std::uint64_t> wanted_counter;
  Phase phase = Phase::put;
  JobState state = JobState::running;
  std::string problem;
  std::uint32_t part = 0;   ///< Of the open request.
  std::uint32_t index = 0;  ///< Of the open request.
  std::string request_id;   ///< Its message id: the only thread whose answer counts.
  Bytes nonce;              ///< Of the open request, for the signed time.
  Duration asked{};         ///< Host::uptime() then.
  std::uint32_t tries = 0;
  template <class V>
  void visit(V& v) {
    v("nonce", nonce), v("asked", asked);
    v("owner", owner), v("context", context), v("link", link), v("parts", parts),
        v("wanted_counter", wanted_counter), v("phase", phase), v("state", state),
        v("problem", problem), v("part", part), v("index", index), v("request_id", request_id),
        v("tries", tries);
  }
};

struct JobChunk {
  Bytes chunk;
  template <class V>
  void visit(V& v) {
    v("chunk", chunk);
  }
};

struct JobThread {
  std::string job;
  template <class V>
  void visit(V& v) {
    v("job", job);
  }
};
constexpr std::string_view kThreads = "bk-thread";

std::string chunk_collection(const Job& job, std::string_view id) {
  return (job.phase == Phase::get ? "bk-in/" : "bk-out/") + std::string(id);
}
std::string chunk_id(std::uint32_t part, std::uint32_t index) {
  return std::to_string(part) + "-" + protocol::numbered_id(index);
}

void end_job(Host& host, std::string_view id, Job job, JobState state, std::string problem) {
  job.state = state;
  job.problem = std::move(problem);
  if (!job.request_id.empty()) host.erase({std::string(kThreads), job.request_id});
  host.cancel_timer(kBackupClient, id);
  save(host, kJobs, id, job);
  host.set_timer(job.owner, job.context, host.now());
}

Result<JsonObject> request_body(Host& host, std::string_view id, const Job& job) {
  const JobPart& part = job.parts[job.part];
  if (job.phase != Phase::put) {
    BackupGet get{job.link.token, part.part, job.wanted_counter, job.index, job.nonce};
    if (job.phase == Phase::read_back) get.counter = part.counter;
    return protocol::encode_body(get);
  }
  auto chunk = load<JobChunk>(host, chunk_collection(job, id), chunk_id(job.part, job.index));
  if (!chunk) return fail(Errc::storage_corrupt, "a chunk of the backup is missing");
  return protocol::encode_body(BackupPut{
      part.part, part.set_id, part.counter, job.index, part.count, std::move(chunk->chunk),
      part.digest, job.index == 0 ? part.token_hashes : std::vector<Bytes>{}});
}

/// Sends the open request (again) and sets the timer for its next repeat.
Result<void> ask(Host& host, std::string_view id, Job job) {
  TRY(const Did mine, Did::parse(job.link.own_did));
  TRY(const Did theirs, Did::parse(job.link.location_did));
  const std::string type =
      type_uri(kBackupProtocol, job.phase == Phase::put ? BackupPut::kName : BackupGet::kName);
  Message message = protocol::new_message(type, host.random(), protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  job.nonce = host.random().bytes(16);
  job.asked = host.uptime();
  TRY(message.body, request_body(host, id, job));
  protocol::SendOptions options;
  options.life = std::chrono::minutes{10};
  options.wants_reply = true;
  options.transient = true;
  if (!job.request_id.empty()) host.erase({std::string(kThreads), job.request_id});
  job.request_id = message.id;
  save(host, kThreads, job.request_id, JobThread{std::string(id)});
  const Duration pause =
      std::min(kAskAgain * (1 << std::min<std::uint32_t>(job.tries, 8)), kAskAgainMax);
  ++job.tries;
  save(host, kJobs, id, job);
  host.set_timer(kBackupClient, id, host.now() + pause);
  TRY(const std::string sent, protocol::send(host, std::move(message), options));
  return {};
}

void ask_or_fail(Host& host, std::string_view id, const Job& job) {
  const auto asked = ask(host, id, job);
  if (!asked.has_value()) end_job(host, id, job, JobState::failed, asked.error().detail);
}

/// The open request is answered: on to the next chunk, part or phase.
void advance(Host& host, std::string_view id, Job job) {
  job.tries = 0;
  ++job.index;
  if (job.index == job.parts[job.part].count) {
    job.index = 0;
    ++job.part;
  }
  if (job.part == job.parts.size()) {
    if (job.phase != Phase::put) {
      end_job(host, id, job, JobState::done, {});
      return;
    }
    job.phase = Phase::read_back;
    job.part = 0;
  }
  ask_or_fail(host, id, job);
}

Result<void> on_put_reply(Host& host, const Inbound& inbound, const std::string& id,
                          const Job& job) {
  TRY(const BackupPutReply reply, protocol::decode_body<BackupPutReply>(inbound.message.body));
  const bool last = job.index + 1 == job.parts[job.part].count;
  if (reply.index != job.index || (last && !reply.active)) {
    return fail(Errc::malformed, "the location did not store what was sent");
  }
  advance(host, id, job);
  return {};
}

Result<void> on_get_reply(Host& host, const Inbound& inbound, const std::string& id, Job job) {
  TRY(BackupGetReply reply, protocol::decode_body<BackupGetReply>(inbound.message.body));
  JobPart& part = job.parts[job.part];
  if (reply.index != job.index || reply.part != part.part) {
    return fail(Errc::malformed, "the location sent another chunk than was asked for");
  }
  if (job.phase == Phase::read_back) {
    const auto sent = load<JobChunk>(host, "bk-out/" + id, chunk_id(job.part, job.index));
    if (!sent || sent->chunk != reply.chunk) {
      end_job(host, id, job, JobState::failed,
              "the location gave back other bytes than were stored");
      return {};
    }
    if (job.link.token.empty() && !reply.signature.empty()) {  // Our own location.
      static_cast<void>(
          take_signed_time(host, inbound, job.nonce, job.asked, reply.time_ms, reply.signature));
    }
    advance(host, id, job);
    return {};
  }
  if (job.index == 0) {
    if (reply.count == 0 || reply.count > limits::kBackupBytesMax / limits::kBackupChunkBytes) {
      return fail(Errc::limit_exceeded, "the backup is larger than Kith accepts");
    }
    part.count = reply.count;
    part.set_id = reply.set_id;
    part.counter = reply.counter;
    part.digest = reply.digest;
    job.wanted_counter = reply.counter;  // All chunks of one version.
  }
  if (reply.count != part.count || reply.digest != part.digest ||
      reply.chunk.size() > limits::kBackupChunkBytes) {
    return fail(Errc::malformed, "the chunks belong to different versions");
  }
  save(host, "bk-in/" + id, chunk_id(job.part, job.index), JobChunk{std::move(reply.chunk)});
  advance(host, id, job);
  return {};
}

std::string new_job(Host& host, const Job& job) {
  return crypto::hex(host.random().bytes(8)) + "-" + job.owner;
}

}  // namespace

std::string start_put(Host& host, std::string_view owner, std::string_view context,
                      const LocationLink& link, const std::vector<PartVersion>& parts) {
  Job job;
  job.owner = owner;
  job.context = context;
  job.link = link;
  const std::string id = new_job(host, job);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    const PartVersion& part = parts[p];
    job.parts.push_back({part.part, part.set_id, part.counter,
                         static_cast<std::uint32_t>(part.chunks.size()),
                         version_digest(part.chunks), part.token_hashes});
    for (std::size_t i = 0; i < part.chunks.size(); ++i) {
      save(host, "bk-out/" + id,
           chunk_id(static_cast<std::uint32_t>(p), static_cast<std::uint32_t>(i)),
           JobChunk{part.chunks[i]});
    }
  }
  ask_or_fail(host, id, job);
  return id;
}

std::string start_get(Host& host, std::string_view owner, std::string_view context,
                      const LocationLink& link, BackupPart part,
                      std::optional<std::uint64_t> counter) {
  Job job;
  job.owner = owner;
  job.context = context;
  job.link = link;
  job.phase = Phase::get;
  job.wanted_counter = counter;
  job.parts.push_back({part, {}, 0, 1, {}, {}});
  const std::string id = new_job(host, job);
  ask_or_fail(host, id, job);
  return id;
}

Result<JobResult> job_result(Host& host, std::string_view job_id) {
  const auto job = load<Job>(host, kJobs, job_id);
  if (!job) return fail(Errc::not_found, "no such backup job");
  return JobResult{job->state, job->problem};
}

Result<PartVersion> job_download(Host& host, std::string_view job_id) {
  const auto job = load<Job>(host, kJobs, job_id);
  if (!job) return fail(Errc::not_found, "no such backup job");
  if (job->phase != Phase::get || job->state != JobState::done) {
    return fail(Errc::wrong_state, "the download has not ended");
  }
  const JobPart& part = job->parts.front();
  PartVersion version{part.part, part.set_id, part.counter, {}, {}};
  for (std::uint32_t i = 0; i < part.count; ++i) {
    auto chunk = load<JobChunk>(host, "bk-in/" + std::string(job_id), chunk_id(0, i));
    if (!chunk) return fail(Errc::storage_corrupt, "a chunk of the download is missing");
    version.chunks.push_back(std::move(chunk->chunk));
  }
  if (version_digest(version.chunks) != part.digest) {
    return fail(Errc::malformed, "the download does not fit its digest");
  }
  return version;
}

void drop_job(Host& host, std::string_view job_id) {
  const auto job = load<Job>(host, kJobs, job_id);
  if (!job) return;
  for (const std::string prefix : {"bk-out/", "bk-in/"}) {
    const std::string collection = prefix + std::string(job_id);
    for (const std::string& chunk : host.list(collection)) host.erase({collection, chunk});
  }
  if (!job->request_id.empty()) host.erase({std::string(kThreads), job->request_id});
  host.cancel_timer(kBackupClient, job_id);
  host.erase({std::string(kJobs), std::string(job_id)});
}

std::vector<std::string> BackupClient::message_types() const {
  return {type_uri(kBackupProtocol, BackupPutReply::kName),
          type_uri(kBackupProtocol, BackupGetReply::kName),
          type_uri(kBackupProtocol, BackupListReply::kName),
          type_uri(kBackupProtocol, "token-used")};
}

Result<void> BackupClient::on_message(Host& host, const Inbound& inbound) {
  if (inbound.message.type == type_uri(kBackupProtocol, "token-used")) {
    if (!inbound.info.authenticated) return fail(Errc::not_authentic);
    host.audit("backup.read-by-token");
    host.notify({"backup-read",
                 "Somebody fetched your backup with a trustee's token. If no recovery of yours is "
                 "going on, warn your trustees: `kith recovery status`.",
                 {},
                 {}});
    return {};
  }
  if (inbound.message.type == type_uri(kBackupProtocol, BackupListReply::kName)) {
    return on_time_reply(host, inbound);
  }
  const auto thread = load<JobThread>(host, kThreads, inbound.message.thread());
  auto job = thread ? load<Job>(host, kJobs, thread->job) : std::nullopt;
  if (!job || job->state != JobState::running) return {};  // A late answer to an old try.
  if (!inbound.info.sender || inbound.info.sender->text() != job->link.location_did) {
    return fail(Errc::not_authentic, "the answer comes from somebody else");
  }
  const bool put_reply = inbound.message.type == type_uri(kBackupProtocol, BackupPutReply::kName);
  if (put_reply && job->phase == Phase::put) {
    return on_put_reply(host, inbound, thread->job, *job);
  }
  if (inbound.message.type == type_uri(kBackupProtocol, BackupGetReply::kName) &&
      job->phase != Phase::put) {
    return on_get_reply(host, inbound, thread->job, *job);
  }
  return fail(Errc::wrong_state, "that answer was not asked for");
}

void BackupClient::on_timer(Host& host, std::string_view timer) {
  const auto job = load<Job>(host, kJobs, timer);
  if (job && job->state == JobState::running) ask_or_fail(host, timer, *job);
}

void BackupClient::on_problem(Host& host, const Inbound& inbound,
                              const protocol::ProblemReport& report) {
  if (!inbound.message.pthid || !inbound.info.sender) return;
  const auto thread = load<JobThread>(host, kThreads, *inbound.message.pthid);
  const auto job = thread ? load<Job>(host, kJobs, thread->job) : std::nullopt;
  if (!job || job->state != JobState::running ||
      inbound.info.sender->text() != job->link.location_did) {
    return;
  }
  end_job(host, thread->job, *job, JobState::failed, report.text());
}

void BackupClient::on_start(Host& host) {
  for (const std::string& id : host.list(kJobs)) {
    const auto job = load<Job>(host, kJobs, id);
    if (job->state == JobState::running) host.set_timer(kBackupClient, id, host.now());
  }
}

}  // namespace kith::recovery
