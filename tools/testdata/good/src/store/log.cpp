// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "infiniedge/result.hpp"
