#pragma once

/// Every limit of Kith with its reason. Nothing from the network reaches an unbounded loop or
/// allocation. docs/limits.md explains them to people; each has a test that hits it.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kith::limits {

// Text forms
/// Base58 is quadratic: 512 characters carry every key and digest and cost microseconds.
inline constexpr std::size_t kBase58CharsMax = 512;

// JSON
/// Deeper documents are attacks; DIDComm messages nest about six deep.
inline constexpr std::size_t kJsonDepthMax = 32;
/// One plaintext or JSON document: a backup chunk of 256 KiB in base64url with headers fits.
inline constexpr std::size_t kJsonBytesMax = 1024 * 1024;
/// Members of one object. More has no use here, and colliding names would make lookups slow.
inline constexpr std::size_t kJsonMembersMax = 1024;

// Envelopes
/// One envelope on the wire: a plaintext of 1 MiB, encrypted (base64url) and wrapped once more.
inline constexpr std::size_t kEnvelopeBytesMax = 2 * 1024 * 1024;
/// Sign, authcrypt and anoncrypt: no allowed nesting has more (DIDComm v2.1).
inline constexpr std::size_t kEnvelopeLayersMax = 3;
/// Keys of one DID on one curve; more is a way to make receivers work.
inline constexpr std::size_t kRecipientsMax = 16;
/// A JOSE protected header: names the sender twice (skid, apu) and carries one ephemeral key.
inline constexpr std::size_t kJoseHeaderBytesMax = 16 * 1024;
/// A compact token (from_prior): a header and two DIDs.
inline constexpr std::size_t kJwtCharsMax = 32 * 1024;
/// Routing keys of one service: each costs one encryption and one hop.
inline constexpr std::size_t kRoutingKeysMax = 4;
/// Message ids: a UUID has 36 characters; the standard says 32 bytes, others send up to 64.
inline constexpr std::size_t kMessageIdCharsMax = 64;
inline constexpr std::size_t kAttachmentsMax = 32;
/// Message type URIs; real ones stay below 100.
inline constexpr std::size_t kMessageTypeCharsMax = 512;
/// Any text in a message, except the data of attachments and the padding.
inline constexpr std::size_t kMessageTextBytesMax = 64 * 1024;
/// Items of a list header: to, ack, please_ack, accept-lang.
inline constexpr std::size_t kMessageHeaderItemsMax = 64;
/// Queries of one discover-features message, and the characters of one pattern.
inline constexpr std::size_t kFeatureQueriesMax = 32;
inline constexpr std::size_t kFeaturePatternCharsMax = 256;
/// Features of one answer that are read and kept.
inline constexpr std::size_t kFeaturesMax = 256;
/// Queries whose answers are kept for reading; the oldest goes first.
inline constexpr std::size_t kFeatureAnswersKept = 32;
/// A DID or DID URL: did:peer:2 with several services stays below.
inline constexpr std::size_t kDidCharsMax = 4096;
inline constexpr std::size_t kDidDocumentBytesMax = 64 * 1024;
/// Keys and endpoints of one DID document: a household's devices, with room.
inline constexpr std::size_t kDidDocumentMethodsMax = 64;
inline constexpr std::size_t kDidDocumentServicesMax = 16;
/// Documents of did:web kept for reuse; the oldest goes first, and it is fetched again when needed.
inline constexpr std::size_t kDidWebDocumentsKept = 256;
/// A fetched document is believed so long: a key that its owner took away stops working then.
inline constexpr std::chrono::hours kDidWebDocumentLife{1};
/// Senders of envelopes whose documents are being fetched. A stranger may make a node fetch, so no
/// more at a time; one that did not come at the first try makes room for the next.
inline constexpr std::size_t kLookUpsMax = 64;
/// Envelopes that wait for one sender's document: a burst, and nobody fills the room of others.
inline constexpr std::size_t kParkedPerSenderMax = 16;
/// Envelopes that wait for documents, and their bytes: four of the largest.
inline constexpr std::size_t kParkedEnvelopesMax = 256;
inline constexpr std::size_t kParkedBytesMax = 8 * 1024 * 1024;
/// They wait so long for a web server that is away: a restart of it, with room.
inline constexpr std::chrono::minutes kParkedLife{60};
/// A document that could not be had is not fetched again before this, whoever asks.
inline constexpr std::chrono::minutes kLookUpPause{1};
/// Addresses that one short invitation may lead through before the invitation itself.
inline constexpr std::size_t kShortUrlHopsMax = 3;
/// Short addresses of invitations served for one client, and for all.
inline constexpr std::size_t kShortUrlsPerClientMax = 64;
inline constexpr std::size_t kShortUrlsMax = 4096;
/// A short address does not outlive the longest invitation.
inline constexpr std::chrono::hours kShortUrlLifeMax{24 * 90};
/// Text of a QR code: version 40 at the lowest error correction (ISO/IEC 18004) holds no more.
inline constexpr std::size_t kQrTextBytesMax = 2953;
/// An invitation as a URL; browsers and QR readers stop earlier.
inline constexpr std::size_t kInvitationUrlCharsMax = 8192;
/// Clocks of honest people differ by this much.
inline constexpr std::chrono::seconds kClockSkew{300};
/// Inbox marks are kept at least this long: longer than any message stays valid.
inline constexpr std::chrono::hours kInboxMarkLife{24 * 30};
/// Messages older or longer-lived than this are refused, so that marks can be dropped safely.
inline constexpr std::chrono::hours kMessageLifeMax{24 * 28};

