#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives an inference door with tritonclient over gRPC and compares the answers with ONNX
Runtime's own.

    oip_grpc_client.py ADDRESS REPOSITORY
"""
import asyncio
import queue
import sys

import grpc
import numpy as np
import onnxruntime
import tritonclient.grpc as triton
import tritonclient.grpc.aio as triton_aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.utils import InferenceServerException

address, repository = sys.argv[1], sys.argv[2]
client = triton.InferenceServerClient(address)
TOLERANCE = 1e-5


def tensor(name, array, datatype, module=triton):
    out = module.InferInput(name, list(array.shape), datatype)
    out.set_data_from_numpy(array)
    return out


def infer(model, inputs, outputs=None, **options):
    wanted = [triton.InferRequestedOutput(name) for name in outputs or []]
    return client.infer(model, [tensor(*each) for each in inputs], outputs=wanted or None,
                        **options)


def fails(action, words, status):
    try:
        action()
    except InferenceServerException as error:
        assert words in error.message(), error.message()
        assert error.status() == f"StatusCode.{status}", error.status()
        return
    raise AssertionError(f"no error that says '{words}'")


def check_server():
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata.name == "triton" and "classification" in metadata.extensions


def check_health():
    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", "inference.GRPCInferenceService"):
            answer = stub.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        try:
            stub.Check(health_pb2.HealthCheckRequest(service="other"))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
        try:
            channel.unary_unary("/inference.GRPCInferenceService/Absent")(b"")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED


def check_repository():
    names = {entry.name: entry for entry in client.get_model_repository_index().models}
    assert "mlp" in names and names["mlp"].state == ""
    for name in names:
        client.load_model(name)
        assert client.is_model_ready(name) and client.is_model_ready(name, "1")
    client.unload_model("mlp")
    assert not client.is_model_ready("mlp")
    client.load_model("mlp")
    states = {entry.state for entry in client.get_model_repository_index().models}
    assert states == {"READY"}, states
    assert not client.is_model_ready("absent")
    fails(lambda: client.load_model("absent"), "failed to load 'absent'", "NOT_FOUND")


def check_description():
    metadata = client.get_model_metadata("mlp", as_json=True)
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": ["-1", "64"]}]
    assert metadata["versions"] == ["1"] and metadata["platform"] == "onnxruntime_onnx"
    config = client.get_model_config("mlp", "1").config
    assert config.max_batch_size == 8 and list(config.input[0].dims) == [64]
    assert config.input[0].data_type == triton.model_config_pb2.TYPE_FP32
    assert config.instance_group[0].kind == triton.model_config_pb2.ModelInstanceGroup.KIND_CPU
    assert config.version_policy.latest.num_versions == 1
    fails(lambda: client.get_model_config("absent"), "'absent' is not found", "NOT_FOUND")
    fails(lambda: client.get_model_config("mlp", "one"), "'one'", "INVALID_ARGUMENT")


def check_numbers(model, width):
    reference = onnxruntime.InferenceSession(f"{repository}/{model}/1/model.onnx")
    random = np.random.default_rng(7)
    for rows in (1, 3, 8):
        x = random.standard_normal((rows, width)).astype(np.float32)
        expected = reference.run(None, {"x": x})[0]
        answer = infer(model, [("x", x, "FP32")], ["logits"], request_id="42")
        assert answer.get_response().id == "42"
        assert np.allclose(answer.as_numpy("logits"), expected, atol=TOLERANCE, rtol=TOLERANCE)


def check_integers():
    a = np.arange(16, dtype=np.int32).reshape(1, 16)
    b = np.full((1, 16), 3, dtype=np.int32)
    answer = infer("add_sub", [("INPUT0", a, "INT32"), ("INPUT1", b, "INT32")],
                   ["OUTPUT1", "OUTPUT0"])
    assert [o.name for o in answer.get_response().outputs] == ["OUTPUT1", "OUTPUT0"]
    assert len(answer.get_response().raw_output_contents) == 2
    assert (answer.as_numpy("OUTPUT0") == a + b).all()
    assert (answer.as_numpy("OUTPUT1") == a - b).all()


def check_types():
    tensors = [("in_fp32", np.ones((1, 2), np.float32), "FP32"),
               ("in_int64", np.array([[-2**63, 2**63 - 1]], np.int64), "INT64"),
               ("in_string", np.array([[b"a", "ümläut 😀".encode()]], np.object_), "BYTES"),
               ("in_bool", np.array([[True, False]]), "BOOL"),
               ("in_uint8", np.array([[0, 255]], np.uint8), "UINT8"),
               ("in_fp16", np.array([[0.5, -65504]], np.float16), "FP16")]
    answer = infer("identity_types", tensors)
    for name, array, _ in tensors:
        got = answer.as_numpy(name.replace("in_", "out_"))
        assert (got == array).all(), (name, got)


def check_contents():
    """Typed contents, as KServe's and plain protobuf clients send them."""
    pb = triton.service_pb2
    with grpc.insecure_channel(address) as channel:
        stub = triton.service_pb2_grpc.GRPCInferenceServiceStub(channel)
        request = pb.ModelInferRequest(model_name="identity_types")
        values = {"fp32": ("FP32", "fp32_contents", [1.5, -2]),
                  "int64": ("INT64", "int64_contents", [-2**63, 7]),
                  "string": ("BYTES", "bytes_contents", [b"a", b""]),
                  "bool": ("BOOL", "bool_contents", [True, False]),
                  "uint8": ("UINT8", "uint_contents", [0, 255])}
        for name, (datatype, member, data) in values.items():
            item = request.inputs.add(name=f"in_{name}", datatype=datatype, shape=[1, 2])
            getattr(item.contents, member).extend(data)
        half = request.inputs.add(name="in_fp16", datatype="FP16", shape=[1, 2])
        try:
            stub.ModelInfer(request)
            raise AssertionError("FP16 in contents was taken")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "raw_input_contents" in error.details(), error.details()
        request = pb.ModelInferRequest(model_name="add_sub")
        for name in ("INPUT0", "INPUT1"):
            item = request.inputs.add(name=name, datatype="INT32", shape=[1, 16])
            item.contents.int_contents.extend(range(-8, 8))
        answer = stub.ModelInfer(request)
        got = np.frombuffer(answer.raw_output_contents[0], np.int32)
        assert (got == 2 * np.arange(-8, 8)).all(), got
        request.raw_input_contents.append(b"\0" * 64)
        request.raw_input_contents.append(b"\0" * 64)
        try:
            stub.ModelInfer(request)
            raise AssertionError("contents and raw contents were mixed")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT


