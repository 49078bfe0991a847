#include "recovery/plan.hpp"

#include <algorithm>
#include <string>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

std::string place(const std::string& path) {
  return path.empty() ? "the plan" : "plan node " + path;
}

std::string child_place(const std::string& path, std::size_t index) {
  return path + (path.empty() ? "" : ".") + std::to_string(index + 1);
}

Result<void> check_holder(const Holder& holder, const std::string& path) {
  if (!is_valid(holder.kind)) return fail(Errc::malformed, place(path) + ": unknown holder");
  if (holder.id.empty()) return fail(Errc::malformed, place(path) + ": the holder has no name");
  if (holder.id.size() > limits::kNameCharsMax) {
    return fail(Errc::limit_exceeded, place(path) + ": the holder's name is too long");
  }
  return {};
}

Result<void> check_node(const Plan& node, std::size_t depth, const std::string& path,
                        std::size_t& leaves) {
  if (node.is_leaf()) {
    if (depth == 0) return fail(Errc::malformed, "the plan is empty or a single holder");
    if (++leaves > limits::kPlanLeavesMax) {
      return fail(Errc::limit_exceeded, "the plan has more than 64 shares");
    }
    return check_holder(node.holder, path);
  }
  if (depth >= limits::kPlanDepthMax) {
    return fail(Errc::limit_exceeded, place(path) + ": groups may nest three deep");
  }
  if (node.holder != Holder{}) {
    return fail(Errc::malformed, place(path) + ": a group cannot have a holder of its own");
  }
  if (node.children.size() < 2) {
    return fail(Errc::malformed, place(path) + ": a group needs at least two members");
  }
  if (node.children.size() > limits::kPlanChildrenMax) {
    return fail(Errc::limit_exceeded, place(path) + ": a group has at most 32 members");
  }
  if (node.threshold < 1 || node.threshold > node.children.size()) {
    return fail(Errc::malformed, place(path) + ": k must be between 1 and the number of members");
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    CHECK(check_node(node.children[i], depth + 1, child_place(path, i), leaves));
  }
  return {};
}

Result<void> read_members(const JsonArray& members, std::size_t depth, const std::string& path,
                          std::vector<Plan>& to);

Result<Plan> read_group(const JsonObject& json, std::size_t depth, const std::string& path) {
  // Reading stops where checking would, so a deep document costs nothing.
  if (depth >= limits::kPlanDepthMax) {
    return fail(Errc::limit_exceeded, place(path) + ": groups may nest three deep");
  }
  Plan node;
  const bool all = json.contains("all");
  if (json.size() != (all ? 1U : 2U)) {
    return fail(Errc::malformed, place(path) + ": write {\"k\", \"of\"} or {\"all\"}");
  }
  TRY(const JsonArray* members, crypto::json_array(json, all ? "all" : "of"));
  CHECK(read_members(*members, depth, path, node.children));
  std::int64_t k = static_cast<std::int64_t>(node.children.size());
  if (!all) {
    TRY(k, crypto::json_int(json, "k"));
  }
  if (k < 1 || k > static_cast<std::int64_t>(node.children.size())) {
    return fail(Errc::malformed, place(path) + ": k must be between 1 and the number of members");
  }
  node.threshold = static_cast<std::uint8_t>(k);
  return node;
}

/// A leaf, as often as its weight says.
Result<void> read_leaf(const JsonObject& json, const std::string& path, std::vector<Plan>& to) {
  const bool paper = json.contains("paper");
  Plan leaf;
  leaf.holder.kind = paper ? HolderKind::paper : HolderKind::trustee;
  TRY(leaf.holder.id, crypto::json_string(json, paper ? "paper" : "trustee"));
  TRY(const auto weight, crypto::json_optional_int(json, "weight"));
  if (json.size() != (weight ? 2U : 1U)) {
    return fail(Errc::malformed, place(path) + ": unknown member");
  }
  if (weight && (*weight < 1 || *weight > std::int64_t{limits::kPlanChildrenMax})) {
    return fail(Errc::limit_exceeded, place(path) + ": the weight must be between 1 and 32");
  }
  to.insert(to.end(), static_cast<std::size_t>(weight.value_or(1)), leaf);
  return {};
}

Result<void> read_members(const JsonArray& members, std::size_t depth, const std::string& path,
                          std::vector<Plan>& to) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::string at = child_place(path, i);
    TRY(const JsonObject* member, crypto::as_object(members[i], at));
    if (member->contains("trustee") || member->contains("paper")) {
      CHECK(read_leaf(*member, at, to));
    } else {
      TRY(Plan group, read_group(*member, depth + 1, at));
      to.push_back(std::move(group));
    }
    if (to.size() > limits::kPlanChildrenMax) {
      return fail(Errc::limit_exceeded, place(path) + ": a group has at most 32 members");
    }
  }
  return {};
}

