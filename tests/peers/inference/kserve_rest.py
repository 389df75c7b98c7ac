#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""KServe's REST client, with protocol v2, against the HTTP door.

    kserve_rest.py BINARY [REPORT_FOLDER]
"""
import asyncio
import sys

import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

from serving import Report, serving

report = Report("kserve 0.21.0, REST")


def add_sub(**options):
    inputs = []
    for name, array in (("INPUT0", np.arange(16)), ("INPUT1", np.ones(16))):
        tensor = InferInput(name, [1, 16], "INT32")
        tensor.set_data_from_numpy(array.astype(np.int32).reshape(1, 16), binary_data=options["binary"])
        inputs.append(tensor)
    wanted = [RequestedOutput(name, {"binary_data": options["binary"]})
              for name in ("OUTPUT0", "OUTPUT1")]
    return InferRequest(model_name="add_sub", infer_inputs=inputs, request_outputs=wanted,
                        request_id="7")


def check(response):
    assert response.model_name == "add_sub" and response.id == "7", response
    outputs = {output.name: output.as_numpy() for output in response.outputs}
    assert (outputs["OUTPUT0"] == np.arange(16) + 1).all()
    assert (outputs["OUTPUT1"] == np.arange(16) - 1).all()


async def run(node):
    client = InferenceRESTClient(RESTConfig(protocol="v2", retries=0))
    assert await client.is_server_live(node.url) is True
    assert await client.is_server_ready(node.url) is True
    assert await client.is_model_ready(node.url, "add_sub") is True
    assert await client.is_model_ready(node.url, "absent") is False
    for binary in (False, True):
        check(await client.infer(node.url, add_sub(binary=binary), model_name="add_sub"))
        print("ok infer, binary" if binary else "ok infer, JSON")
    report.did("is_server_live", "is_server_ready", "is_model_ready", "infer (JSON)",
               "infer (binary)")
    token = {"Authorization": f"Bearer {node.token}"}
    check(await client.infer(node.url, add_sub(binary=False), model_name="add_sub", headers=token))
    report.did("infer (Authorization header)")
    await client.close()


if __name__ == "__main__":
    with serving(sys.argv[1], {"add_sub": "add_sub"}) as server:
        asyncio.run(run(server))
    report.write()
