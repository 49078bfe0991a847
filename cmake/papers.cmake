# Manual pages and the shells' completion, made from the table of commands. They come with the program,
# also where it is built alone.
find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
add_executable(kith-table node/cli/table_main.cpp $<TARGET_OBJECTS:kith_specs>)
target_include_directories(kith-table PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(kith-table PRIVATE kith_warnings)

set(kith_papers "${CMAKE_BINARY_DIR}/papers")
file(GLOB kith_paper_sources CONFIGURE_DEPENDS packaging/*.py)
add_custom_command(
  OUTPUT "${kith_papers}/table.json"
  COMMAND ${CMAKE_COMMAND} -E make_directory "${kith_papers}"
  COMMAND kith-table > "${kith_papers}/table.json"
  COMMAND ${Python3_EXECUTABLE} -B "${CMAKE_SOURCE_DIR}/packaging/papers.py" "${kith_papers}/table.json"
          "${kith_papers}/share"
  DEPENDS kith-table ${kith_paper_sources} VERBATIM)
add_custom_target(kith_papers ALL DEPENDS "${kith_papers}/table.json")
add_dependencies(kith kith_papers)
install(DIRECTORY "${kith_papers}/share" DESTINATION . COMPONENT kith-programs)
