// SPDX-License-Identifier: Apache-2.0
// A build without PocketSphinx.
#include "api/openai/speech.hpp"

namespace infiniedge::api::openai {

std::string_view Recogniser::name() { return {}; }

Result<std::unique_ptr<Recogniser>> Recogniser::make(std::string_view) {
  return Error{Code::Unsupported,
               "this build has no speech recogniser; install libpocketsphinx-dev and "
               "pocketsphinx-en-us, then build again"};
}

}  // namespace infiniedge::api::openai
