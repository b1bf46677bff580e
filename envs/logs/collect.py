"""Writing a log: the behaviour policy acts, or an experimenter, or each in some of the episodes."""

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
from dosuite.causal.errors import did_you_mean
from dosuite.causal.model import noise

from ..registry import world_text
from ..spaces import action_space, all_observations, choices, encode, observation_space, positions
from .arrow_file import writing
from .growing_columns import Spool
from .log import Log, latents_path

SHARES = {
    "observe": 0.0,
    "intervene": 1.0,
    "mixed": 0.5,
}  # of episodes in which the experimenter acts
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
    """Record `episodes` episodes of a model, from the regime "observe", "intervene" or "mixed".
    Equal seeds give equal logs.

    The experimenter draws the action uniformly, from the bounds if it is a number; in a mixed log
    it acts in a `share` of the episodes (one half, if not given). The log names the world, unless
    the model was edited, and keeps what else `origin` says. With a `path` it is written there, and
    its latents beside it, without being in memory, and comes back mapped. Raises InputError at a
    bad argument, and if the files cannot be written; then they are as they were."""
    share = _checked_share(episodes, seed, regime, share)
    world = {} if model.edits else {"world": world_text(model)}
    recipe = {
        "regime": regime,
        "share": share,
        "seed": seed,
        "episodes": episodes,
        "version": version("dosuite"),
    }
    about = {**world, **(origin or {}), **recipe}
    chunks = _of_one_type(_chunks(_Recorder(model, seed, share), episodes))
    if path is None:
        return _log(model, _concatenate(list(chunks)), about)
    path = Path(path)
    with writing(path, latents_path(path)), Spool(path.parent) as spool:
        for rows in chunks:
            spool.append(rows)
        log = _log(model, spool.columns(), about)
        return Log.load(log.with_hash(log.hash_of(spool.fingerprints())).save(path), check=False)


def _checked_share(episodes: int, seed: int, regime: str, share: float | None) -> float:
    """The share of the experimenter's episodes. Raises InputError at a bad argument."""
    if regime not in SHARES:
        raise InputError(f"{regime!r} is not a regime of a log; {did_you_mean(regime, SHARES)}")
    share = SHARES[regime] if share is None else share
    if not 0 <= seed < 2**63:
        raise InputError(f"a seed is a whole number from 0 to 2**63 - 1, and got {seed}")
    if episodes < 1 or not 0 <= share <= 1 or (regime != "mixed" and share != SHARES[regime]):
        raise InputError(
            f"a log needs 1 episode or more and, if mixed, a share in [0, 1]; got {episodes} and "
            f"{share} ({regime})"
        )
    return share


def _log(model: SCM, rows: Columns, about: Mapping[str, Any]) -> Log:
    latents = {name: rows.pop(name) for name in model.names("latent")}
    spaces = observation_space(model), action_space(model)
    return Log(rows, model.names("logged"), *spaces, model.horizon, model.discount, about, latents)


def _chunks(recorder: "_Recorder", episodes: int) -> Iterator[Columns]:
    """The rows and latents of the recorded episodes, sorted and numbered, about ROWS rows at a
    time.
    """
    most, length = 1000 * episodes + 10**6, float(recorder.model.horizon)
    simulated, recorded, total = 0, 0, 0
    while recorded < episodes:
        if simulated == most:
            raise InputError(
                f"{type(recorder.model).__name__} selects fewer than one row in a thousand, too "
                "few for a log"
            )
        expected = -(
            -(episodes - recorded) * (simulated + 1) // (recorded + 1)
        )  # not all are recorded
        count = max(1, int(min(expected, ROWS / max(length, 1.0), most - simulated)))
        rows = recorder.record(np.arange(simulated, simulated + count))
        simulated, total = simulated + count, total + len(rows["episode"])
        length = total / simulated
        if len(rows["episode"]):
            rows["episode"] = recorded - 1 + np.cumsum(rows["step"] == 0)
            recorded = int(rows["episode"][-1]) + 1
            wanted = int(np.searchsorted(rows["episode"], episodes))
            yield {name: column[:wanted] for name, column in rows.items()}


