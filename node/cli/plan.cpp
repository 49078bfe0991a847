#include "crypto/assert.hpp"
#include "node/cli/commands.hpp"
#include "node/cli/read_input.hpp"
#include "recovery/plan_review.hpp"
#include "recovery/plan_text.hpp"

/// `recovery plan`: what a plan means, in words.

namespace kith::node {
namespace {

using recovery::Holder;
using recovery::HolderKind;
using recovery::Plan;
using recovery::PlanFault;
using recovery::PlanReview;

constexpr std::size_t kSetsShown = 20;

std::string named(const Holder& holder) {
  return (holder.kind == HolderKind::paper ? "the paper " : "") + holder.id;
}

std::string listed(const std::vector<Holder>& holders) {
  std::string text;
  for (const Holder& holder : holders) text += (text.empty() ? "" : ", ") + named(holder);
  return text;
}

struct FaultWords {
  const char* code;
  std::string words;
};

FaultWords words_of(PlanFault fault, const PlanReview& review) {
  switch (fault) {
    case PlanFault::one_is_enough:
      return {"one_is_enough", "Each of these alone could take your identity over: " +
                                   listed(review.alone) + ". Ask for two or more."};
    case PlanFault::no_loss:
      return {"no_loss",
              "Everybody is needed: if any one of them is lost or says no, nobody gets in. Let one "
              "less be enough, or add somebody."};
    case PlanFault::one_is_needed:
      return {"one_is_needed", "Without each of these nothing opens: " + listed(review.needed) +
                                   ". Whoever it is can keep you out for ever."};
    case PlanFault::two_are_enough:
      return {"two_are_enough",
              "Two of " + std::to_string(review.holders) +
                  " are enough: they only have to agree with each other. Consider three."};
    case PlanFault::somebody_useless:
      return {"somebody_useless", "These add nothing: " + listed(review.useless) +
                                      ". Whenever they help, the others are enough without them."};
  }
  UNREACHABLE();
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

JsonObject review_json(const Plan& plan, const PlanReview& review) {
  JsonArray sets;
  for (const auto& set : recovery::smallest_sets(plan, kSetsShown)) {
    sets.push_back(boost::json::string(listed(set)));
  }
  JsonArray faults;
  for (const PlanFault fault : plan_faults(review)) {
    const FaultWords words = words_of(fault, review);
    faults.push_back(JsonObject{{"code", words.code}, {"text", words.words}});
  }
  return {{"plan", recovery::plan_text(plan)},
          {"holders", review.holders},
          {"enough", review.fewest},
          {"losses_survived", review.survived},
          {"ways", review.ways},
          {"together", std::move(sets)},
          {"faults", std::move(faults)},
          {"safe", review.alone.empty()}};
}

void say_review(const Plan& plan, const PlanReview& review, const Output& output) {
  output.say("The plan: " + recovery::plan_text(plan));
  output.say("Of " + counted(review.holders, "holder") + ", " + std::to_string(review.fewest) +
             (review.fewest == 1 ? " is" : " are") +
             " enough to open your backup, with your help or behind your back.");
  output.say(review.survived == 0
                 ? "The loss of a single holder may already close it for good."
                 : "It survives the loss of any " + counted(review.survived, "holder") + ".");
  const auto sets = recovery::smallest_sets(plan, kSetsShown);
  if (!sets.empty()) output.say("Together they can:");
  for (const auto& set : sets) output.say("  " + listed(set));
  if (review.ways > sets.size()) {
    output.say("  ... " + std::to_string(review.ways) + " ways in all");
  }
  for (const PlanFault fault : plan_faults(review)) output.say(words_of(fault, review).words);
}

}  // namespace

int run_recovery_plan(const Invocation& invocation, const Output& output) {
  const auto text = read_input(invocation.value("FILE"), limits::kTextBytesMax);
  if (text.has_error()) return output.error(text.error());
  const auto plan = recovery::read_plan(*text);
  if (plan.has_error()) return output.error(plan.error());
  const auto review = recovery::review_plan(*plan);
  if (review.has_error()) return output.error(review.error());
  if (output.json) {
    output.print(review_json(*plan, *review));
  } else {
    say_review(*plan, *review, output);
  }
  // A plan that setup refuses.
  return review->alone.empty() ? 0 : crypto::error_text(Errc::refused).exit_code;
}

}  // namespace kith::node
