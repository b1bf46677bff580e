"""The printed figures of the clinics of trial and target, computed by the package."""

import pytest
from printed import done, naive, pooled, printed

from dosuite.causal import Factor, World, distribution, parse_graph, value
from dosuite.causal.exact import log_process
from dosuite.causal.identification import Source, fuse
from dosuite.envs.worlds.transport import Outcome, Response, Sighted, TransportClinic, TwoLogs

CELLS = ("drug", "marker", "recovery")


def deployed(model: World) -> list[float]:
    """J of the confused and of the causal policy in the target, and what is promised."""
    target = model.deployed()
    return [
        value(target, model.confused_policy()),
        value(target, target.causal_policy()),
        model.promised_value(),
    ]


@pytest.mark.parametrize(
    ("model", "here", "there", "earned"),
    [
        (TransportClinic(), ".48 .59", ".425 .2875", ".2875 .425 .590"),
        (Response(), ".28 .55", ".32 .225", ".225 .32 .55"),
    ],
    ids=lambda part: type(part).__name__,
)
def test_trial_and_target(model: World, here: str, there: str, earned: str) -> None:
    assert printed(naive(model), here)
    assert printed(done(model), here)
    assert printed(done(model.deployed()), there)
    assert printed(deployed(model), earned)


def test_the_spectrum_of_targets() -> None:
    confused = [deployed(TransportClinic(there=(marked / 10,)))[0] for marked in range(11)]
    assert printed(confused, ".70 .645 .59 .535 .48 .425 .37 .315 .26 .205 .15")


def test_where_the_two_drugs_cross() -> None:
    below, above = (TransportClinic(there=(marked,)).deployed() for marked in (0.4443, 0.4445))
    assert below.causal_policy().argmax() == 1
    assert above.causal_policy().argmax() == 0


def test_neither_log_alone_tells_what_the_drug_does_in_the_target() -> None:
    model = TwoLogs()
    trial, target = model.do(domain=0), model.do(domain=1)
    assert printed(naive(trial), ".48 .59")
    assert printed(naive(target), ".29 .4225")
    assert printed(done(target), ".425 .2875")


def law(model: World) -> Factor:
    return Factor(CELLS, distribution(model, *CELLS))


def after(experiment: World) -> Factor:
    """The law after each action, of a model in which nothing causes the action."""
    table = law(experiment).table
    return Factor(CELLS, table / table.sum((1, 2), keepdims=True))


@pytest.mark.parametrize(
    ("graph", "trial", "target", "weights"),
    [
        (
            "marker -> recovery <- drug",
            TransportClinic(),
            TransportClinic().deployed(),
            "P*(marker)",
        ),
        (
            "drug -> marker -> recovery; drug -> recovery",
            Response(),
            Response().deployed(),
            "P*(marker | drug)",
        ),
        (
            "marker -> recovery <- drug",
            TwoLogs().do(domain=0),
            TwoLogs().do(domain=1),
            "P*(marker)",
        ),
    ],
    ids=["TransportClinic", "Response", "TwoLogs"],
)
def test_the_formula_of_transport(graph: str, trial: World, target: World, weights: str) -> None:
    """The trial, and of the target a log in which hidden causes may tie drug and recovery."""
    admg, sources = (
        parse_graph(f"{graph}; drug <-> recovery"),
        [Source(done="drug", differs="marker"), Source("P*")],
    )
    found = fuse(admg, "recovery", "drug", sources)
    assert found is not None
    assert (
        str(found) == f"P(recovery | do(drug)) = Σ_marker {weights} P(recovery | do(drug), marker)"
    )
    assert found.evaluate({"P": after(trial), "P*": law(target)}).table[1] == pytest.approx(
        done(target), abs=1e-12
    )
    assert fuse(admg, "recovery", "drug", [Source("P*")]) is None


def test_what_the_drug_does_is_not_transported_where_it_does_something_else() -> None:
    sources = [Source(done="drug", differs="recovery"), Source("P*")]
    assert (
        fuse(
            parse_graph("marker -> recovery <- drug; drug <-> recovery"),
            "recovery",
            "drug",
            sources,
        )
        is None
    )
    model = Outcome()
    confused, causal, promised = deployed(model)
    assert confused < causal < promised
    assert distribution(model.deployed(), "marker") == pytest.approx(distribution(model, "marker"))


def test_who_sees_the_marker_is_right_in_either_clinic() -> None:
    confused, causal, _ = deployed(Sighted())
    assert confused == causal


@pytest.mark.parametrize(
    "model", [TransportClinic(), Response(), Outcome()], ids=lambda model: type(model).__name__
)
def test_in_a_control_the_target_is_the_clinic_of_the_log(model: TransportClinic) -> None:
    control = model.control()
    assert log_process(control).reward == pytest.approx(log_process(model).reward)
    assert done(control.deployed()) == pytest.approx(done(model))


def test_unlabelled_interventions_in_the_target_until_the_naive_mean_of_its_own_log_flips() -> None:
    target = TwoLogs().deployed()
    assert pooled(target, 0.963).argmax() == 1
    assert pooled(target, 0.965).argmax() == 0 == target.causal_policy().argmax()