/// Marks of one sender. A busy contact writes a hundred messages a day; more are refused, because
/// dropping a mark would let its message in again.
inline constexpr std::size_t kInboxMarksPerSenderMax = 20'000;
/// Marks of messages without a sender. The oldest goes: whoever could repeat such a message could
/// as well write a new one, and its handlers believe nothing.
inline constexpr std::size_t kInboxMarksAnonymousMax = 10'000;
/// Problems in one thread, ours and theirs, before the thread falls silent.
inline constexpr std::uint32_t kThreadProblemsMax = 8;
/// Threads whose problems are counted; the oldest is forgotten first.
inline constexpr std::size_t kThreadsCountedMax = 1000;
/// A language tag: RFC 5646 (section 4.4.1) asks for room for 35 characters.
inline constexpr std::size_t kLanguageTagCharsMax = 64;
/// Static halves of authcrypt kept in locked memory, one for each pair of keys: the contacts that
/// a person writes to now, not all of them.
inline constexpr std::size_t kAgreementCacheMax = 256;
/// Answers kept with an inbox mark, so that a repeated request gets the same bytes again.
inline constexpr std::size_t kStoredAnswerBytesMax = 64 * 1024;

// Stored records (msgpack)
/// One record: the largest envelope in a mailbox, or a whole log, with room for its fields. Larger
/// data are streams of such records.
inline constexpr std::size_t kRecordBytesMax = 3 * 1024 * 1024;
inline constexpr std::size_t kRecordItemsMax = 65536;
inline constexpr std::size_t kRecordDepthMax = 16;

// Logs (log-protocol section 1)
inline constexpr std::size_t kEntryBytesMax = 16 * 1024;
inline constexpr std::size_t kEntryDepthMax = 16;
inline constexpr std::size_t kEntryKeysMax = 64;
/// Entries of one subject that a reader accepts: a change a day for ten years, with junk.
inline constexpr std::size_t kLogEntriesMax = 4096;
/// All blobs of one log that a node keeps as one record: over 128 entries of the largest size, and
/// thousands of ordinary ones.
inline constexpr std::size_t kLogBytesMax = 2 * 1024 * 1024;
/// Junk entries a host stores for one subject before it refuses more.
inline constexpr std::size_t kLogJunkMax = 64;
/// Log entries in one connection or sync message: they fit kJsonBytesMax in base64url.
inline constexpr std::size_t kSyncBlobsMax = 32;
/// Connections being made at one time; unfinished ones end after a week.
inline constexpr std::size_t kHandshakesMax = 1000;

