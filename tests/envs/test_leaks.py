"""The leak audit: nobody who has all that is handed out knows more of a latent than Bayes' rule
allows.

A classifier counts, in one half of the units, which value of a latent goes with what was handed out
at a step (observation, action, reward, infos, and whether the unit's number is even), and guesses
it in the other half."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from countable import CONTINUOUS
from recorded import THROWAWAY
from scipy.stats import norm

from dosuite.causal import Array, Categorical, NotDiscreteError, TooLargeError, World, distribution
from dosuite.envs import CausalVectorEnv, choices, make_model, members
from dosuite.envs.gym.by_variable import ByVariable
from dosuite.envs.spaces import action_space

UNITS = 20_000
STEPS = 2  # that are audited
LARGEST = 2**24  # cells of the law that Bayes' rule is applied to


def seen(model: World) -> tuple[str, ...]:
    return model.names("context", "action", "logged", "reward", "terminal")


def is_audited(model: World, latent: str) -> bool:
    """Whether the exact law of a latent and of all that is seen can be asked for."""
    try:
        return bool(
            np.prod([float(len(model.tables.support(name))) for name in (latent, *seen(model))])
            <= LARGEST
        )
    except (NotDiscreteError, TooLargeError):
        return False


# some with their contexts shown as images
RICH = [f"{name}:observation=digits" for name in ("IceCreamShorts-v0", "ConfoundedRiver-v0")]
MODELS = {
    **dict(members()),
    "Relay": THROWAWAY["Relay"],
    **{text: make_model(text) for text in RICH},
}
CASES = [
    (text, name)
    for text, model in MODELS.items()
    for name in model.names("latent")
    if is_audited(model, name)
]


class Leak(CausalVectorEnv):
    """A planted leak: the info has one more entry, a latent."""

    def _info(self, logged: dict[str, Array], which: Array | None = None) -> dict[str, Any]:
        assert isinstance(self._units, ByVariable)
        return {**super()._info(logged, which), "temperature": self._units._past["heat"] + 0}


def guesses(
    model: World, latent: str, env: CausalVectorEnv, by_observation: bool = False
) -> list[tuple[float, float, int]]:
    """At each step:

    how often the classifier is right, how often Bayes' rule would be, and how many units it
    guessed. With `by_observation` the classifier has the observation alone.
    """
    n, actions = env.num_envs, choices(action_space(model))
    random = model.do(**{model.action: Categorical(np.full(actions, 1 / actions))})
    rng = np.random.default_rng(0)
    observations, _ = env.reset(seed=11)
    units = env._units
    assert isinstance(units, ByVariable)  # the other form does not even know the latents
    going, found = np.ones(n, dtype=bool), []
    for step in range(min(model.horizon, STEPS)):
        acted = rng.integers(actions, size=n)
        before = {name: column.copy() for name, column in units._now.items()}
        past = {name: column.copy() for name, column in units._past.items()} if step else None
        truth = model.do(**{model.action: 0}).step(
            units._ids.copy(), step, past, {**before, model.action: acted}
        )[latent]
        following, rewards, terminated, truncated, infos = env.step(acted)
        shown = [observations, acted, rewards, terminated, np.arange(n) % 2, *handed_out(infos, n)]
        if by_observation:
            shown = [observations]
        rows = [
            repr(row)
            for row in zip(
                *(np.reshape(column, (n, -1))[going].tolist() for column in shown), strict=True
            )
        ]
        half = len(rows) // 2
        guessed = classify(rows[:half], truth[going][:half].tolist(), rows[half:])
        joint = distribution(random, latent, *seen(model), step=step)
        best = float(joint.reshape(len(joint), -1).max(0).sum())
        found.append((float(np.mean(np.array(guessed) == truth[going][half:])), best, len(guessed)))
        going, observations = going & ~(terminated | truncated), following
    return found


def handed_out(infos: dict[str, Any], n: int) -> list[Array]:
    """The columns of the infos, of episodes that go on and of those that have ended: each (n,)."""
    sources = infos, infos.get("final_info", {})
    names = sorted(
        {name for source in sources for name in source if not name.startswith(("_", "final_"))}
    )
    columns = []
    for name in names:
        column = np.zeros(n)
        for source in sources:
            if name in source:
                column = np.where(source.get(f"_{name}", True), source[name], column)
        columns.append(column)
    return columns


def classify(
    rows: Iterable[str], truth: Iterable[Hashable], unseen: Iterable[str]
) -> list[Hashable]:
    """The most common latent that went with each row; none for a row that was never seen."""
    counts: dict[str, Counter[Hashable]] = defaultdict(Counter)
    for row, what in zip(rows, truth, strict=True):
        counts[row][what] += 1
    return [counts[row].most_common(1)[0][0] if row in counts else np.nan for row in unseen]


@pytest.mark.long
@pytest.mark.parametrize(("text", "latent"), [case for case in CASES if case[0] not in RICH])
def test_no_classifier_guesses_a_latent_better_than_bayes(text: str, latent: str) -> None:
    check_guesses(text, latent)


# Images are too many for each to be met with each action and reward, and are read alone, too.
@pytest.mark.parametrize("by_observation", [False, True])
@pytest.mark.parametrize(("text", "latent"), [case for case in CASES if case[0] in RICH])
def test_no_classifier_of_images_guesses_a_latent_better_than_bayes(
    text: str, latent: str, by_observation: bool
) -> None:
    check_guesses(text, latent, by_observation)


def check_guesses(text: str, latent: str, by_observation: bool = False) -> None:
    model = replace(MODELS[text], horizon=min(MODELS[text].horizon, STEPS + 1))
    env = CausalVectorEnv(model, UNITS, paired=True)
    for right, best, count in guesses(model, latent, env, by_observation):
        assert (
            right
            < best + norm.isf(norm.sf(4.0) / len(CASES)) * np.sqrt(best * (1 - best) / count) + 1e-9
        )


def test_a_planted_leak_is_found() -> None:
    model = make_model("IceCreamShorts-v0")
    ((right, best, _),) = guesses(model, "heat", Leak(model, UNITS, paired=True))
    assert right == 1.0 > best + 0.05


def test_the_latents_of_most_families_are_audited() -> None:
    families = {text.split("-")[0] for text, model in MODELS.items() if model.names("latent")}
    assert len({text.split("-")[0] for text, _ in CASES}) >= 0.8 * len(families)


@pytest.mark.parametrize("model", CONTINUOUS.values(), ids=CONTINUOUS)
def test_where_bayes_rule_has_no_table_what_is_handed_out_is_what_the_roles_allow_number_by_number(
    model: World,
) -> None:
    env = CausalVectorEnv(model, 50, paired=True)
    observations, infos = env.reset(seed=3)
    units = env._units
    assert isinstance(units, ByVariable)
    assert {name for name in infos if not name.startswith("_")} == set(model.names("logged"))
    assert not any(infos[name].any() for name in model.names("logged"))
    assert np.array_equal(
        observations,
        np.stack([units._now[name] for name in model.contexts], 1).astype(observations.dtype),
    )
    env.action_space.seed(0)
    observations, rewards, *_, infos = env.step(env.action_space.sample())
    assert np.array_equal(rewards, units._past[model.reward])
    handed = infos.get("final_info", infos)
    assert {name for name in handed if not name.startswith(("_", "final_"))} == set(
        model.names("logged")
    )
    assert all(np.array_equal(handed[name], units._past[name]) for name in model.names("logged"))
