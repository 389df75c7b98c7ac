# SPDX-License-Identifier: Apache-2.0
"""The servers under comparison: how each is laid out, started, watched and ended."""
import glob
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DEPS = os.path.join(ROOT, ".deps")
TICK = os.sysconf("SC_CLK_TCK")


class Absent(Exception):
    """The server cannot run here; the text says why."""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def python_of(name):
    path = os.path.join(DEPS, name, "bin", "python")
    if not os.path.exists(path):
        raise Absent(f"requirements-{name}.txt is not installed")
    return path


class Server:
    """One server process and its children: a process group.

    Not a session: where the kernel groups threads by session, a server in one of its own would get
    more of a busy machine than the model alone in ours.
    """

    formats = ("binary", "json")
    token = "x" * 47  # As long as one of ours, so that the bytes sent are the same.

    def __init__(self, work):
        self.work = os.path.join(work, self.name)
        os.makedirs(self.work, exist_ok=True)
        self.port = free_port()
        self.process = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, models, limit=60):
        """Milliseconds from exec to the first 200 on /v2/health/ready."""
        shutil.rmtree(self.work)
        os.makedirs(self.work)
        self.port = free_port()
        command, environment = self.prepare(models)
        self.log = open(os.path.join(self.work, "log"), "w+")
        begun = time.perf_counter()
        self.process = subprocess.Popen(command, env={**os.environ, **environment}, cwd=self.work,
                                        stdout=self.log, stderr=self.log, process_group=0)
        while not self.ready():
            if self.process.poll() is not None or time.perf_counter() > begun + limit:
                self.log.seek(0)
                lines = self.log.read().strip().splitlines() or ["no output"]
                # The first error says why, the last line only that.
                line = next((one for one in lines if "failed to load" in one), lines[-1])
                ended = self.process.poll()
                self.stop()
                raise Absent(f"{'not ready' if ended is None else f'exit {ended}'}: {line[:200]}")
            time.sleep(0.002)
        return (time.perf_counter() - begun) * 1e3

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as one:
                one.settimeout(5)
                one.sendall(b"GET /v2/health/ready HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n\r\n")
                return one.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def answer(self, model):
        """The first output for an input of 0.5 everywhere."""
        shape = [int(n) for n in model.shape.split(",")]
        asked = {"inputs": [{"name": model.input, "shape": shape, "datatype": "FP32",
                             "data": [0.5] * math.prod(shape)}]}
        request = urllib.request.Request(
            f"http://{self.address}/v2/models/{model.name}/infer", json.dumps(asked).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=20) as reply:
            return json.load(reply)["outputs"][0]["data"]

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None
        self.log.close()

    def processes(self):
        """Every process of the group: (pid, user and system seconds)."""
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    fields = file.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:
                yield int(path.split("/")[2]), (int(fields[11]) + int(fields[12])) / TICK

    def cpu_seconds(self):
        return sum(seconds for _, seconds in self.processes())

    def resident(self):
        """MiB of the whole group; pages that its processes share count once (PSS)."""
        total = 0
        for pid, _ in self.processes():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total / 1024


class Ours(Server):
    name = "InfiniEdge"

    @property
    def token(self):
        file = os.path.join(self.work, "ready")
        for _ in range(200):  # It is written once the door answers.
            if os.path.exists(file) and os.path.getsize(file) > 0:
                break
            time.sleep(0.01)
        with open(file) as ready:
            return json.load(ready)["token"]

    @property
    def unix(self):
        return "unix:" + os.path.join(self.work, "node.sock")

    def prepare(self, models):
        for model in models:
            folder = os.path.join(self.work, "models", model.name, "1")
            os.makedirs(folder)
            shutil.copy(model.file, os.path.join(folder, "model.onnx"))
            with open(os.path.join(self.work, "models", model.name, "config.pbtxt"), "w") as file:
                file.write(f"instance_group [ {{ kind: KIND_CPU count: {model.instances} }} ]\n")
        binary = os.path.join(ROOT, "build/release/infiniedge")
        return ([binary, "up", "--models", os.path.join(self.work, "models"),
                 "--data", os.path.join(self.work, "data"), "--http", self.address, "--grpc", "off",
                 "--ready-file", os.path.join(self.work, "ready")],
                {"XDG_CONFIG_HOME": self.work,
                 "INFINIEDGE_SOCKET": os.path.join(self.work, "node.sock")})


class MlServer(Server):
    """Its HTTP has no binary tensors: JSON only."""

    name = "MLServer"
    formats = ("json",)

    def prepare(self, models):
        python = python_of("mlserver")
        settings = {"host": "127.0.0.1", "http_port": self.port, "grpc_port": free_port(),
                    "metrics_port": free_port(), "parallel_workers": 0, "debug": False}
        with open(os.path.join(self.work, "settings.json"), "w") as file:
            json.dump(settings, file)
        for model in models:
            folder = os.path.join(self.work, model.name)
            os.makedirs(folder)
            with open(os.path.join(folder, "model-settings.json"), "w") as file:
                json.dump({"name": model.name, "implementation": "mlserver_onnx.OnnxModel",
                           "parameters": {"uri": model.file,
                                          "extra": {"aside": model.instances > 1}}}, file)
        return [os.path.join(os.path.dirname(python), "mlserver"), "start", self.work], \
            {"PYTHONPATH": HERE}


class Triton(Server):
    """PyTriton's Triton server, driven without PyTriton: its proxy would only add to it."""

    name = "Triton"

    def prepare(self, models):
        python_of("pytriton")
        packages, = glob.glob(os.path.join(DEPS, "pytriton/lib/python3.*/site-packages"))
        version = packages.split("/python")[-1].split("/")[0]
        server = os.path.join(packages, "pytriton/tritonserver")
        backend = os.path.join(self.work, "backends/python")
        shutil.copytree(os.path.join(server, "backends/python"), backend)
        stub = os.path.join(server, "python_backend_stubs", version, "triton_python_backend_stub")
        if not os.path.exists(stub):
            raise Absent(f"it has no stub for Python {version}")
        # Beside its libraries, which it looks for relative to itself.
        os.symlink(stub, os.path.join(backend, "triton_python_backend_stub"))
        for model in models:
            self.lay_out(model)
        return ([os.path.join(server, "bin/tritonserver"),
                 "--model-repository", os.path.join(self.work, "models"),
                 "--backend-directory", os.path.join(self.work, "backends"),
                 "--http-address", "127.0.0.1", "--http-port", str(self.port),
                 "--allow-grpc", "false", "--allow-metrics", "false"],
                {"PYTHONPATH": packages,
                 "LD_LIBRARY_PATH": os.path.join(packages, "nvidia_pytriton.libs")})

    def lay_out(self, model):
        folder = os.path.join(self.work, "models", model.name)
        os.makedirs(os.path.join(folder, "1"))
        shutil.copy(os.path.join(HERE, "triton_onnx.py"), os.path.join(folder, "1", "model.py"))
        shutil.copy(os.path.join(HERE, "session.py"), os.path.join(folder, "1", "session.py"))
        with open(os.path.join(folder, "config.pbtxt"), "w") as file:
            file.write(f"""backend: "python"
input [ {{ name: "{model.input}" data_type: TYPE_FP32 dims: [ {model.dims} ] }} ]
output [ {{ name: "{model.output}" data_type: TYPE_FP32 dims: [ -1, -1 ] }} ]
instance_group [ {{ kind: KIND_CPU count: {model.instances} }} ]
parameters {{ key: "file" value: {{ string_value: "{model.file}" }} }}
""")
