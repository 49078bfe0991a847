#pragma once

/// Bytes of one simulated agent: everything of its own that lies on the heap, its simulated disk
/// too. Include in exactly one file of a program (counting_new.hpp).

#include <fstream>
#include <string>

#include "sim/people.hpp"
#include "tests/sim/counting_new.hpp"

namespace kith::sim {

/// More for an agent that does nothing is a defect.
inline constexpr std::uint64_t kIdleBytesMax = 10 * 1024;

struct AgentMemory {
  std::uint64_t heap_bytes = 0;    ///< Disk included.
  std::uint64_t disk_bytes = 0;    ///< Names and values of the records.
  std::uint64_t locked_bytes = 0;  ///< Pages for secrets, beside the heap.
};

/// Of this process, from the kernel; 0 where it does not tell.
inline std::uint64_t locked_pages_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    std::uint64_t kib = 0;
    if (word == "VmLck:" && status >> kib) return kib * 1024;
  }
  return 0;
}

/// An agent that has been started and had nothing to do for an hour. Average of many.
inline AgentMemory measure_idle() {
  constexpr std::uint64_t kAgents = 1000;
  Town town(TownPlan{});
  static_cast<void>(town.add("first"));  // What exists once exists now.
  town.world.run_for(std::chrono::hours{1});
  const std::uint64_t heap = heap_bytes_held, locked = locked_pages_bytes();
  for (std::uint64_t i = 0; i < kAgents; ++i) static_cast<void>(town.add("p" + std::to_string(i)));
  town.world.run_for(std::chrono::hours{1});
  return {(heap_bytes_held - heap) / kAgents, town.nodes().back()->store().bytes(),
          (locked_pages_bytes() - locked) / kAgents};
}

/// An agent whose recovery stands with five trustees and who is trustee of five, with the contacts,
/// logs and mail of all that. What is freed when it goes is what it held.
inline AgentMemory measure_set_up() {
  Town town(TownPlan{});
  CrowdPlan plan;
  plan.people = 6;
  Crowd crowd(town, plan, no_faults());
  crowd.start();
  if (!town.world.run_until([&] { return crowd.all_set_up(); }, std::chrono::hours{24 * 20})) {
    return {};
  }
  town.world.run_for(std::chrono::hours{6});
  AgentMemory memory;
  for (const Person& person : crowd.people()) memory.disk_bytes += person.node->store().bytes();
  const std::uint64_t heap = heap_bytes_held;
  for (const Person& person : crowd.people()) person.node->lose_everything();
  memory.heap_bytes = (heap - heap_bytes_held) / plan.people + sizeof(SimNode);
  memory.disk_bytes /= plan.people;
  return memory;
}

}  // namespace kith::sim
