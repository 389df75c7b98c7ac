// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/config/typed.hpp"
#include "infiniedge/predictor.hpp"

namespace infiniedge::app::config {

/// Checks what resources say about one another: references, points written by acts, models asked
/// by rules, SQL and act conditions against the schemas, circles between streams.
/// `predictor` may be null: then the widths of models are not checked.
void check_topology(const std::vector<Resource>& resources, const Site& site, Predictor* predictor,
                    base::Diagnostics& out);

/// Maps a fault inside a scalar (a rule's text) to its place in the file: exact for `|` blocks
/// and one-line scalars, else the scalar's beginning.
base::Diagnostic in_file(base::Diagnostic inner, const std::string& file,
                         const base::yaml::Node& scalar);

}  // namespace infiniedge::app::config
