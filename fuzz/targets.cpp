// The list of all targets: apart, so that the program of one target links no other.

#include <array>

#include "fuzz/target.hpp"

namespace kith::fuzz {
namespace {

constexpr std::array kTargets{
    Target{"message", message},
    Target{"envelope", envelope},
    Target{"did", did},
    Target{"did_document", did_document},
    Target{"invitation", invitation},
    Target{"http_header", http_header},
    Target{"http_body", http_body},
    Target{"log_entry", log_entry},
    Target{"add_checkpoint", add_checkpoint},
    Target{"evm_answer", evm_answer},
    Target{"key_call", key_call},
    Target{"agent_proof", agent_proof},
    Target{"slip39", slip39},
    Target{"portable", portable},
};

}  // namespace

std::span<const Target> targets() {
  return kTargets;
}

}  // namespace kith::fuzz
