#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a scikit-learn model as native.json (docs/formats/native.md).

    from from_sklearn import convert
    json.dump(convert(model), open("models/mine/1/native.json", "w"))

Takes linear and logistic models, MLPs, trees, random forests and extra trees, alone or behind a
StandardScaler in a Pipeline. `python3 from_sklearn.py DIR` trains one of each into a model
repository, with rows and the answers that scikit-learn gives, to compare by.
"""
import json

ACTIVATIONS = {"identity": "none", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}


def convert(model):
    scaler = None
    if hasattr(model, "steps"):
        *before, (_, model) = model.steps
        for _, step in before:
            if type(step).__name__ != "StandardScaler" or scaler is not None:
                raise TypeError(f"cannot convert a step of type {type(step).__name__}")
            scaler = step
    if getattr(model, "n_outputs_", 1) != 1:
        raise TypeError("cannot convert a model of several outputs")
    body = _body(model)
    classes = hasattr(model, "classes_")
    out = {"format": "infiniedge-native/1",
           "input": {"name": "x", "features": int(model.n_features_in_)},
           "output": {"name": "probabilities" if classes else "y", "values": body.pop("values")},
           **body}
    if scaler is not None:
        n = int(model.n_features_in_)
        out["standardise"] = {"mean": _list(scaler.mean_) if scaler.with_mean else [0] * n,
                              "scale": _list(scaler.scale_) if scaler.with_std else [1] * n}
    return out


def _list(array):
    return [float(v) for v in array]


def _body(model):
    if hasattr(model, "coefs_"):
        return _mlp(model)
    if hasattr(model, "coef_"):
        return _linear(model)
    if hasattr(model, "tree_"):
        return _forest(model, [model])
    if hasattr(model, "estimators_") and type(model).__name__.startswith(("RandomForest", "ExtraTrees")):
        return _forest(model, model.estimators_)
    raise TypeError(f"cannot convert a {type(model).__name__}")


def _classifier_layer(weights, bias, activation):
    """Two classes come as one output: the other's score is its negative."""
    if activation == "sigmoid" and len(weights) == 1:
        weights, bias = [[0.0] * len(weights[0]), weights[0]], [0.0, bias[0]]
        activation = "softmax"
    return {"weights": weights, "bias": bias, "activation": activation}


def _linear(model):
    rows = model.coef_.reshape(-1, model.n_features_in_)
    bias = [float(model.intercept_)] * len(rows) if not hasattr(model.intercept_, "__len__") \
        else _list(model.intercept_)
    activation = "none"
    if hasattr(model, "classes_"):
        if not hasattr(model, "predict_proba"):
            raise TypeError(f"a {type(model).__name__} gives no probabilities")
        activation = "sigmoid" if len(rows) == 1 else "softmax"
    layer = _classifier_layer([_list(row) for row in rows], bias, activation)
    return {"values": len(layer["bias"]), "layers": [layer]}


def _mlp(model):
    layers = []
    for i, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_)):
        last = i + 1 == len(model.coefs_)
        rows = [_list(row) for row in weights.T]
        if not last:
            layers.append({"weights": rows, "bias": _list(bias),
                           "activation": ACTIVATIONS[model.activation]})
            continue
        out = {"softmax": "softmax", "logistic": "sigmoid", "identity": "none"}
        layers.append(_classifier_layer(rows, _list(bias), out[model.out_activation_]))
    return {"values": len(layers[-1]["bias"]), "layers": layers}


def _forest(model, estimators):
    trees = [_tree(e.tree_, hasattr(model, "classes_")) for e in estimators]
    leaf = next(n for n in trees[0]["nodes"] if "value" in n)
    return {"values": len(leaf["value"]), "forest": {"combine": "mean", "trees": trees}}


def _tree(tree, classifier):
    nodes = []
    missing = getattr(tree, "missing_go_to_left", None)
    for i in range(tree.node_count):
        if tree.children_left[i] < 0:
            value = tree.value[i].reshape(-1)
            nodes.append({"value": _list(value / value.sum() if classifier else value)})
            continue
        node = {"feature": int(tree.feature[i]), "threshold": float(tree.threshold[i]),
                "left": int(tree.children_left[i]), "right": int(tree.children_right[i])}
        if missing is not None and missing[i]:
            node["missing"] = "left"
        nodes.append(node)
    return {"nodes": nodes}


def _examples():
    from sklearn import datasets, ensemble, linear_model, neural_network, pipeline, preprocessing, tree
    x, y = datasets.load_iris(return_X_y=True)
    two = y > 0
    scaled = pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    mlp = {"hidden_layer_sizes": (8, 5), "max_iter": 400, "random_state": 0}
    yield "logistic", scaled.fit(x, y), x
    yield "logistic2", linear_model.LogisticRegression(max_iter=500).fit(x, two), x
    yield "linear", linear_model.LinearRegression().fit(x[:, :3], x[:, 3]), x[:, :3]
    yield "mlp", neural_network.MLPClassifier(activation="tanh", **mlp).fit(x, y), x
    yield "mlp2", neural_network.MLPClassifier(**mlp).fit(x, two), x
    yield "mlpr", neural_network.MLPRegressor(**mlp).fit(x[:, :3], x[:, 3]), x[:, :3]
    yield "tree", tree.DecisionTreeClassifier(random_state=0).fit(x, y), x
    yield "forest", ensemble.RandomForestClassifier(20, random_state=0).fit(x, y), x
    yield "forestr", ensemble.RandomForestRegressor(20, random_state=0).fit(x[:, :3], x[:, 3]), x[:, :3]


def main(folder):
    """Writes each model with its rows and what scikit-learn answers, for a server to be asked."""
    import os
    for name, model, rows in _examples():
        expected = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)
        os.makedirs(f"{folder}/{name}/1", exist_ok=True)
        with open(f"{folder}/{name}/1/native.json", "w", encoding="utf-8") as file:
            json.dump(convert(model), file)
        with open(f"{folder}/{name}.rows.json", "w", encoding="utf-8") as file:
            json.dump({"x": rows.tolist(), "y": expected.reshape(len(rows), -1).tolist()}, file)
        print(f"wrote {name}")


if __name__ == "__main__":
    import sys
    main(sys.argv[1] if len(sys.argv) > 1 else "models")