JsonObject leaf_json(const Holder& holder, std::size_t weight) {
  JsonObject json;
  json[holder.kind == HolderKind::paper ? "paper" : "trustee"] = holder.id;
  if (weight > 1) json["weight"] = static_cast<std::int64_t>(weight);
  return json;
}

JsonObject node_json(const Plan& node) {
  JsonArray members;
  for (std::size_t i = 0; i < node.children.size();) {
    const Plan& child = node.children[i];
    std::size_t weight = 1;
    if (child.is_leaf()) {
      while (i + weight < node.children.size() && node.children[i + weight] == child) ++weight;
      members.push_back(leaf_json(child.holder, weight));
    } else {
      members.push_back(node_json(child));
    }
    i += weight;
  }
  JsonObject json;
  json["k"] = static_cast<std::int64_t>(node.threshold);
  json["of"] = std::move(members);
  return json;
}

void collect_leaves(const Plan& node, std::vector<Holder>& to) {
  if (node.is_leaf()) {
    to.push_back(node.holder);
  } else {
    for (const Plan& child : node.children) collect_leaves(child, to);
  }
}

bool satisfied_from(const Plan& node, const LeafSet& leaves, std::size_t& next) {
  if (node.is_leaf()) return leaves.contains(next++);
  std::size_t count = 0;
  for (const Plan& child : node.children) {
    if (satisfied_from(child, leaves, next)) ++count;
  }
  return count >= node.threshold;
}

/// Satisfied by `leaves` even after taking away all leaves of any one holder among them.
bool survives_any_holder(const Plan& plan, const LeafSet& leaves) {
  const std::vector<Holder> holders = plan_leaves(plan);
  std::set<Holder> present;
  for (const std::size_t leaf : leaves) {
    if (leaf < holders.size()) present.insert(holders[leaf]);
  }
  if (present.empty()) return false;
  return std::all_of(present.begin(), present.end(), [&](const Holder& gone) {
    LeafSet rest = leaves;
    std::erase_if(rest,
                  [&](std::size_t leaf) { return leaf < holders.size() && holders[leaf] == gone; });
    return satisfied(plan, rest);
  });
}

}  // namespace

Result<void> check_plan(const Plan& plan) {
  std::size_t leaves = 0;
  return check_node(plan, 0, "", leaves);
}

Result<Plan> parse_plan(const JsonObject& json) {
  if (json.contains("trustee") || json.contains("paper")) {
    return fail(Errc::malformed, "the plan is empty or a single holder");
  }
  TRY(Plan plan, read_group(json, 0, ""));
  CHECK(check_plan(plan));
  return plan;
}

Result<Plan> parse_plan(std::string_view json) {
  crypto::JsonLimits limits;
  limits.bytes_max = limits::kTextBytesMax;
  limits.floats_allowed = false;
  limits.nulls_allowed = false;
  TRY(const Json value, crypto::parse_json(json, limits));
  TRY(const JsonObject* object, crypto::as_object(value, "the plan"));
  return parse_plan(*object);
}

JsonObject plan_json(const Plan& plan) {
  ASSERT(check_plan(plan).has_value());
  return node_json(plan);
}

Result<Plan> flat_plan(std::uint8_t threshold, const std::vector<Holder>& holders) {
  Plan plan;
  plan.threshold = threshold;
  for (const Holder& holder : holders) {
    Plan leaf;
    leaf.holder = holder;
    plan.children.push_back(std::move(leaf));
  }
  CHECK(check_plan(plan));
  return plan;
}

std::vector<Holder> plan_leaves(const Plan& plan) {
  std::vector<Holder> holders;
  collect_leaves(plan, holders);
  return holders;
}

bool satisfied(const Plan& plan, const LeafSet& leaves) {
  std::size_t next = 0;
  return satisfied_from(plan, leaves, next);
}

std::vector<Holder> holders_who_suffice(const Plan& plan) {
  const std::vector<Holder> holders = plan_leaves(plan);
  std::vector<Holder> found;
  for (const Holder& holder : std::set<Holder>(holders.begin(), holders.end())) {
    LeafSet own;
    for (std::size_t i = 0; i < holders.size(); ++i) {
      if (holders[i] == holder) own.insert(i);
    }
    if (satisfied(plan, own)) found.push_back(holder);
  }
  return found;
}

bool single_holder_suffices(const Plan& plan) {
  return !holders_who_suffice(plan).empty();
}

bool quorum(const Plan& plan, const LeafSet& acknowledged) {
  LeafSet all;
  for (std::size_t i = 0; i < plan_leaves(plan).size(); ++i) all.insert(i);
  if (survives_any_holder(plan, all)) return survives_any_holder(plan, acknowledged);
  return std::includes(acknowledged.begin(), acknowledged.end(), all.begin(), all.end());
}

crypto::DealShape deal_shape(const Plan& plan) {
  crypto::DealShape shape;
  shape.threshold = plan.threshold;
  for (const Plan& child : plan.children) shape.children.push_back(deal_shape(child));
  return shape;
}

}  // namespace kith::recovery
