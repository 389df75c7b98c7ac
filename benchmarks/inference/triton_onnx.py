# SPDX-License-Identifier: Apache-2.0
"""Triton's Python backend over ONNX Runtime: model.py of each model."""
import json
import os
import sys

# The stub's interpreter does not look at PYTHONPATH.
sys.path[:0] = os.environ["PYTHONPATH"].split(":")

import session  # noqa: E402
import triton_python_backend_utils as triton  # noqa: E402


class TritonPythonModel:
    def initialize(self, args):
        self.model = session.make(json.loads(args["model_config"])["parameters"]["file"]["string_value"])
        self.input = self.model.get_inputs()[0].name
        self.outputs = [output.name for output in self.model.get_outputs()]

    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        feed = {self.input: triton.get_input_tensor_by_name(request, self.input).as_numpy()}
        return triton.InferenceResponse(
            [triton.Tensor(*pair) for pair in zip(self.outputs, self.model.run(None, feed))])
