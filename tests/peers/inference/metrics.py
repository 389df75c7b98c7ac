#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""promtool reads the metrics of a node that has served requests; Triton's names are there with
sorted labels and every reason. Read without a credential from metrics.http, with one from the doors.

    metrics.py BINARY [REPORT_FOLDER]
"""
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

from serving import Report, serving, skip

VERSIONED = ("nv_inference_request_success", "nv_inference_count", "nv_inference_exec_count",
             "nv_inference_request_duration_us", "nv_inference_queue_duration_us",
             "nv_inference_compute_input_duration_us", "nv_inference_compute_infer_duration_us",
             "nv_inference_compute_output_duration_us", "nv_inference_pending_request_count")
MACHINE = ("nv_cpu_utilization", "nv_cpu_memory_total_bytes", "nv_cpu_memory_used_bytes")


def get(url, **options):
    with urllib.request.urlopen(urllib.request.Request(url, **options), timeout=10) as answer:
        return answer.read().decode()


def lint(text):
    """Status 1 is text that cannot be read, 3 advice. Triton's counters lack `_total`: that advice
    cannot be taken without breaking who reads them by name."""
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    ours = [line for line in lines if line and not line.startswith("nv_")]
    assert done.returncode in (0, 3) and not ours, "\n".join(lines)


if __name__ == "__main__":
    if not shutil.which("promtool"):
        skip("promtool is absent; scripts/setup --test installs it")
    with serving(sys.argv[1], {"echo": "echo_text"}) as node:
        body = {"inputs": [{"name": "text_input", "shape": [1, 1], "datatype": "BYTES", "data": ["a"]}]}
        for _ in range(3):
            get(f"{node.url}/v2/models/echo/infer", data=json.dumps(body).encode(), method="POST")
        text = get(node.ready["metrics"])
        lint(text)
        samples = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        for name in VERSIONED:
            assert f'{name}{{model="echo",version="1"}}' in samples, name
        assert samples['nv_inference_request_success{model="echo",version="1"}'] == "3"
        for reason in ("REJECTED", "CANCELED", "BACKEND", "OTHER"):
            series = f'nv_inference_request_failure{{model="echo",reason="{reason}",version="1"}}'
            assert samples[series] == "0", series
        for name in MACHINE:
            assert float(samples[name]) >= 0, name
        try:
            get(f"{node.url}/metrics")
            raise AssertionError("/metrics of the doors asks for no credential")
        except urllib.error.HTTPError as error:
            assert error.code == 401, error.code
        token = {"Authorization": f"Bearer {node.token}"}
        assert "nv_inference_count" in get(f"{node.url}/metrics", headers=token)
    report = Report("promtool 2.42")
    report.did("check metrics")
    report.write()
