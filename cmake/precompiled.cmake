# Headers that nearly every file above protocol/ reads, compiled once for each library: two fifths of
# the time of a build without optimisation.
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
