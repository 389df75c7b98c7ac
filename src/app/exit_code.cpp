// SPDX-License-Identifier: Apache-2.0
#include "app/exit_code.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdio>

namespace infiniedge::app {

int exit_code(Code code, Input input) {
  switch (code) {
    case Code::Invalid:
    case Code::Unsupported:
      if (input == Input::Arguments) return EX_USAGE;
      return input == Input::Configuration ? EX_CONFIG : EX_DATAERR;
    case Code::NotFound:
      return EX_NOINPUT;
    case Code::Exists:
      return EX_CANTCREAT;
    case Code::Denied:
      return EX_NOPERM;
    case Code::Unavailable:
      return EX_UNAVAILABLE;
    case Code::Timeout:
    case Code::Exhausted:
    case Code::Stale:
      return EX_TEMPFAIL;
    case Code::Cancelled:
      return 130;
    case Code::Corrupt:
      return EX_IOERR;
    case Code::Internal:
      return EX_SOFTWARE;
  }
  return EX_SOFTWARE;
}

std::string_view advice(Code code) {
  constexpr std::string_view kAdvice[] = {"correct the input",
                                          "check the name",
                                          "choose another name, or stop who holds it",
                                          "use another credential, or change the policy",
                                          "use a build or device that can do it",
                                          "retry later",
                                          "retry; the effect is unknown",
                                          "nothing: it was given up",
                                          "retry later, or make room",
                                          "look at the quarantine and the log",
                                          "read again, then repeat",
                                          "report it: a defect of ours"};
  return kAdvice[static_cast<int>(code)];
}

int fail_with(const Error& error, Input input) {
  std::string text;
  for (const Error* e = &error; e != nullptr; e = e->cause()) {
    text += (text.empty() ? "" : ": ") + e->message();
  }
  fmt::print(stderr, "infiniedge: {}\n", text);
  return exit_code(error.code(), input);
}

}  // namespace infiniedge::app
