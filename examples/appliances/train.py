# SPDX-License-Identifier: Apache-2.0
"""Trains the student and the teacher of the appliance demonstration.

    python train.py PATH_TO_PLAID [--out DIR]

Only PLAID_TRAIN.ts takes part in fitting, choice, calibration and the choice of the threshold;
PLAID_TEST.ts is read at the very end, once, to measure.
"""

import argparse
import itertools
import json
import os
import pathlib
import time

# One thread: the sums inside BLAS then have one order, and the files come out the same each time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

import features

CLASSES = 11
FOLDS = 10
ESCALATION_TARGET = 0.28

ONSET = (3, 3 + features.ONSET_POINTS)
ENVELOPE = (ONSET[1], ONSET[1] + features.ENVELOPE_SEGMENTS)
SPECTRUM = (ENVELOPE[1], ENVELOPE[1] + features.SPECTRUM_BANDS)
QUANTILES = (SPECTRUM[1], features.ROW_WIDTH)


def load_ts(path):
    waves, labels, in_data = [], [], False
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        line = line.strip()
        if not in_data:
            in_data = line.lower() == "@data"
        elif line:
            values, label = line.rsplit(":", 1)
            waves.append(np.array([float(v) for v in values.split(",")]))
            labels.append(int(label))
    return waves, np.array(labels)


def rows(waves):
    return np.array([features.feature_row(w) for w in waves], dtype=np.float32)


def augmented(w, rng):
    """The same appliance seen by another plug: other trigger moment, length, scale and noise."""
    w = w.copy()

    def onset():
        return int(np.argmax(np.abs(w) >= features.ONSET_LEVEL * np.max(np.abs(w))))

    start = onset()
    if start > 4 and rng.random() < 0.5:
        if rng.random() < 0.5:
            w = w[rng.integers(0, start) :]
        else:
            w = np.concatenate([rng.choice(w[:start], rng.integers(1, 60)), w])
    start = onset()
    rest = len(w) - start
    if rest > 120 and rng.random() < 0.5:
        w = w[: start + rng.integers(max(100, int(0.6 * rest)), rest + 1)]
    return w * 10 ** rng.normal(0, 0.1) * (1 + rng.normal(0, 0.01, len(w)))


