"""What is malformed is refused at once, in one line that names what to change."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    InputError,
    Normal,
    World,
    action,
    context,
    distribution,
    expectation,
    latent,
    logged,
    lookup,
    reward,
    selection,
    terminal,
    value,
)
from dosuite.envs import make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts, Thermo
from dosuite.envs.worlds.river import ConfoundedRiver

NAN = float("nan")


def message(request: Callable[[], object]) -> str:
    """The message of the InputError with which a request is refused: one line."""
    with pytest.raises(InputError) as refused:
        request()
    text = str(refused.value)
    assert text
    assert "\n" not in text
    return text


class Shop(World):
    """A model without a fault, to put one in.

    Its causes are a chain: weather, price, sold, income.
    """

    @latent
    def weather(self) -> Bernoulli:
        return Bernoulli(0.5)

    @action
    def price(self, weather: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.6 * weather)

    @logged
    def sold(self, price: Array, weather: Array) -> Bernoulli:
        return Bernoulli(0.5 + 0.2 * weather - 0.2 * price)

    @reward
    def income(self, price: Array, sold: Array) -> Exactly:
        return Exactly(price * sold)


MALFORMED: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt cause": (
        {"sold": logged(lambda self, wether: Bernoulli(0.5))},
        "sold depends on 'wether', which is not a variable of Faulty; did you mean 'weather'?",
    ),
    "unknown cause": (
        {"sold": logged(lambda self, xyz: Bernoulli(0.5))},
        "choose from weather, price, sold, income",
    ),
    "misspelt cause one step earlier": (
        {"sold": logged.starting(Bernoulli(0.5))(lambda self, solt_tm1: Exactly(solt_tm1))},
        "'solt_tm1'",
    ),
    "cycle": ({"weather": latent(lambda self, sold: Exactly(sold))}, "Faulty has a cycle: "),
    "own cause": (
        {"sold": logged(lambda self, sold: Exactly(sold))},
        "Faulty.sold is its own cause; remove the parameter sold",
    ),
    "context caused by the action": (
        {"label": context(lambda self, price: Exactly(price))},
        "the context label is caused by the action price of the same step; use price_tm1",
    ),
    "context caused by an effect of the action": (
        {"label": context(lambda self, sold: Exactly(sold))},
        "the context label is caused by",
    ),
    "probability above 1": (
        {"sold": logged(lambda self, weather: Bernoulli(0.6 + 0.6 * weather))},
        "Faulty.sold: Bernoulli needs probabilities in [0, 1], and got 1.2",
    ),
    "negative probability": (
        {"sold": logged(lambda self: Bernoulli(-0.1))},
        "Faulty.sold: Bernoulli needs probabilities in [0, 1], and got -0.1",
    ),
    "probability that is no number": (
        {"sold": logged(lambda self: Bernoulli(NAN))},
        "Faulty.sold: Bernoulli needs probabilities in [0, 1], and got nan",
    ),
    "probabilities that do not sum to 1": (
        {"sold": logged(lambda self: Categorical(np.array([0.5, 0.4])))},
        "Faulty.sold: Categorical needs rows that sum to 1",
    ),
    "probabilities that are no numbers": (
        {"sold": logged(lambda self: Categorical(np.array([NAN, 1.0])))},
        "Faulty.sold: Categorical needs",
    ),
    "value that is no number": (
        {"sold": logged(lambda self: Exactly(NAN))},
        "Faulty.sold: Exactly needs finite values",
    ),
    "negative deviation": (
        {"sold": logged(lambda self: Normal(0.0, -1.0))},
        "Faulty.sold: Normal needs",
    ),
    "wrong only in one stratum": (
        {"sold": logged(lambda self, price, weather: Bernoulli(1.0 + price * weather))},
        "Faulty.sold: Bernoulli",
    ),
    "second action": (
        {"discount_": action(lambda self: Bernoulli(0.5))},
        "Faulty has 2 variables marked @action; make it one: price, discount_",
    ),
    "second reward": (
        {"tips": reward(lambda self: Bernoulli(0.5))},
        "Faulty has 2 variables marked @reward; make it one: income, tips",
    ),
    "second end": (
        {
            "closed": terminal(lambda self: Bernoulli(0.5)),
            "broke": terminal(lambda self: Bernoulli(0.5)),
        },
        "Faulty has 2 variables marked @terminal; make it one: closed, broke",
    ),
    "no action": (
        {"price": latent(lambda self: Bernoulli(0.5))},
        "Faulty has 0 variables marked @action; add one: write @action above the method",
    ),
    "no reward": (
        {"income": logged(lambda self, sold: Exactly(sold))},
        "Faulty has 0 variables marked @reward",
    ),
    "lag without a law of the first step": (
        {"weather": latent(lambda self, weather_tm1: Exactly(weather_tm1))},
        "Faulty.weather depends on weather_tm1 at the first step: write @latent.starting(law)",
    ),
    "first law with a lag": (
        {
            "weather": latent.starting(lambda model, sold_tm1: Exactly(sold_tm1))(
                lambda self, sold_tm1: Exactly(sold_tm1)
            )
        },
        "Faulty.weather depends on sold_tm1 at the first step",
    ),
    "undecorated override": (
        {"sold": lambda self: Bernoulli(0.5)},
        "Faulty.sold replaces a variable: decorate it with @logged",
    ),
    "mechanism without a law": (
        {"sold": logged(lambda self, weather: 0.5 * weather)},
        "Faulty.sold must return a distribution, such as Bernoulli(p) or Exactly(value), and "
        "returned",
    ),
    "mechanism that returns nothing": (
        {"sold": logged(lambda self: None)},
        "Faulty.sold must return a distribution",
    ),
    "selection in a longer model": (
        {
            "kept": selection(lambda self: Bernoulli(0.5)),
            "horizon": 3,
            "__annotations__": {"horizon": int},
        },
        "Faulty has a horizon of 3; @selection needs a horizon of 1",
    ),
    "burn-in of one step": (
        {"burn_in": 5, "__annotations__": {"burn_in": int}},
        "Faulty has a burn_in of 5; it needs a horizon above 1",
    ),
    "knob without a default": (
        {"__annotations__": {"tax": float}},
        "Faulty: give the field tax a default",
    ),
}


@pytest.mark.parametrize(("body", "text"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_model_is_refused_when_the_class_is_made(
    body: dict[str, Any], text: str
) -> None:
    assert text in message(lambda: type("Faulty", (Shop,), body))


def test_the_shop_without_a_fault_is_accepted() -> None:
    assert value(type("Faultless", (Shop,), {})()) == value(Shop()) > 0


def test_a_class_without_variables_is_an_abstract_base() -> None:
    base: Any = type("Base", (World,), {"tax": 0.1, "__annotations__": {"tax": float}})
    assert base.names_of_variables() == ()


KNOBS: dict[str, tuple[Callable[[], object], str]] = {
    "text": (
        lambda: IceCreamShorts(confounding="high"),  # type: ignore[arg-type]
        "confounding must be of type float, and got 'high'",
    ),
    "nothing": (
        lambda: IceCreamShorts(confounding=None),  # type: ignore[arg-type]
        "confounding must be of type float, and got None",
    ),
    "truth value": (
        lambda: IceCreamShorts(confounding=True),
        "confounding must be of type float, and got True",
    ),
    "no number": (
        lambda: IceCreamShorts(confounding=NAN),
        "confounding must be finite, and got nan",
    ),
    "infinite": (lambda: IceCreamShorts(effect=float("inf")), "effect must be finite"),
    "out of range": (
        lambda: IceCreamShorts(confounding=1.5),
        "IceCreamShorts.ice_cream: Bernoulli needs probabilities in [0, 1]",
    ),
    "out of range in a later variable": (
        lambda: IceCreamShorts(effect=0.2),
        "IceCreamShorts.shorts: Bernoulli needs probabilities",
    ),
    "no step": (lambda: IceCreamShorts(horizon=0), "horizon must be at least 1"),
    "half a step": (
        lambda: IceCreamShorts(horizon=1.5),  # type: ignore[arg-type]
        "horizon must be of type int, and got 1.5",
    ),
    "no discount": (lambda: ConfoundedRiver(discount=0.0), "discount in (0, 1]"),
    "discount above 1": (lambda: ConfoundedRiver(discount=1.1), "discount in (0, 1]"),
    "negative burn-in": (lambda: ConfoundedRiver(burn_in=-1), "burn_in at least 0"),
    "list for a tuple": (
        lambda: ConfoundedRiver(stroke_adverse=[0.1, 0.8, 0.1]),  # type: ignore[arg-type]
        "stroke_adverse must be of type tuple",
    ),
    "no law": (
        lambda: ConfoundedRiver(stroke_adverse=(0.5, 0.8, 0.1)),
        "ConfoundedRiver.cell: Categorical needs rows that sum to 1",
    ),
    "unknown study": (
        lambda: make_model("SimpsonClinic-v0", study="Kidneystones"),
        "did you mean 'KidneyStones'?",
    ),
    "unknown casino": (
        lambda: make_model("GreedyCasino-v0:casino=Riged"),
        "did you mean 'Rigged'?",
    ),
}


@pytest.mark.parametrize(("request_", "text"), KNOBS.values(), ids=KNOBS)
def test_a_bad_knob_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in message(request_)


ICE = IceCreamShorts()
QUESTIONS: dict[str, tuple[Callable[[], object], str]] = {
    "do of an unknown variable": (
        lambda: ICE.do(haet=1),
        "'haet' is not a variable of IceCreamShorts; did you mean 'heat'?",
    ),
    "do of text": (
        lambda: ICE.do(heat="warm"),  # type: ignore[arg-type]
        "do takes a number, a distribution or a function, and got 'warm'",
    ),
    "do of nothing": (
        lambda: ICE.do(heat=None),  # type: ignore[arg-type]
        "do takes a number, a distribution or a function, and got None",
    ),
    "do of no number": (
        lambda: ICE.do(heat=NAN),
        "do takes a number, a distribution or a function, and got nan",
    ),
    "do of a value that its effects cannot take": (
        lambda: ICE.do(heat=7),
        "IceCreamShorts.heat cannot be 7: its values are 0, 1",
    ),
    "do of a function with unknown causes": (
        lambda: ICE.do(shorts=lambda rain: Exactly(1 - rain)),
        "shorts depends on 'rain'",
    ),
    "do of a function that closes a cycle": (
        lambda: ICE.do(heat=lambda pay: Exactly(1 - pay)),
        "IceCreamShorts has a cycle: ",
    ),
    "do of a function that is no law": (
        lambda: ICE.do(heat=lambda: 0.5),  # type: ignore[arg-type, return-value]
        "IceCreamShorts.heat must return a distribution",
    ),
    "do that shows the action": (
        lambda: Thermo().do(reading=lambda ice_cream: Exactly(1 - ice_cream)),
        "the context reading is caused by",
    ),
    "unknown shift": (
        lambda: ICE.shifted("cold_snip"),
        "'cold_snip' is not a shift of IceCreamShorts; did you mean 'cold_snap'?",
    ),
    "unknown world": (
        lambda: make_model("IceCreamShort-v0"),
        "there is no environment 'IceCreamShort-v0'; did you mean 'IceCreamShorts-v0'?",
    ),
    "unknown version": (
        lambda: make_model("IceCreamShorts-v9"),
        "there is no environment 'IceCreamShorts-v9'; did you mean",
    ),
    "unknown knob": (
        lambda: make_model("IceCreamShorts-v0", confounded=0.1),
        "IceCreamShorts has no setting 'confounded'; did you mean 'confounding'?",
    ),
    "knob that cannot be read": (
        lambda: make_model("IceCreamShorts-v0:confounding=much"),
        "confounding must be of type float, and got 'much'",
    ),
    "knob without a value": (
        lambda: make_model("IceCreamShorts-v0:effect=0.1,confounding"),
        "write settings as key=value, and not 'confounding'",
    ),
    "unknown variant": (
        lambda: make_model("IceCreamShorts-v0", variant="twins"),
        "'twins' is not a variant; did you mean 'twin'?",
    ),
    "twin of who has none": (
        lambda: make_model("GreedyCasino-v0", variant="twin"),
        "GreedyCasino-v0 has no twin",
    ),
    "unknown shift of a world": (
        lambda: make_model("IceCreamShorts-v0", shift="snow"),
        "'snow' is not a shift of IceCreamShorts; choose from cold_snap",
    ),
    "file that is not there": (
        lambda: make_model("nowhere.py:Model"),
        "there is no file nowhere.py",
    ),
    "dial above 1": (lambda: ICE.dial(1.1), "the dial goes from 0 to 1, and got 1.1"),
    "dial that is no number": (lambda: ICE.dial(NAN), "the dial goes from 0 to 1, and got nan"),
    "law of an unknown variable": (lambda: distribution(ICE, "short"), "did you mean 'shorts'?"),
    "mean of an unknown variable": (lambda: expectation(ICE, "short"), "did you mean 'shorts'?"),
    "unknown evidence": (lambda: expectation(ICE, "pay", {"hat": 1}), "did you mean 'heat'?"),
    "evidence that is never seen": (
        lambda: expectation(ICE, "pay", {"ice_cream": 2}),
        "ice_cream is never 2; its values are [0, 1]",
    ),
    "evidence of probability zero": (
        lambda: expectation(ICE.do(heat=0), "pay", {"heat": 1}),
        "heat",
    ),
    "law given probability zero": (
        lambda: distribution(ICE.do(ice_cream=0), "pay", given={"ice_cream": 1}),
        "ice_cream=1 has probability zero",
    ),
    "mean given probability zero": (
        lambda: expectation(ICE.do(ice_cream=0), "pay", {"ice_cream": 1}),
        "ice_cream=1 has probability zero",
    ),
    "step after the end": (
        lambda: distribution(ICE, "pay", step=1),
        "IceCreamShorts has steps 0 to 0, and step 1 was asked for",
    ),
    "negative step": (lambda: expectation(ICE, "pay", step=-1), "step -1 was asked for"),
    "row that a table lacks": (
        lambda: lookup(ICE, "shorts", ("heat",), np.eye(2))(np.array([0.5])),
        "the table has no row for a value of heat",
    ),
}


@pytest.mark.parametrize(("request_", "text"), QUESTIONS.values(), ids=QUESTIONS)
def test_a_bad_question_is_refused(request_: Callable[[], object], text: str) -> None:
    assert text in message(request_)


POLICIES: dict[str, tuple[Any, str]] = {
    "row too few": ([[0.5, 0.5]], "a policy of Thermo has shape (2, 2), and got (1, 2)"),
    "action too many": (
        [[0.5, 0.5, 0.0]] * 2,
        "a policy of Thermo has shape (2, 2), and got (2, 3)",
    ),
    "list of actions": ([0, 1], "a policy of Thermo has shape (2, 2), and got (2,)"),
    "sum above 1": (
        [[0.5, 0.5], [0.5, 0.6]],
        "every row of a policy must be probabilities that sum to 1",
    ),
    "negative": (
        [[0.5, 0.5], [-0.5, 1.5]],
        "every row of a policy must be probabilities that sum to 1",
    ),
    "no number": (
        [[0.5, 0.5], [NAN, 1.0]],
        "every row of a policy must be probabilities that sum to 1",
    ),
}


@pytest.mark.parametrize(("policy", "text"), POLICIES.values(), ids=POLICIES)
def test_a_policy_that_is_none_is_refused(policy: Any, text: str) -> None:
    assert text in message(lambda: value(Thermo(), policy))