// Ledgers (log-protocol section 5)
/// A request to a host: one entry of kEntryBytesMax in base64url, with its frame.
inline constexpr std::size_t kLedgerRequestBytesMax = 32 * 1024;
/// Entries of one page; clients ask again for more.
inline constexpr std::size_t kLedgerPageEntriesMax = 256;
/// Bytes of the blobs of one page: in base64url it stays below kJsonBytesMax.
inline constexpr std::size_t kLedgerPageBytesMax = 512 * 1024;
/// Bytes of all blobs of one subject that a client reads: they fit one record.
inline constexpr std::size_t kLedgerSubjectBytesMax = 1536 * 1024;
/// A host takes no more: a community changes keys rarely, and each append costs checks and a sync.
inline constexpr std::uint32_t kLedgerAppendsPerMinute = 600;
inline constexpr std::size_t kLedgerUrlsMax = 8;
inline constexpr std::size_t kLedgerWitnessesMax = 32;
/// Signed notes (C2SP): the ledger and its witnesses with room to spare; every reader must take 16.
inline constexpr std::size_t kNoteSignaturesMax = 40;
/// Three lines, and as many signatures, a few of them post-quantum ones (3.3 KB) of others.
inline constexpr std::size_t kNoteBytesMax = 64 * 1024;
/// Hashes of one proof: those of RFC 9162 need no more at any size a checkpoint can state.
inline constexpr std::size_t kMerkleProofHashesMax = 65;
/// A receipt: leaf and signed note of the largest size, in base64 where that is their form.
inline constexpr std::size_t kReceiptBytesMax = 192 * 1024;
/// Evidence against a ledger: descriptor, two signed notes and a proof.
inline constexpr std::size_t kLedgerEvidenceBytesMax = 256 * 1024;
/// Pieces of evidence that are kept; further lies are told, but add nothing.
inline constexpr std::size_t kLedgerEvidenceKept = 16;
/// Ledgers that a user asked by their address alone and whose key is remembered; the one that was
/// asked longest ago goes first.
inline constexpr std::size_t kLedgersPinned = 64;
/// Resolutions kept for reading their result; the oldest goes first.
inline constexpr std::size_t kResolutionsKept = 64;

// Plans (recovery-protocol section 2)
inline constexpr std::size_t kPlanChildrenMax = 32;
inline constexpr std::size_t kPlanDepthMax = 3;
inline constexpr std::size_t kPlanLeavesMax = 64;
/// A leaf record on the wire, padded.
inline constexpr std::size_t kLeafRecordBytes = 4096;
inline constexpr std::size_t kVouchBytes = 1024;
inline constexpr std::size_t kSheetSlots = 256;
inline constexpr std::size_t kPartialPointsMax = 4;
/// Releases of one record version (recovery-protocol section 8).
inline constexpr std::uint32_t kReleasesMax = 10;
inline constexpr std::uint32_t kCodeRetypingsMax = 3;
inline constexpr std::uint32_t kExchangesPerInvitationMax = 3;
inline constexpr std::size_t kOpenSessionsPerContactMax = 3;
/// Sessions a day that answer an invitation which was answered before. The first answer to an
/// invitation is not counted, so that nobody can use up a day and keep the rightful owner waiting.
inline constexpr std::size_t kSessionsPerDayMax = 10;

