"""The published sepsis simulator, solved:

what the physician earns, what the log promises, and what is so.
"""

import pytest
from printed import printed

from dosuite.causal import Array, Exactly, World, context, distribution, value
from dosuite.envs.worlds.sepsis import GlucoseSeen, SepsisDiabetes
from dosuite.eval.runs.reference_values import references

VALUES = ("j_behaviour", "j_uniform", "promised", "j_confused", "j_causal")


@pytest.mark.parametrize(
    ("model", "figures"),
    [
        (SepsisDiabetes(), ".3170 -.7588 .7066 .1110 .2399"),
        (GlucoseSeen(), ".3170 -.7588 .6403 .3242 .3564"),
        (SepsisDiabetes(fault=False), ".4638 -.7164 .8699 .4032 .4067"),
        (GlucoseSeen(fault=False), ".4638 -.7164 .5688 .4988 .5065"),
    ],
)
def test_what_is_promised_and_what_is_so(model: World, figures: str) -> None:
    found = references(model, model)
    assert printed([found[name] for name in VALUES], figures)


def test_who_is_admitted_and_who_is_harmed() -> None:
    model = SepsisDiabetes()
    assert printed(distribution(model, "diabetes")[1], ".18973")
    assert printed(
        [value(model.do(diabetes=group), model.confused_policy()) for group in (0, 1)], ".205 -.291"
    )
    assert printed(
        [
            value(model.shifted(name), model.confused_policy())
            for name in ("half_diabetic", "mostly_diabetic")
        ],
        "-.035 -.187",
    )


class DiabetesKnown(GlucoseSeen):
    """Everything that the physician sees is seen."""

    @context.starting(GlucoseSeen.diabetes.starting)  # type: ignore[attr-defined]
    def diabetes(self, diabetes_tm1: Array) -> Exactly:
        return Exactly(diabetes_tm1)


@pytest.mark.parametrize(("fault", "figure"), [(True, ".4297"), (False, ".5614")])
def test_who_knows_everything_does_best(fault: bool, figure: str) -> None:
    model = DiabetesKnown(fault=fault)
    assert printed(value(model, model.causal_policy()), figure)
