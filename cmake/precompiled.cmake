# Headers that nearly every file above protocol/ reads, compiled once: two fifths of the time of a
# build without optimisation.
#
#   kith_precompile(TARGET [HEADER...])   compiles them, and HEADERs, for TARGET
#   kith_precompile_as(TARGET OTHER)      TARGET, compiled as OTHER is, uses what OTHER compiled
function(kith_precompile target)
  if(NOT KITH_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE
    <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <set> <span> <string>
    <string_view> <utility> <variant> <vector> ${ARGN}
    "${CMAKE_SOURCE_DIR}/crypto/json.hpp" "${CMAKE_SOURCE_DIR}/protocol/record.hpp"
    "${CMAKE_SOURCE_DIR}/protocol/messenger.hpp")
endfunction()

function(kith_precompile_as target other)
  if(KITH_PRECOMPILE)
    target_precompile_headers(${target} REUSE_FROM ${other})
  endif()
endfunction()
