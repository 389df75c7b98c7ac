#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives sequences, an ensemble and the response cache with tritonclient.

    sequence_client.py HOST:PORT
"""
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
VALUES = [11, 7, 5, 3, 2, 0, 1]


def fails(action, words, status):
    try:
        action()
    except InferenceServerException as error:
        assert words in error.message() and error.status() == status, (error.status(), str(error))
        return
    raise AssertionError(f"no error that says '{words}'")


def send(model, value, **sequence):
    tensor = triton.InferInput("INPUT", [1, 1], "INT32")
    tensor.set_data_from_numpy(np.full((1, 1), value, np.int32))
    answer = client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("OUTPUT")],
                          **sequence)
    return int(answer.as_numpy("OUTPUT")[0][0])


def check_sequences(model):
    """Two sequences, one request of each in turn; every answer is the sum so far."""
    first, second = [0] + VALUES, [100] + [-value for value in VALUES]
    sums = {1000: 0, 1001: 0}
    for count, values in enumerate(zip(first, second)):
        for sequence, value in zip(sums, values):
            sums[sequence] += value
            got = send(model, value, sequence_id=sequence, sequence_start=count == 0,
                       sequence_end=count == len(VALUES))
            assert got == sums[sequence], (model, sequence, count, got)
    fails(lambda: send(model, 1, sequence_id=1000), "must specify the START flag on the first "
          "request of the sequence", "400")
    fails(lambda: send(model, 1), "correlation ID", "400")
    config = client.get_model_config(model)
    assert config["sequence_batching"]["control_input"][0]["name"] == "START"
    inputs = client.get_model_metadata(model)["inputs"]
    assert [tensor["name"] for tensor in inputs] == ["INPUT"], inputs


def check_ensemble():
    client.load_model("doubles")  # Loads what it consists of.
    a = np.arange(16, dtype=np.int32).reshape(1, 16)
    b = np.full((1, 16), 3, np.int32)
    for binary in (True, False):
        sent = [triton.InferInput(name, [1, 16], "INT32") for name in "AB"]
        for tensor, array in zip(sent, (a, b)):
            tensor.set_data_from_numpy(array, binary_data=binary)
        answer = client.infer("doubles", sent)
        assert (answer.as_numpy("TWICE_A") == 2 * a).all()
        assert (answer.as_numpy("TWICE_B") == 2 * b).all()
    stats = {s["name"]: s for s in client.get_inference_statistics()["model_stats"]}
    assert stats["doubles"]["inference_stats"]["success"]["count"] == 2
    assert stats["add_sub"]["inference_stats"]["success"]["count"] == 4
    steps = client.get_model_config("doubles")["ensemble_scheduling"]["step"]
    assert [step["model_name"] for step in steps] == ["add_sub", "add_sub"]
    client.unload_model("add_sub")
    assert not client.is_model_ready("doubles")
    client.load_model("add_sub")
    assert client.is_model_ready("doubles")
    client.unload_model("doubles", unload_dependents=True)
    assert not client.is_model_ready("add_sub")


def check_cache():
    tensor = triton.InferInput("x", [1, 2], "FP32")
    tensor.set_data_from_numpy(np.array([[1, 2]], np.float32))
    for _ in range(3):
        assert client.infer("linear", [tensor]).as_numpy("y")[0][0] == 8
    stats = client.get_inference_statistics("linear")["model_stats"][0]
    counts = {k: v["count"] for k, v in stats["inference_stats"].items()}
    assert (counts["success"], counts["cache_hit"], counts["cache_miss"]) == (3, 2, 1), counts
    assert stats["execution_count"] == 1 and counts["compute_infer"] == 1


assert "sequence" in client.get_server_metadata()["extensions"]
for name in ("simple_sequence", "oldest_sequence"):
    client.load_model(name)
    check_sequences(name)
check_ensemble()
client.load_model("linear")
check_cache()
print("all checks passed")
