# SPDX-License-Identifier: Apache-2.0
# Libraries from the distribution, as targets. scripts/setup installs them; docs/decisions/ says
# why each one is here. Nothing is downloaded from within CMake.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
find_package(simdjson REQUIRED)
find_package(benchmark REQUIRED)

pkg_check_modules(libfyaml REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(libzstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(libxxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(libnghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(libmosquitto REQUIRED IMPORTED_TARGET libmosquitto)
pkg_check_modules(libsamplerate REQUIRED IMPORTED_TARGET samplerate)
pkg_check_modules(libutf8proc REQUIRED IMPORTED_TARGET libutf8proc)
# Speech is a part that a build may do without.
pkg_check_modules(pocketsphinx pocketsphinx sphinxbase)

# Asio and Beast are compiled once, in runtime/asio.cpp, not in every file that includes them.
find_package(Boost 1.81 REQUIRED COMPONENTS json)
add_library(infiniedge_boost INTERFACE)
target_compile_definitions(infiniedge_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_USE_STD_STRING_VIEW)
target_link_libraries(infiniedge_boost INTERFACE
  Boost::headers Boost::json OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# What scripts/setup fetched from the package registries by name and pinned version.
set(INFINIEDGE_DEPS ${CMAKE_SOURCE_DIR}/.deps CACHE PATH "Where scripts/setup puts its downloads")