class Graph:
    """Just enough of a builder to write a model node by node."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def op(self, kind, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        inputs = [i if isinstance(i, str) else self.constant(i) for i in inputs]
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def columns(self, x, span):
        i64 = lambda v: np.array([v], dtype=np.int64)
        return self.op("Slice", x, i64(span[0]), i64(span[1]), i64(1))

    def log_abs(self, x, floor):
        return self.op("Log", self.op("Add", self.op("Abs", x), np.float32(floor)))

    def model(self, result, output, width, doc):
        self.nodes.append(helper.make_node("Identity", [result], [output]))
        graph = helper.make_graph(
            self.nodes,
            "appliance",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", features.ROW_WIDTH])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", width])],
            self.constants,
        )
        m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        m.ir_version = 8
        m.producer_name = "infiniedge-appliances"
        m.doc_string = doc
        onnx.checker.check_model(m, full_check=True)
        return m


def session(model):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def run(model, x, batch=32):
    s = session(model)
    starts = range(0, len(x), batch)
    return np.concatenate([s.run(None, {"x": x[i : i + batch]})[0] for i in starts])


def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def temperature(logits, labels):
    """The factor on held-out logits that makes the held-out labels most likely."""
    factors = np.geomspace(0.1, 40, 400)
    loss = [-log_softmax(logits * f)[np.arange(len(labels)), labels].mean() for f in factors]
    return factors[int(np.argmin(loss))]


def folds(labels):
    return StratifiedKFold(FOLDS, shuffle=True, random_state=1).split(labels, labels)


# --- Teacher: MiniRocket's convolutions over three views of the onset, and a ridge classifier. ---

DILATIONS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
BIASES = 4
# Logarithms of the current show the ripple and the idle part that a linear view hides; each floor
# decides how much of the noise remains. None is the linear view.
VIEWS = (1e-3, 1e-2, 1e-4, None)
KERNELS = np.array(
    [[2 if i in c else -1 for i in range(9)] for c in itertools.combinations(range(9), 3)],
    dtype=np.float32,
)


def view(onset, floor):
    if floor is None:
        return onset
    # Starting from zero makes the padding of the convolution look like silence.
    return (np.log(np.abs(onset) + np.float32(floor)) - np.log(floor)).astype(np.float32)


def convolve(signal, dilation):
    length = signal.shape[1]
    padded = np.pad(signal, ((0, 0), (4 * dilation, 4 * dilation)))
    taps = np.stack([padded[:, i * dilation : i * dilation + length] for i in range(9)], 1)
    return np.matmul(KERNELS[None], taps)


def fit_biases(x, rng):
    """For each kernel, quantiles of its answer to recordings drawn from the training rows."""
    onset = x[:, ONSET[0] : ONSET[1]]
    present = np.cumsum(np.abs(onset)[:, ::-1], 1)[:, ::-1] > 0
    result = []
    for floor in VIEWS:
        for dilation in DILATIONS:
            answer = convolve(view(onset, floor), dilation)
            biases = np.empty((len(KERNELS), BIASES), dtype=np.float32)
            for k, b in np.ndindex(biases.shape):
                i = rng.integers(len(x))
                biases[k, b] = np.quantile(answer[i, k][present[i]], rng.uniform(0.05, 0.95))
            result.append(biases)
    return result


def teacher_body(g, biases):
    onset = g.columns("x", ONSET)
    # Samples after the end of a recording are zeros and must not count.
    axis = np.array(1, dtype=np.int64)
    after = g.op("CumSum", g.op("Abs", onset), axis, reverse=1)
    present = g.op("Cast", g.op("Greater", after, np.float32(0)), to=TensorProto.FLOAT)
    i64 = lambda *v: np.array(v, dtype=np.int64)
    count = g.op("Max", g.op("ReduceSum", present, i64(1), keepdims=1), np.float32(1))
    weight = g.op("Unsqueeze", g.op("Div", present, count), i64(2))
    parts, biases = [], iter(biases)
    kernels = g.constant(KERNELS[:, None, :])
    for floor in VIEWS:
        signal = onset
        if floor is not None:
            signal = g.op("Sub", g.log_abs(onset, floor), np.float32(np.log(floor)))
        signal = g.op("Unsqueeze", signal, i64(1))
        for d in DILATIONS:
            answer = g.op("Conv", signal, kernels, dilations=[d], pads=[4 * d, 4 * d])
            lifted = g.op("Unsqueeze", answer, i64(2))
            above = g.op("Greater", lifted, next(biases)[:, :, None])
            above = g.op("Cast", above, to=TensorProto.FLOAT)
            above = g.op("Reshape", above, i64(0, len(KERNELS) * BIASES, features.ONSET_POINTS))
            share = g.op("MatMul", above, weight)
            parts.append(g.op("Squeeze", share, i64(2)))
    parts.append(summary(g))
    return g.op("Concat", *parts, axis=1)


def summary(g):
    """The scalars, independent of the recording's scale but for the logarithm of its rms."""
    rms = g.columns("x", (0, 1))
    peak = g.op("Add", g.columns("x", (1, 2)), np.float32(1e-12))
    mean = g.columns("x", (2, 3))
    rest = g.columns("x", (ENVELOPE[0], features.ROW_WIDTH))
    log_rms = g.log_abs(rms, 1e-7)
    return g.op("Concat", log_rms, g.op("Div", rms, peak), g.op("Div", mean, peak), rest, axis=1)


def teacher_features(biases, width_rows):
    g = Graph()
    width = len(VIEWS) * len(DILATIONS) * len(KERNELS) * BIASES + 3 + features.ROW_WIDTH - ONSET[1]
    return run(g.model(teacher_body(g, biases), "features", width, ""), width_rows)


# Fewest held-out errors in cross-validation among 10 … 10000.
RIDGE = 300.0


def fit_ridge(f, labels):
    scaler = StandardScaler().fit(f)
    # A column that hardly moves in training must not explode on a strange recording.
    scale = np.maximum(scaler.scale_, 1e-3)
    ridge = RidgeClassifier(alpha=RIDGE).fit((f - scaler.mean_) / scale, labels)
    weights = (ridge.coef_ / scale).T
    return weights, ridge.intercept_ - scaler.mean_ @ weights


def train_teacher(x, labels):
    held_out = np.zeros((len(x), CLASSES))
    for fold, (fit, rest) in enumerate(folds(labels)):
        biases = fit_biases(x[fit], np.random.default_rng(100 + fold))
        f = teacher_features(biases, x)
        weights, offset = fit_ridge(f[fit], labels[fit])
        held_out[rest] = f[rest] @ weights + offset
    factor = temperature(held_out, labels)
    biases = fit_biases(x, np.random.default_rng(100))
    weights, offset = fit_ridge(teacher_features(biases, x), labels)
    g = Graph()
    scaled = [np.float32(v * factor) for v in (weights, offset)]
    logits = g.op("Gemm", teacher_body(g, biases), *scaled)
    doc = "Appliance teacher: MiniRocket features of wave_onset, ridge classifier, calibrated."
    return g.model(logits, "logits", CLASSES, doc), held_out * factor


# --- Student: a perceptron with one hidden layer. ---

HIDDEN = 96
POOL = 8
COPIES = 10
EPOCHS = 120
BATCH = 64
STUDENT_FLOOR = 1e-2


