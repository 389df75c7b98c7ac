#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Schemathesis against the HTTP door, by docs/reference/inference-openapi.yaml: no answer is 5xx and
every check passes. The server asks for the token here: that the token is asked for is a check too.

    openapi.py BINARY [REPORT_FOLDER]
"""
import pathlib
import subprocess
import sys
import tempfile

from serving import ROOT, Report, serving

DOCUMENT = ROOT / "docs/reference/inference-openapi.yaml"
# A request that fits the document need not fit a model: a name that is not served, an input that it
# lacks. So 400 and 404 are as good an answer to it as 200.
CONFIGURATION = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 503]
"""
report = Report("Schemathesis 4.32.5")

if __name__ == "__main__":
    program = pathlib.Path(sys.executable).parent / "schemathesis"
    models = {"echo": "echo_text", "add_sub": "add_sub"}
    with serving(sys.argv[1], models, "--inference.open", "false") as node, \
            tempfile.NamedTemporaryFile("w", suffix=".toml") as configuration:
        configuration.write(CONFIGURATION)
        configuration.flush()
        command = [program, "--config-file", configuration.name, "run", DOCUMENT, "--url", node.url,
                   "--header", f"Authorization: Bearer {node.token}", "--max-examples", "25",
                   # It tries wrong tokens, of which ten a minute lock an address out.
                   "--exclude-checks", "ignored_auth", "--seed", "1", "--generation-database", "none",
                   "--phases", "examples,coverage,fuzzing"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=200,
                              cwd=node.folder)
        assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
        print(done.stdout[-1500:])
        report.did("every route of inference-openapi.yaml, every check of Schemathesis")
    report.write()
