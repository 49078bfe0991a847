#include "node/cli/specs.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace kith::node {
namespace {

using enum ArgSpec::Kind;

constexpr ArgSpec kWait{"--wait", "", "Seconds to wait for others (0: do not wait)", number};

std::vector<CommandSpec> node_commands() {
  return {
      {"init",
       "Make a wallet on this device",
       "",
       Special::init,
       {{"--name", "", "How others see you"},
        {"--ledger", "",
         "Where your identity is published: http://..., etcd://HOST,..., or leveldb:DIR"},
        {"--ledger-login", "", "File with name and password for a ledger in etcd; they are kept"},
        {"--mediator", "", "Address of the mediator that keeps your mail"},
        {"--no-passphrase", "", "Keep the key in a bare file (for servers)", flag},
        {"--no-identity", "", "Make no identity: for a mediator or ledger host", flag},
        {"--test", "", "For trying out: short waiting times, weak passphrase cost", flag},
        {"--private-network", "", "Allow addresses of this machine and its network", flag},
        {"--tls-ca", "", "Also trust the CAs in this file; it is copied into the home"},
        kWait}},
      {"run",
       "Run the node until it is stopped",
       "",
       Special::run,
       {{"--listen", "", "Listen on this ADDRESS:PORT (port 0: any free one)"},
        {"--public-url", "", "Where others reach the listener"},
        {"--mediate", "", "Relay mail and keep backups for others", flag},
        {"--relay-delay-ms", "", "As mediator, hold mail back a random time up to this", number},
        {"--ledger-serve", "", "Serve this home's ledger to others", flag},
        {"--config", "", "Read this file instead of kith.toml in the home (docs/config.md)"},
        {"--metrics-listen", "", "Numbers for Prometheus, on this ADDRESS:PORT of this machine"},
        {"--private-network", "", "Allow addresses of this machine and its network", flag},
        {"--tls-cert", "", "Listen with TLS 1.3: file of the certificate with its chain"},
        {"--tls-key", "", "File of its private key"},
        {"--tls-ca", "", "When connecting, also trust the CAs in this file"},
        {"--ledger-login", "", "File with name and password for a ledger in etcd; they are kept"},
        {"--ui", "", "Reserved for the web page"}}},
      {"status",
       "What is going on, and what comes next",
       "status",
       Special::status,
       {{"--clear", "", "Mark the notices shown as read", flag}}},
      {"doctor", "Check this device and its home", "", Special::doctor, {}},
      {"version", "Say which version this is", "", Special::version, {}},
  };
}

std::vector<CommandSpec> people_commands() {
  return {
      {"invite",
       "Make an invitation for one person",
       "invite",
       Special::invite,
       {{"--goal", "goal", "A line that tells the person what it is for"},
        {"--name", "name", "Your name for the contact that answers"},
        {"--client", "client", "Who answers becomes a client of this mediator", flag},
        {"--public", "public",
         "In the name of your public DID: everybody can read your address on its ledger from then "
         "on, and link your public invitations to each other",
         flag},
        {"--short", "", "A short address, kept by your mediator until the invitation ends", flag},
        {"--qr", "", "Show a QR code in the terminal", flag},
        {"--qr-svg", "", "Write the QR code to this file, as SVG"},
        {"--qr-png", "", "Write the QR code to this file, as PNG"},
        kWait}},
      {"accept",
       "Accept an invitation, or connect to a mediator by its address",
       "accept",
       Special::accept,
       {{"URL", "url", "The invitation, or http://HOST of a mediator", text, true},
        {"--name", "name", "Your name for this contact"},
        {"--role", "role", "`mediator`: this contact relays your mail"},
        {"--ledger", "ledger", "Look the inviter's public DID up at this ledger, not at yours"},
        kWait}},
      {"contacts show", "List the people you know", "contacts", Special::none, {}},
      {"contacts rename",
       "Give a contact another name",
       "contact-rename",
       Special::none,
       {{"CONTACT", "contact", "Name or id", text, true},
        {"NAME", "name", "The new name", text, true}}},
      {"contacts remove",
       "End a relationship",
       "contact-end",
       Special::none,
       {{"CONTACT", "contact", "Name or id", text, true}},
       "End this relationship? You will have to meet again to renew it."},
      {"ping",
       "Ask whether a contact is there",
       "ping",
       Special::ping,
       {{"CONTACT", "contact", "Name or id", text, true}, kWait}},
      {"send",
       "Send a short text",
       "send",
       Special::none,
       {{"CONTACT", "contact", "Name or id", text, true},
        {"TEXT", "text", "The text", text, true},
        {"--lang", "lang", "The text's language: de, pt-BR, ..."}}},
      {"messages",
       "Read the texts that came and went",
       "messages",
       Special::none,
       {{"CONTACT", "contact", "Of this contact alone"}}},
      {"features ask",
       "Ask a contact's agent what it can do",
       "features-ask",
       Special::features_ask,
       {{"CONTACT", "contact", "Name or id", text, true},
        {"--type", "", "protocol (default), goal-code, header or constraint"},
        {"--match", "", "Only these; * stands for anything"},
        kWait}},
      {"features policy",
       "Show or choose what your agent tells about itself",
       "features-policy",
       Special::none,
       {{"--contacts", "contacts", "What contacts may know, separated by commas", list},
        {"--strangers", "strangers", "What everybody may know, separated by commas", list}}},
      {"mailbox", "What waits for you at your mediator", "mailbox", Special::mailbox, {kWait}},
  };
}

std::vector<CommandSpec> identity_commands() {
  return {
      {"did show", "Show your identity", "did-show", Special::none, {}},
      {"did resolve",
       "Look up a DID",
       "did-resolve",
       Special::did_resolve,
       {{"DID", "did", "The DID, or a DID URL", text, true},
        {"--ledger", "ledger", "Ask this ledger"},
        kWait}},
      {"did rotate",
       "Replace the keys of your identity",
       "did-rotate",
       Special::none,
       {},
       "Replace the keys of your identity by the next ones?"},
      {"did rotate-status",
       "Whether new keys wait for their backup or are posted",
       "did-rotate-status",
       Special::none,
       {}},
      {"identity check",
       "Show the check value of the link secret that your devices share",
       "identity-check",
       Special::none,
       {}},
      {"policy show", "Show who may act for you", "policy-show", Special::none, {}},
      {"policy history", "Show how that came about", "policy-history", Special::none, {}},
      {"ledger serve",
       "Run the node and serve this home's ledger (as `run --ledger-serve`)",
       "",
       Special::ledger_serve,
       {{"--listen", "", "Listen on this ADDRESS:PORT (port 0: any free one)", text, true},
        {"--public-url", "", "Where others reach the listener"},
        {"--tls-cert", "", "Listen with TLS 1.3: file of the certificate with its chain"},
        {"--tls-key", "", "File of its private key"},
        {"--config", "", "Read this file instead of kith.toml in the home"}}},
      {"ledger status",
       "Which ledger holds your identity, and what was seen of it",
       "",
       Special::ledger_status,
       {}},
      {"ledger evidence",
       "Print evidence against a ledger, as a file that others can verify",
       "ledger-evidence",
       Special::ledger_file,
       {{"ID", "id", "From `ledger status`", text, true}}},
      {"ledger receipt",
       "Print the ledger's receipt for the newest entry of your DID, as a file",
       "ledger-receipt",
       Special::ledger_file,
       {{"--policy", "policy", "Of your policy instead", flag}}},
      {"ledger verify",
       "Check a file of evidence or a receipt, without a wallet",
       "",
       Special::ledger_verify,
       {{"FILE", "", "The file; - or nothing: the input"},
        {"--descriptor", "", "File of the ledger's descriptor, for a bare tlog-proof"}}},
      {"audit show",
       "Show what this node has done",
       "audit-show",
       Special::none,
       {{"--last", "last", "How many entries", number}}},
      {"audit verify", "Check that the audit log is whole", "audit-verify", Special::none, {}},
  };
}

std::vector<CommandSpec> message_commands() {
  const ArgSpec secrets{"--secrets", "", "File with private keys: a JSON array of JWKs with kid",
                        text, true};
  const ArgSpec documents{"--did-docs", "", "File with DID documents: a JSON array"};
  const ArgSpec file{"FILE", "", "Read from this file and not from the input"};
  return {
      {"message unpack",
       "Open a DIDComm envelope with given keys; needs no wallet",
       "",
       Special::message_unpack,
       {file, secrets, documents}},
      {"message pack",
       "Put a DIDComm message into an envelope with given keys; needs no wallet",
       "",
       Special::message_pack,
       {file,
        secrets,
        documents,
        {"--to", "", "Encrypt to this DID"},
        {"--from", "", "Authenticate as this DID"},
        {"--sign-by", "", "Sign with a key of this DID, or with this key"},
        {"--protect-sender", "", "Hide the sender from the path", flag},
        {"--enc", "", "A256CBC-HS512, A256GCM or XC20P (without --from)"}}},
  };
}

std::vector<CommandSpec> trustee_commands() {
  const ArgSpec id{"ID", "id", "As `kith trustee requests` shows it", text, true};
  return {
      {"trustee list", "Whom you keep a share for", "trustee-list", Special::none, {}},
      {"trustee requests", "Who asks something of you", "trustee-requests", Special::none, {}},
      {"trustee accept",
       "Agree to keep a share, or take up a recovery",
       "trustee-accept",
       Special::none,
       {id}},
      {"trustee decline",
       "Say no to a request",
       "trustee-decline",
       Special::none,
       {id, {"--reason", "reason", "Why, for the other person"}}},
      {"trustee invite",
       "Invite the new device of a contact who lost everything",
       "trustee-invite",
       Special::none,
       {{"CONTACT", "contact", "Whose recovery it is", text, true}}},
      {"trustee approve",
       "Help with a recovery, after you have spoken with the person",
       "trustee-approve",
       Special::none,
       {id,
        {"--contact", "contact", "Who it is", text, true},
        {"--code", "code", "The code that the person reads to you"},
        {"--verified", "verified", "in-person, video or voice", text, true},
        {"--challenge-ok", "challenge_ok", "The answer to your question was right", flag}},
       "Did you see or hear this person yourself, and are you sure who it is?"},
      {"trustee confirm",
       "Let a recovery go on after an objection, when you have met the person",
       "trustee-confirm",
       Special::none,
       {id, {"--verified", "verified", "in-person", text, true}},
       "Have you met this person since the objection, and are you sure who it is?"},
  };
}

std::vector<CommandSpec> recovery_commands() {
  return {
      {"recovery setup",
       "Choose the people who can give you back your keys",
       "recovery-setup",
       Special::recovery_setup,
       {{"--threshold", "threshold", "How many of them are enough", number, true},
        {"--trustees", "trustees", "Contacts, separated by commas", list, true},
        {"--waiting", "waiting", "How long they wait: 1d, 3d, 7d, 14d or 30d"},
        {"--text", "text", "A line for your trustees"},
        {"--question", "questions",
         "A question that this trustee asks whoever says to be you; once for each", pairs},
        kWait}},
      {"recovery status", "How safe you are", "recovery-status", Special::none, {}},
      {"recovery heartbeat",
       "Ask every trustee for a sign of life",
       "recovery-heartbeat",
       Special::none,
       {}},
      {"recovery veto",
       "Object to a recovery that is not yours",
       "recovery-veto",
       Special::none,
       {{"ID", "id", "As `kith recovery status` shows it", text, true}},
       "Object to this recovery? It stops at that trustee."},
      {"recover start", "Begin to get everything back on this device", "recover-start"},
      {"recover add-trustee",
       "Take a trustee's invitation",
       "recover-add-trustee",
       Special::none,
       {{"URL", "url", "The invitation from the trustee", text, true},
        {"--name", "name", "Your name for the trustee"}}},
      {"recover status", "Who has answered, and whom to call", "recover-status", Special::none, {}},
      {"recover code",
       "Type the code that a trustee reads to you",
       "recover-code",
       Special::none,
       {{"ID", "id", "As `kith recover status` shows it", text, true},
        {"CODE", "code", "The digits", text, true}}},
      {"recover answer",
       "Answer a trustee's question",
       "recover-answer",
       Special::none,
       {{"ID", "id", "As `kith recover status` shows it", text, true},
        {"ANSWER", "answer", "The answer", text, true}}},
      {"recover finish",
       "Take your identity back: old devices lose their rights",
       "recover-finish",
       Special::none,
       {{"--choose", "choose", "Which of the identities found, by its policy address"},
        {"--confirm-few", "confirm_few", "Go on although few trustees confirm it", flag}},
       "Take your identity over to this device? All older devices lose their rights."},
      {"recover hints", "What the trustees left for you", "recover-hints", Special::none, {}},
  };
}

}  // namespace

