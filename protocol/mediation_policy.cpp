#include "protocol/mediation_policy.hpp"

#include <algorithm>

namespace kith::protocol {
namespace {

constexpr std::string_view kMeta = "meta";
constexpr std::string_view kPolicy = "mediation-policy";
constexpr std::string_view kTotal = "mail-total";

bool listed(const MediationPolicy& policy, std::string_view did) {
  return std::ranges::find(policy.allowed, did) != policy.allowed.end();
}

}  // namespace

Result<void> may_enter(const MediationPolicy& policy, const Applicant& applicant,
                       const MailUse& total) {
  if (policy.admission == Admission::allow_list && !listed(policy, applicant.did)) {
    return fail(Errc::refused,
                "This mediator serves people on its list only. Send its operator this DID: " +
                    applicant.did);
  }
  if (applicant.granted) return {};
  if (policy.admission == Admission::invited && !applicant.invited) {
    return fail(Errc::refused,
                "This mediator serves invited people only. Ask its operator for an invitation.");
  }
  if (total.clients >= policy.clients_max) {
    return fail(Errc::storage_full,
                "This mediator has as many clients as it can serve. Choose another one.");
  }
  return {};
}

bool still_served(const MediationPolicy& policy, std::string_view client_did) {
  return policy.admission != Admission::allow_list || listed(policy, client_did);
}

Result<void> may_store(const MediationPolicy& policy, const MailUse& client, const MailUse& total,
                       std::uint64_t bytes) {
  if (client.messages >= policy.client.messages || bytes > policy.client.bytes ||
      client.bytes > policy.client.bytes - bytes) {
    return fail(Errc::storage_full, "that mailbox is full");
  }
  if (total.messages >= policy.total.messages || bytes > policy.total.bytes ||
      total.bytes > policy.total.bytes - bytes) {
    return fail(Errc::storage_full, "this mediator is full");
  }
  return {};
}

Result<void> may_register(const MediationPolicy& policy, const MailUse& client,
                          const MailUse& total) {
  if (client.dids >= policy.client.dids) {
    return fail(Errc::limit_exceeded, "this client has registered as many DIDs as it may");
  }
  if (total.dids >= policy.total.dids) return fail(Errc::storage_full, "this mediator is full");
  return {};
}

MediationPolicy policy_of(Host& host) {
  return load<MediationPolicy>(host, kMeta, kPolicy).value_or(MediationPolicy{});
}

void keep_policy(Host& host, MediationPolicy policy) {
  const auto before = load<MediationPolicy>(host, kMeta, kPolicy);
  policy.since = before && before->admission == policy.admission ? before->since : host.now();
  save(host, kMeta, kPolicy, policy);
}

MailUse total_use(Host& host) {
  return load<MailUse>(host, kMeta, kTotal).value_or(MailUse{});
}

void save_total_use(Host& host, const MailUse& use) {
  save(host, kMeta, kTotal, use);
}

}  // namespace kith::protocol
