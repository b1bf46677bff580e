"""Collecting a log: the behaviour policy acts, an experimenter, or each in some of the episodes."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
from gymnasium.spaces import Discrete

from dosuite.causal import (
    SCM,
    Array,
    Categorical,
    Columns,
    Distribution,
    InputError,
    NotDiscreteError,
    Uniform,
    behaviour_policy,
    uniform_policy,
)
from dosuite.causal.counts import memory, whole_number
from dosuite.causal.errors import did_you_mean
from dosuite.causal.model import noise
from dosuite.causal.model.scm import check_model

from ..observations import view_of
from ..regimes import Regime
from ..registry import recorded_origin
from ..spaces import action_space, all_observations, choices, context_space, encode, positions
from .arrow_file import writing
from .growing_columns import Spool
from .latents import latents_path
from .log import Log

# of the episodes of a log, those in which the experimenter acts
SHARES = {regime.value: regime.share for regime in Regime if regime.share is not None}
CONTEXT = "context"  # the column of contexts as they are, while rows are recorded
ROWS = 2**17  # that are simulated at a time, few enough to stay in the processor's cache


def collect(
    model: SCM,
    episodes: int,
    seed: int,
    regime: str = "observe",
    share: float | None = None,
    origin: Mapping[str, Any] | None = None,
    path: str | Path | None = None,
) -> Log:
    """Record `episodes` episodes of a model. Equal seeds give equal logs.

    The regime says who acts: the behaviour policy ("observe"), an experimenter ("intervene"), or
    the experimenter in a random `share` of the episodes, by default one half ("mixed"). The
    experimenter draws actions uniformly; a continuous action uniformly within its bounds.

    The log's origin names the world, unless the model was edited, and has the entries of `origin`.
    With a `path` the log is written there, and its latents to `latents_path(path)`, piece by piece;
    it may be larger than memory and is returned mapped. Raises InputError at a bad argument, and if
    a file cannot be written; then all files are as before.
    """
    check_model(model)
    _check_seed(seed)
    episodes = whole_number("episodes", episodes)
    share = _checked_share(episodes, seed, regime, share)
    about: dict[str, Any] = {} if model.edits else dict(recorded_origin(model))
    about |= origin or {}
    about |= {
        "regime": regime,
        "share": share,
        "seed": int(seed),
        "episodes": episodes,
        "version": version("dosuite"),
    }
    chunks = _of_one_type(_chunks(_Recorder(model, seed, share), episodes))
    if path is None:
        return _log(model, _in_memory(chunks, episodes), about)
    path = Path(path)
    with writing(path, latents_path(path)), Spool(path.parent) as spool:
        for rows in chunks:
            spool.append(rows)
        log = _log(model, spool.columns(), about)
        content_hash = log.hash_of(spool.fingerprints())
        log.with_hash(content_hash).save(path)
        return Log.load(path, check=False)


def _check_seed(seed: Any) -> None:
    """Raise InputError if a seed is not an integer."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise InputError(f"a seed is a whole number from 0 to 2**63 - 1, and got {seed!r}")


def _checked_share(episodes: int, seed: int, regime: str, share: float | None) -> float:
    """The share of the experimenter's episodes. Raises InputError at a bad argument."""
    if regime not in SHARES:
        raise InputError(f"{regime!r} is not a regime of a log; {did_you_mean(regime, SHARES)}")
    share = SHARES[regime] if share is None else share
    if not 0 <= seed < 2**63:
        raise InputError(f"a seed is a whole number from 0 to 2**63 - 1, and got {seed}")
    if episodes < 1 or not 0 <= share <= 1 or (regime != Regime.MIXED and share != SHARES[regime]):
        raise InputError(
            f"a log needs 1 episode or more and, if mixed, a share in [0, 1]; got {episodes} and "
            f"{share} ({regime})"
        )
    return share