const std::vector<CommandSpec>& command_specs() {
  static const std::vector<CommandSpec> all = [] {
    std::vector<CommandSpec> specs;
    for (auto& part : {node_commands(), people_commands(), identity_commands(), message_commands(),
                       trustee_commands(), recovery_commands()}) {
      specs.insert(specs.end(), part.begin(), part.end());
    }
    return specs;
  }();
  return all;
}

std::string_view group_help(std::string_view group) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kGroups = {{
      {"contacts", "The people you know"},
      {"features", "What agents can do"},
      {"message", "Envelopes, for engineers"},
      {"did", "Your identity, and those of others"},
      {"identity", "What your devices have in common"},
      {"policy", "Who may act for you"},
      {"ledger", "Where identities are published"},
      {"audit", "What this node has done"},
      {"trustee", "What you do for people who trust you"},
      {"recovery", "Prepare for the loss of this device"},
      {"recover", "Get everything back after a loss"},
  }};
  for (const auto& [name, help] : kGroups) {
    if (name == group) return help;
  }
  return {};
}

bool is_planned(std::string_view path) {
  static constexpr std::array<std::string_view, 46> kPlanned = {
      "lock",           "unlock",
      "freeze",         "thaw",
      "incident",       "identity",
      "ceremony",       "report",
      "agent",          "keys",
      "slip39",         "export",
      "import",         "recovery plan",
      "recovery drill", "recovery update",
      "recovery paper", "recover from-paper",
      "did disable",    "did export",
      "policy propose", "policy approve",
      "policy grant",   "policy revoke",
      "trustee resign", "trustee dismiss",
      "backup create",  "backup push",
      "backup fetch",   "backup restore",
      "audit export",   "ledger witness",
      "ledger deploy",  "agent list",
      "agent add",      "agent accept",
      "agent revoke",   "keys list",
      "keys show",      "keys rotate",
      "keys suspend",   "keys compromise",
      "keys destroy",   "backup",
      "backup list",    "backup verify"};
  return std::ranges::find(kPlanned, path) != kPlanned.end();
}

}  // namespace kith::node
