# Headers that many files read, compiled once: two fifths of the time of a build without optimisation.
#
#   kith_precompile(TARGET HEADER...)     compiles the standard library's and HEADERs for TARGET
#   kith_precompile_as(TARGET... OTHER)   TARGETs, compiled as OTHER is, use what OTHER compiled
set(kith_std_headers <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <span>
    <string> <string_view> <utility> <variant> <vector>)

# What nearly every file above protocol/ reads.
set(kith_core_headers "${CMAKE_SOURCE_DIR}/crypto/json.hpp" "${CMAKE_SOURCE_DIR}/protocol/record.hpp"
    "${CMAKE_SOURCE_DIR}/protocol/messenger.hpp")

function(kith_precompile target)
  if(KITH_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${kith_std_headers} ${ARGN})
  endif()
endfunction()

function(kith_precompile_as)
  set(targets ${ARGV})
  list(POP_BACK targets other)
  if(KITH_PRECOMPILE)
    foreach(target ${targets})
      target_precompile_headers(${target} REUSE_FROM ${other})
    endforeach()
  endif()
endfunction()
