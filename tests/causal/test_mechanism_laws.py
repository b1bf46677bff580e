"""The laws of mechanisms and noise."""

from dataclasses import replace

import numpy as np
import pytest
from model_laws import EXACT, THROWAWAY, draw, every_model, short, worlds

from dosuite.causal import (
    LAG,
    Array,
    Bernoulli,
    Exactly,
    World,
    action,
    context,
    latent,
    reward,
    value,
)
from dosuite.envs.worlds.ice_cream import IceCreamShorts

# Mechanisms and noise.


def alike_row_by_row(model: World) -> bool:
    """Whether each mechanism gives the units of a batch what it gives each of them alone, under the
    same noise.
    """
    columns, noise = draw(model, n=20), np.random.default_rng(2).random(20)
    for variable in model.variables.values():
        for step, mechanism in enumerate((variable.first, variable.later)[: model.horizon]):
            causes = [
                columns[c.removesuffix(LAG)][:, step - c.endswith(LAG)] for c in mechanism.causes
            ]
            batch = mechanism.law(*causes).sample(noise)
            alone = [
                mechanism.law(*(cause[[i]] for cause in causes)).sample(noise[[i]])[0]
                for i in range(20)
            ]
            if batch.shape != (20,) or batch.tolist() != alone:
                return False
    return True


@pytest.mark.long
@every_model
def test_a_mechanism_on_a_batch_is_the_mechanism_row_by_row(model: World) -> None:
    assert all(alike_row_by_row(world) for world in worlds(short(model, 2)))


class Crowd(IceCreamShorts):
    """Ice cream is contagious in batches of 20, a size that no check of the class tries."""

    @latent
    def heat(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def ice_cream(self, heat: Array) -> Bernoulli:
        crowded = heat.mean() if len(heat) == 20 else heat
        return Bernoulli(0.2 + 0.6 * crowded * np.ones(len(heat)))


def test_a_mechanism_that_looks_at_other_units_is_noticed() -> None:
    assert not alike_row_by_row(Crowd())


class Written(World):
    horizon: int = 2

    @latent
    def wind(self) -> Bernoulli:
        return Bernoulli(0.3)

    @context.starting(Bernoulli(0.5))
    def vane(self, wind: Array, sail_tm1: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * wind + 0.3 * sail_tm1)

    @action
    def sail(self, vane: Array, wind: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.3 * vane + 0.3 * wind)

    @reward
    def speed(self, wind: Array, sail: Array) -> Exactly:
        return Exactly(wind * sail)


class Rewritten(World):
    horizon: int = 2

    @reward
    def speed(self, wind: Array, sail: Array) -> Exactly:
        return Exactly(wind * sail)

    @action
    def sail(self, wind: Array, vane: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.3 * vane + 0.3 * wind)

    @context.starting(Bernoulli(0.5))
    def vane(self, sail_tm1: Array, wind: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.5 * wind + 0.3 * sail_tm1)

    @latent
    def wind(self) -> Bernoulli:
        return Bernoulli(0.3)


def test_draws_and_answers_do_not_depend_on_the_order_in_which_variables_are_written() -> None:
    one, other = Written(), Rewritten()
    assert list(one.variables) != list(other.variables)
    again = draw(other)
    assert all(np.array_equal(column, again[name]) for name, column in draw(one).items())
    assert value(one) == pytest.approx(value(other), abs=EXACT)
    assert one.causal_policy().tolist() == other.causal_policy().tolist()


def test_a_unit_does_not_depend_on_the_size_of_its_batch_nor_a_step_on_the_horizon() -> None:
    model = THROWAWAY["Relay"]
    few, many = draw(model, n=10), draw(replace(model, horizon=5), n=1000)
    assert all(np.array_equal(column, many[name][:10, :3]) for name, column in few.items())
