# SPDX-License-Identifier: Apache-2.0
"""The session of every server here but ours: one thread an execution, as ours has it."""
import onnxruntime


def make(file):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
