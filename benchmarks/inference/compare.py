# SPDX-License-Identifier: Apache-2.0
"""Runs every cell against every server in alternating rounds and prints medians and ratios.

scripts/bench-inference builds and installs what this needs. Goals: docs/benchmarks.md.
"""
import collections
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import servers
from servers import DEPS, HERE, ROOT, Absent

ROUNDS = int(os.environ.get("INFINIEDGE_BENCH_ROUNDS", 5))
SECONDS = float(os.environ.get("INFINIEDGE_BENCH_SECONDS", 1.5))
IDLE = 10
BARE, BARE_PYTHON, UNIX = "bare Run, C++", "bare run, Python", "InfiniEdge, Unix"
BUILT = os.path.join(ROOT, "build/release/benchmarks")


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    file: str
    input: str
    shape: str
    output: str
    dims: str
    instances: int


TINY = Model("mlp", f"{ROOT}/tests/models/mlp.onnx", "x", "1,64", "logits", "-1, 64", 1)
MOBILE = Model("mobilenet", f"{DEPS}/models/text_direction.onnx", "x", "1,3,48,192",
               "save_infer_model/scale_0.tmp_1", "-1, 3, -1, -1", os.cpu_count())
WIDE = Model("identity", f"{ROOT}/tests/models/identity_fp32.onnx", "x", "1,150528", "y",
             "-1, -1", 1)
MODELS = [TINY, MOBILE, WIDE]


@dataclasses.dataclass(frozen=True)
class Cell:
    title: str
    model: Model
    format: str
    connections: int


CELLS = [Cell("tiny, binary, 1 connection", TINY, "binary", 1),
         Cell("tiny, JSON, 1 connection", TINY, "json", 1),
         Cell("tiny, binary, 4 connections", TINY, "binary", 4),
         Cell("MobileNetV3, binary, 4 connections", MOBILE, "binary", 4),
         Cell("MobileNetV3, JSON, 4 connections", MOBILE, "json", 4),
         Cell("identity 602 KB, binary, 1 connection", WIDE, "binary", 1),
         Cell("identity 602 KB, JSON, 1 connection", WIDE, "json", 1)]


def measured(command, token=""):
    """The figures that a load or a bare loop prints; Absent with what it said instead."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                         timeout=SECONDS + 30, check=False,
                         env={**os.environ, "INFERENCE_LOAD_TOKEN": token})
    if ran.returncode != 0:
        said = (ran.stderr.strip().splitlines() or ["no answer"])
        raise Absent(" ".join(said)[:160])
    return json.loads(ran.stdout)


def ask(server, cell, address=None):
    before = server.cpu_seconds()
    figures = measured([f"{BUILT}/inference_load", address or server.address, cell.model.name,
                        cell.format, cell.model.input, cell.model.shape, cell.connections, SECONDS], server.token)
    figures["client_us"] = figures["cpu_us"]
    figures["cpu_us"] = (server.cpu_seconds() - before) * 1e6 / figures["asked"]
    return figures


class Table:
    """Figures by cell and row, one a round; a reason instead where there are none."""

    def __init__(self):
        self.seen = collections.defaultdict(list)
        self.absent = {}

    def take(self, cell, row, measure):
        try:
            self.seen[cell, row].append(measure())
        except (Absent, subprocess.TimeoutExpired) as why:
            self.absent[cell, row] = str(why)

    def median(self, cell, row, figure):
        seen = self.seen.get((cell, row))
        return statistics.median(one[figure] for one in seen) if seen else None

    def rows(self, cell):
        return [row for at, row in {**self.seen, **self.absent} if at == cell]


def start_alone(all_servers, table):
    """Ready time and idle memory with the tiny model only."""
    running = []
    for server in all_servers:
        def begin(server=server):
            took = server.start([TINY])
            running.append(server)
            return {"ready_ms": took}
        for again in range(3):
            if again and server in running:
                running.remove(server)
                server.stop()
            table.take("start", server.name, begin)
            if ("start", server.name) in table.absent:
                break
    time.sleep(IDLE)
    for server in running:
        table.take("idle", server.name, lambda server=server: {"mib": server.resident()})
        server.stop()


def check_answers(server, expected):
    """A server that answers otherwise than the first did is not compared with it."""
    for model in MODELS:
        got = server.answer(model)
        want = expected.setdefault(model.name, got)
        if len(got) != len(want) or any(abs(a - b) > 1e-4 for a, b in zip(got, want)):
            raise Absent(f"{model.name}: another answer, {got[:4]} and not {want[:4]}")


def start_all(all_servers, table):
    running, expected = [], {}
    for server in all_servers:
        try:
            server.start(MODELS)
            check_answers(server, expected)
            running.append(server)
        except (Absent, OSError) as why:
            server.stop()
            for cell in CELLS:
                table.absent[cell.title, server.name] = str(why)
    return running


def bare(cell):
    """The model alone beside the cell's servers, as (row, measure); C++ through our backend."""
    model, python = cell.model, os.path.join(DEPS, "mlserver/bin/python")
    yield BARE, lambda: measured([f"{BUILT}/inference_bare", model.file, model.shape,
                                  cell.connections, SECONDS])
    if cell == CELLS[0] and os.path.exists(python):
        yield BARE_PYTHON, lambda: measured([python, f"{HERE}/bare.py", model.file, model.shape,
                                             SECONDS])


def contest(cell, running):
    """Everything that is measured for a cell, side by side in time: (row, measure)."""
    if cell.format == "binary" and cell != CELLS[2]:
        yield from bare(cell)
    for server in running:
        if cell.format in server.formats:
            yield server.name, lambda server=server: ask(server, cell)
        if cell == CELLS[0] and isinstance(server, servers.Ours):
            yield UNIX, lambda server=server: ask(server, cell, server.unix)


