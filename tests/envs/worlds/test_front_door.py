"""The printed figures of F03, TarFrontdoor and NapkinClinic."""

from itertools import combinations

import numpy as np
import pytest
from printed import earned, printed

from dosuite.causal import Array, InputError, World, certificate, distribution, value
from dosuite.causal.exact import do_process, log_process
from dosuite.causal.identification import back_door_set
from dosuite.envs.worlds.front_door import TarFrontdoor
from dosuite.envs.worlds.napkin import NapkinClinic


def adjusted(model: World, *names: str) -> Array:
    """The sum over z of P(z) E[reward | action, z], for each action."""
    joint = distribution(model, *names, model.action, model.reward)
    means = joint @ model.tables.support(model.reward) / joint.sum(-1)
    return np.asarray(np.tensordot(distribution(model, *names), means, len(names)))


@pytest.mark.parametrize(
    ("model", "seen", "done"),
    [
        (TarFrontdoor(), ".9025 .1475", ".5025 .5475"),
        (TarFrontdoor(table="Amplified"), ".794 .346", ".514 .626"),
        (TarFrontdoor(table="Primer"), ".0975 .8525", ".4975 .4525"),
        (NapkinClinic(), ".6356 .4556", ".425 .65"),
    ],
    ids=lambda part: getattr(part, "table", None),
)
def test_what_is_seen_and_what_is_done(model: World, seen: str, done: str) -> None:
    twin, found = model.twin(), certificate(model)
    assert twin is not None
    assert printed(log_process(model).reward, seen)
    assert printed(do_process(model).reward, done)
    assert printed(do_process(twin).reward, seen)
    assert back_door_set(model.graph) is None
    assert back_door_set(twin.graph) == ()
    assert found.identified
    assert found.intervals is not None
    assert printed(found.intervals.low, done)


def test_tar() -> None:
    model = TarFrontdoor()
    assert printed([*earned(model), model.promised_value(), value(model)], ".5025 .5475 .9025 .525")
    assert printed(adjusted(model, "tar"), ".925 .125")
    # Causality, table 3.1: P(smoking, tar), P(cancer | smoking, tar)
    published = "0.475 0.10 0.025 0.05 0.025 0.90 0.475 0.85"
    joint = distribution(model, "smoking", "tar", "health")
    assert printed(np.stack([joint.sum(-1), joint[..., 0] / joint.sum(-1)], -1), published)


def test_an_unknown_table() -> None:
    assert list(TarFrontdoor.members()) == ["Causality", "Amplified", "Primer"]
    with pytest.raises(InputError, match="did you mean 'Primer'"):
        TarFrontdoor(table="Prime")


@pytest.mark.parametrize(
    ("model", "shift", "figures"),
    [
        (TarFrontdoor(), "genotype_common", ".147 .192 .192"),
        (TarFrontdoor(), "genotype_rare", ".858 .903 .903"),
        (TarFrontdoor(), "filter_tips", ".5025 .515 .515"),
        (TarFrontdoor(), "no_tar_path", ".5025 .5025 .5025"),
        (TarFrontdoor(), "tar_harmful", ".5475 .5025 .5475"),
        (NapkinClinic(), "frail_common", ".165 .410 .410"),
        (NapkinClinic(), "frail_rare", ".685 .890 .890"),
        (NapkinClinic(), "backfire", ".425 .375 .425"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, World) else part,
)
def test_shifts(model: World, shift: str, figures: str) -> None:
    world = model.shifted(shift)
    assert printed([*earned(model, world), value(world, world.causal_policy())], figures)


def test_napkin_yields_to_no_adjustment() -> None:
    model = NapkinClinic()
    assert printed([*earned(model), model.promised_value()], ".425 .650 .6356")
    assert adjusted(model, "flag") == pytest.approx(log_process(model).reward[0], abs=1e-12)
    for names in [chosen for size in (1, 2) for chosen in combinations(("flag", "referral"), size)]:
        assert adjusted(model, *names).argmax() == 0


@pytest.mark.parametrize("referral", [0, 1])
def test_the_napkin_formula_holds_for_either_referral(referral: int) -> None:
    joint = distribution(NapkinClinic(), "flag", "referral", "operation", "recovery")
    flag = joint.sum((1, 2, 3))
    given = joint[:, referral] / joint[:, referral].sum((1, 2), keepdims=True)
    law = np.tensordot(flag, given, 1)
    assert printed(law[:, 1] / law.sum(1), ".425 .65")