def check_classification():
    x = tensor("x", np.array([[2.5]], np.float32), "FP32")
    wanted = [triton.InferRequestedOutput("logits", class_count=1)]
    best = client.infer("sure", [x], outputs=wanted).as_numpy("logits")
    assert best[0][0] == b"2.500000:0:on", best


def check_compression():
    x = np.zeros((8, 64), np.float32)
    for algorithm in ("gzip", "deflate"):
        answer = infer("mlp", [("x", x, "FP32")], ["logits"], compression_algorithm=algorithm)
        assert answer.as_numpy("logits").shape == (8, 10)


def check_large():
    x = np.arange(1 << 22, dtype=np.float32).reshape(1, 1 << 22)
    for algorithm in (None, "gzip"):
        answer = infer("identity_fp32", [("x", x, "FP32")], compression_algorithm=algorithm)
        assert (answer.as_numpy("y") == x).all()


def check_mistakes():
    x = np.zeros((9, 64), np.float32)
    fails(lambda: infer("mlp", [("x", x, "FP32")]), "batch-size must be <= 8 for 'mlp'",
          "INVALID_ARGUMENT")
    fails(lambda: infer("mlp", [("z", x[:1], "FP32")]), "unexpected inference input 'z'",
          "INVALID_ARGUMENT")
    fails(lambda: infer("absent", [("x", x[:1], "FP32")]), "'absent' is not found", "NOT_FOUND")
    fails(lambda: infer("mlp", [("x", x[:1], "FP32")], parameters={"custom": 1}, priority=1,
                        model_version="7"), "version 7 is not found", "NOT_FOUND")
    infer("mlp", [("x", x[:1], "FP32")], parameters={"custom": "text"}, timeout=10_000_000)


def check_statistics():
    before = client.get_inference_statistics("mlp", "1").model_stats[0]
    infer("mlp", [("x", np.zeros((4, 64), np.float32), "FP32")])
    after = client.get_inference_statistics("mlp").model_stats[0]
    assert after.inference_count == before.inference_count + 4
    assert after.execution_count == before.execution_count + 1
    stats = after.inference_stats
    counts = [stats.success.count, stats.compute_input.count, stats.compute_infer.count,
              stats.compute_output.count]
    assert len(set(counts)) == 1, counts
    assert len(client.get_inference_statistics().model_stats) > 3
    fails(lambda: client.get_inference_statistics("absent"), "'absent'", "INVALID_ARGUMENT")


def check_streaming():
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)))
    x = np.zeros((1, 64), np.float32)
    for i in range(100):
        if i == 50:
            client.async_stream_infer("absent", [tensor("x", x, "FP32")], request_id="50")
        else:
            client.async_stream_infer("mlp" if i % 2 else "sure",
                                      [tensor("x", x if i % 2 else x[:, :1], "FP32")],
                                      request_id=str(i))
    for i in range(100):
        result, error = answers.get(timeout=20)
        if i == 50:
            assert "'absent' is not found" in error.message(), error
            continue
        assert error is None, error
        response = result.get_response()
        assert response.id == str(i), (response.id, i)
        assert response.parameters["triton_final_response"].bool_param
    client.stop_stream()
    assert answers.empty()