def rounds(running, table):
    for turn in range(ROUNDS):
        for cell in CELLS:
            order = list(contest(cell, running))
            # What runs first one time runs last the next: neighbours meet the same load.
            for row, measure in reversed(order) if turn % 2 else order:
                table.take(cell.title, row, measure)


def print_cells(table):
    print(f"{'':40}{'':20}{'p50 us':>10}{'p99 us':>10}{'a second':>10}{'CPU us':>9}")  # CPU: the server's
    for cell in (cell.title for cell in CELLS):
        for row in table.rows(cell):
            if table.median(cell, row, "p50_us") is None:
                print(f"{cell:40}{row:20}  not measured: {table.absent[cell, row]}")
                continue
            p50, p99, rate, cpu = (table.median(cell, row, figure) for figure in
                                   ("p50_us", "p99_us", "per_second", "cpu_us"))
            print(f"{cell:40}{row:20}{p50:10.1f}{p99:10.1f}{rate:10.0f}{cpu:9.1f}")


def print_start(table):
    for name in table.rows("start"):
        ready = table.median("start", name, "ready_ms")
        if ready is None:
            print(f"start and idle: {name} not measured: {table.absent['start', name]}")
            continue
        print(f"{name:12} ready after {ready:7.0f} ms (median of 3), "
              f"{table.median('idle', name, 'mib'):6.1f} MiB after {IDLE} s idle")


def ratio(text, above, below, goal="", scale=1):
    if above is None or below is None or below <= 0:
        print(f"{text:66} not measured")
    else:
        print(f"{text:66}{above / below * scale:8.1f}{'   ' + goal if goal else ''}")


def print_efficiency(table):
    cell = CELLS[3].title
    for name in ("InfiniEdge", "Triton"):
        goal = "goal >= 97" if name == "InfiniEdge" else ""
        seen, loop = table.seen.get((cell, name), []), table.seen.get((cell, BARE), [])
        shares = [100 * a["per_second"] / b["per_second"] for a, b in zip(seen, loop)]
        if not shares:
            print(f"{cell}: {name} not measured: {table.absent.get((cell, name))}")
            continue
        # On a busy machine the load of the moment decides the first; the second does not see it.
        print(f"{cell + ': ' + name + ' / bare loop, %':66}{statistics.median(shares):8.1f}   "
              f"{goal} (rounds {min(shares):.0f} to {max(shares):.0f})")
        alone = table.median(cell, BARE, "cpu_us")
        server, client = (table.median(cell, name, f) for f in ("cpu_us", "client_us"))
        ratio("  by processor time: bare Run / server, %", alone, server, goal, 100)
        ratio("  by processor time: bare Run / server and client, %", alone, server + client, "", 100)
    ratio(f"{CELLS[4].title}: a second, ours / MLServer",
          table.median(CELLS[4].title, "InfiniEdge", "per_second"),
          table.median(CELLS[4].title, "MLServer", "per_second"))


def print_ratios(table):
    binary, text = CELLS[0].title, CELLS[1].title
    cpp = table.median(binary, BARE, "p50_us")
    python = table.median(binary, BARE_PYTHON, "p50_us")

    def overhead(cell, name):
        p50, compute = table.median(cell, name, "p50_us"), cpp if name == "InfiniEdge" else python
        return None if p50 is None or compute is None else p50 - compute

    ours = overhead(binary, "InfiniEdge")
    ratio("overhead, MLServer (JSON) / ours (binary)", overhead(text, "MLServer"), ours, "goal >= 10")
    ratio("overhead, MLServer (JSON) / ours (JSON)", overhead(text, "MLServer"),
          overhead(text, "InfiniEdge"), "goal >= 10")
    ratio("overhead, Triton / ours, both binary", overhead(binary, "Triton"), ours, "goal >= 5")
    print_efficiency(table)
    for cell in CELLS[5:]:
        ours = table.median(cell.title, "InfiniEdge", "cpu_us")
        for name in table.rows(cell.title):
            if name in ("MLServer", "Triton"):
                ratio(f"{cell.title}: CPU, {name} / ours",
                      table.median(cell.title, name, "cpu_us"), ours)


def print_machine():
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True,
                              check=False).stdout.strip()
    with open("/proc/cpuinfo") as file:
        cpu = next((line.split(": ")[1].strip() for line in file if line.startswith("model name")), "?")
    changed = " with changes" if git("status", "--porcelain", "-uno") else ""
    print(f"commit {git('rev-parse', '--short', 'HEAD')}{changed}; {cpu}, {os.cpu_count()} cores; "
          f"{os.uname().release}; load {' '.join(f'{n:.1f}' for n in os.getloadavg())}")


def main():
    begun, table = time.time(), Table()
    print_machine()
    with tempfile.TemporaryDirectory() as work:
        all_servers = [kind(work) for kind in (servers.Ours, servers.MlServer, servers.Triton)]
        try:
            start_alone(all_servers, table)
            rounds(start_all(all_servers, table), table)
        finally:
            for server in all_servers:
                server.stop()
    print(f"{ROUNDS} rounds of {SECONDS} s a cell, medians\n")
    print_cells(table)
    print()
    print_start(table)
    print()
    print_ratios(table)
    print(f"\nload at the end {' '.join(f'{n:.1f}' for n in os.getloadavg())}; "
          f"took {time.time() - begun:.0f} s")
    return 1 if table.median(CELLS[0].title, "InfiniEdge", "p50_us") is None else 0


if __name__ == "__main__":
    sys.exit(main())
