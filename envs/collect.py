"""Writing a log: the behaviour policy acts, or an experimenter, or each in some of the episodes."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from confoundry.causal import (
    SCM,
    Array,
    Categorical,
    Columns,
    InputError,
    NotDiscreteError,
    behaviour_policy,
    did_you_mean,
    noise,
    uniform_policy,
)

from .log import Log
from .registry import world_text
from .spaces import Space, action_space, all_observations, encode, observation_space, positions

SHARES = {"observe": 0.0, "intervene": 1.0, "mixed": 0.5}  # of episodes in which the experimenter acts


def collect(
    model: SCM,
    episodes: int,
    seed: int,
    regime: str = "observe",
    share: float | None = None,
    origin: Mapping[str, Any] | None = None,
) -> Log:
    """Record `episodes` episodes of a model, from the regime "observe", "intervene" or "mixed". Equal seeds give equal logs.

    The experimenter draws the action uniformly; in a mixed log it acts in a `share` of the episodes (one half, if not
    given). The log names the world, unless the model was edited, and keeps what else `origin` says. Raises InputError at a
    bad argument.
    """
    if regime not in SHARES:
        raise InputError(f"{regime!r} is not a regime of a log; {did_you_mean(regime, SHARES)}")
    share = SHARES[regime] if share is None else share
    if not 0 <= seed < 2**63:
        raise InputError(f"a seed is a whole number from 0 to 2**63 - 1, and got {seed}")
    if episodes < 1 or not 0 <= share <= 1 or (regime != "mixed" and share != SHARES[regime]):
        raise InputError(f"a log needs 1 episode or more and, if mixed, a share in [0, 1]; got {episodes} and {share} ({regime})")
    blocks: list[Columns] = []
    simulated = 0
    while not blocks or len(np.unique(np.concatenate([block["episode"] for block in blocks]))) < episodes:  # some are not recorded
        numbers = np.arange(simulated, simulated + max(episodes, simulated))
        blocks.append(_record(model, seed, numbers, share))
        simulated += len(numbers)
        if simulated > 1000 * episodes + 10**6:
            raise InputError(f"{type(model).__name__} selects fewer than one row in a thousand, too few for a log")
    rows = _concatenate(blocks)
    rows["episode"] = np.unique(rows["episode"], return_inverse=True)[1].astype(np.int64)
    order = np.lexsort((rows["step"], rows["episode"]))
    rows = {name: column[order[: np.searchsorted(rows["episode"][order], episodes)]] for name, column in rows.items()}
    latents = {name: rows.pop(name) for name in model.names("latent")}
    rows["propensity"] = _propensity(model, rows)
    world = {} if model.edits else {"world": world_text(model)}
    recipe = {"regime": regime, "share": share, "seed": seed, "episodes": episodes, "version": version("confoundry")}
    about = {**world, **(origin or {}), **recipe}
    spaces = observation_space(model), action_space(model)
    return Log(rows, model.names("logged"), *spaces, model.horizon, model.discount, about, latents)


def _record(model: SCM, seed: int, numbers: Array, share: float) -> Columns:
    """The rows and latents of the episodes with these numbers, step after step."""
    ids = noise.units(seed, numbers)
    experiment = noise.uniform(ids, "regime") < share
    going = np.ones(len(ids), dtype=bool)
    space, choices = observation_space(model), int(action_space(model).n)
    blocks, past = [], None
    for step in range(-model.burn_in, model.horizon):
        clock = step + model.burn_in
        now = _acted(model, ids, clock, past, experiment if step >= 0 else np.zeros_like(experiment), choices)
        if step < 0:
            past = now
            continue
        if selected := model.names("selection"):
            going = now[selected[0]] == 1
        following = model.step(ids, clock + 1, now, names=model.before_action)
        ended = now[model.names("terminal")[0]] == 1 if model.names("terminal") else np.zeros(len(ids), dtype=bool)
        last = np.full(len(ids), step + 1 == model.horizon) & ~ended
        blocks.append(
            {
                "episode": numbers[going],
                "step": np.full(going.sum(), step),
                "observation": _observe(model, space, now, len(ids))[going],
                "action": now[model.action].astype(np.int64)[going],
                "reward": now[model.reward].astype(float)[going],
                "next_observation": _observe(model, space, following, len(ids))[going],
                "terminated": (ended | last if model.horizon == 1 else ended)[going],
                "truncated": (last & (model.horizon > 1))[going],
                **{name: now[name][going] for name in model.names("logged", "latent")},
                "regime": experiment.astype(np.int8)[going],
            }
        )
        going, past = going & ~ended, now
        if not going.any():
            break
    return _concatenate(blocks)


def _acted(model: SCM, ids: noise.Units, step: int, past: Columns | None, experiment: Array, choices: int) -> Columns:
    """One step of every variable, in which the experimenter replaces the action of some units by one of the choices."""
    natural = model.step(ids, step, past)
    if not experiment.any():
        return natural
    uniform = noise.uniform(ids, f"{model.action} of the experimenter", step)
    chosen = Categorical(np.full(choices, 1.0 / choices)).sample(uniform)
    return model.step(ids, step, past, {model.action: np.where(experiment, chosen, natural[model.action])})


def _observe(model: SCM, space: Space, values: Columns, count: int) -> Array:
    return encode(space, [values[name] for name in model.contexts], count)


def _concatenate(blocks: list[Columns]) -> Columns:
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _propensity(model: SCM, rows: Columns) -> Array:
    """P(action | context) of whoever acted, latents summed out, (n,); NaN where the model is not discrete."""
    try:
        policies = np.stack([behaviour_policy(model), uniform_policy(model)])
        contexts = positions(all_observations(model), rows["observation"])
    except NotDiscreteError:
        return np.full(len(rows["action"]), np.nan)
    return np.asarray(policies[rows["regime"], contexts, rows["action"]])
