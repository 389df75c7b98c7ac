// SPDX-License-Identifier: Apache-2.0
#include "app/commands/command.hpp"

/// Everything the product can do stands in commands/table.cpp, every part in builtin.cpp.
int main(int argc, char** argv) { return infiniedge::app::run_command(argc, argv); }
