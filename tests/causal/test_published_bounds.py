"""Bounds in closed form, and published ones.

Published and printed figures are written as text, and are met within one unit of their last digit.
"""

from collections.abc import Callable

import numpy as np
import pytest
from bounded import (
    ATTAINED,
    BOW,
    INFLUENZA,
    INSTRUMENT,
    LIPID,
    VITAMIN_A,
    effect_of,
    ends,
    mean_of,
    random_truth,
    typed,
)
from printed import printed

from dosuite.causal import Array, InputError, bounds, distribution, response_types
from dosuite.causal.partial_identification import (
    TypeMixture,
    UnitQuantity,
    balke_pearl,
    contrast,
    manski,
    necessity,
    necessity_and_sufficiency,
    sufficiency,
)
from dosuite.envs.worlds.casino import GreedyCasino
from dosuite.envs.worlds.ice_cream import DiscountDay, IceCreamShorts, NoOverlap

# Closed forms.


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2), (2, 4), (4, 3)])
def test_manski_is_the_programme_of_the_bow(sizes: tuple[int, int]) -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(np.prod(sizes))).reshape(sizes)
    values = np.array([-1.0, 0.5, 2.0, 7.0])[: sizes[1]]
    types = typed(BOW, [("x", "y")], table, {"y": values})
    assert np.allclose(
        manski(table, values),
        [ends(types, mean_of("y", x=x)) for x in range(sizes[0])],
        rtol=0,
        atol=1e-9,
    )


def test_manski_takes_contexts_and_counts() -> None:
    counts = np.random.default_rng(0).integers(1, 9, (3, 2, 2))
    assert np.allclose(manski(counts)[1], manski(counts[1] / counts[1].sum()))
    with pytest.raises(InputError, match="context without any weight"):
        manski(np.zeros((2, 2)))


@pytest.mark.parametrize("values_of_z", [1, 2, 3, 4])
def test_balke_pearl_is_the_programme_of_the_instrument(values_of_z: int) -> None:
    for seed in range(8):
        table = random_truth(INSTRUMENT, [("d", "y")], (values_of_z, 2, 2), seed).table().table
        types = typed(INSTRUMENT, [("d", "y")], table)
        assert np.allclose(
            balke_pearl(table), [ends(types, mean_of("y", d=d)) for d in (0, 1)], rtol=0, atol=1e-9
        )
        assert np.allclose(
            contrast(balke_pearl(table)), ends(types, effect_of("d", "y")), rtol=0, atol=1e-9
        )


def test_probabilities_of_causation_are_the_programme_with_what_the_experiment_tells() -> None:
    for seed in range(8):
        truth = random_truth(BOW, [("x", "y")], (2, 2), seed)
        seen, experiments = truth.table().table, [mean_of("y", x=0), mean_of("y", x=1)]
        done = np.array([truth.mean(experiment) for experiment in experiments])
        known = list(zip(experiments, done.tolist(), strict=True))
        types = typed(BOW, [("x", "y")], seen)
        shares: list[tuple[Callable[[Array, Array], tuple[float, float]], UnitQuantity, float]] = [
            (
                necessity,
                lambda do: (do()["x"] == 1) & (do()["y"] == 1) & (do(x=0)["y"] == 0),
                seen[1, 1],
            ),
            (
                sufficiency,
                lambda do: (do()["x"] == 0) & (do()["y"] == 0) & (do(x=1)["y"] == 1),
                seen[0, 0],
            ),
            (necessity_and_sufficiency, lambda do: (do(x=1)["y"] == 1) & (do(x=0)["y"] == 0), 1.0),
        ]
        for closed_form, quantity, among in shares:
            found = bounds(types, quantity, known)
            assert np.allclose(
                closed_form(seen, done),
                np.array([found.low, found.high]) / among,
                rtol=0,
                atol=1e-6,
            )


# Published tables, and the figures that the catalogue prints.


def test_vitamin_a() -> None:
    assert printed(contrast(balke_pearl(VITAMIN_A)), "-.19462 .00539")
    assert printed(balke_pearl(VITAMIN_A), ".993614 .993614 .798991 .999008")
    types = typed(INSTRUMENT, [("d", "y")], VITAMIN_A)
    assert printed(ends(types, effect_of("d", "y")), "-.19462 .00539")
    assert printed(VITAMIN_A[:, :, 1].sum(0) / VITAMIN_A.sum((0, 2)), ".99229 .99876")


