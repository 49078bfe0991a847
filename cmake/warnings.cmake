# Warnings and hardening for our own code only.
add_library(kith_warnings INTERFACE)
target_compile_options(kith_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast -Wcast-align -Wformat=2 -Wimplicit-fallthrough
  -fstack-protector-strong
  $<$<BOOL:${KITH_WERROR}>:-Werror>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
add_compile_definitions(_GLIBCXX_ASSERTIONS)
if(CMAKE_BUILD_TYPE MATCHES "Rel")
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()
if(KITH_SANITIZE)
  string(REPLACE ";" "," _sanitizers "${KITH_SANITIZE}")
  add_compile_options(-fsanitize=${_sanitizers} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${_sanitizers})
  if(_sanitizers MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    # clang 14 cannot emit the function sanitizer's data for coroutines.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options(-fno-sanitize=function)
    endif()
    # GCC 12's instrumented code makes it see uninitialised members where there are none.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(kith_warnings INTERFACE -Wno-maybe-uninitialized)
    endif()
  endif()
endif()
if(KITH_FUZZ)  # All of our code counts its branches; the targets alone bring libFuzzer's main().
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
# Ten programs of a debug build: linked in half the time.
find_program(KITH_GOLD ld.gold)
if(KITH_GOLD AND CMAKE_BUILD_TYPE STREQUAL "Debug" AND NOT KITH_SANITIZE)
  add_link_options(-fuse-ld=gold)
endif()
find_program(KITH_CCACHE ccache)
if(KITH_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${KITH_CCACHE}")
endif()
