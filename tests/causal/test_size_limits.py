"""Questions that are too large are refused at once."""

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    TooLargeError,
    World,
    action,
    context,
    distribution,
    latent,
    reward,
)

# Size.


def refusal(question: Callable[[], object]) -> str:
    """The message of a TooLargeError that comes before any memory is taken."""
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError) as refused:
            question()
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    return str(refused.value)


def coins(count: int, **variables: Callable[..., object]) -> type[World]:
    """A model with so many latent coins, an action and a reward."""
    base = {
        "act": action(lambda self: Bernoulli(0.5)),
        "pay": reward(lambda self, act: Exactly(act)),
    }
    return type(
        "Coins",
        (World,),
        {
            **{f"coin{i}": latent(lambda self: Bernoulli(0.5)) for i in range(count)},
            **base,
            **variables,
        },
    )


def test_a_joint_law_that_is_too_large_is_refused_at_once() -> None:
    model = coins(30)()
    assert "2**30" not in refusal(lambda: distribution(model, *model.names("latent")))
    assert "1.07e+09" in refusal(lambda: distribution(model, *model.names("latent")))


def test_a_mechanism_with_too_many_causes_is_refused_when_the_class_is_made() -> None:
    def pay(self: World, coin0: Array, coin1: Array, coin2: Array, coin3: Array) -> Exactly:
        return Exactly(coin0 + coin1 + coin2 + coin3)

    hundred = {f"coin{i}": latent(lambda self: Categorical(np.full(100, 0.01))) for i in range(4)}
    assert "Coins.pay needs a table of 1e+08 entries" in refusal(
        lambda: coins(0, **hundred, pay=reward(pay))
    )


def test_a_search_among_too_many_policies_is_refused_at_once() -> None:
    def mood(self: World, mood_tm1: Array) -> Exactly:
        return Exactly(mood_tm1)

    def pay(self: World, act: Array, mood: Array) -> Exactly:
        return Exactly(act == mood)

    made = coins(
        0,
        mood=latent.starting(Bernoulli(0.5))(mood),
        day=context(lambda self: Categorical(np.full(15, 1 / 15))),
        pay=reward(pay),
    )
    assert "2**15 memoryless policies" in refusal(lambda: made(horizon=2).causal_policy())
