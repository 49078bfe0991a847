// DID documents of others (protocol/did_document.hpp), asked for under the name they give.

#include "protocol/did_document.hpp"

#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

/// The document is asked for as what it says it is, so that more than that check is reached.
Did expected_in(std::string_view text) {
  const auto json = crypto::parse_json(text);
  if (json.has_value() && json->is_object()) {
    const auto id = crypto::json_string(json->get_object(), "id");
    if (id.has_value()) {
      auto did = Did::parse(*id);
      if (did.has_value()) return *did;
    }
  }
  return must(Did::parse("did:example:somebody"), "a DID");
}

void check_keys(const DidDocument& document) {
  for (const NamedKey& key : document.agreement_keys()) {
    hold(must(document.agreement_key(key.kid), "a listed key is found") == key.key, "as listed");
    hold(crypto::can_agree(key.key.type), "it can agree");
    hold(crypto::check_public_key(key.key).has_value(), "and is valid");
  }
  for (const NamedKey& key : document.authentication_keys()) {
    hold(must(document.authentication_key(key.kid), "a listed key is found") == key.key,
         "as listed");
    hold(crypto::can_sign(key.key.type), "it can sign");
    hold(crypto::check_public_key(key.key).has_value(), "and is valid");
  }
}

}  // namespace

Verdict did_document(ByteView input) {
  const std::string_view text = crypto::as_text(input);
  const Did expected = expected_in(text);
  const auto document = protocol::parse_did_document(text, expected);
  if (!document.has_value()) return Verdict::refused;
  hold(document->id == expected, "a document is of the DID that was asked for");
  check_keys(*document);
  const std::string again_text = written(crypto::json_text(Json(to_json(*document))));
  hold_bounded(again_text.size(), input.size());
  const DidDocument again =
      must(protocol::parse_did_document(again_text, expected), "a document can be read again");
  hold(same(Json(document->raw), Json(again.raw)), "nothing of a document is lost");
  hold(again.services == document->services, "services stay the same");
  hold(again.agreement_keys() == document->agreement_keys(), "agreement keys stay the same");
  hold(again.authentication_keys() == document->authentication_keys(), "so do the others");
  const Did other = must(Did::parse(expected.text() + "x"), "another DID");
  hold(protocol::parse_did_document(text, other).has_error(), "it is nobody else's");
  return Verdict::accepted;
}

}  // namespace kith::fuzz
