# SPDX-License-Identifier: Apache-2.0
# Compiler, language level and warnings: the same for every module.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines: an aggregate temporary inside a "
    "co_await expression is destroyed twice. Use Clang 19 (the presets do) or GCC 13 or newer.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(INFINIEDGE_DEVELOPER "Warnings are errors" OFF)
set(INFINIEDGE_SANITIZE "" CACHE STRING "Sanitizers, comma separated: address,undefined or thread")
option(INFINIEDGE_FUZZ "Build the fuzzers with libFuzzer" OFF)

add_library(infiniedge_flags INTERFACE)
target_compile_options(infiniedge_flags INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wthread-safety -Wno-missing-designated-field-initializers
  $<$<BOOL:${INFINIEDGE_DEVELOPER}>:-Werror>)
target_include_directories(infiniedge_flags INTERFACE
  ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(infiniedge_flags INTERFACE -msse4.2 -mpopcnt)
endif()

if(INFINIEDGE_SANITIZE)
  add_compile_options(-fsanitize=${INFINIEDGE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${INFINIEDGE_SANITIZE})
endif()
if(INFINIEDGE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

find_program(INFINIEDGE_CCACHE ccache)
if(INFINIEDGE_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${INFINIEDGE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${INFINIEDGE_CCACHE})
endif()
