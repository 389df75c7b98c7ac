# SPDX-License-Identifier: Apache-2.0
"""Starts `infiniedge up` with the tiny test models, for a client that we did not write.

Standard library only: every client runs in an environment of its own. A test script is called with
the binary and, optionally, the folder in which it leaves what it exercised: scripts/clients makes
docs/reference/clients.md of that.
"""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
MODELS = ROOT / "tests/models"
SKIPPED = 77  # CTest's SKIP_RETURN_CODE


def repository(folder, models):
    """`models`: name -> file of tests/models, or (file, model.yaml)."""
    for name, source in models.items():
        source, definition = source if isinstance(source, tuple) else (source, None)
        (folder / name / "1").mkdir(parents=True)
        shutil.copy(MODELS / f"{source}.onnx", folder / name / "1/model.onnx")
        if definition:
            (folder / name / "model.yaml").write_text(definition)


class Serving:
    def __init__(self, process, ready, folder):
        self.process, self.folder = process, folder
        self.url = ready["http"]
        self.address = self.url.split("://")[1]
        self.token = ready["token"]
        self.ready = ready

    def alive(self):
        return self.process.poll() is None


@contextlib.contextmanager
def serving(binary, models, *arguments):
    """A node that serves `models` to local programs, with shared memory, named as Triton is."""
    with tempfile.TemporaryDirectory(prefix="infiniedge-peer-") as name:
        folder = pathlib.Path(name)
        repository(folder / "models", models)
        ready = folder / "ready.json"
        command = [binary, "up", "--http", "127.0.0.1:0", "--data", str(folder / "data"), "--models",
                   str(folder / "models"), "--ready-file", str(ready), "--inference.name", "triton",
                   "--inference.shared_memory", "true", "--inference.open", "true",
                   "--metrics.http", "127.0.0.1:0", *arguments]
        environment = dict(os.environ, HOME=name, INFINIEDGE_SOCKET=str(folder / "node.sock"))
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            wait_for(process, ready, folder / "log")
            yield Serving(process, json.loads(ready.read_text()), folder)
            assert process.poll() is None, "the server has ended:\n" + (folder / "log").read_text()
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise AssertionError("the server does not end on SIGTERM")


def wait_for(process, ready, log):
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None, "the server did not start:\n" + log.read_text()
        assert time.monotonic() < deadline, "the server is not ready after 60 s:\n" + log.read_text()
        time.sleep(0.02)


def skip(why):
    print("skipped:", why)
    sys.exit(SKIPPED)


class Report:
    """Which calls of a client were exercised."""

    def __init__(self, client):
        self.client, self.calls = client, []

    def did(self, *calls):
        self.calls += [call for call in calls if call not in self.calls]

    def write(self):
        print(f"{self.client}: {len(self.calls)} calls exercised")
        if len(sys.argv) < 3:
            return
        folder = pathlib.Path(sys.argv[2])
        folder.mkdir(parents=True, exist_ok=True)
        name = pathlib.Path(sys.argv[0]).stem
        (folder / f"{name}.json").write_text(
            json.dumps({"client": self.client, "calls": self.calls}, indent=1))