// Backups
/// One chunk: fits a message, one unit of work each.
inline constexpr std::size_t kBackupChunkBytes = 256 * 1024;
inline constexpr std::size_t kBackupBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kBackupTokensPerSet = 64;
/// What a location keeps for one client: three full backups and their replaced versions.
inline constexpr std::size_t kBackupClientBytesMax = 256 * 1024 * 1024;
/// Replaced versions stay this long: the default contest period (log-protocol section 4).
inline constexpr std::chrono::hours kBackupKeepTime{24 * 49};
/// Versions in one listing: about 100 bytes each, well inside a message.
inline constexpr std::size_t kBackupVersionsListed = 512;
/// How far a backup counter may run ahead of the highest stored one.
inline constexpr std::uint64_t kBackupCounterLead = std::uint64_t{1} << 20;
inline constexpr std::size_t kBackupVersionsKept = 3;

// Mediator
inline constexpr std::size_t kMailboxMessagesMax = 1000;
inline constexpr std::size_t kMailboxBytesMax = 32 * 1024 * 1024;
inline constexpr std::size_t kPickupBatchMax = 10;
/// Envelopes in one delivery, so that it stays below kEnvelopeBytesMax after two base64 layers.
inline constexpr std::size_t kPickupBytesMax = 512 * 1024;
/// One envelope in a mailbox: more would not fit a delivery and would hold up all mail behind it.
/// Three quarters of kEnvelopeBytesMax, less the frame; an authcrypt plaintext of 1 MiB fits.
inline constexpr std::size_t kMailBytesMax = 1472 * 1024;
/// DIDs that one client may register: a pairwise DID for each of its contacts.
inline constexpr std::size_t kMailboxRecipientsMax = 2000;
/// Clients that have one DID: a copy of each of its mails is stored for each. A relationship has
/// as many agents (kRecipientsMax), and a document of another kind may name more keys.
inline constexpr std::size_t kClientsPerDidMax = 16;
/// Items of one registration or receipt message.
inline constexpr std::size_t kRecipientUpdatesMax = 64;
/// Undelivered mail is kept this long; messages expire earlier (kMessageLifeMax).
inline constexpr std::chrono::hours kMailLife{24 * 30};
/// Mail that waits from one known sender to one recipient: one contact does not fill the mailbox
/// for all others.
inline constexpr std::size_t kMailPerPairMax = 64;
/// New clients of one address a minute: an office that moves in takes a few minutes, whoever makes
/// up identities to get shares of the disk takes long.
inline constexpr std::size_t kNewGrantsPerMinute = 10;
/// Takeovers of one DID by proofs with equal claims, an hour. Each moves a mailbox; two holders of
/// the same keys could go on for ever.
inline constexpr std::size_t kTakeoversPerHour = 4;

// Delivery
inline constexpr std::chrono::seconds kRetryFirst{1};
inline constexpr std::chrono::seconds kRetryMax{3600};
inline constexpr std::size_t kOpenEffectsMax = 10000;
/// Endpoints of one recipient that are tried in turn.
inline constexpr std::size_t kEndpointsTriedMax = 4;
/// A relay holds a message back at most so long, whatever its sender asks for.
inline constexpr std::chrono::hours kRelayDelayMax{24};
/// A relay's own random delay, set by its operator: senders wait for answers.
inline constexpr std::chrono::minutes kOwnRelayDelayMax{10};
/// While a relay holds so much mail back, it does not wait because a sender asks for it.
inline constexpr std::size_t kMailHeldMax = 1000;
/// Envelopes in one forward; each becomes mail of its own.
inline constexpr std::size_t kForwardEnvelopesMax = 10;