def _of_one_type(chunks: Iterator[Columns]) -> Iterator[Columns]:
    """The chunks. Raises InputError if a column changes its type."""
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
    """Simulates episodes of a model by their numbers, and writes down what is recorded of them."""

    def __init__(self, model: SCM, seed: int, share: float):
        self.model, self.seed, self.share = model, seed, share
        self.space, self.actions = observation_space(model), action_space(model)
        causes = {model.action, *nx.ancestors(model.graph, model.action)}
        self.until_action = tuple(name for name in model.order if name in causes)

    def record(self, numbers: Array) -> Columns:
        """The rows and latents of the episodes with these numbers, sorted by episode and step."""
        model, ids = self.model, noise.units(self.seed, numbers)
        experiment, nobody = (
            noise.uniform(ids, "regime") < self.share,
            np.zeros(len(ids), dtype=bool),
        )
        blocks, past, known, going = [], None, dict[str, Array](), ~nobody
        for step in range(-model.burn_in, model.horizon):
            clock = step + model.burn_in
            past = self._act(ids, clock, past, known, experiment if step >= 0 else nobody)
            known = model.step(ids, clock + 1, past, names=model.before_action)
            if step < 0:
                continue
            if selected := model.names("selection"):
                going = past[selected[0]] == 1
            ended = past[model.names("terminal")[0]] == 1 if model.names("terminal") else nobody
            block = {
                "episode": numbers,
                "regime": experiment.astype(np.int8),
                **self._rows(past, known, step, ended),
            }
            blocks.append(block if going.all() else _take(block, going))
            going = going & ~ended
            if not going.any() and step >= len(
                model.variables
            ):  # by then the types of all columns have shown
                break
        rows = _concatenate(blocks)
        rows = rows if len(blocks) == 1 else _take(rows, np.argsort(rows["episode"], kind="stable"))
        return rows | {"propensity": self._propensity(rows)}

    def _act(
        self,
        ids: noise.UnitIds,
        clock: int,
        past: Columns | None,
        known: Columns,
        experiment: Array,
    ) -> Columns:
        """One step of every variable, in which the experimenter replaces the action of some units
        by one of the choices.
        """
        if experiment.any():
            known = self.model.step(ids, clock, past, known, self.until_action)
            uniform = noise.uniform(ids, f"{self.model.action} of the experimenter", clock)
            chosen = self._random.sample(uniform)
            known[self.model.action] = np.where(experiment, chosen, known[self.model.action])
        return self.model.step(ids, clock, past, known)

    @cached_property
    def _random(self) -> Distribution:
        """How the experimenter draws an action: all alike."""
        if self.model.action_bounds is not None:
            return Uniform(*self.model.action_bounds)
        count = choices(self.actions)
        return Categorical(np.full(count, 1.0 / count))

    def _rows(self, now: Columns, following: Columns, step: int, ended: Array) -> Columns:
        """What is written down of one step of every unit."""
        model = self.model
        over = ~ended if step + 1 == model.horizon else np.zeros_like(ended)
        return {
            "step": np.full(len(ended), step),
            "observation": self._observe(now, len(ended)),
            "action": now[model.action].astype(
                np.int64 if isinstance(self.actions, Discrete) else np.float64
            ),
            "reward": now[model.reward].astype(float),
            "next_observation": self._observe(following, len(ended)),
            "terminated": ended | over if model.horizon == 1 else ended,
            "truncated": over & (model.horizon > 1),
            **{name: now[name] for name in model.names("logged", "latent")},
        }

    def _observe(self, values: Columns, count: int) -> Array:
        return encode(self.space, [values[name] for name in self.model.contexts], count)

    def _propensity(self, rows: Columns) -> Array:
        """P(action | context) of whoever acted, latents summed out, (n,);

        NaN where context or action is a continuous number.
        """
        if not len(rows["action"]) or self._policies is None:
            return np.full(len(rows["action"]), np.nan)
        policies, observations = self._policies
        return np.asarray(
            policies[rows["regime"], positions(observations, rows["observation"]), rows["action"]]
        )

    @cached_property
    def _policies(self) -> tuple[Array, Array] | None:
        """The behaviour policy and the uniform one, (2, C, A), and the observations in the order of
        their rows.
        """
        if not isinstance(self.actions, Discrete):
            return None
        try:
            return np.stack(
                [behaviour_policy(self.model), uniform_policy(self.model)]
            ), all_observations(self.model)
        except NotDiscreteError:
            return None


def _take(rows: Columns, which: Array) -> Columns:
    return {name: column[which] for name, column in rows.items()}


def _concatenate(blocks: list[Columns]) -> Columns:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
