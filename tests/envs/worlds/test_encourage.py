"""The printed figures of EncourageIV."""

import numpy as np
import pytest
from printed import earned, printed

from dosuite.causal import certificate, distribution, expectation, value
from dosuite.causal.arrays import Floats
from dosuite.causal.exact import do_process, log_process
from dosuite.causal.partial_identification import balke_pearl, contrast
from dosuite.envs.worlds.encourage import EncourageIV, Lipid, VitaminA


def table(model: EncourageIV) -> Floats:
    """P(encouraged, treatment, success)."""
    return distribution(model, "encouraged", "treatment", "success")


def ratio(model: EncourageIV) -> float:
    """What two-stage least squares takes for the effect (Wald)."""
    success, treated = (
        [expectation(model, name, {"encouraged": z}) for z in (0, 1)]
        for name in ("success", "treatment")
    )
    return (success[1] - success[0]) / (treated[1] - treated[0])


@pytest.mark.parametrize(
    ("model", "seen", "done", "references"),
    [
        (EncourageIV(), ".5834 .4870", ".5125 .7625", ".5125 .7625 .5834"),
        (VitaminA(), ".99229 .99876", ".993614 .798991", ".7990 .9936 .9988"),
        (VitaminA(hardy=1.0), ".99229 .99876", ".993614 .999008", ".999008 .999008 .9988"),
        (Lipid(), ".111 .773", ".081 .473", ".473 .473 .773"),
        (Lipid(hardy=1.0), ".111 .773", ".081 .861", ".861 .861 .773"),
    ],
)
def test_what_is_seen_what_is_done_and_what_is_earned(
    model: EncourageIV, seen: str, done: str, references: str
) -> None:
    assert printed(log_process(model).reward, seen)
    assert printed(do_process(model).reward, done)
    assert printed([*earned(model), model.promised_value()], references)


@pytest.mark.parametrize(
    ("model", "low", "high", "effect"),
    [
        (EncourageIV(), None, None, ".0875 .2925"),
        (VitaminA(), ".993614 .798991", ".993614 .999008", "-.19462 .00539"),
        (VitaminA(hardy=1.0), ".993614 .798991", ".993614 .999008", "-.19462 .00539"),
        (Lipid(), ".081 .473", ".081 .861", ".392 .780"),
        (Lipid(hardy=1.0), ".081 .473", ".081 .861", ".392 .780"),
    ],
)
def test_bounds(model: EncourageIV, low: str | None, high: str | None, effect: str) -> None:
    found, closed = certificate(model).intervals, balke_pearl(table(model))
    assert found is not None
    assert found.sharp
    assert np.stack([found.low[0], found.high[0]], 1) == pytest.approx(closed, abs=1e-9)
    assert printed(list(contrast(closed)), effect)
    assert low is None or printed(found.low, low)
    assert high is None or printed(found.high, high)


@pytest.mark.parametrize(
    ("model", "sure", "mixed", "figures"),
    [
        (EncourageIV(), [[0, 1]], "0 1", "0 .7625"),
        (VitaminA(), [[1, 0]], ".973 .027", ".00525 .9884"),
        (VitaminA(hardy=1.0), [[1, 0]], ".973 .027", ".00525 .9938"),
        (Lipid(), [[0, 1]], "0 1", "0 .473"),
    ],
)
def test_who_minds_the_bounds(
    model: EncourageIV, sure: list[list[int]], mixed: str, figures: str
) -> None:
    found = certificate(model)
    assert found.identified is False
    assert found.maximin is not None
    assert found.minimax_regret is not None
    assert found.maximin.policy == pytest.approx(np.array(sure), abs=1e-9)
    assert printed(found.minimax_regret.policy, mixed)
    assert printed([found.minimax_regret.value, found.minimax_regret.earned], figures)
    assert value(model, model.causal_policy()) - found.minimax_regret.earned < 0.0053


def test_the_ratio_of_an_instrument() -> None:
    assert printed(
        [ratio(EncourageIV()), ratio(VitaminA()), ratio(VitaminA(hardy=1.0))], ".25 .0032 .0032"
    )


@pytest.mark.parametrize(
    ("shift", "figures"), [("hard_cases", ".32 .57 .57"), ("backlash", ".5125 .3875 .5125")]
)
def test_shifts(shift: str, figures: str) -> None:
    model = EncourageIV()
    world = model.shifted(shift)
    assert printed([*earned(model, world), value(world, world.causal_policy())], figures)


COMPLIERS = {(1, 1): 0.003574605071229231, (1, 2): 0.000992227550851662, (1, 3): 0.7954166302520717}
LIPID_COMPLIERS = {(1, 0): 0.131, (1, 1): 0.473, (1, 2): 0.008}


@pytest.mark.parametrize(
    ("model", "weights"),
    [
        (VitaminA(), {(0, 0): 0.002811311394079709, (0, 2): 0.19720522573176782, **COMPLIERS}),
        (
            VitaminA(hardy=1.0),
            {(0, 1): 0.002811311394079709, (0, 3): 0.19720522573176782, **COMPLIERS},
        ),
        (Lipid(), {(0, 0): 0.315, (0, 2): 0.073, **LIPID_COMPLIERS}),
        (Lipid(hardy=1.0), {(0, 1): 0.315, (0, 3): 0.073, **LIPID_COMPLIERS}),
    ],
)
def test_the_mixture_of_response_types(
    model: VitaminA, weights: dict[tuple[int, int], float]
) -> None:
    """By what decides the treatment and the success:

    never 0; complier or helped 1; defier or hurt 2; always 3.
    """
    printed_weights = np.zeros((4, 4))
    for kind, weight in weights.items():
        printed_weights[kind] = weight
    assert distribution(model, "patient").reshape(4, 4) == pytest.approx(printed_weights, abs=1e-12)


@pytest.mark.parametrize("hardy", [0.0, 0.3, 1.0])
def test_a_trial_has_the_published_table(hardy: float) -> None:
    counts = np.array([[[74, 11514], [0, 0]], [[34, 2385], [12, 9663]]])
    assert table(VitaminA(hardy=hardy)) == pytest.approx(counts / counts.sum(), abs=1e-12)
    published = ".919 .081 0 0 .315 .073 .139 .473"
    assert printed(2 * table(Lipid(hardy=hardy)), published)


def test_the_refusers_decide_which_world_is_the_twin() -> None:
    assert [VitaminA(hardy=hardy).twin() for hardy in (0.0, 0.9, 1.0)] == [
        VitaminA(hardy=1.0),
        VitaminA(hardy=1.0),
        VitaminA(),
    ]
