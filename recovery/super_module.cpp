#include "recovery/super_module.hpp"

#include "crypto/assert.hpp"
#include "ledger/proposal_words.hpp"
#include "protocol/freeze.hpp"
#include "recovery/log_veto.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_holder.hpp"
#include "recovery/super_owner.hpp"
#include "recovery/super_reading.hpp"
#include "recovery/super_use.hpp"

namespace kith::recovery {
namespace {

using SuperHandler = Result<void> (*)(Host&, const Inbound&);
struct SuperHandlerRow {
  std::string_view protocol;
  std::string_view name;
  SuperHandler handle;
};
constexpr SuperHandlerRow kHandlers[] = {
    {"trustee", SuperResponse::kName, on_super_response},
    {"trustee", SuperRef::kWithdrawn, on_super_withdrawn},
    {"trustee", SuperRef::kConfirmed, on_super_confirmed},
    {"recovery", SuperRequest::kName, on_super_request},
    {"recovery", SuperOutcome::kName, on_super_outcome},
    {"recovery", SuperSignature::kName, on_super_signature},
    {"recovery", SuperDecline::kName, on_super_decline},
};

JsonObject super_status(Host& host) {
  JsonObject reply = describe_super(host);
  JsonObject request = describe_use(host);
  if (request.at("state") != "none") reply["request"] = std::move(request);
  return reply;
}

}  // namespace

std::string_view SuperQuorumModule::name() const {
  return kSuperModule;
}

std::vector<std::string> SuperQuorumModule::message_types() const {
  std::vector<std::string> types;
  for (const SuperHandlerRow& row : kHandlers) types.push_back(type_uri(row.protocol, row.name));
  return types;
}

std::vector<std::string> SuperQuorumModule::commands() const {
  return {"recovery-super-setup",
          "recovery-super-confirm",
          "recovery-super-cancel",
          "recovery-super-status",
          "recovery-super-start",
          "recovery-super-stop",
          "did-veto"};
}

Result<void> SuperQuorumModule::on_message(Host& host, const Inbound& inbound) {
  for (const SuperHandlerRow& row : kHandlers) {
    if (inbound.message.type == type_uri(row.protocol, row.name)) return row.handle(host, inbound);
  }
  return fail(Errc::unknown_type);
}

Result<JsonObject> SuperQuorumModule::on_command(Host& host, const Command& command) {
  if (command.name == "recovery-super-setup") return begin_super(host, command.args);
  if (command.name == "recovery-super-confirm") return confirm_super(host, command);
  if (command.name == "recovery-super-cancel") return cancel_super(host);
  if (command.name == "recovery-super-start") return start_super(host, command);
  if (command.name == "recovery-super-stop") return stop_super(host);
  if (command.name == "did-veto") return veto_logs(host, command);
  return super_status(host);
}

void SuperQuorumModule::on_timer(Host& host, std::string_view timer) {
  if (timer == kHolderTimer) return holder_looks(host);
  if (timer == kSuperOwnerTimer) return super_owner_looks(host);
  if (timer == kSuperUseTimer) return super_use_looks(host);
}

void SuperQuorumModule::on_start(Host& host) {
  // While frozen its timer, which is kept back, comes to it later.
  if (!protocol::stopped(host, protocol::Operation::rotate)) super_owner_looks(host);
  holder_looks(host);
}

void SuperQuorumModule::on_effect(Host& host, const protocol::Effect& effect,
                                  const Result<Bytes>& outcome) {
  const auto ended = take_holder_reading(host, effect, outcome);
  if (ended) holder_log_read(host, *ended);
}

void SuperQuorumModule::on_problem(Host& host, const Inbound& inbound,
                                   const protocol::ProblemReport& report) {
  super_request_refused(host, inbound,
                        ledger::shown_text(report.comment, super_limits::kTextBytesMax));
}

}  // namespace kith::recovery
