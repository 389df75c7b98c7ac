# SPDX-License-Identifier: Apache-2.0
# infiniedge_module(<name>
#   DEPENDS   <module>...   modules to the left that it may include, and links
#   SOURCES   <file>...     relative to the module's folder
#   LIBRARIES <target>...   outside libraries
#   TESTS     <file>...     *_test.cpp and fakes, one GoogleTest binary <name>_test
#   BENCHES   <file>...     *_bench.cpp, one Google Benchmark binary <name>_bench
#   FUZZERS   <file>...     *_fuzz.cpp; each becomes <file> and replays tests/corpus/<file>/ in CTest)
#
# DEPENDS feeds both the linker and the layer check (tools/treecheck layers).

set_property(GLOBAL PROPERTY infiniedge_module_lines "")

function(infiniedge_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS;SOURCES;LIBRARIES;TESTS;BENCHES;FUZZERS" ${ARGN})
  list(JOIN arg_DEPENDS " " depends)
  set_property(GLOBAL APPEND PROPERTY infiniedge_module_lines "${name}: ${depends}")

  add_library(infiniedge_${name} STATIC ${arg_SOURCES})
  set(linked infiniedge_flags infiniedge_boost fmt::fmt ${arg_LIBRARIES})
  foreach(dependency IN LISTS arg_DEPENDS)
    list(APPEND linked infiniedge_${dependency})
  endforeach()
  target_link_libraries(infiniedge_${name} PUBLIC ${linked})

  if(arg_TESTS)
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE infiniedge_${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE
      INFINIEDGE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" INFINIEDGE_DEPS_DIR="${INFINIEDGE_DEPS}")
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 300)
  endif()
  if(arg_BENCHES)
    add_executable(${name}_bench ${arg_BENCHES})
    target_link_libraries(${name}_bench PRIVATE infiniedge_${name} benchmark::benchmark_main)
    target_compile_definitions(${name}_bench PRIVATE
      INFINIEDGE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" INFINIEDGE_DEPS_DIR="${INFINIEDGE_DEPS}")
  endif()
  foreach(fuzzer IN LISTS arg_FUZZERS)
    infiniedge_fuzzer(${fuzzer} infiniedge_${name})
  endforeach()
endfunction()

# A fuzzer is a libFuzzer binary in the fuzz preset, and a replay of its corpus everywhere.
function(infiniedge_fuzzer source library)
  get_filename_component(target ${source} NAME_WE)
  set(corpus ${CMAKE_SOURCE_DIR}/tests/corpus/${target})
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE ${library})
  if(INFINIEDGE_FUZZ)
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz.${target} COMMAND ${target} -runs=0 ${corpus})
  else()
    target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/tests/corpus/replay_main.cpp)
    add_test(NAME fuzz.${target} COMMAND ${target} ${corpus})
  endif()
endfunction()

function(infiniedge_write_module_list)
  get_property(lines GLOBAL PROPERTY infiniedge_module_lines)
  list(JOIN lines "\n" text)
  file(WRITE ${CMAKE_BINARY_DIR}/modules.txt "${text}\n")
endfunction()