@pytest.mark.parametrize(
    ("helped", "figures"), [(False, ".993614 .798991"), (True, ".993614 .999008")]
)
def test_the_twins_of_vitamin_a_are_the_witnesses(helped: bool, figures: str) -> None:
    """The catalogue's two mixtures of response types (d, y) have the published table."""
    types = typed(INSTRUMENT, [("d", "y")], VITAMIN_A)
    never, always, helps, hurts = (0, 0), (1, 1), (0, 1), (1, 0)  # what y does at d=0 and d=1
    mixture = {
        ((0, 0), helps if helped else never): 0.002811311394079709,
        ((0, 0), always if helped else hurts): 0.19720522573176782,
        ((0, 1), helps): 0.003574605071229231,
        ((0, 1), hurts): 0.000992227550851662,
        ((0, 1), always): 0.7954166302520717,
    }
    table = VITAMIN_A / VITAMIN_A.sum()
    instrument, district = types.districts
    response_of_d, response_of_y = (district.responses[name].tolist() for name in ("d", "y"))
    law = np.array(
        [
            mixture.get((tuple(d), tuple(y)), 0.0)
            for d, y in zip(response_of_d, response_of_y, strict=True)
        ]
    )
    witness = TypeMixture(types, (table.sum((1, 2)), law))
    assert instrument.names == ("z",)
    assert abs(witness.table().table - table).max() < ATTAINED
    assert printed([witness.mean(mean_of("y", d=d)) for d in (0, 1)], figures)


def test_lipid() -> None:
    conditional = np.array([[[0.919, 0.081], [0.0, 0.0]], [[0.315, 0.073], [0.139, 0.473]]])
    assert printed(contrast(balke_pearl(conditional)), ".392 .780")
    assert printed(balke_pearl(conditional), ".081 .081 .473 .861")
    assert printed(contrast(balke_pearl(LIPID)), ".3913319 .7792107")


def test_influenza() -> None:
    assert printed(contrast(balke_pearl(INFLUENZA)), "-.6420409 .2390209")


def test_ice_cream() -> None:
    types = response_types(IceCreamShorts())
    assert printed(
        [ends(types, mean_of("shorts", ice_cream=x)) for x in (0, 1)], ".0675 .5675 .4075 .9075"
    )
    assert printed(
        [ends(types, mean_of("pay", ice_cream=x)) for x in (0, 1)], ".0675 .5675 .2075 .7075"
    )


def test_discount_day_leaves_the_sign_open() -> None:
    model = DiscountDay()
    assert printed(ends(response_types(model), effect_of("ice_cream", "shorts")), "-.1115 .5985")
    assert printed(
        contrast(balke_pearl(distribution(model, "discount_day", "ice_cream", "shorts"))),
        "-.1115 .5985",
    )


def test_no_overlap_leaves_what_was_never_done_open() -> None:
    types = response_types(NoOverlap())
    assert not types.latents
    assert printed(
        [ends(types, mean_of("shorts", ice_cream=x)) for x in (0, 1)], ".025 .525 .45 .95"
    )


def test_confused_encouragement() -> None:
    """The printed figures of EncourageIV."""
    severe, takes, cured = (
        np.array([0.75, 0.25]),
        np.array([[0.02, 0.60], [0.98, 0.90]]),
        np.array([[0.65, 0.10], [0.90, 0.35]]),
    )
    d = np.stack([1 - takes, takes], axis=1)  # z, d, u
    table = np.einsum("u,zdu,duy->zdy", severe, d, np.stack([1 - cured, cured], axis=2))
    assert printed(contrast(balke_pearl(table)), ".0875 .2925")


def test_rigged_casino_and_slate() -> None:
    assert printed(
        manski(distribution(GreedyCasino(casino="Rigged"), "machine", "payout")),
        ".275 .775 .175 .675",
    )
    users, shown = (
        np.array([0.60, 0.25, 0.15]),
        np.array([[0.85, 0.02, 0.01, 0.12], [0.10, 0.85, 0.02, 0.03], [0.05, 0.02, 0.90, 0.03]]),
    )
    clicks = np.array(
        [[0.30, 0.05, 0.05, 0.20], [0.20, 0.70, 0.05, 0.15], [0.20, 0.05, 0.80, 0.15]]
    )
    table = np.einsum("u,ui,uiy->iy", users, shown, np.stack([1 - clicks, clicks], axis=2))
    assert printed(manski(table), ".1595 .617 .1495 .922 .1086 .9626 .0162 .9322")


def test_the_legal_case_of_the_primer() -> None:
    """Pearl, Glymour and Jewell, Primer, table 4.5:

    deaths of 1000 patients in each arm, who chose the drug or were given it.
    """
    seen, done = np.array([[972, 28], [998, 2]]), np.array([0.014, 0.016])
    assert printed(necessity(seen, done), "1.00 1.00")
    assert printed(necessity_and_sufficiency(seen, done), ".002 .016")
    assert printed(sufficiency(seen, done), ".002 .031")


def test_leukaemia_near_the_bomb_if_radiation_never_prevents_it() -> None:
    """Pearl, Causality, table 9.1:

    the probability of necessity is the excess risk ratio where nothing is confounded.
    """
    seen = np.array([[59010, 16], [69130, 30]])
    risk = seen[:, 1] / seen.sum(1)
    assert necessity(seen, risk)[0] == pytest.approx(1 - risk[0] / risk[1], abs=1e-9)
    assert sufficiency(seen, risk)[0] == pytest.approx(
        (risk[1] - risk[0]) / (1 - risk[0]), abs=1e-9
    )
    assert necessity_and_sufficiency(seen, risk)[0] == pytest.approx(risk[1] - risk[0], abs=1e-9)
