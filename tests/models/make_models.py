#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tiny models that the tests load. Run by hand with onnx 1.23; the files are committed.

    python3 tests/models/make_models.py
"""
import json
import os

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, nodes, inputs, outputs, initializers=(), check=True):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8,
                         producer_name="infiniedge-tests")
    if check:
        onnx.checker.check_model(model)
    onnx.save(model, os.path.join(HERE, name + ".onnx"))


def tensor(name, kind, shape):
    return h.make_tensor_value_info(name, kind, shape)


def identity():
    kinds = {"fp32": T.FLOAT, "int64": T.INT64, "string": T.STRING, "bool": T.BOOL,
             "uint8": T.UINT8, "fp16": T.FLOAT16}
    nodes, ins, outs = [], [], []
    for name, kind in kinds.items():
        nodes.append(h.make_node("Identity", ["in_" + name], ["out_" + name]))
        ins.append(tensor("in_" + name, kind, ["n", "m"]))
        outs.append(tensor("out_" + name, kind, ["n", "m"]))
    save("identity_types", nodes, ins, outs)
    for name, kind in {"fp32": T.FLOAT, "string": T.STRING, "int8": T.INT8, "uint64": T.UINT64}.items():
        save("identity_" + name, [h.make_node("Identity", ["x"], ["y"])],
             [tensor("x", kind, ["n", "m"])], [tensor("y", kind, ["n", "m"])])


def add():
    nodes = [h.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
             h.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"])]
    save("add_sub", nodes, [tensor(n, T.INT32, ["n", 16]) for n in ("INPUT0", "INPUT1")],
         [tensor(n, T.INT32, ["n", 16]) for n in ("OUTPUT0", "OUTPUT1")])


def static_add():
    one = numpy_helper.from_array(np.array([1, 2, 3], dtype=np.float32), "one")
    save("static_add", [h.make_node("Add", ["x", "one"], ["y"])], [tensor("x", T.FLOAT, [1, 3])],
         [tensor("y", T.FLOAT, [1, 3])], [one])


def declared_wrong():
    """Says that its output is one row, and gives as many as come in."""
    two = numpy_helper.from_array(np.array([-1, 2], dtype=np.int64), "two")
    save("declared_wrong", [h.make_node("Reshape", ["x", "two"], ["y"])],
         [tensor("x", T.FLOAT, ["n", 2])], [tensor("y", T.FLOAT, [1, 2])], [two])


def mlp(name, width, hidden, classes, seed, scale=1.0):
    r = np.random.default_rng(seed)
    w1 = (r.standard_normal((width, hidden)) * scale / np.sqrt(width)).astype(np.float32)
    w2 = (r.standard_normal((hidden, classes)) * scale / np.sqrt(hidden)).astype(np.float32)
    inits = [numpy_helper.from_array(w1, "w1"), numpy_helper.from_array(w2, "w2"),
             numpy_helper.from_array(np.zeros(hidden, np.float32), "b1"),
             numpy_helper.from_array(np.zeros(classes, np.float32), "b2")]
    nodes = [h.make_node("Gemm", ["x", "w1", "b1"], ["h"]), h.make_node("Relu", ["h"], ["a"]),
             h.make_node("Gemm", ["a", "w2", "b2"], ["logits"])]
    save(name, nodes, [tensor("x", T.FLOAT, ["batch", width])],
         [tensor("logits", T.FLOAT, ["batch", classes])], inits)
    native(name, width, classes, [(w1, "relu"), (w2, "none")])


def native(name, width, classes, layers):
    """The same network for the native backend: one row of weights for each output."""
    model = {"format": "infiniedge-native/1", "input": {"name": "x", "features": width},
             "output": {"name": "logits", "values": classes},
             "layers": [{"activation": activation,
                         "weights": [[float(str(v)) for v in row] for row in weights.T]}
                        for weights, activation in layers]}
    with open(os.path.join(HERE, name + ".native.json"), "w", encoding="utf-8") as file:
        json.dump(model, file, separators=(",", ":"))
        file.write("\n")


def regression():
    w = numpy_helper.from_array(np.array([[2.0], [3.0]], np.float32), "w")
    save("linear", [h.make_node("MatMul", ["x", "w"], ["y"])], [tensor("x", T.FLOAT, ["n", 2])],
         [tensor("y", T.FLOAT, ["n", 1])], [w])


def sure():
    """Two classes, logits (x, 0): the score is sigmoid(|x|), so a test picks how sure it is."""
    w = numpy_helper.from_array(np.array([[1.0, 0.0]], np.float32), "w")
    save("sure", [h.make_node("MatMul", ["x", "w"], ["logits"])], [tensor("x", T.FLOAT, ["n", 1])],
         [tensor("logits", T.FLOAT, ["n", 2])], [w])


def opposite():
    """The teacher of `sure`: always the other class, as probabilities."""
    w = numpy_helper.from_array(np.array([[-10.0, 0.0]], np.float32), "w")
    nodes = [h.make_node("MatMul", ["x", "w"], ["z"]), h.make_node("Softmax", ["z"], ["probabilities"])]
    save("opposite", nodes, [tensor("x", T.FLOAT, ["n", 1])],
         [tensor("probabilities", T.FLOAT, ["n", 2])], [w])


identity()
add()
static_add()
declared_wrong()
mlp("mlp", 64, 32, 10, 1)
regression()
sure()
opposite()


def slow():
    """A loop of 20,000 matrix products: long enough to be cancelled, small enough to commit."""
    w = numpy_helper.from_array((np.eye(256) * 0.999).astype(np.float32), "w")
    trips = numpy_helper.from_array(np.array(20000, np.int64), "trips")
    go = numpy_helper.from_array(np.array(True), "go")
    body = h.make_graph(
        [h.make_node("Identity", ["cond"], ["cond_out"]), h.make_node("MatMul", ["v", "w"], ["v_out"])],
        "body", [tensor("i", T.INT64, []), tensor("cond", T.BOOL, []), tensor("v", T.FLOAT, ["a", "b"])],
        [tensor("cond_out", T.BOOL, []), tensor("v_out", T.FLOAT, ["a", "b"])])
    zero = numpy_helper.from_array(np.array([0.999], np.float32), "c")
    del w
    eye = [h.make_node("EyeLike", ["sq"], ["eye"], dtype=T.FLOAT),
           h.make_node("Mul", ["eye", "c"], ["w"])]
    shape = numpy_helper.from_array(np.array([256, 256], np.int64), "dims")
    nodes = [h.make_node("ConstantOfShape", ["dims"], ["sq"])] + eye
    nodes.append(h.make_node("Loop", ["trips", "go", "x"], ["y"], body=body))
    save("slow", nodes, [tensor("x", T.FLOAT, ["n", 256])], [tensor("y", T.FLOAT, ["n", 256])],
         [trips, go, zero, shape])


slow()


def fragile():
    """`linear` with a fault: it fails for a row whose first value is 4 or more."""
    w = numpy_helper.from_array(np.array([[2.0], [3.0]], np.float32), "w")
    table = numpy_helper.from_array(np.zeros((4, 1), np.float32), "table")
    column = numpy_helper.from_array(np.array(0, np.int64), "column")
    nodes = [h.make_node("Gather", ["x", "column"], ["first"], axis=1),
             h.make_node("Cast", ["first"], ["index"], to=T.INT64),
             h.make_node("Gather", ["table", "index"], ["zeros"], axis=0),
             h.make_node("MatMul", ["x", "w"], ["z"]), h.make_node("Add", ["z", "zeros"], ["y"])]
    save("fragile", nodes, [tensor("x", T.FLOAT, ["n", 2])], [tensor("y", T.FLOAT, ["n", 1])],
         [w, table, column])


def unknown_operator():
    save("unknown_operator", [h.make_node("NoSuchOperator", ["x"], ["y"])],
         [tensor("x", T.FLOAT, ["n", 2])], [tensor("y", T.FLOAT, ["n", 1])], check=False)


fragile()
unknown_operator()


def accumulator():
    """Sums the INPUTs of a sequence. SEEN tells what the model was fed: START, READY, END, CORRID,
    and of its batch the ready rows and all rows."""
    one = numpy_helper.from_array(np.array(1, np.int32), "one")
    axes = numpy_helper.from_array(np.array([0], np.int64), "axes")
    nodes = [h.make_node("Sub", ["one", "START"], ["goes_on"]),
             h.make_node("Mul", ["SUM_IN", "goes_on"], ["before"]),
             h.make_node("Mul", ["INPUT", "READY"], ["given"]),
             h.make_node("Add", ["before", "given"], ["sum"]),
             h.make_node("Identity", ["sum"], ["OUTPUT"]),
             h.make_node("Identity", ["sum"], ["SUM_OUT"]),
             h.make_node("ReduceSum", ["READY", "axes"], ["ready"], keepdims=1),
             h.make_node("Sub", ["READY", "READY"], ["none"]),
             h.make_node("Add", ["none", "one"], ["each"]),
             h.make_node("ReduceSum", ["each", "axes"], ["rows"], keepdims=1),
             h.make_node("Mul", ["each", "ready"], ["ready_rows"]),
             h.make_node("Mul", ["each", "rows"], ["all_rows"])]
    seen = ["START", "READY", "END", "ready_rows", "all_rows"]
    nodes += [h.make_node("Cast", [name], [name + "_64"], to=T.INT64) for name in seen]
    nodes.append(h.make_node("Cast", ["CORRID"], ["CORRID_64"], to=T.INT64))
    columns = ["START_64", "READY_64", "END_64", "CORRID_64", "ready_rows_64", "all_rows_64"]
    nodes.append(h.make_node("Concat", columns, ["SEEN"], axis=1))
    ints = [tensor(n, T.INT32, ["n", 1]) for n in ("INPUT", "SUM_IN", "START", "READY", "END")]
    save("accumulator", nodes, ints + [tensor("CORRID", T.UINT64, ["n", 1])],
         [tensor("OUTPUT", T.INT32, ["n", 1]), tensor("SUM_OUT", T.INT32, ["n", 1]),
          tensor("SEEN", T.INT64, ["n", 6])], [one, axes])


def history():
    """Keeps every x of a sequence behind what it starts from, and gives the sum."""
    axes = numpy_helper.from_array(np.array([1], np.int64), "axes")
    nodes = [h.make_node("Concat", ["past", "x"], ["past_and_x"], axis=1),
             h.make_node("ReduceSum", ["past_and_x", "axes"], ["sum"], keepdims=1)]
    save("history", nodes, [tensor("x", T.FLOAT, ["n", 1]), tensor("past", T.FLOAT, ["n", "t"])],
         [tensor("sum", T.FLOAT, ["n", 1]), tensor("past_and_x", T.FLOAT, ["n", "u"])], [axes])


accumulator()
history()


def echo_text():
    """The tensors that generate names."""
    save("echo_text", [h.make_node("Identity", ["text_input"], ["text_output"])],
         [tensor("text_input", T.STRING, ["n", 1])], [tensor("text_output", T.STRING, ["n", 1])])


echo_text()