// HTTP (node/net)
inline constexpr std::size_t kHttpHeaderBytesMax = 8 * 1024;
/// All connections of a listener, WebSockets included: half of the files that a node asks for.
inline constexpr std::size_t kConnectionsMax = 4096;
/// Those of them that carry requests: each may have an envelope of kEnvelopeBytesMax under way.
inline constexpr std::size_t kHttpConnectionsMax = 512;
inline constexpr std::chrono::seconds kHttpHeaderTimeout{5};
inline constexpr std::chrono::seconds kHttpBodyTimeout{30};
inline constexpr std::chrono::seconds kHttpIdleTimeout{60};
inline constexpr std::chrono::seconds kHttpRequestTimeout{15};
/// Browsers and proxies send about 30.
inline constexpr std::size_t kHttpHeaderFieldsMax = 100;
/// One address (or /64 of IPv6) cannot take all connections; homes behind one address share it.
inline constexpr std::size_t kHttpConnectionsPerAddressMax = 32;
/// New connections of one address a minute: each may cost a TLS handshake, and a client that keeps
/// its connections needs a few.
inline constexpr std::size_t kHttpNewConnectionsPerMinute = 64;
/// Addresses whose new connections are counted; with more, the oldest is forgotten.
inline constexpr std::size_t kHttpAddressesCountedMax = 16'384;
/// A connection ends now and then, so that load moves and leaks stay small.
inline constexpr std::size_t kHttpRequestsPerConnectionMax = 1000;
/// A handler that has not answered by then will not: the client hears 503.
inline constexpr std::chrono::seconds kHttpRespondTimeout{30};
/// A client that does not read its answer: as long as a body may take the other way.
inline constexpr std::chrono::seconds kHttpWriteTimeout{30};
/// After a refusal the rest of the request is read and dropped for so long and so much, because
/// closing a socket with unread bytes would destroy the refusal on its way.
inline constexpr std::chrono::seconds kHttpLingerTimeout{2};
inline constexpr std::size_t kHttpLingerBytesMax = 4 * 1024 * 1024;
/// One address of a host; dead ones must leave time for the next within kHttpRequestTimeout.
inline constexpr std::chrono::seconds kHttpConnectTimeout{5};
/// Addresses of one name that are tried.
inline constexpr std::size_t kHttpAddressesMax = 4;
inline constexpr std::size_t kHttpRedirectsMax = 3;
/// As browsers do, and far below the cap per address of a server.
inline constexpr std::size_t kHttpClientConnectionsPerHostMax = 6;
/// Calls running or waiting; further ones fail at once and are retried as effects.
inline constexpr std::size_t kHttpClientCallsMax = 1024;
inline constexpr std::size_t kHttpClientIdleMax = 64;
/// Shorter than kHttpIdleTimeout, so that the client closes first and never meets a closed one.
inline constexpr std::chrono::seconds kHttpClientIdleTimeout{30};
/// The cryptography of a TLS 1.3 handshake takes milliseconds; the rest is the network.
inline constexpr std::chrono::seconds kTlsHandshakeTimeout{5};
/// URLs of endpoints; longer ones are attacks.
inline constexpr std::size_t kHttpUrlCharsMax = 2048;

// WebSocket (node/net)
/// Lasting connections of a listener. An idle one costs a few KiB (with TLS: 20), so 100 MiB at
/// most. The rest of kConnectionsMax stays free for requests: mail comes in by them.
inline constexpr std::size_t kWebSocketConnectionsMax = 4000;
/// A quiet connection is asked for a sign of life this often ...
inline constexpr std::chrono::seconds kWebSocketPingInterval{30};
/// ... and closed when none comes: half-open connections hold no place for long.
inline constexpr std::chrono::seconds kWebSocketPongTimeout{10};
/// From the first to the last byte of one message, as for an HTTP body.
inline constexpr std::chrono::seconds kWebSocketMessageTimeout{30};
/// A reader that takes nothing for so long is cut off; its mail waits in the mailbox.
inline constexpr std::chrono::seconds kWebSocketWriteTimeout{10};
/// What may wait behind the message being written; a reader slower than that is cut off.
inline constexpr std::size_t kWebSocketQueueBytesMax = 256 * 1024;
/// Over all connections of a listener, so that many slow readers cannot fill the memory.
inline constexpr std::size_t kWebSocketQueuesBytesMax = 64 * 1024 * 1024;
/// Pings and the like between two messages and two pings of our own: more is a flood.
inline constexpr std::size_t kWebSocketControlFramesMax = 64;
/// Bytes of frame headers and empty fragments beyond the content of one message.
inline constexpr std::size_t kWebSocketOverheadBytesMax = 64 * 1024;
/// Connections on which one DID has spoken: a household's devices, and one that died unnoticed. The
/// one that was quiet for longest makes room.
inline constexpr std::size_t kWebSocketConnectionsPerPeerMax = 4;
/// Connections to one listener that carry outgoing messages close when idle for so long.
inline constexpr std::chrono::seconds kWebSocketIdleTimeout{60};
/// Messages on their way over one connection, not confirmed by a pong yet.
inline constexpr std::size_t kWebSocketUnconfirmedMax = 64;
/// Connections that a node opens: its mediator's, and its contacts' without one.
inline constexpr std::size_t kWebSocketClientConnectionsMax = 64;

