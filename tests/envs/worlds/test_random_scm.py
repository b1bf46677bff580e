"""The printed figures of the random worlds, and the laws of their draw."""

from itertools import islice

import numpy as np
import pytest
from printed import earned, printed
from refusals import refused

from dosuite.causal import distribution
from dosuite.envs.worlds.random_scm import (
    TEMPLATES,
    Backdoor,
    BadControl,
    Frontdoor,
    Instrument,
    MBias,
    Proxy,
    RandomSCM,
    random_worlds,
)


@pytest.mark.parametrize(
    ("kind", "tries", "loss"),
    [
        (RandomSCM, "38", ".156"),
        (Backdoor, "42", ".149"),
        (Frontdoor, "97", ".145"),
        (Instrument, "53", ".152"),
        (MBias, "841", ".067"),
        (BadControl, "2021", ".137"),
        (Proxy, "232", ".143"),
    ],
)
def test_tries_and_losses_of_twenty_seeds(kind: type[RandomSCM], tries: str, loss: str) -> None:
    losses = [best - confused for confused, best in (earned(kind(seed=seed)) for seed in range(20))]
    assert min(losses) >= kind.least
    assert printed(float(np.mean([kind.accepted(seed).tries for seed in range(20)])), tries)
    assert printed(float(np.mean(losses)), loss)


@pytest.mark.parametrize("kind", TEMPLATES)
def test_probabilities_are_in_their_ranges(kind: type[RandomSCM]) -> None:
    for seed in range(5):
        hidden = kind(seed=seed).names("latent")
        for name, table in kind.accepted(seed).tables.items():
            least = 0.3 if name in hidden else 0.05
            assert least <= table.min() <= table.max() <= 1 - least


def test_the_traces_tell_of_the_hidden_cause() -> None:
    for seed in range(5):
        for name in ("z", "w"):
            law = distribution(Proxy(seed=seed), "cause", name)
            assert abs(np.diff(law[:, 1] / law.sum(1))) >= 0.3


def test_a_stream_has_all_templates_and_as_many_twins_in_which_the_confused_are_right() -> None:
    worlds = list(islice(random_worlds(3), 70))
    twins = [world for world in worlds if world.edits]
    assert {type(world) for world in worlds} == set(TEMPLATES)
    assert len(set(worlds)) == 70
    assert 25 <= len(twins) <= 45
    for world in worlds:
        assert isinstance(world, RandomSCM)
        confused, best = earned(world)
        assert (
            best - confused == pytest.approx(0.0, abs=1e-9)
            if world in twins
            else best - confused >= world.least
        )


def test_equal_seeds_give_equal_streams() -> None:
    one, again, other = (
        list(islice(random_worlds(seed, (MBias, Frontdoor)), 5)) for seed in (1, 1, 2)
    )
    assert one == again != other
    assert {type(world) for world in one} <= {MBias, Frontdoor}


def test_a_negative_seed_is_refused() -> None:
    assert (
        refused(lambda: RandomSCM(seed=-1))
        == "RandomSCM.cause: the seed must be 0 or more, and got -1"
    )
    assert (
        refused(lambda: next(random_worlds(-1)))
        == "random_worlds needs a seed that is 0 or more, and got -1"
    )
