#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tritonclient over HTTP: what its simple_* examples do on a CPU, each as one function here.

    triton_http.py BINARY [REPORT_FOLDER]
"""
import asyncio
import json
import sys

import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException, serialize_byte_tensor
from tritonclient.utils import shared_memory as shm

from serving import MODELS, Report, serving

A = np.arange(16, dtype=np.int32).reshape(1, 16)
B = np.ones((1, 16), dtype=np.int32)
WORDS = np.array([[b"one", b"zero\0byte", b""]], dtype=np.object_)
report = Report("tritonclient 2.73.0, http")


def add_sub_inputs(binary=True, module=triton):
    inputs = [module.InferInput(name, [1, 16], "INT32") for name in ("INPUT0", "INPUT1")]
    for tensor, array in zip(inputs, (A, B)):
        tensor.set_data_from_numpy(array, binary_data=binary)
    return inputs


def check_add_sub(result):
    assert (result.as_numpy("OUTPUT0") == A + B).all()
    assert (result.as_numpy("OUTPUT1") == A - B).all()


def infer(client, _):
    for binary in (True, False):
        outputs = [triton.InferRequestedOutput("OUTPUT0", binary_data=binary),
                   triton.InferRequestedOutput("OUTPUT1", binary_data=not binary)]
        check_add_sub(client.infer("add_sub", add_sub_inputs(binary), outputs=outputs,
                                   query_params={"test": 1}, headers={"x-test": "1"}, request_id="1",
                                   timeout=5_000_000, priority=1, parameters={"custom": "x"}))
    check_add_sub(client.infer("add_sub", add_sub_inputs(), model_version="1"))
    for coding in ("gzip", "deflate"):
        check_add_sub(client.infer("add_sub", add_sub_inputs(), request_compression_algorithm=coding,
                                   response_compression_algorithm=coding))
    body, length = triton.InferenceServerClient.generate_request_body(add_sub_inputs())
    assert length and body
    report.did("infer (JSON, binary, gzip, deflate, parameters)", "generate_request_body")


def infer_async(client, _):
    pending = [client.async_infer("add_sub", add_sub_inputs()) for _ in range(8)]
    for each in pending:
        check_add_sub(each.get_result())
    report.did("async_infer")


def infer_text(client, _):
    for binary in (True, False):
        tensor = triton.InferInput("x", [1, 3], "BYTES")
        array = WORDS if binary else np.array([["one", "zero\0byte", ""]], dtype=np.object_)
        tensor.set_data_from_numpy(array, binary_data=binary)
        result = client.infer("identity_string", [tensor],
                              outputs=[triton.InferRequestedOutput("y", binary_data=binary)])
        answer = [v if isinstance(v, bytes) else v.encode() for v in result.as_numpy("y")[0]]
        assert answer == list(WORDS[0]), answer
    report.did("infer (BYTES, with zero bytes)")


def health_and_metadata(client, _):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("add_sub")
    assert not client.is_model_ready("absent")
    metadata = client.get_server_metadata()
    assert metadata["name"] == "triton" and "system_shared_memory" in metadata["extensions"]
    assert client.get_model_metadata("add_sub")["name"] == "add_sub"
    assert client.get_model_config("add_sub")["max_batch_size"] == 8
    for call in (client.get_model_metadata, client.get_model_config):
        fails(lambda: call("absent"), "Request for unknown model: 'absent' is not found")
    report.did("is_server_live", "is_server_ready", "is_model_ready", "get_server_metadata",
               "get_model_metadata", "get_model_config", "get_inference_statistics")
    assert client.get_inference_statistics("add_sub")["model_stats"][0]["name"] == "add_sub"
    assert len(client.get_inference_statistics()["model_stats"]) >= 2


def model_control(client, _):
    names = {entry["name"] for entry in client.get_model_repository_index()}
    assert {"add_sub", "identity_string"} <= names
    client.unload_model("add_sub")
    assert not client.is_model_ready("add_sub")
    client.load_model("add_sub")
    assert client.is_model_ready("add_sub")
    client.unload_model("add_sub", unload_dependents=True)
    client.load_model("add_sub")
    fails(lambda: client.load_model("absent"), "failed to load 'absent'")
    client.load_model("add_sub", config=json.dumps({"max_batch_size": 4}))
    assert client.get_model_config("add_sub")["max_batch_size"] == 4
    content = (MODELS / "sure.onnx").read_bytes()
    client.load_model("given", config=json.dumps({"backend": "onnxruntime"}),
                      files={"file:1/model.onnx": content})
    assert client.get_model_metadata("given")["outputs"][0]["name"] == "logits"
    client.load_model("add_sub")
    assert client.get_model_config("add_sub")["max_batch_size"] == 8
    report.did("load_model (config and files)")
    report.did("get_model_repository_index", "load_model", "unload_model")


def system_shared_memory(client, _):
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    size = A.nbytes
    given = shm.create_shared_memory_region("input", "/infiniedge-peer-in", size * 2)
    taken = shm.create_shared_memory_region("output", "/infiniedge-peer-out", size * 2)
    try:
        shm.set_shared_memory_region(given, [A, B])
        client.register_system_shared_memory("input", "/infiniedge-peer-in", size * 2)
        client.register_system_shared_memory("output", "/infiniedge-peer-out", size * 2)
        inputs = [triton.InferInput(name, [1, 16], "INT32") for name in ("INPUT0", "INPUT1")]
        outputs = [triton.InferRequestedOutput(name) for name in ("OUTPUT0", "OUTPUT1")]
        for i in range(2):
            inputs[i].set_shared_memory("input", size, offset=size * i)
            outputs[i].set_shared_memory("output", size, offset=size * i)
        result = client.infer("add_sub", inputs, outputs=outputs)
        for i, expected in enumerate((A + B, A - B)):
            got = shm.get_contents_as_numpy(taken, np.int32, [1, 16], offset=size * i)
            assert (got == expected).all(), got
            assert "data" not in result.get_output(f"OUTPUT{i}")
        status = client.get_system_shared_memory_status()
        assert [region["name"] for region in status] == ["input", "output"], status
        assert client.get_system_shared_memory_status("input")[0]["byte_size"] == size * 2
        fails(lambda: client.register_system_shared_memory("input", "/infiniedge-peer-in", size),
              "already in manager")
        outputs[0].set_shared_memory("output", size - 4)
        fails(lambda: client.infer("add_sub", inputs, outputs=outputs), "should be at least 64 bytes")
        client.unregister_system_shared_memory("input")
        client.unregister_system_shared_memory()
        assert client.get_system_shared_memory_status() == []
    finally:
        shm.destroy_shared_memory_region(given)
        shm.destroy_shared_memory_region(taken)
    report.did("register_system_shared_memory", "get_system_shared_memory_status",
               "unregister_system_shared_memory", "infer (tensors in system shared memory)")


def text_in_shared_memory(client, _):
    packed = serialize_byte_tensor(WORDS)
    size = len(packed.item())
    region = shm.create_shared_memory_region("text", "/infiniedge-peer-text", size * 2)
    try:
        shm.set_shared_memory_region(region, [packed])
        client.register_system_shared_memory("text", "/infiniedge-peer-text", size * 2)
        tensor = triton.InferInput("x", [1, 3], "BYTES")
        tensor.set_shared_memory("text", size)
        wanted = triton.InferRequestedOutput("y")
        wanted.set_shared_memory("text", size, offset=size)
        client.infer("identity_string", [tensor], outputs=[wanted])
        answer = shm.get_contents_as_numpy(region, np.object_, [1, 3], offset=size)
        assert list(answer[0]) == list(WORDS[0]), answer
        client.unregister_system_shared_memory("text")
    finally:
        shm.destroy_shared_memory_region(region)
    report.did("infer (BYTES in system shared memory)")


def cuda_shared_memory(client, _):
    assert client.get_cuda_shared_memory_status() == []
    client.unregister_cuda_shared_memory()
    client.unregister_cuda_shared_memory("any")
    fails(lambda: client.register_cuda_shared_memory("any", b"AAAA", 0, 16), "GPUs not supported")
    report.did("get_cuda_shared_memory_status", "register_cuda_shared_memory (refused: no GPU)",
               "unregister_cuda_shared_memory")


def logging_and_tracing(client, _):
    before = client.get_log_settings()
    assert client.update_log_settings({"log_verbose_level": 1})["log_verbose_level"] == 1
    assert client.update_log_settings({"log_verbose_level": 0}) == before
    fails(lambda: client.update_log_settings({"log_file": "/tmp/x"}), "log file")
    settings = client.update_trace_settings(
        model_name="add_sub", settings={"trace_level": ["TIMESTAMPS"], "trace_rate": "5"})
    assert settings["trace_level"] == ["TIMESTAMPS"] and settings["trace_rate"] == "5", settings
    settings = client.update_trace_settings(
        model_name="add_sub", settings={"trace_level": None, "trace_rate": None})
    assert settings == client.get_trace_settings() == client.get_trace_settings("add_sub")
    report.did("get_log_settings", "update_log_settings", "get_trace_settings",
               "update_trace_settings")


def classification(client, _):
    tensor = triton.InferInput("x", [1, 1], "FP32")
    tensor.set_data_from_numpy(np.array([[2.5]], np.float32))
    for binary in (True, False):
        wanted = triton.InferRequestedOutput("logits", binary_data=binary, class_count=2)
        best = client.infer("sure", [tensor], outputs=[wanted]).as_numpy("logits")[0]
        words = [w.decode() if isinstance(w, bytes) else w for w in best]
        assert words == ["2.500000:0", "0.000000:1"], words
    report.did("infer (classification)")


def asyncio_client(_, server):
    async def run():
        async with triton_aio.InferenceServerClient(server.address) as client:
            assert await client.is_server_live() and await client.is_server_ready()
            assert (await client.get_server_metadata())["name"] == "triton"
            results = await asyncio.gather(
                *(client.infer("add_sub", add_sub_inputs(module=triton_aio)) for _ in range(8)))
            for result in results:
                check_add_sub(result)
            await client.unload_model("sure")
            await client.load_model("sure")
            assert await client.is_model_ready("sure")
            assert await client.get_inference_statistics("sure")
            assert await client.get_system_shared_memory_status() == []
            assert await client.get_cuda_shared_memory_status() == []
            assert await client.get_trace_settings() and await client.get_log_settings()

    asyncio.run(run())
    report.did("aio: infer, health, metadata, repository, statistics, shared memory, settings")


def credentials(_, server):
    """A token is taken as a header, and a wrong one is refused although the door is open."""
    client = triton.InferenceServerClient(server.address)
    good = {"Authorization": f"Bearer {server.token}"}
    assert client.get_server_metadata(headers=good)["name"] == "triton"
    bad = {"Authorization": "Bearer ie1_wrong"}
    fails(lambda: client.get_server_metadata(headers=bad), "token", "401")
    report.did("Authorization header")


def fails(action, words, status=None):
    try:
        action()
    except InferenceServerException as error:
        assert words in error.message(), error.message()
        assert status in (None, error.status()), error.status()
        return
    raise AssertionError(f"no error that says '{words}'")


FLOWS = (infer, infer_async, infer_text, health_and_metadata, model_control, system_shared_memory,
         text_in_shared_memory, cuda_shared_memory, logging_and_tracing, classification,
         asyncio_client, credentials)

if __name__ == "__main__":
    models = {name: name for name in ("add_sub", "identity_string", "sure")}
    with serving(sys.argv[1], models) as node:
        for flow in FLOWS:
            http = triton.InferenceServerClient(node.address, concurrency=4)
            flow(http, node)
            http.close()
            print("ok", flow.__name__)
    report.write()