// Strangers (node/runtime)
/// Envelopes a second that no contact sent and that bring no mail for a client: each costs the use
/// of a private key. This many take a fiftieth of a processor.
inline constexpr std::size_t kStrangersPerSecond = 200;
/// Of one IPv4 address, or one /64 of IPv6: ten such addresses together reach the limit above.
inline constexpr std::size_t kStrangersPerAddressPerSecond = 20;

// Worker thread (node/runtime)
/// Jobs that wait: one unlock and some seals; more means that someone loops.
inline constexpr std::size_t kWorkerJobsMax = 64;

// Control socket
inline constexpr std::size_t kControlFrameBytesMax = 4 * 1024 * 1024;
/// sockaddr_un (unix(7)) has 108 bytes, one of them for the end.
inline constexpr std::size_t kControlPathBytesMax = 107;
/// A person runs a few commands at a time; scripts a few more.
inline constexpr std::size_t kControlConnectionsMax = 16;
/// Requests a second, over all connections; further ones wait for their turn.
inline constexpr std::size_t kControlRequestsPerSecond = 50;
inline constexpr std::chrono::seconds kControlFrameTimeout{10};
inline constexpr std::chrono::seconds kControlIdleTimeout{60};
/// Commands wait up to 30 s for their effects; twice that is a fault.
inline constexpr std::chrono::seconds kControlRespondTimeout{60};

// People
inline constexpr std::size_t kNameCharsMax = 100;
inline constexpr std::size_t kTextBytesMax = 16 * 1024;
inline constexpr std::size_t kPassphraseBytesMax = 1024;
/// Texts kept for reading again; the oldest goes first.
inline constexpr std::size_t kMessagesKept = 1000;

// Passphrases (Argon2id, crypto/passphrase.hpp)
/// Floor: a stored record that asks for less was altered to make guessing cheap.
inline constexpr std::uint64_t kArgonMemoryBytesMin = std::uint64_t{64} << 20;
inline constexpr std::uint32_t kArgonOpsMin = 2;
/// Cap: one derivation stays below ten seconds and fits small machines.
inline constexpr std::uint64_t kArgonMemoryBytesMax = std::uint64_t{1} << 30;
inline constexpr std::uint32_t kArgonOpsMax = 10;
/// What one derivation should take when a wallet is made, and again when its machine got faster.
inline constexpr std::chrono::milliseconds kArgonTimeWanted{800};
/// A new passphrase is at least this hard to guess, as crypto/passphrase_strength estimates it:
/// with Argon2id as above a guesser needs centuries of processor time.
inline constexpr std::size_t kPassphraseBitsMin = 40;

// The process that holds the keys (crypto/key_wire.hpp, node/keys)
/// One request or answer: a plaintext of 1 MiB to be signed or sealed, in base64url, fits.
inline constexpr std::size_t kKeyFrameBytesMax = 2 * 1024 * 1024;
/// Answers come in microseconds, and the slowest within seconds: longer is a fault.
inline constexpr std::chrono::seconds kKeyAnswerTimeout{60};
/// An unlocked node may lock itself after at most so long; longer is never.
inline constexpr std::chrono::hours kAutoLockMax{24 * 30};

}  // namespace kith::limits
