"""P(y | do(x)) for all x at once:

what each intervention alone gives, in every world, in random networks, and step by step.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import permutations, product
from typing import cast

import numpy as np
import pytest
from countable import TABULAR
from places import THROWAWAY_FILE

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    InputError,
    TooLargeError,
    World,
    distribution,
    effect,
)
from dosuite.causal.model.elimination import Factor, eliminate
from dosuite.envs import make_model
from dosuite.envs.worlds.ice_cream import IceCreamShorts, Thermo
from dosuite.eval.bench.bayes_nets import Node, import_pyagrum, in_pyagrum

EXACT = 1e-12
THROWAWAY = {
    name: make_model(f"{THROWAWAY_FILE}:{name}")
    for name in ("Relay", "Orchard", "Dawn", "Survivors")
}
MODELS: dict[str, World] = {**TABULAR, **THROWAWAY}
ONE_STEP = {text: model for text, model in MODELS.items() if model.horizon == 1}
SEEDS = range(20)

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
every_one_step_model = pytest.mark.parametrize("model", ONE_STEP.values(), ids=ONE_STEP)


def one_by_one(
    model: World, y: str, x: str, given: Mapping[str, float] | None = None, step: int = 0
) -> Array:
    """The same from an intervention for each value, whose model may know fewer values of y."""
    rows = np.zeros((len(model.tables.support(x)), len(model.tables.support(y))))
    for row, value in zip(rows, model.tables.support(x), strict=True):
        done = model.do(**{x: value})
        places = np.searchsorted(model.tables.support(y), done.tables.support(y))
        row[np.minimum(places, len(row) - 1)] = distribution(done, y, given=given, step=step)
    return rows


def agrees(
    model: World, y: str, x: str, given: Mapping[str, float] | None = None, step: int = 0
) -> bool:
    """Whether both ways give the same, or both refuse the question."""
    try:
        expected = one_by_one(model, y, x, given, step)
    except InputError as error:
        with pytest.raises(InputError, match="probability zero"):
            effect(model, y, x, given, step)
        return "probability zero" in str(error)
    return bool(abs(effect(model, y, x, given, step) - expected).max() <= EXACT)


def pairs(model: World) -> list[tuple[str, str]]:
    return list(permutations(model.variables, 2))


@every_model
def test_all_values_at_once_are_each_value_alone(model: World) -> None:
    for step in {0, min(1, model.horizon - 1), min(3, model.horizon - 1)}:
        for y, x in pairs(model):
            assert agrees(model, y, x, step=step)


@every_one_step_model
def test_so_they_are_given_what_is_seen(model: World) -> None:
    for y, x in pairs(model):
        for z in set(model.names("context", "logged", "latent")) - {x, y}:
            assert agrees(model, y, x, given={z: model.tables.support(z)[-1]})


def network(seed: int) -> World:
    """A random network of 5 to 8 variables with 2 or 3 values each, every third entry of a law
    being zero.
    """
    rng = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(rng.integers(5, 9))]
    sizes = dict(zip(names, rng.integers(2, 4, len(names)).tolist(), strict=True))
    roles = dict(zip(rng.permutation(names).tolist(), ("action", "reward"), strict=False))
    nodes = {}
    for place, name in enumerate(names):
        causes = tuple(rng.permutation(names[:place])[: rng.integers(0, 4)].tolist())
        table = rng.dirichlet(
            np.ones(sizes[name]), int(np.prod([sizes[cause] for cause in causes]))
        )
        table = np.where(rng.random(table.shape) < 1 / 3, 0.0, table) + 1e-3 * np.eye(
            1, sizes[name]
        )
        table = table / table.sum(1, keepdims=True)
        supports = tuple(tuple(range(sizes[cause])) for cause in causes)
        nodes[name] = Node(
            causes,
            supports,
            tuple(map(tuple, table.tolist())),
            tuple(range(sizes[name])),
            roles.get(name, "latent"),
        )
    return cast(World, type("Random", (World,), {"__module__": __name__, **nodes})())


def brute_force(model: World, y: tuple[str, ...], x: tuple[str, ...]) -> Array:
    """The truncated factorisation, summed over all values of everything."""
    names, laws = (
        list(model.variables),
        {name: model.tables.factor(name, first=True) for name in model.variables},
    )
    sizes = {name: len(model.tables.support(name)) for name in names}
    answer = np.zeros([sizes[name] for name in (*x, *y)])
    for values in product(*(range(sizes[name]) for name in names)):
        now = dict(zip(names, values, strict=True))
        chance = np.prod(
            [
                laws[name].table[tuple(now[other] for other in laws[name].names)]
                for name in names
                if name not in x
            ]
        )
        answer[tuple(now[name] for name in (*x, *y))] += chance
    return answer


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks_agree_with_brute_force(seed: int) -> None:
    model, rng = network(seed), np.random.default_rng(seed)
    for size in (2, 3, 4):
        chosen = tuple(rng.permutation(list(model.variables))[:size].tolist())
        for split in range(1, size):
            x, y = chosen[:split], chosen[split:]
            assert effect(model, y, x) == pytest.approx(brute_force(model, y, x), abs=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_networks_agree_with_pyagrum(seed: int) -> None:
    model = network(seed)
    for x in model.variables:
        engine = import_pyagrum().LazyPropagation(in_pyagrum(model, cut=x))
        for y in set(model.variables) - {x}:
            for value, row in enumerate(effect(model, y, x)):
                engine.setEvidence({x: value})
                assert row == pytest.approx(engine.posterior(y).toarray(), abs=EXACT)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_summing_does_not_matter(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(seed)
    laws = [model.tables.factor(name, first=True) for name in model.order]
    names = (model.action, model.reward)
    expected = eliminate(laws, names)
    monkeypatch.setattr("dosuite.causal.model.elimination.AT_ONCE", 1 + seed)
    monkeypatch.setattr("dosuite.causal.model.elimination.MOST_FACTORS", 2)
    ones = [
        Factor((name,), np.ones(len(model.tables.support(name)))) for name in model.order
    ]  # for a plan of its own
    assert eliminate([*laws, *ones], names) == pytest.approx(expected, abs=EXACT)


def test_several_axes_come_in_the_order_of_their_names() -> None:
    model = IceCreamShorts(effect=0.05)
    both = effect(model, ("pay", "shorts"), ("ice_cream", "heat"))
    assert both.shape == (2, 2, 4, 2)
    assert both.sum(3) == pytest.approx(effect(model, "pay", ("ice_cream", "heat")), abs=EXACT)
    assert both == pytest.approx(
        effect(model, ("shorts", "pay"), ("heat", "ice_cream")).transpose(1, 0, 3, 2), abs=EXACT
    )
    assert effect(model, "pay", ()) == pytest.approx(distribution(model, "pay"), abs=EXACT)


def test_values_that_end_every_episode_are_left_out_by_naming_the_others() -> None:
    relay = THROWAWAY["Relay"]
    for step in range(3):
        found = effect(relay, "pay", {"burnt": [0], "push": [1, 0]}, {"lamp": 1}, step)
        for place, push in enumerate((1, 0)):
            world = relay.do(burnt=0, push=push)
            assert found[0, place] == pytest.approx(
                distribution(world, "pay", given={"lamp": 1}, step=step), abs=EXACT
            )
    assert np.array_equal(
        effect(IceCreamShorts(), "pay", {"ice_cream": [1]}),
        effect(IceCreamShorts(), "pay", "ice_cream")[1:],
    )


def test_an_answer_is_its_own_array() -> None:
    model = IceCreamShorts()
    for y, x in pairs(model):
        kept = effect(model, y, x).copy()
        effect(model, y, x)[:] = 0.5
        assert np.array_equal(effect(model, y, x), kept)


def test_a_vote_of_very_many_is_counted() -> None:
    voters = {
        f"voter_{i}": Node(("mood",), ((0, 1),), ((0.5, 0.5), (0.4, 0.6)), (0, 1), "logged")
        for i in range(100)
    }
    crowd = cast(
        World,
        type(
            "Crowd",
            (IceCreamShorts,),
            {
                "__module__": __name__,
                "mood": Node((), (), ((0.5, 0.5),), (0, 1), "latent"),
                **voters,
            },
        )(),
    )
    odds = 1.2**100  # of the mood, when all vote for it
    assert distribution(crowd, "mood", given=dict.fromkeys(voters, 1))[1] == pytest.approx(
        odds / (1 + odds), abs=EXACT
    )
    with pytest.raises(TooLargeError, match=r"the answer needs a table of 2\.54e\+30 entries"):
        effect(crowd, tuple(voters), "ice_cream")


def ones_of(numbers: Iterable[int]) -> Factor:
    """A table of variables that have one value each."""
    names = tuple(f"v{i}" for i in numbers)
    return Factor(names, np.ones((1,) * len(names)))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "unknown outcome": (
        lambda: effect(Thermo(), "shots", "ice_cream"),
        "'shots' is not a variable of Thermo; did you mean 'shorts'?",
    ),
    "unknown treatment": (
        lambda: effect(Thermo(), "shorts", "haet"),
        "'haet' is not a variable of Thermo; did you mean 'heat'?",
    ),
    "unknown evidence": (
        lambda: effect(Thermo(), "shorts", "heat", {"redaing": 1}),
        "did you mean 'reading'?",
    ),
    "both": (
        lambda: effect(Thermo(), ("pay", "heat"), "heat"),
        "name each outcome and treatment once, and not as both; got heat, pay, heat",
    ),
    "never done": (
        lambda: effect(Thermo(), "pay", {"heat": [0, 2]}),
        "heat is never 2; its values are [0, 1]",
    ),
    "a product of many": (
        lambda: eliminate([ones_of(range(30)), ones_of(range(30, 60))], ()),
        "has 60 names, and the most is 52",
    ),
    "an answer about many": (
        lambda: eliminate([ones_of([i]) for i in range(60)], [f"v{i}" for i in range(60)]),
        "and the most is 52",
    ),
    "no such step": (
        lambda: effect(Thermo(), "pay", "heat", step=1),
        "Thermo has steps 0 to 0, and step 1 was asked for",
    ),
    "never": (
        lambda: effect(Thermo(reliability=1.0), "pay", "heat", {"reading": 1}),
        "reading=1 has probability zero in Thermo under do(heat=0); name the values that can be "
        "done, as in {'heat': [...]}",
    ),
    "ended": (
        lambda: effect(THROWAWAY["Relay"], "pay", "burnt", step=2),
        "an episode so long has probability zero in Relay under do(burnt=1); name the values "
        "that can be done",
    ),
}


@pytest.mark.parametrize(("question", "text"), REFUSED.values(), ids=REFUSED)
def test_a_bad_question_is_refused(question: Callable[[], object], text: str) -> None:
    with pytest.raises(InputError) as refusal:
        question()
    assert text in str(refusal.value)


def test_equal_models_share_their_tables_and_unequal_ones_do_not() -> None:
    assert IceCreamShorts().tables is IceCreamShorts().tables
    cold = IceCreamShorts().do(heat=Bernoulli(0.1))
    assert cold.tables is not IceCreamShorts().tables
    assert effect(cold, "shorts", "ice_cream")[:, 1] == pytest.approx([0.135, 0.135], abs=EXACT)
    assert effect(cold.do(shorts=Exactly(1)), "shorts", "ice_cream") == pytest.approx(
        np.ones((2, 1))
    )