def _log(model: SCM, rows: Columns, about: Mapping[str, Any]) -> Log:
    latents = {name: rows.pop(name) for name in model.names("latent")}
    return Log(
        rows,
        model.names("logged"),
        view_of(model).space,
        action_space(model),
        model.horizon,
        model.discount,
        about,
        latents,
    )


def _chunks(recorder: "_Recorder", episodes: int) -> Iterator[Columns]:
    """The rows and latents of `episodes` recorded episodes, numbered from 0, about ROWS at a time.

    Where the model selects, more episodes are simulated than recorded. Raises InputError if fewer
    than one row in a thousand is selected.
    """
    most = 1000 * episodes + 10**6  # episodes to simulate
    simulated, recorded, total_rows = 0, 0, 0
    mean_length = float(recorder.model.horizon)
    while recorded < episodes:
        if simulated == most:
            raise InputError(
                f"{type(recorder.model).__name__} selects fewer than one row in a thousand, too "
                "few for a log"
            )
        # Simulate as many episodes as are missing, divided by the share recorded so far; but no
        # more at a time than give about ROWS rows.
        missing = episodes - recorded
        expected = -(-missing * (simulated + 1) // (recorded + 1))
        count = max(1, int(min(expected, ROWS / max(mean_length, 1.0), most - simulated)))
        rows = recorder.record(np.arange(simulated, simulated + count))
        simulated += count
        total_rows += len(rows["episode"])
        mean_length = total_rows / simulated
        if len(rows["episode"]) == 0:
            continue

        # Number the recorded episodes, and leave out those beyond the wanted number.
        rows["episode"] = recorded - 1 + np.cumsum(rows["step"] == 0)
        recorded = int(rows["episode"][-1]) + 1
        wanted = int(np.searchsorted(rows["episode"], episodes))
        yield {name: column[:wanted] for name, column in rows.items()}


def _in_memory(chunks: Iterator[Columns], episodes: int) -> Columns:
    """The rows of all chunks. Raises InputError as soon as it is clear that there is no room."""
    blocks: list[Columns] = []
    size = 0
    for rows in chunks:
        blocks.append(rows)
        size += sum(column.nbytes for column in rows.values())
        recorded = int(rows["episode"][-1]) + 1
        needed = 2 * size * episodes / recorded  # the chunks and their concatenation
        if needed > memory():
            raise InputError(
                f"a log of {episodes:,} episodes needs {needed / 2**30:,.0f} GiB of memory; write "
                "it to a file, collect(..., path=...), or record fewer episodes"
            )
    return _concatenate(blocks)


def _of_one_type(chunks: Iterator[Columns]) -> Iterator[Columns]:
    """The same chunks. Raises InputError if a column changes its type between chunks."""
    types: dict[str, Any] = {}
    for rows in chunks:
        for name, column in rows.items():
            if types.setdefault(name, column.dtype) != column.dtype:
                raise InputError(
                    f"{name} is {types[name]} in some episodes and {column.dtype} in others; "
                    "make it one type"
                )
        yield rows


class _Recorder:
    """Simulates the episodes of a model with given numbers, and records them as rows."""

    def __init__(self, model: SCM, seed: int, share: float):
        self.model, self.seed, self.share = model, seed, share
        self.view, self.space = view_of(model), context_space(model)
        self.actions = action_space(model)
        causes = {model.action, *nx.ancestors(model.graph, model.action)}
        self.until_action = tuple(name for name in model.order if name in causes)

    def record(self, numbers: Array) -> Columns:
        """The rows and latents of the episodes with these numbers, sorted by episode and step."""
        model = self.model
        ids = noise.units(self.seed, numbers)
        nobody = np.zeros(len(ids), dtype=bool)
        experiment = noise.uniform(ids, "regime") < self.share
        going = ~nobody  # the episodes that are still recorded
        blocks: list[Columns] = []  # the recorded rows, step by step
        past: Columns | None = None
        known: Columns = {}
        # Steps below 0 are the burn-in, in which only the behaviour policy acts.
        for step in range(-model.burn_in, model.horizon):
            clock = step + model.burn_in
            past = self._act(ids, clock, past, known, experiment if step >= 0 else nobody)
            known = model.step(ids, clock + 1, past, names=model.before_action)
            if step < 0:
                continue
            for name in model.names("selection"):
                going = past[name] == 1
            ended = nobody
            for name in model.names("terminal"):
                ended = past[name] == 1
            block = {"episode": numbers, "regime": experiment.astype(np.int8)}
            block |= self._rows(past, step, ended)
            block["observation"] = self._show(block[CONTEXT], ids, clock)
            block["next_observation"] = self._show(self._contexts(known, len(ids)), ids, clock + 1)
            blocks.append(block if going.all() else _take(block, going))
            going = going & ~ended
            # Go on for as many steps as there are variables, until the types of all columns show.
            if not going.any() and step >= len(model.variables):
                break
        rows = _concatenate(blocks)
        if len(blocks) > 1:
            rows = _take(rows, np.argsort(rows["episode"], kind="stable"))
        propensity = self._propensity(rows, rows.pop(CONTEXT))
        return rows | {"propensity": propensity}

    def _act(
        self,
        ids: noise.UnitIds,
        clock: int,
        past: Columns | None,
        known: Columns,
        experiment: Array,
    ) -> Columns:
        """All variables of one step; in an `experiment` the action is drawn by the experimenter."""
        if experiment.any():
            action = self.model.action
            known = self.model.step(ids, clock, past, known, self.until_action)
            uniform = noise.uniform(ids, f"{action} of the experimenter", clock)
            known[action] = np.where(experiment, self._random.sample(uniform), known[action])
        return self.model.step(ids, clock, past, known)

    @cached_property
    def _random(self) -> Distribution:
        """The law of the experimenter's action: uniform."""
        if self.model.action_bounds is not None:
            return Uniform(*self.model.action_bounds)
        count = choices(self.actions)
        return Categorical(np.full(count, 1.0 / count))

    def _rows(self, now: Columns, step: int, ended: Array) -> Columns:
        """The columns of one step of every unit that need no more than its values."""
        model = self.model
        count = len(ended)
        at_horizon = step + 1 == model.horizon
        over = ~ended if at_horizon else np.zeros_like(ended)
        action_type = np.int64 if isinstance(self.actions, Discrete) else np.float64
        return {
            "step": np.full(count, step),
            CONTEXT: self._contexts(now, count),
            "action": now[model.action].astype(action_type),
            "reward": now[model.reward].astype(float),
            "terminated": ended | over if model.horizon == 1 else ended,
            "truncated": over & (model.horizon > 1),
            **{name: now[name] for name in model.names("logged", "latent")},
        }

    def _show(self, contexts: Array, ids: noise.UnitIds, clock: int) -> Array:
        return self.view.show(contexts, ids, "observation", clock)

    def _contexts(self, values: Columns, count: int) -> Array:
        return encode(self.space, [values[name] for name in self.model.contexts], count)

    def _propensity(self, rows: Columns, contexts: Array) -> Array:
        """P(action | context) of whoever acted, with the latents summed out: (n,).

        It is NaN if context or action is continuous.
        """
        if len(rows["action"]) == 0 or self._policies is None:
            return np.full(len(rows["action"]), np.nan)
        policies, grid = self._policies
        place = positions(grid, contexts)
        return np.asarray(policies[rows["regime"], place, rows["action"]])

    @cached_property
    def _policies(self) -> tuple[Array, Array] | None:
        """The behaviour policy and the uniform one, (2, C, A), and the contexts (C, ...).

        None if context or action is continuous.
        """
        if not isinstance(self.actions, Discrete):
            return None
        try:
            policies = np.stack([behaviour_policy(self.model), uniform_policy(self.model)])
            return policies, all_observations(self.model)
        except NotDiscreteError:
            return None


def _take(rows: Columns, which: Array) -> Columns:
    return {name: column[which] for name, column in rows.items()}


def _concatenate(blocks: list[Columns]) -> Columns:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
