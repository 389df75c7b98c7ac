#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""perf_analyzer 2.41.1 against the HTTP door: every way of sending tensors ends with status 0.

    perf_analyzer.py BINARY [REPORT_FOLDER]
"""
import os
import subprocess
import sys

from serving import ROOT, Report, serving, skip

PROGRAM = ROOT / ".deps/perf_analyzer/perf_analyzer"
# Few requests and no demand on their spread: this is about the protocol, not about speed.
SHORT = ["--measurement-mode", "count_windows", "--measurement-request-count", "20", "-s", "999",
         "-r", "10", "-p", "200"]
MODES = {
    "binary tensors": [],
    "JSON tensors": ["--input-tensor-format", "json", "--output-tensor-format", "json"],
    "system shared memory": ["--shared-memory", "system", "--output-shared-memory-size", "4096"],
    "asynchronous, concurrency 4": ["--async", "--concurrency-range", "4"],
    "batch 4": ["-b", "4"],
    "request rate": ["--request-rate-range", "200"],
    "text, of random length": ["-m", "identity_string", "--shape", "x:3", "--string-length", "16"],
    "metrics": ["--collect-metrics", "--metrics-interval", "100"],
}
report = Report("perf_analyzer 2.41.1, http")


def run(node, name, options):
    model = [] if "-m" in options else ["-m", "add_sub"]
    metrics = ["--metrics-url", node.ready["metrics"].split("://")[1]] if name == "metrics" else []
    command = [PROGRAM, *model, "-u", node.address, "-i", "http", *SHORT, *options, *metrics]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, LD_LIBRARY_PATH=str(PROGRAM.parent)))
    assert done.returncode == 0, f"{name}: status {done.returncode}\n{done.stdout}{done.stderr}"
    assert "Successful request count" in done.stdout, f"{name}: no statistics\n{done.stdout}"
    report.did(name)
    print("ok", name)


if __name__ == "__main__":
    if not PROGRAM.exists():
        skip(f"{PROGRAM} is absent; scripts/setup --test fetches it")
    with serving(sys.argv[1], {name: name for name in ("add_sub", "identity_string")}) as server:
        for mode, arguments in MODES.items():
            run(server, mode, arguments)
    report.write()
