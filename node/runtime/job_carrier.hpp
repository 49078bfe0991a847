#pragma once

/// Carries the questions of jobs on ledgers (ledger/remote/job.hpp) over HTTP, without waiting for
/// any of them.

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "ledger/remote/job_effects.hpp"
#include "node/net/http.hpp"

namespace kith::node {

/// To the job's end; then `done`, at once or later. `kept` owns the job and all that it refers to.
void carry_job(boost::asio::io_context& io, HttpClient& client, ledger::RemoteJob& job,
               std::shared_ptr<void> kept, std::function<void()> done);

using OnEffectResult = std::function<void(protocol::EffectResult)>;
/// `submit` gets the task's one result, at once or later. `session` outlives the task.
void carry_task(boost::asio::io_context& io, HttpClient& client, std::shared_ptr<void> session,
                std::unique_ptr<ledger::LedgerTask> task, OnEffectResult submit);

/// The HTTP call that carries a question.
[[nodiscard]] HttpCall call_of(const ledger::JobQuestion& question);
/// What came back, as the job takes it.
[[nodiscard]] Result<ledger::HttpReply> reply_of(Result<HttpReply> reply);

}  // namespace kith::node