def check_strict_stream():
    answers = queue.Queue()
    client.start_stream(callback=lambda result, error: answers.put((result, error)),
                        headers={"triton_grpc_error": "true"})
    x = tensor("x", np.zeros((1, 64), np.float32), "FP32")
    client.async_stream_infer("mlp", [x])
    client.async_stream_infer("absent", [x])
    assert answers.get(timeout=20)[1] is None
    error = answers.get(timeout=20)[1]
    assert error.status() == "StatusCode.NOT_FOUND", error
    client.stop_stream()


def check_deadline():
    x = np.zeros((1, 256), np.float32)
    fails(lambda: infer("slow", [("x", x, "FP32")], client_timeout=0.02), "", "DEADLINE_EXCEEDED")


async def check_asyncio():
    x = np.zeros((1, 64), np.float32)
    async with triton_aio.InferenceServerClient(address) as aio:
        assert await aio.is_server_live()
        item = tensor("x", x, "FP32", triton_aio)
        answers = await asyncio.gather(*(aio.infer("mlp", [item]) for _ in range(64)))
        assert all(a.as_numpy("logits").shape == (1, 10) for a in answers)

        async def requests():
            for i in range(8):
                yield {"model_name": "mlp", "inputs": [item], "request_id": str(i)}

        ids = [result.get_response().id async for result, error in
               aio.stream_infer(requests()) if error is None]
        assert ids == [str(i) for i in range(8)], ids


def check_shared_memory():
    import tritonclient.utils.shared_memory as shm
    x = np.arange(16, dtype=np.float32).reshape(1, 16)
    client.unregister_system_shared_memory()
    client.unregister_cuda_shared_memory()
    inner = shm.create_shared_memory_region("in", "/infiniedge_grpc_in", x.nbytes)
    outer = shm.create_shared_memory_region("out", "/infiniedge_grpc_out", x.nbytes)
    try:
        shm.set_shared_memory_region(inner, [x])
        client.register_system_shared_memory("in", "/infiniedge_grpc_in", x.nbytes)
        client.register_system_shared_memory("out", "/infiniedge_grpc_out", x.nbytes)
        status = client.get_system_shared_memory_status()
        assert sorted(status.regions) == ["in", "out"], status
        assert status.regions["in"].byte_size == x.nbytes
        item = triton.InferInput("x", [1, 16], "FP32")
        item.set_shared_memory("in", x.nbytes)
        wish = triton.InferRequestedOutput("y")
        wish.set_shared_memory("out", x.nbytes)
        answer = client.infer("identity_fp32", [item], outputs=[wish]).get_response()
        assert list(answer.raw_output_contents) == [b""], answer
        assert (shm.get_contents_as_numpy(outer, np.float32, [1, 16]) == x).all()
        wish.set_shared_memory("out", 8)
        fails(lambda: client.infer("identity_fp32", [item], outputs=[wish]),
              "should be at least 64 bytes", "INVALID_ARGUMENT")
        client.unregister_system_shared_memory("in")
        client.unregister_system_shared_memory("out")
    finally:
        shm.destroy_shared_memory_region(inner)
        shm.destroy_shared_memory_region(outer)


def check_settings():
    assert client.update_log_settings({"log_verbose_level": 0}).settings["log_info"].bool_param
    before = client.get_trace_settings().settings
    assert list(before["trace_level"].value) == ["OFF"], before
    client.update_trace_settings(settings={"trace_rate": "7"})
    assert list(client.get_trace_settings().settings["trace_rate"].value) == ["7"]
    client.update_trace_settings(settings={"trace_rate": None})
    assert list(client.get_trace_settings().settings["trace_rate"].value) == ["1000"]


def check_overrides():
    config = '{"backend":"onnxruntime","max_batch_size":4}'
    with open(f"{repository}/mlp/1/model.onnx", "rb") as file:
        client.load_model("mlp", config=config, files={"file:1/model.onnx": file.read()})
    assert client.get_model_config("mlp").config.max_batch_size == 4
    client.load_model("mlp")
    assert client.get_model_config("mlp").config.max_batch_size == 8


def check_pings():
    options = triton.KeepAliveOptions(keepalive_time_ms=1000, keepalive_timeout_ms=1000,
                                      keepalive_permit_without_calls=True,
                                      http2_max_pings_without_data=0)
    with triton.InferenceServerClient(address, keepalive_options=options) as pinging:
        assert pinging.is_server_live()
        import time
        time.sleep(3.5)
        assert pinging.is_server_live()


check_server()
check_health()
check_repository()
check_description()
check_numbers("mlp", 64)
check_integers()
check_types()
check_contents()
check_classification()
check_compression()
check_large()
check_mistakes()
check_statistics()
check_streaming()
check_strict_stream()
check_deadline()
asyncio.run(check_asyncio())
check_shared_memory()
check_settings()
check_overrides()
check_pings()
print("all checks passed")
