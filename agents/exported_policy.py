"""Policies exported by other libraries: modules of TorchScript and graphs of ONNX.

Both are functions from a batch of observations to actions (n,) or (n, 1), or, for actions that can
be counted, to a score for each action (n, actions), of which the largest one acts.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box

from dosuite.causal import Array, InputError
from dosuite.envs import Space, choices

from .archives import check_size

SCORES_NOTE = "the file's outputs are scores of actions; the largest one acts"
NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


@dataclass(frozen=True)
class ExportedPolicy:
    """A function from observations (n, ...) to the outputs of a file, an array of n rows."""

    outputs: Callable[[Array], Array]

    def chooser(self, actions: Space) -> Callable[[Array], Array]:
        """A function from observations to actions (n,)."""

        def choose(observations: Array) -> Array:
            rows = self.outputs(observations)
            if self._are_scores(rows, actions):
                return np.asarray(np.argmax(rows, axis=1))
            return np.asarray(rows.reshape(len(rows)) if rows.shape[1:] == (1,) else rows)

        return choose

    def note(self, observations: Array, actions: Space) -> str:
        """What the row of such a policy says about it."""
        return SCORES_NOTE if self._are_scores(self.outputs(observations), actions) else ""

    def _are_scores(self, rows: Array, actions: Space) -> bool:
        if isinstance(actions, Box) or rows.ndim != 2 or rows.shape[1] < 2:
            return False
        return rows.shape[1] == choices(actions) and bool(np.isfinite(rows).all())


def read_torchscript(path: str) -> ExportedPolicy:
    """The module in a file, on the CPU. Raises InputError if it does not load."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch advises torch.export
            jit: Any = torch.jit
            module = jit.load(path, map_location="cpu").eval()
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{path} does not load as TorchScript: {_first_line(error)}") from error

    def outputs(observations: Array) -> Array:
        is_whole = observations.dtype.kind in "biu"
        batch = torch.as_tensor(observations.astype(np.int64 if is_whole else np.float32))
        with torch.no_grad():
            return _rows(module(batch))

    return ExportedPolicy(outputs)


def read_onnx(path: str) -> ExportedPolicy:
    """The graph in a file, run by onnxruntime on the CPU.

    Raises InputError if onnxruntime is not installed, the file does not load, or its graph has not
    one input.
    """
    check_size(path)
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"{path} needs onnxruntime: pip install onnxruntime") from error
    try:
        # from bytes, so that the graph cannot name other files to read
        session = onnxruntime.InferenceSession(
            Path(path).read_bytes(), providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the errors of onnxruntime have no common class
        raise InputError(f"{path} does not load as ONNX: {_first_line(error)}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or inputs[0].type not in NUMPY_TYPES:
        raise InputError(
            f"{path} must have one input of numbers, the observations, and has "
            + ", ".join(f"{each.name} of {each.type}" for each in inputs)
        )
    name, kind = inputs[0].name, NUMPY_TYPES[inputs[0].type]
    takes_one = inputs[0].shape[:1] == [1]  # exported for a batch of one

    def outputs(observations: Array) -> Array:
        batch = observations.astype(kind)
        if not takes_one:
            return _rows(session.run(None, {name: batch})[0])
        parts = [session.run(None, {name: batch[i : i + 1]})[0] for i in range(len(batch))]
        return _rows(np.concatenate([np.atleast_1d(part) for part in parts]))

    return ExportedPolicy(outputs)


def _rows(given: Any) -> Array:
    """The first output as an array."""
    first = given[0] if isinstance(given, tuple | list) else given
    return np.asarray(first)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