def student_body(g):
    onset = g.log_abs(g.columns("x", ONSET), STUDENT_FLOOR)
    i64 = lambda *v: np.array(v, dtype=np.int64)
    groups = g.op("Reshape", onset, i64(0, features.ONSET_POINTS // POOL, POOL))
    pooled = g.op("ReduceMean", groups, axes=[2], keepdims=0)
    envelope = g.log_abs(g.columns("x", ENVELOPE), STUDENT_FLOOR)
    quantiles = g.log_abs(g.columns("x", QUANTILES), STUDENT_FLOOR)
    return g.op("Concat", summary(g), pooled, envelope, quantiles, axis=1)


def student_width():
    return (
        3
        + (features.ROW_WIDTH - ENVELOPE[0])
        + features.ONSET_POINTS // POOL
        + features.ENVELOPE_SEGMENTS
        + features.QUANTILES
    )


def fit_perceptron(copies, labels, seed):
    """AdamW with a cosine schedule; copies is [augmentation, recording, column]."""
    rng = np.random.default_rng(seed)
    count, n, width = copies.shape
    f32 = np.float32
    w = [
        rng.normal(0, np.sqrt(2 / width), (width, HIDDEN)).astype(f32),
        np.zeros(HIDDEN, f32),
        rng.normal(0, np.sqrt(1 / HIDDEN), (HIDDEN, CLASSES)).astype(f32),
        np.zeros(CLASSES, f32),
    ]
    first, second = [0 * v for v in w], [0 * v for v in w]
    targets = np.eye(CLASSES, dtype=f32)[labels] * f32(0.98) + f32(0.02 / CLASSES)
    steps = EPOCHS * count * n // BATCH // 4
    for i in range(1, steps + 1):
        pick = rng.integers(0, n, BATCH)
        x = copies[rng.integers(0, count, BATCH), pick]
        x = x + f32(0.1) * rng.standard_normal(x.shape, dtype=f32)
        h = x @ w[0] + w[1]
        keep = (h > 0) * (rng.random(h.shape, dtype=f32) > 0.3) / f32(0.7)
        h = h * keep
        error = (np.exp(log_softmax(h @ w[2] + w[3])) - targets[pick]) / f32(BATCH)
        back = (error @ w[2].T) * keep
        gradients = [x.T @ back, back.sum(0), h.T @ error, error.sum(0)]
        rate = 2e-3 * min(1, i / 100) * 0.5 * (1 + np.cos(np.pi * i / steps))
        for j, gradient in enumerate(gradients):
            first[j] = 0.9 * first[j] + 0.1 * gradient
            second[j] = 0.99 * second[j] + 0.01 * gradient**2
            step = first[j] / (1 - 0.9**i) / (np.sqrt(second[j] / (1 - 0.99**i)) + 1e-8)
            decay = 0.01 * w[j] if w[j].ndim == 2 else 0
            w[j] = (w[j] - f32(rate) * (step + decay)).astype(f32)
    return w


def fit_student(copies, labels, seed):
    mean = copies.mean((0, 1))
    scale = copies.std((0, 1)) + 1e-3
    w = fit_perceptron(((copies - mean) / scale).astype(np.float32), labels, seed)
    first = w[0] / scale[:, None]
    return first, w[1] - mean @ first, w[2], w[3]


def train_student(waves, x, labels):
    rng = np.random.default_rng(7)
    copies = [x] + [rows([augmented(w, rng) for w in waves]) for _ in range(COPIES)]
    g = Graph()
    body = g.model(student_body(g), "features", student_width(), "")
    f = np.stack([run(body, c) for c in copies])
    held_out = np.zeros((len(x), CLASSES))
    for fold, (fit, rest) in enumerate(folds(labels)):
        a, b, c, d = fit_student(f[:, fit], labels[fit], fold)
        held_out[rest] = np.maximum(f[0, rest] @ a + b, 0) @ c + d
    factor = temperature(held_out, labels)
    a, b, c, d = (np.float32(v) for v in fit_student(f, labels, 0))
    g = Graph()
    hidden = g.op("Relu", g.op("Gemm", student_body(g), a, b))
    logits = g.op("Gemm", hidden, np.float32(c * factor), np.float32(d * factor))
    doc = "Appliance student: one hidden layer over the feature row, calibrated."
    return g.model(logits, "logits", CLASSES, doc), held_out * factor


# --- Measuring. ---


def accuracy(logits, labels):
    return float(np.mean(logits.argmax(1) == labels))


def calibration_error(logits, labels, bins=10):
    confidence = np.exp(log_softmax(logits)).max(1)
    right = logits.argmax(1) == labels
    at = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs(np.sum(right[at == b]) - np.sum(confidence[at == b])) for b in range(bins)]
    return float(sum(gaps) / len(labels))


def cascade(student, teacher, labels, thresholds):
    confidence = np.exp(log_softmax(student)).max(1)
    table = []
    for t in thresholds:
        edge = confidence >= t
        right = np.where(edge, student.argmax(1), teacher.argmax(1)) == labels
        table.append(
            {
                "threshold": float(t),
                "escalated": float(np.mean(~edge)),
                "accuracy_edge": float(np.mean(right[edge])) if edge.any() else None,
                "accuracy_all": float(np.mean(right)),
            }
        )
    return table


def latency_us(model, x, repeats):
    s = session(model)
    one = x[:1]
    for _ in range(repeats // 10):
        s.run(None, {"x": one})
    times = []
    for _ in range(repeats):
        begin = time.perf_counter_ns()
        s.run(None, {"x": one})
        times.append((time.perf_counter_ns() - begin) / 1000)
    return {f"p{p}": round(float(np.percentile(times, p)), 1) for p in (50, 99)}


def lcg_noise(n, seed):
    """x <- 1664525 x + 1013904223 mod 2^32; sample = x / 2^31 - 1, rounded to single precision."""
    state, out = seed, []
    for _ in range(n):
        state = (1664525 * state + 1013904223) % 2**32
        out.append(state / 2**31 - 1)
    return np.array(out, dtype=np.float32)


def synthetic_waves():
    """Cases for the C++ implementation; none of them comes from PLAID."""
    i = np.arange(300)
    sine = np.where(i < 50, 0.0, 4.0 * np.sin(2 * np.pi * (i - 50 + 0.5) / 20.0))
    decay = np.where(i[:200] < 30, 0.001, 1.0 + 5.0 * np.exp(-(i[:200] - 30) / 25.0))
    return {
        "silence": np.zeros(64, np.float32),
        "one sample": np.array([2.5], np.float32),
        "ramp of seven": np.arange(-3, 4).astype(np.float32),
        "late sine": sine.astype(np.float32),
        "inrush": decay.astype(np.float32),
        "noise": lcg_noise(1344, 42),
    }


def golden(student, teacher):
    cases = []
    for name, wave in synthetic_waves().items():
        x = features.feature_row(wave)[None]
        cases.append(
            {
                "name": name,
                "wave": [float(v) for v in wave],
                "x": [float(v) for v in x[0]],
                "student": [float(v) for v in run(student, x)[0]],
                "teacher": [float(v) for v in run(teacher, x)[0]],
            }
        )
    return {"expression": features.EXPRESSION, "width": features.ROW_WIDTH, "cases": cases}


def report(logits, labels):
    return {
        "accuracy": accuracy(logits, labels),
        "calibration_error": calibration_error(logits, labels),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("plaid", type=pathlib.Path, help="folder of PLAID_TRAIN.ts, PLAID_TEST.ts")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent)
    arguments = parser.parse_args()

    waves, labels = load_ts(arguments.plaid / "PLAID_TRAIN.ts")
    x = rows(waves)
    teacher, teacher_held_out = train_teacher(x, labels)
    student, student_held_out = train_student(waves, x, labels)
    result = {
        "width": features.ROW_WIDTH,
        "expression": features.EXPRESSION,
        "cross_validation": {
            "student": report(student_held_out, labels),
            "teacher": report(teacher_held_out, labels),
        },
    }
    # The threshold is part of what is trained, so it comes from the held-out folds, not the test.
    confidence = np.exp(log_softmax(student_held_out)).max(1)
    threshold = round(float(np.quantile(confidence, ESCALATION_TARGET)), 2)
    print(json.dumps(result, indent=2), "threshold", threshold, flush=True)

    for name, model in (("student", student), ("teacher", teacher)):
        onnx.save(model, arguments.out / f"{name}.onnx")

    test_waves, test_labels = load_ts(arguments.plaid / "PLAID_TEST.ts")
    tx = rows(test_waves)
    s, t = run(student, tx), run(teacher, tx)
    for model, batched in ((student, s), (teacher, t)):
        assert np.allclose(run(model, tx[:40], batch=1), batched[:40], atol=1e-3)
    result["threshold"] = threshold
    result["test"] = {
        "student": report(s, test_labels),
        "teacher": report(t, test_labels),
        "cascade": cascade(s, t, test_labels, [threshold, 0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01]),
    }
    models = {"student": student, "teacher": teacher}
    result["bytes"] = {n: (arguments.out / f"{n}.onnx").stat().st_size for n in models}
    result["latency_us"] = {n: latency_us(m, tx, 2000) for n, m in models.items()}
    (arguments.out / "metrics.json").write_text(json.dumps(result, indent=2) + "\n")
    cases = json.dumps(golden(student, teacher), indent=1)
    (arguments.out / "golden.json").write_text(cases + "\n")
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
