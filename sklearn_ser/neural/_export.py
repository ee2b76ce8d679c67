"""Trained networks as ONNX files, for programs without Keras."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from ._base import NeuralEstimator
from ._export_steps import operations_of


def export_onnx(estimator, path):
    """Write a trained network, and the scaling before it, into one ONNX file, from frames to probabilities.

    Parameters
    ----------
    estimator : neural classifier or regressor, or Pipeline that ends in one
        Fitted. Steps before the network that are known to map each frame alone become part of the file: scikit-learn's
        linear scalers, projections and selectors, `BoundedScaler`, and scalers that clip, in `FrameWise` or not.
    path : str or PathLike
        Written whole or not at all.

    Returns
    -------
    before : Pipeline or None
        The steps that the file does not hold, because they read audio or do something else, such as quantiles or a
        function: what they make is the file's input. None if there are none.

    Raises
    ------
    TypeError
        If the estimator does not end in a network of this library.
    ImportError
        If `onnx` or `tf2onnx` is not installed (``pip install "sklearn-ser[onnx]"``).
    RuntimeError
        If Keras runs on another backend than TensorFlow.

    Notes
    -----
    The input is called "frames", float32 of shape (n_clips, n_frames, n_features), with NaN past a clip's end, as
    everywhere in this library; features, (n_clips, n_features), have one frame: ``features[:, np.newaxis]``. The
    output of a classifier is called "probabilities", (n_clips, n_classes); the labels stand in the file's metadata,
    under "classes", as JSON, and the thresholds of a classifier of several classes at a time under "thresholds". The
    output of a regressor is called "values", (n_clips, n_dimensions).

    `model_.export(path, format="onnx")` of Keras gives NaN for padded clips: it multiplies padding by zero where
    the network selects.

    Examples
    --------
    >>> from sklearn_ser import export_onnx
    >>> before = export_onnx(pipeline, "emotions.onnx")  # doctest: +SKIP
    >>> session = onnxruntime.InferenceSession("emotions.onnx")  # doctest: +SKIP
    >>> session.run(None, {"frames": before.transform(["a.wav"])})  # doctest: +SKIP
    """
    steps = list(estimator.steps) if isinstance(estimator, Pipeline) else [("network", estimator)]
    network = steps.pop()[1]
    if not isinstance(network, NeuralEstimator):
        raise TypeError(
            "export_onnx writes the networks of neural classifiers and regressors, alone or at the end of a Pipeline. "
            f"Got {type(network).__name__}."
        )
    check_is_fitted(network)
    model, n_features = network.model_, network.model_.input_shape[-1]
    operations: list = []
    while steps and (found := operations_of(steps[-1][1], n_features)) is not None:
        operations, n_features = found[0] + operations, found[1]
        steps.pop()
    about = {}
    if is_classifier(network):
        about["classes"] = [str(label) for label in network.classes_]
    if hasattr(network, "thresholds_"):
        about["thresholds"] = network.thresholds_.tolist()
    _write(model, operations, n_features, Path(path), about)
    return Pipeline(steps) if steps else None


def _write(model, operations, n_features: int, path: Path, about: dict[str, list]) -> None:
    try:
        import onnx
        import tf2onnx  # noqa: F401 which Keras uses
    except ImportError as error:
        raise ImportError('export_onnx needs onnx and tf2onnx: pip install "sklearn-ser[onnx]"') from error
    from ._keras import keras

    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"export_onnx needs Keras on TensorFlow, and this process runs it on {keras.backend.backend()}. Save the "
            "fitted estimator, and export it in a process with KERAS_BACKEND=tensorflow: the weights are the same."
        )
    frames = x = keras.Input((None, n_features), name="frames")
    for operation in operations:
        x = operation(x, keras.ops)
    output = keras.layers.Identity(name="outputs")(model(x))
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}.onnx")
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning)  # of names that NumPy has no more
            whole = keras.Model(frames, output[:, : len(about["classes"])] if "classes" in about else output)
            whole(np.zeros((1, 2, n_features), dtype=np.float32))  # Keras exports what has been called
            _register_erf()
            whole.export(unfinished, format="onnx", verbose=False)
        graph = onnx.load(unfinished)
        _select_real_frames(graph.graph, onnx)
        _rename_output(graph.graph, "probabilities" if "classes" in about else "values")
        for name, values in about.items():
            graph.metadata_props.add(key=name, value=json.dumps(values))
        onnx.checker.check_model(graph)
        onnx.save(graph, unfinished)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _register_erf() -> None:
    """Let tf2onnx write the error functions of an exact GELU by the operation Erf, which ONNX has from version 9 on."""
    from tf2onnx.handler import tf_op

    class Erf:
        @classmethod
        def version_9(cls, ctx, node, **kwargs):
            """Leave the node as it is: name, input and output are those of ONNX."""

    class Erfc:
        @classmethod
        def version_9(cls, ctx, node, **kwargs):
            """Write 1 - erf(x)."""
            shape, dtype = ctx.get_shape(node.output[0]), ctx.get_dtype(node.output[0])
            ctx.remove_node(node.name)
            erf = ctx.make_node("Erf", node.input, name=f"{node.name}_erf")
            one = ctx.make_const(f"{node.name}_one", np.ones((), dtype=np.float32))
            names = [one.output[0], erf.output[0]]
            ctx.make_node("Sub", names, name=node.name, outputs=node.output, shapes=[shape], dtypes=[dtype])

    tf_op("Erf")(Erf)
    tf_op("Erfc")(Erfc)


def _select_real_frames(graph, onnx) -> None:
    """Put zeros in place of padding before anything but the mask reads the frames: NaN times zero is NaN."""
    producer = {name: node for node in graph.node for name in node.output}
    for index, is_nan in enumerate([node for node in graph.node if node.op_type == "IsNaN"]):
        mask_nodes, frames = {id(is_nan)}, is_nan.input[0]
        while frames in producer and producer[frames].op_type in ("Slice", "Squeeze", "Reshape", "Gather", "Cast"):
            mask_nodes.add(id(producer[frames]))
            frames = producer[frames].input[0]
        names = {part: f"real_frames_{index}_{part}" for part in ("zero", "nan", "clean")}
        graph.initializer.append(onnx.helper.make_tensor(names["zero"], onnx.TensorProto.FLOAT, [], [0.0]))
        for node in graph.node:
            if id(node) not in mask_nodes:
                for place, name in enumerate(node.input):
                    if name == frames:
                        node.input[place] = names["clean"]
        after = next((i + 1 for i, node in enumerate(graph.node) if frames in node.output), 0)
        where = [names["nan"], names["zero"], frames]
        graph.node.insert(after, onnx.helper.make_node("Where", where, [names["clean"]]))
        graph.node.insert(after, onnx.helper.make_node("IsNaN", [frames], [names["nan"]]))


def _rename_output(graph, name: str) -> None:
    old = graph.output[0].name
    for node in graph.node:
        for place, output in enumerate(node.output):
            if output == old:
                node.output[place] = name
        for place, used in enumerate(node.input):
            if used == old:
                node.input[place] = name
    graph.output[0].name = name
