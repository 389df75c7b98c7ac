#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives an inference door with tritonclient and compares the answers with ONNX Runtime's own.

    oip_client.py HOST:PORT REPOSITORY
"""
import sys

import numpy as np
import onnxruntime
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, repository = sys.argv[1], sys.argv[2]
client = triton.InferenceServerClient(address)
TOLERANCE = 1e-5


def infer(model, inputs, binary, outputs=None, **options):
    sent = []
    for name, array, datatype in inputs:
        tensor = triton.InferInput(name, list(array.shape), datatype)
        tensor.set_data_from_numpy(array, binary_data=binary)
        sent.append(tensor)
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in outputs or []]
    return client.infer(model, sent, outputs=wanted or None, **options)


def fails(action, words, status=None):
    try:
        action()
    except InferenceServerException as error:
        assert words in error.message(), error.message()
        if status:
            assert error.status() == status, error.status()
        return
    raise AssertionError(f"no error that says '{words}'")


def check_server():
    assert client.is_server_live() and client.is_server_ready()
    metadata = client.get_server_metadata()
    assert metadata["name"] == "triton" and "binary_tensor_data" in metadata["extensions"]


def check_repository():
    names = {entry["name"]: entry for entry in client.get_model_repository_index()}
    assert "mlp" in names and "state" not in names["mlp"]
    for name in names:
        client.load_model(name)
        assert client.is_model_ready(name)
    client.unload_model("mlp")
    assert not client.is_model_ready("mlp")
    client.load_model("mlp")
    states = {entry["name"]: entry["state"] for entry in client.get_model_repository_index()}
    assert set(states.values()) == {"READY"}, states
    fails(lambda: client.load_model("absent"), "failed to load 'absent'", "400")


def check_description():
    metadata = client.get_model_metadata("mlp")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 64]}]
    config = client.get_model_config("mlp", "1")
    assert config["max_batch_size"] == 8 and config["input"][0]["dims"] == [64]


def check_numbers(model, width):
    reference = onnxruntime.InferenceSession(f"{repository}/{model}/1/model.onnx")
    random = np.random.default_rng(7)
    for rows in (1, 3, 8):
        x = random.standard_normal((rows, width)).astype(np.float32)
        expected = reference.run(None, {"x": x})[0]
        for binary in (True, False):
            answer = infer(model, [("x", x, "FP32")], binary, ["logits"]).as_numpy("logits")
            assert np.allclose(answer, expected, atol=TOLERANCE, rtol=TOLERANCE), model


def check_integers():
    a = np.arange(16, dtype=np.int32).reshape(1, 16)
    b = np.full((1, 16), 3, dtype=np.int32)
    for binary in (True, False):
        answer = infer("add_sub", [("INPUT0", a, "INT32"), ("INPUT1", b, "INT32")], binary,
                       ["OUTPUT1", "OUTPUT0"], request_id="42")
        assert answer.get_response()["id"] == "42"
        assert (answer.as_numpy("OUTPUT0") == a + b).all()
        assert (answer.as_numpy("OUTPUT1") == a - b).all()


def check_text():
    words = np.array([["plain", "ümläut 😀", ""]], dtype=np.object_)
    encoded = np.array([[w.encode() for w in row] for row in words], dtype=np.object_)
    for binary in (True, False):
        answer = infer("identity_string", [("x", encoded if binary else words, "BYTES")], binary,
                       ["y"]).as_numpy("y")
        text = [v.decode() if isinstance(v, bytes) else v for v in answer[0]]
        assert text == list(words[0]), text


def check_half_precision():
    tensors = [("in_fp32", np.ones((1, 2), np.float32), "FP32"),
               ("in_int64", np.array([[-2**63, 2**63 - 1]], np.int64), "INT64"),
               ("in_string", np.array([[b"a", b""]], np.object_), "BYTES"),
               ("in_bool", np.array([[True, False]]), "BOOL"),
               ("in_uint8", np.array([[0, 255]], np.uint8), "UINT8"),
               ("in_fp16", np.array([[0.5, -65504]], np.float16), "FP16")]
    answer = infer("identity_types", tensors, True)
    for name, array, _ in tensors:
        got = answer.as_numpy(name.replace("in_", "out_"))
        assert (got == array).all(), (name, got)


def check_classification():
    x = triton.InferInput("x", [1, 1], "FP32")
    x.set_data_from_numpy(np.array([[2.5]], np.float32))
    for binary in (True, False):
        wanted = [triton.InferRequestedOutput("logits", binary_data=binary, class_count=1)]
        best = client.infer("sure", [x], outputs=wanted).as_numpy("logits")
        word = best[0][0]
        assert (word.decode() if isinstance(word, bytes) else word) == "2.500000:0:on", best


def check_compression():
    x = np.zeros((8, 64), np.float32)
    for coding in ("gzip", "deflate"):
        answer = infer("mlp", [("x", x, "FP32")], True, ["logits"],
                       request_compression_algorithm=coding, response_compression_algorithm=coding)
        assert answer.as_numpy("logits").shape == (8, 10)


def check_mistakes():
    x = np.zeros((9, 64), np.float32)
    fails(lambda: infer("mlp", [("x", x, "FP32")], True), "batch-size must be <= 8 for 'mlp'", "400")
    fails(lambda: infer("mlp", [("z", x[:1], "FP32")], True), "unexpected inference input 'z'")
    fails(lambda: infer("absent", [("x", x[:1], "FP32")], True), "'absent' is not found", "404")


def check_statistics():
    before = client.get_inference_statistics("mlp", "1")["model_stats"][0]
    infer("mlp", [("x", np.zeros((4, 64), np.float32), "FP32")], True)
    after = client.get_inference_statistics("mlp")["model_stats"][0]
    assert after["inference_count"] == before["inference_count"] + 4
    assert after["execution_count"] == before["execution_count"] + 1
    counts = [after["inference_stats"][k]["count"]
              for k in ("success", "compute_input", "compute_infer", "compute_output")]
    assert len(set(counts)) == 1, counts


check_server()
check_repository()
check_description()
check_numbers("mlp", 64)
if "student" in {entry["name"] for entry in client.get_model_repository_index()}:
    check_numbers("student", 564)
    print("the appliance student agrees")
check_integers()
check_text()
check_half_precision()
check_classification()
check_compression()
check_mistakes()
check_statistics()
print("all checks passed")
