// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "infiniedge/result.hpp"

namespace infiniedge::app {

/// What the input at fault was, which decides the exit code of Invalid.
enum class Input { Arguments, Configuration, Data };

/// What whoever meets the code should do.
std::string_view advice(Code code);

/// sysexits(3) of an error; 0 is success, 1 "done, and the answer is no".
int exit_code(Code code, Input input = Input::Data);

/// Prints the error to standard error and returns its exit code.
int fail_with(const Error& error, Input input = Input::Data);

}  // namespace infiniedge::app
