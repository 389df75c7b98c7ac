#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One model over the door, by tritonclient, against ONNX Runtime's own run of the same file.

    real_models.py HOST:PORT MODEL FILE
"""
import sys

import numpy as np
import onnxruntime
import tritonclient.http as triton
from tritonclient.utils import np_to_triton_dtype

address, model, file = sys.argv[1:4]
client = triton.InferenceServerClient(address)
session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
random = np.random.default_rng(20)
TOLERANCE = 1e-5


def tone(samples, rate, hertz):
    """A vowel-like sound: a tone with overtones and a little noise."""
    time = np.arange(samples) / rate
    sound = sum(np.sin(2 * np.pi * hertz * k * time) / k for k in range(1, 8))
    return (0.2 * sound + 0.01 * random.standard_normal(samples)).astype(np.float32)


def picture(rows, height, width):
    """Dark strokes on a light ground, as text is, within [-1, 1]."""
    pixels = np.ones((rows, 3, height, width), np.float32)
    for x in range(4, width - 4, 9):
        pixels[:, :, height // 4 : 3 * height // 4, x : x + 3] = -0.9
    return pixels + 0.05 * random.standard_normal(pixels.shape).astype(np.float32)


def sentences(rows, length):
    tokens = random.integers(1000, 20000, (rows, length))
    mask = np.ones_like(tokens)
    mask[0, length // 2 :] = 0
    return {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}


def voice():
    """Windows one after the other; the state goes round."""
    state = np.zeros((2, 1, 128), np.float32)
    for window in np.split(tone(576 * 6, 16000, 140), 6):
        inputs = {"input": window[None], "state": state, "sr": np.array(16000, np.int64)}
        yield inputs
        state = session.run(["stateN"], inputs)[0]


CASES = {
    "silero_vad": voice,
    "text_direction": lambda: ({"x": picture(rows, 48, 192)} for rows in (1, 4)),
    "text_detection": lambda: ({"x": picture(1, *size)} for size in ((64, 96), (160, 128))),
    "minilm": lambda: (sentences(rows, length) for rows, length in ((1, 7), (4, 24))),
}


def ask(inputs, binary):
    sent = []
    for name, array in inputs.items():
        tensor = triton.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        tensor.set_data_from_numpy(array, binary_data=binary)
        sent.append(tensor)
    wanted = [triton.InferRequestedOutput(o.name, binary_data=binary) for o in session.get_outputs()]
    return client.infer(model, sent, outputs=wanted)


compared = 0
for inputs in CASES[model]():
    expected = session.run(None, inputs)
    for binary in (True, False):
        answer = ask(inputs, binary)
        for output, values in zip(session.get_outputs(), expected):
            got = answer.as_numpy(output.name)
            assert got.shape == values.shape, (output.name, got.shape, values.shape)
            assert np.allclose(got, values, atol=TOLERANCE, rtol=TOLERANCE), (
                output.name, np.abs(got - values).max())
            compared += values.size
print(f"{model} agrees: {compared} values within {TOLERANCE}")
