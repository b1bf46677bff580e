"""The printed figures of GenotypeClinic, and a plan that counts what each drug did, independent of
the package's own.
"""

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest
from printed import printed

from dosuite.causal import uniform_policy, value
from dosuite.causal.exact import log_process, plan_with_memory
from dosuite.envs.worlds.genotype import Cross, GenotypeClinic

MODERATE, SEVERE, STATES = 1, 2, 4
STRONG = np.eye(2)[[1] * STATES]
OUTCOMES = (-1, 1, 0)  # what a day adds to the state

Counts = tuple[int, ...]  # of days, by drug and outcome
Pair = tuple[float, float]


def clinic(shift: str = "", model: GenotypeClinic | None = None) -> GenotypeClinic:
    model = model or GenotypeClinic()
    world = model.shifted(shift) if shift else model
    assert isinstance(world, GenotypeClinic)
    return world


def outcomes(model: GenotypeClinic, genotype: int, drug: int) -> tuple[float, float, float]:
    better, worse = model.improve[genotype][drug], model.worsen[genotype][drug]
    return better, worse, 1.0 - better - worse


def by_counting(model: GenotypeClinic, seeing: bool = False, horizon: int = 10) -> Pair:
    """What the best policy with a memory believes that it earns, and earns:

    under interventions, or `seeing` in the log.
    """
    priors = (1.0 - model.prevalence, model.prevalence)
    does = [[outcomes(model, genotype, drug) for drug in (0, 1)] for genotype in (0, 1)]
    gives = [(model.doctor, 1.0 - model.doctor), (1.0 - model.doctor, model.doctor)]

    def posterior(counts: Counts, choices: Iterable[int]) -> list[float]:
        """The weights of the genotypes;

        the days' choices of drugs count where they are evidence.
        """
        weights = list(priors)
        for genotype in (0, 1):
            for drug in choices:
                weights[genotype] *= gives[genotype][drug]
            for place, count in enumerate(counts):
                weights[genotype] *= does[genotype][place // 3][place % 3] ** count
        return [weight / sum(weights) for weight in weights]

    @cache
    def worth(state: int, counts: Counts) -> Pair:
        if sum(counts) == horizon:
            return 0.0, 0.0
        given = [0] * sum(counts[:3]) + [1] * sum(counts[3:])
        truth = posterior(counts, ())
        return max(
            choice(
                state, counts, drug, posterior(counts, (*given, drug)) if seeing else truth, truth
            )
            for drug in (0, 1)
        )

    def choice(
        state: int, counts: Counts, drug: int, belief: list[float], truth: list[float]
    ) -> Pair:
        believed = earned = 0.0
        for outcome, change in enumerate(OUTCOMES):
            place, after = 3 * drug + outcome, state + change
            p, q = (
                sum(w * does[g][drug][outcome] for g, w in enumerate(weights))
                for weights in (belief, truth)
            )
            ends = {0: 1.0, 3: -1.0}.get(after)
            then = (
                (ends, ends)
                if ends
                else worth(after, (*counts[:place], counts[place] + 1, *counts[place + 1 :]))
            )
            believed, earned = believed + p * then[0], earned + q * then[1]
        return believed, earned

    starts = [worth(state, (0,) * 6) for state in (MODERATE, SEVERE)]
    return (starts[0][0] + starts[1][0]) / 2, (starts[0][1] + starts[1][1]) / 2


@pytest.mark.parametrize("seeing", [False, True])
@pytest.mark.parametrize(
    "model", [GenotypeClinic(horizon=4), Cross(horizon=4)], ids=["Clinic", "Cross"]
)
def test_two_ways_to_plan_with_a_memory_agree(model: GenotypeClinic, seeing: bool) -> None:
    assert by_counting(model, seeing, horizon=4) == pytest.approx(
        plan_with_memory(model, seeing=seeing), abs=1e-8
    )


def test_the_log() -> None:
    process = log_process(GenotypeClinic())
    to_severe, to_moderate = (
        process.transition[MODERATE, :, SEVERE],
        process.transition[SEVERE, :, MODERATE],
    )
    assert printed([*process.reward[MODERATE], *to_moderate], ".5100 .4250 .4953 .4181")
    assert printed([*to_severe, *-process.reward[SEVERE]], ".135 .240 .148 .243")


def test_who_forgets() -> None:
    model = GenotypeClinic()
    confused, causal = model.confused_policy(), model.causal_policy()
    assert (
        confused[[MODERATE, SEVERE], 0].tolist()
        == causal[[MODERATE, SEVERE], 1].tolist()
        == [1.0, 1.0]
    )
    assert printed(
        [model.promised_value(), value(model, confused), value(model, uniform_policy(model))],
        ".662 .0936 .303",
    )
    assert printed([value(model, causal), value(model)], ".5163 .4977")


def test_who_remembers() -> None:
    model = GenotypeClinic()
    assert printed(by_counting(model)[1], ".5163")
    assert printed(list(by_counting(model, seeing=True)), ".746 .0991")


def knows_the_genotype(model: GenotypeClinic) -> float:
    """The value of the best policy that sees the genotype and the day, one for each of the two
    worlds that have it alone.
    """
    alone = [type(model)(prevalence=prevalence) for prevalence in (0.0, 1.0)]
    return float(
        np.array([1 - model.prevalence, model.prevalence])
        @ [plan_with_memory(world)[0] for world in alone]
    )


def test_who_sees_the_genotype() -> None:
    assert printed(
        [knows_the_genotype(GenotypeClinic()), knows_the_genotype(Cross())], ".5442 .8115"
    )


def test_cross() -> None:
    model, bad = Cross(), Cross(doctor=0.1)
    assert printed(
        [model.promised_value(), value(model, model.confused_policy()), value(model)],
        ".756 .2671 .7290",
    )
    assert printed([*by_counting(model, seeing=True), by_counting(model)[1]], ".783 .2671 .4521")
    assert printed(by_counting(bad, seeing=True)[1], ".3345")
    assert by_counting(bad)[1] == pytest.approx(by_counting(model)[1])


@pytest.mark.parametrize(
    ("shift", "figures"),
    [
        ("severe_epidemic", "-.464 .340 .340"),
        ("mild_epidemic", ".652 .692 .695"),
        ("drug_resistance", ".0936 .0661 .0940"),
        ("toxic_batch", ".0936 -.406 .0936"),
    ],
)
def test_shifts(shift: str, figures: str) -> None:
    """Who is confused, who always gives the strong drug, and who plans there with a memory."""
    world = clinic(shift)
    assert printed(
        [
            value(world, GenotypeClinic().confused_policy()),
            value(world, STRONG),
            by_counting(world)[1],
        ],
        figures,
    )
