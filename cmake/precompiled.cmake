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

# Compiles twelve files of TARGET as one: what they instantiate is much the same. So what a file declares
# for itself needs a name that no other file of the folder has. Of unoptimised files, two sixes take a
# third longer; beyond twelve, one job takes more than a gigabyte.
function(kith_unite target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${KITH_UNITE} UNITY_BUILD_BATCH_SIZE 12)
  # g++ takes the second file of such a unit for a header, and warns that a type in it is local to it.
  if(KITH_UNITE)
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()
