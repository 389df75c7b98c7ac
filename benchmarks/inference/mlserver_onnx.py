# SPDX-License-Identifier: Apache-2.0
"""MLServer's custom runtime over ONNX Runtime: as little as its guide allows."""
import asyncio

from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse

import session


class OnnxModel(MLModel):
    async def load(self):
        self.model = session.make(self.settings.parameters.uri)
        self.names = [output.name for output in self.model.get_outputs()]
        # Handing an execution to a thread costs more than a tiny model, and gives a large one both
        # cores.
        self.aside = self.settings.parameters.extra["aside"]
        return True

    async def predict(self, payload):
        feed = {tensor.name: NumpyCodec.decode_input(tensor) for tensor in payload.inputs}
        if self.aside:
            results = await asyncio.to_thread(self.model.run, None, feed)
        else:
            results = self.model.run(None, feed)
        return InferenceResponse(
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(*pair) for pair in zip(self.names, results)])
