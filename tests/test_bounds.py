"""The laws of bounds: they contain the truth, witnesses attain them, closed forms equal the programmes, and what cannot be is refused.

Published and printed figures are written as text, and are met within one unit of their last digit.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

import numpy as np
import pytest
from countable import COUNTABLE
from numpy.typing import ArrayLike
from refusals import refused

from confoundry.causal import (
    ADMG,
    SCM,
    Array,
    Bernoulli,
    Bounds,
    Categorical,
    Exactly,
    Factor,
    Hedge,
    InputError,
    Mixture,
    Payoffs,
    Quantity,
    ResponseTypes,
    TooLargeError,
    action,
    balke_pearl,
    bounds,
    context,
    contrast,
    distribution,
    expectation,
    identify,
    interval_values,
    is_markov,
    latent,
    log_process,
    manski,
    necessity,
    necessity_and_sufficiency,
    parse_graph,
    response_types,
    reward,
    sufficiency,
    tables,
    value,
)
from confoundry.envs.casino import GreedyCasino
from confoundry.envs.ice_cream import DiscountDay, IceCreamShorts, NoOverlap
from confoundry.envs.river import ConfoundedRiver, MarkovRiver
from confoundry.envs.simpson import Sighted, SimpsonClinic

ATTAINED = 1e-7

Parents = Mapping[str, tuple[str, ...]]

BOW: Parents = {"x": (), "y": ("x",)}
INSTRUMENT: Parents = {"z": (), "d": ("z",), "y": ("d",)}
FRONT_DOOR: Parents = {"x": (), "m": ("x",), "y": ("m",)}
CLINIC: Parents = {"age": (), "drug": ("age",), "cure": ("age", "drug")}
TRIO: Parents = {"a": (), "b": ("a",), "c": ("b",)}

# Balke and Pearl (1997), section 5: counts of (capsules assigned z, taken d, survived y).
VITAMIN_A = np.array([[[74, 11514], [0, 0]], [[34, 2385], [12, 9663]]])
# Balke and Pearl (1997), section 5, the Lipid Research Clinics trial: counts of (assigned z, taken d, response y).
LIPID = np.array([[[158, 14], [0, 0]], [[52, 12], [23, 78]]])
# The influenza trial of McDonald, Hiu and Tierney (1992), as in the documentation of the R package noncompliance.
INFLUENZA = np.array([[[99, 1027], [30, 233]], [[84, 935], [31, 422]]])


def printed(computed: ArrayLike, figures: str) -> bool:
    """Whether numbers equal the printed figures, separated by spaces, each within one unit of its last digit."""
    words = figures.split()
    units = [10.0 ** -len(word.partition(".")[2]) for word in words]
    return all(x == pytest.approx(float(w), abs=u + 1e-9) for x, w, u in zip(np.ravel(computed), words, units, strict=True))


def mean_of(y: str, **interventions: float) -> Quantity:
    return lambda do: do(**interventions)[y]


def effect_of(x: str, y: str) -> Quantity:
    return lambda do: do(**{x: 1})[y] - do(**{x: 0})[y]


def random_truth(parents: Parents, latents: Sequence[tuple[str, ...]], sizes: tuple[int, ...], seed: int) -> Mixture:
    """A random model with these sizes: a law over the response types of each district, now and then with few types."""
    rng = np.random.default_rng(seed)
    shape = ResponseTypes(parents, latents, np.ones(sizes))
    laws = tuple(rng.dirichlet(np.full(district.equations[0].shape[1], 0.1 if seed % 2 else 1.0)) for district in shape.districts)
    return Mixture(shape, laws)


def ends(types: ResponseTypes, quantity: Quantity) -> list[float]:
    found = bounds(types, quantity)
    return [found.low, found.high]


# The laws.

QUANTITIES: list[tuple[Parents, Sequence[tuple[str, ...]], tuple[int, ...], Quantity]] = [
    (BOW, [("x", "y")], (2, 2), effect_of("x", "y")),
    (BOW, [("x", "y")], (3, 3), mean_of("y", x=2)),
    (BOW, [("x", "y")], (3, 2), lambda do: (do(x=0)["y"] < do(x=1)["y"]) & (do(x=1)["y"] > do(x=2)["y"])),
    (BOW, [("x", "y")], (2, 3), lambda do: (do()["x"] == 1) * (do(x=1)["y"] - do(x=0)["y"])),
    (INSTRUMENT, [("d", "y")], (2, 2, 2), effect_of("d", "y")),
    (INSTRUMENT, [("d", "y")], (3, 2, 2), effect_of("d", "y")),
    (INSTRUMENT, [("d", "y")], (2, 3, 2), lambda do: do(d=2)["y"] - do(d=0)["y"]),
    (INSTRUMENT, [("d", "y")], (2, 2, 3), lambda do: do(z=1)["d"] > do(z=0)["d"]),
    (CLINIC, [("drug", "cure")], (2, 2, 2), lambda do: do(drug=1 - do()["age"])["cure"]),
    (CLINIC, [("age", "drug", "cure")], (2, 2, 2), effect_of("drug", "cure")),
    (FRONT_DOOR, [("x", "y")], (2, 2, 2), effect_of("x", "y")),
    (FRONT_DOOR, [("m", "y")], (2, 2, 2), effect_of("x", "y")),
    (TRIO, [("a", "c")], (2, 3, 2), lambda do: do(b=do(a=1)["b"])["c"]),
    (TRIO, [("a", "b"), ("b", "c")], (2, 2, 2), effect_of("b", "c")),
    (TRIO, [("a", "b", "c")], (2, 2, 2), effect_of("a", "c")),
]


@pytest.mark.parametrize("case", range(len(QUANTITIES)))
def test_bounds_contain_the_truth_and_witnesses_with_the_same_table_attain_them(case: int) -> None:
    parents, latents, sizes, quantity = QUANTITIES[case]
    for seed in range(6):
        truth = random_truth(parents, latents, sizes, seed)
        types = ResponseTypes(parents, latents, truth.table())
        found = bounds(types, quantity)
        assert found.low - ATTAINED <= truth.mean(quantity) <= found.high + ATTAINED
        for witness, end in zip(found.witnesses, (found.low, found.high), strict=True):
            assert witness.mean(quantity) == pytest.approx(end, abs=ATTAINED)
            assert abs(witness.table() - types.table).max() < ATTAINED


class Doses(SCM):
    """Two ages, three doses and three outcomes, and a latent behind dose and outcome."""

    @latent
    def constitution(self) -> Bernoulli:
        return Bernoulli(0.4)

    @context
    def age(self) -> Bernoulli:
        return Bernoulli(0.3)

    @action
    def dose(self, constitution: Array, age: Array) -> Categorical:
        rows = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
        return Categorical(rows[constitution ^ age])

    @reward
    def health(self, age: Array, dose: Array, constitution: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.3 * (dose == 1) + 0.2 * (dose == 2) * age + 0.4 * constitution)


SMALL: dict[str, SCM] = {text: model for text, model in COUNTABLE.items() if model.horizon == 1 and "CovidCFR" not in text}
SMALL["Doses"] = Doses()


@pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)
def test_bounds_contain_the_truth_of_every_world_of_the_catalogue(model: SCM) -> None:
    types = response_types(model)
    for act in tables(model).support(model.action):
        found = bounds(types, mean_of(model.reward, **{model.action: act}))
        assert found.sharp
        assert found.low - ATTAINED <= expectation(model.do(**{model.action: act}), model.reward) <= found.high + ATTAINED


def test_with_a_context_the_bounds_are_those_of_each_context() -> None:
    model = Doses()
    natural = manski(distribution(model, "age", "dose", "health"))
    mean = np.einsum("c,cae->ae", distribution(model, "age"), natural)
    assert np.allclose(mean, [ends(response_types(model), mean_of("health", dose=x)) for x in range(3)], rtol=0, atol=1e-9)


def test_what_is_identified_is_a_point() -> None:
    for parents, latents, quantity in (
        (CLINIC, [], effect_of("drug", "cure")),
        (FRONT_DOOR, [("x", "y")], effect_of("x", "y")),
        (INSTRUMENT, [("d", "y")], effect_of("z", "y")),
    ):
        truth = random_truth(parents, latents, (2, 2, 2), seed=2)
        found = bounds(ResponseTypes(parents, latents, truth.table()), quantity)
        assert found.low == pytest.approx(truth.mean(quantity), abs=1e-9)
        assert found.high == pytest.approx(found.low, abs=1e-9)
        assert found.sharp


def random_graph(seed: int) -> ADMG:
    """Of two to four variables, each of which shares a hidden cause with at most one other."""
    rng = np.random.default_rng(seed)
    names = list("abcd"[: rng.integers(2, 5)])
    arrows = [f"{cause} -> {effect}" for cause, effect in combinations(names, 2) if rng.random() < 0.6]
    shuffled = rng.permutation(names).tolist()
    arcs = [f"{one} <-> {other}" for one, other in zip(shuffled[::2], shuffled[1::2], strict=False) if rng.random() < 0.7]
    return parse_graph("; ".join([*names, *arrows, *arcs]))


def test_bounds_are_a_point_where_the_effect_is_identified_and_an_interval_where_there_is_a_hedge() -> None:
    widths: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(60):
        graph = random_graph(seed)
        x, y = np.random.default_rng(seed).permutation(graph.nodes)[:2].tolist()
        uniform = ResponseTypes.of(graph, np.ones((2,) * len(graph.nodes)))
        truth = random_truth(uniform.parents, [tuple(latent) for latent in uniform.latents], (2,) * len(graph.nodes), 2 * seed)
        found = bounds(ResponseTypes.of(graph, truth.table()), mean_of(y, **{x: 1}))
        answer = identify(graph, y, x)
        widths[isinstance(answer, Hedge)].append(found.high - found.low)
        if not isinstance(answer, Hedge):
            assert answer.evaluate(Factor(graph.nodes, truth.table())).table[1, 1] == pytest.approx(found.low, abs=ATTAINED)
        assert found.sharp
        assert found.low - ATTAINED <= truth.mean(mean_of(y, **{x: 1})) <= found.high + ATTAINED
    assert max(widths[False]) < ATTAINED
    assert min(widths[True]) > 0.01
    assert min(map(len, widths.values())) > 4


def test_the_types_of_a_graph_share_a_latent_in_each_clique() -> None:
    types = ResponseTypes.of(parse_graph("ice cream -> knees; a <-> b; b <-> c; a <-> c; c <-> ice cream"), np.ones((2,) * 5))
    assert sorted(map(sorted, types.latents)) == [["a", "b", "c"], ["c", "ice cream"]]
    assert types.parents["knees"] == ("ice cream",)


def test_bounds_are_outer_where_a_district_has_more_latents_than_one() -> None:
    table = random_truth(TRIO, [("a", "b"), ("b", "c")], (2, 2, 2), seed=0).table()

    def found(*latents: tuple[str, ...]) -> Bounds:
        return bounds(ResponseTypes(TRIO, latents, table), effect_of("b", "c"))

    assert not found(("a", "b"), ("b", "c")).sharp
    assert not found(("a", "b"), ("b", "c"), ("a", "c")).sharp  # three that are shared by two each
    assert found(("a", "b", "c")).sharp  # one that is shared by all three
    assert str(found(("a", "b", "c"))).endswith("sharp")
    assert str(found(("a", "b"), ("b", "c"))).endswith("outer")


def test_a_point_is_sharp_whatever_the_latents() -> None:
    latents = [("a", "b"), ("b", "c")]
    types = ResponseTypes(TRIO, latents, random_truth(TRIO, latents, (2, 2, 2), seed=0).table())
    found = bounds(types, mean_of("a"))
    assert found.sharp
    assert found.low == pytest.approx(types.table[1].sum(), abs=1e-9)


def test_a_second_district_does_not_make_the_bounds_of_the_first_outer() -> None:
    parents = {**TRIO, "x": ("c",), "y": ("x",)}
    latents = [("a", "b"), ("b", "c"), ("x", "y")]
    truth = random_truth(parents, latents, (2, 2, 2, 2, 2), seed=0)
    assert bounds(ResponseTypes(parents, latents, truth.table()), effect_of("x", "y")).sharp


# Closed forms.


@pytest.mark.parametrize("sizes", [(2, 2), (3, 2), (2, 4), (4, 3)])
def test_manski_is_the_programme_of_the_bow(sizes: tuple[int, int]) -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(np.prod(sizes))).reshape(sizes)
    values = np.array([-1.0, 0.5, 2.0, 7.0])[: sizes[1]]
    types = ResponseTypes(BOW, [("x", "y")], table, {"y": values})
    assert np.allclose(manski(table, values), [ends(types, mean_of("y", x=x)) for x in range(sizes[0])], rtol=0, atol=1e-9)


def test_manski_takes_contexts_and_counts() -> None:
    counts = np.random.default_rng(0).integers(1, 9, (3, 2, 2))
    assert np.allclose(manski(counts)[1], manski(counts[1] / counts[1].sum()))
    with pytest.raises(InputError, match="context without any weight"):
        manski(np.zeros((2, 2)))


@pytest.mark.parametrize("values_of_z", [1, 2, 3, 4])
def test_balke_pearl_is_the_programme_of_the_instrument(values_of_z: int) -> None:
    for seed in range(8):
        table = random_truth(INSTRUMENT, [("d", "y")], (values_of_z, 2, 2), seed).table()
        types = ResponseTypes(INSTRUMENT, [("d", "y")], table)
        assert np.allclose(balke_pearl(table), [ends(types, mean_of("y", d=d)) for d in (0, 1)], rtol=0, atol=1e-9)
        assert np.allclose(contrast(balke_pearl(table)), ends(types, effect_of("d", "y")), rtol=0, atol=1e-9)


def test_probabilities_of_causation_are_the_programme_with_what_the_experiment_tells() -> None:
    for seed in range(8):
        truth = random_truth(BOW, [("x", "y")], (2, 2), seed)
        seen, experiments = truth.table(), [mean_of("y", x=0), mean_of("y", x=1)]
        done = np.array([truth.mean(experiment) for experiment in experiments])
        known = list(zip(experiments, done.tolist(), strict=True))
        types = ResponseTypes(BOW, [("x", "y")], seen)
        shares: list[tuple[Callable[[Array, Array], tuple[float, float]], Quantity, float]] = [
            (necessity, lambda do: (do()["x"] == 1) & (do()["y"] == 1) & (do(x=0)["y"] == 0), seen[1, 1]),
            (sufficiency, lambda do: (do()["x"] == 0) & (do()["y"] == 0) & (do(x=1)["y"] == 1), seen[0, 0]),
            (necessity_and_sufficiency, lambda do: (do(x=1)["y"] == 1) & (do(x=0)["y"] == 0), 1.0),
        ]
        for closed_form, quantity, among in shares:
            found = bounds(types, quantity, known)
            assert np.allclose(closed_form(seen, done), np.array([found.low, found.high]) / among, rtol=0, atol=1e-6)


# Published tables, and the figures that the catalogue prints.


def test_vitamin_a() -> None:
    assert printed(contrast(balke_pearl(VITAMIN_A)), "-.19462 .00539")
    assert printed(balke_pearl(VITAMIN_A), ".993614 .993614 .798991 .999008")
    types = ResponseTypes(INSTRUMENT, [("d", "y")], VITAMIN_A)
    assert printed(ends(types, effect_of("d", "y")), "-.19462 .00539")
    assert printed(VITAMIN_A[:, :, 1].sum(0) / VITAMIN_A.sum((0, 2)), ".99229 .99876")


@pytest.mark.parametrize(("helped", "figures"), [(False, ".993614 .798991"), (True, ".993614 .999008")])
def test_the_twins_of_vitamin_a_are_the_witnesses(helped: bool, figures: str) -> None:
    """The catalogue's two mixtures of response types (d, y), which must have the published table."""
    types = ResponseTypes(INSTRUMENT, [("d", "y")], VITAMIN_A)
    never, always, helps, hurts = (0, 0), (1, 1), (0, 1), (1, 0)  # what y does at d=0 and d=1
    mixture = {
        ((0, 0), helps if helped else never): 0.002811311394079709,
        ((0, 0), always if helped else hurts): 0.19720522573176782,
        ((0, 1), helps): 0.003574605071229231,
        ((0, 1), hurts): 0.000992227550851662,
        ((0, 1), always): 0.7954166302520717,
    }
    instrument, district = types.districts
    response_of_d, response_of_y = (district.responses[name].tolist() for name in ("d", "y"))
    law = np.array([mixture.get((tuple(d), tuple(y)), 0.0) for d, y in zip(response_of_d, response_of_y, strict=True)])
    witness = Mixture(types, (types.table.sum((1, 2)), law))
    assert instrument.names == ("z",)
    assert abs(witness.table() - types.table).max() < ATTAINED
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
    assert printed([ends(types, mean_of("shorts", ice_cream=x)) for x in (0, 1)], ".0675 .5675 .4075 .9075")
    assert printed([ends(types, mean_of("pay", ice_cream=x)) for x in (0, 1)], ".0675 .5675 .2075 .7075")


def test_discount_day_leaves_the_sign_open() -> None:
    model = DiscountDay()
    assert printed(ends(response_types(model), effect_of("ice_cream", "shorts")), "-.1115 .5985")
    assert printed(contrast(balke_pearl(distribution(model, "discount_day", "ice_cream", "shorts"))), "-.1115 .5985")


def test_no_overlap_leaves_what_was_never_done_open() -> None:
    types = response_types(NoOverlap())
    assert not types.latents
    assert printed([ends(types, mean_of("shorts", ice_cream=x)) for x in (0, 1)], ".025 .525 .45 .95")


def test_confused_encouragement() -> None:
    """F04 of the catalogue."""
    severe, takes, cured = np.array([0.75, 0.25]), np.array([[0.02, 0.60], [0.98, 0.90]]), np.array([[0.65, 0.10], [0.90, 0.35]])
    d = np.stack([1 - takes, takes], axis=1)  # z, d, u
    table = np.einsum("u,zdu,duy->zdy", severe, d, np.stack([1 - cured, cured], axis=2))
    assert printed(contrast(balke_pearl(table)), ".0875 .2925")


def test_rigged_casino_and_slate() -> None:
    assert printed(manski(distribution(GreedyCasino(casino="Rigged"), "machine", "payout")), ".275 .775 .175 .675")
    users, shown = np.array([0.60, 0.25, 0.15]), np.array([[0.85, 0.02, 0.01, 0.12], [0.10, 0.85, 0.02, 0.03], [0.05, 0.02, 0.90, 0.03]])
    clicks = np.array([[0.30, 0.05, 0.05, 0.20], [0.20, 0.70, 0.05, 0.15], [0.20, 0.05, 0.80, 0.15]])
    table = np.einsum("u,ui,uiy->iy", users, shown, np.stack([1 - clicks, clicks], axis=2))
    assert printed(manski(table), ".1595 .617 .1495 .922 .1086 .9626 .0162 .9322")


def test_the_legal_case_of_the_primer() -> None:
    """Pearl, Glymour and Jewell, Primer, table 4.5: deaths of 1000 patients in each arm, who chose the drug or were given it."""
    seen, done = np.array([[972, 28], [998, 2]]), np.array([0.014, 0.016])
    assert printed(necessity(seen, done), "1.00 1.00")
    assert printed(necessity_and_sufficiency(seen, done), ".002 .016")
    assert printed(sufficiency(seen, done), ".002 .031")


def test_leukaemia_near_the_bomb_if_radiation_never_prevents_it() -> None:
    """Pearl, Causality, table 9.1: the probability of necessity is the excess risk ratio where nothing is confounded."""
    seen = np.array([[59010, 16], [69130, 30]])
    risk = seen[:, 1] / seen.sum(1)
    assert necessity(seen, risk)[0] == pytest.approx(1 - risk[0] / risk[1], abs=1e-9)
    assert sufficiency(seen, risk)[0] == pytest.approx((risk[1] - risk[0]) / (1 - risk[0]), abs=1e-9)
    assert necessity_and_sufficiency(seen, risk)[0] == pytest.approx(risk[1] - risk[0], abs=1e-9)


# What can be guaranteed.

DECISIONS = [
    ("IceCreamShorts", ".0675 .2075", ".5675 .7075", "0 1", ".36 .64", ".2304"),
    ("NoOverlap", ".025 .25", ".525 .75", "0 1", ".275 .725", ".1994"),
    ("Rigged", ".275 .175", ".775 .675", "1 0", ".6 .4", ".240"),
    ("Door", ".54 .24", ".84 .94", "1 0", ".6 .4", ".240"),
    ("VitaminA", ".993614 .798991", ".993614 .999008", "1 0", ".973 .027", ".00525"),
    ("Confused", "0 .0875", "0 .2925", "0 1", "0 1", "0.000"),
    ("Slate", ".1595 .1495 .1086 .0162", ".617 .922 .9626 .9322", "1 0 0 0", "0.000 .343 .357 .300", ".5625"),
    ("SelectionGate", "0 0", "1 1", ".5 .5", ".5 .5", ".5"),
]


@pytest.mark.parametrize(("low", "high", "cautious", "regretful", "regret"), [row[1:] for row in DECISIONS], ids=[r[0] for r in DECISIONS])
def test_decisions_between_intervals(low: str, high: str, cautious: str, regretful: str, regret: str) -> None:
    box = Payoffs.box(np.array(low.split(), float), np.array(high.split(), float))
    maximin, minimax = box.maximin(), box.minimax_regret()
    assert printed(maximin.policy, cautious)
    assert maximin.value == pytest.approx(max(map(float, low.split())))
    assert printed(minimax.policy, regretful)
    assert printed(minimax.value, regret)


def acting(types: ResponseTypes, act: str, outcome: str, actions: int = 2) -> Payoffs:
    return Payoffs.of(types, [[mean_of(outcome, **{act: x}) for x in range(actions)]])


def test_decisions_under_response_types_are_those_of_the_table() -> None:
    vitamin_a = ResponseTypes(INSTRUMENT, [("d", "y")], VITAMIN_A)
    for payoffs, low, mixed, regret in (
        (acting(response_types(IceCreamShorts()), "ice_cream", "pay"), ".2075", ".36 .64", ".2304"),
        (acting(response_types(NoOverlap()), "ice_cream", "pay"), ".25", ".275 .725", ".1994"),
        (acting(response_types(GreedyCasino(casino="Rigged")), "machine", "payout"), ".275", ".6 .4", ".240"),
        (acting(vitamin_a, "d", "y"), ".993614", ".973 .027", ".00525"),
    ):
        assert printed(payoffs.maximin().value, low)
        assert printed(payoffs.minimax_regret().policy, mixed)
        assert printed(payoffs.minimax_regret().value, regret)


def test_where_payoffs_move_together_less_is_regretted_than_between_their_intervals() -> None:
    """Two treatments that differ in nothing for most units: the intervals overlap, and no regret is possible beyond the rest."""
    types = ResponseTypes(BOW, [("x", "y")], np.array([[0.2, 0.3], [0.1, 0.4]]))
    together = Payoffs.of(types, [[mean_of("y", x=0), lambda do: do(x=0)["y"] * 0.9]])
    low, high = np.array([ends(types, mean_of("y", x=0)), [0.9 * end for end in ends(types, mean_of("y", x=0))]]).T
    assert together.minimax_regret().value == pytest.approx(0.0, abs=1e-9)
    assert Payoffs.box(low, high).minimax_regret().value > 0.1


def random_payoffs(seed: int) -> Payoffs:
    truth = random_truth(CLINIC, [("drug", "cure")], (2, 2, 2), seed)
    types = ResponseTypes(CLINIC, [("drug", "cure")], truth.table())
    return Payoffs.of(types, [[cure_at(age, drug) for drug in (0, 1)] for age in (0, 1)])


def cure_at(age: int, drug: int) -> Quantity:
    return lambda do: (do()["age"] == age) * do(drug=drug)["cure"]


@pytest.mark.parametrize("seed", range(4))
def test_no_policy_promises_more_or_regrets_less(seed: int) -> None:
    payoffs = random_payoffs(seed)
    maximin, minimax = payoffs.maximin(), payoffs.minimax_regret()
    assert payoffs.guarantee(maximin.policy) == pytest.approx(maximin.value, abs=1e-8)
    assert payoffs.regret(minimax.policy) == pytest.approx(minimax.value, abs=1e-8)
    for a, b in product(np.linspace(0, 1, 6), repeat=2):
        policy = np.array([[1 - a, a], [1 - b, b]])
        assert payoffs.guarantee(policy) <= maximin.value + 1e-8
        assert payoffs.regret(policy) >= minimax.value - 1e-8


def test_the_river_guarantees_what_the_catalogue_prints() -> None:
    process = log_process(ConfoundedRiver())
    assert printed(process.start @ interval_values(process, ends=False).max(1), ".7753")
    assert printed(process.start @ interval_values(process, best=True, ends=False).max(1), "8.563")
    assert interval_values(process, ends=False)[:4].argmax(1).tolist() == [0, 1, 1, 1]
    assert is_markov(ConfoundedRiver().graph)


def test_intervals_contain_the_truth_of_every_plan_where_the_confounder_is_drawn_anew() -> None:
    for world in (ConfoundedRiver(), ConfoundedRiver(captain=0.7), ConfoundedRiver().shifted("fair")):
        process = log_process(world)
        for reward_range in (None, (0.0, 1.0)):
            low, high = (process.start @ interval_values(process, best, reward_range, ends=False).max(1) for best in (False, True))
            plans = [value(world, np.eye(2)[list(plan)]) for plan in product((0, 1), repeat=5)]
            assert low - 1e-9 <= max(plans) <= high + 1e-9


class Memory(SCM):
    """A trait that persists: in the log only the gifted reach the second floor."""

    horizon: int = 2

    @latent.starting(Bernoulli(0.5))
    def gift(self, gift_tm1: Array) -> Exactly:
        return Exactly(gift_tm1)

    @context.starting(Exactly(0))
    def floor(self, climb_tm1: Array) -> Exactly:
        return Exactly(climb_tm1)

    @action
    def climb(self, gift: Array) -> Exactly:
        return Exactly(gift)

    @reward
    def prize(self, floor: Array, gift: Array, climb: Array) -> Exactly:
        return Exactly(floor * gift * climb)


def test_where_the_confounder_persists_the_intervals_of_single_steps_are_no_bounds() -> None:
    """On the second floor everyone in the log climbs and wins, so the interval is a point; half of those sent there do not win."""
    model = Memory()
    process = log_process(model)
    assert process.visits[1].tolist() == [0.0, 0.5]
    guaranteed = interval_values(process, reward=(0.0, 1.0), ends=False)[1]
    assert guaranteed[1] >= 1.0
    assert value(model.do(climb=1)) == pytest.approx(0.5)
    assert not is_markov(model.graph)
    assert not is_markov(MarkovRiver().graph)


# Refusals, and corners.


def test_a_table_that_violates_the_instrumental_inequality_is_refused_with_the_inequality() -> None:
    table = np.array([[[0.6, 0.0], [0.2, 0.2]], [[0.0, 0.6], [0.2, 0.2]]])
    violated = "P(d=0, y=0 | z=0) + P(d=0, y=1 | z=1) = 1.2"
    assert violated in refused(lambda: balke_pearl(table))
    assert violated in refused(lambda: bounds(ResponseTypes(INSTRUMENT, [("d", "y")], table), effect_of("d", "y")))
    assert violated in refused(lambda: bounds(ResponseTypes(INSTRUMENT, [("d", "y")], table), mean_of("d", z=0)))


def test_a_violated_inequality_with_more_than_one_term_for_a_value_of_the_instrument_is_found() -> None:
    """Three values of z, and every one of Pearl's inequalities holds; Bonet (2001) has another."""
    table = np.zeros((3, 2, 2))
    table[0, 0, 0], table[0, 1, 1] = 0.5, 0.5
    table[1, 0, 1], table[1, 1, 0] = 0.5, 0.5
    table[2, 0, 0], table[2, 1, 0] = 0.5, 0.5
    assert all(table[:, d].max(0).sum() <= 1 for d in (0, 1))
    said = refused(lambda: bounds(ResponseTypes(INSTRUMENT, [("d", "y")], table), effect_of("d", "y")))
    assert "and it is at most 1" in said
    assert refused(lambda: balke_pearl(table)) == said


def test_a_district_that_is_not_asked_about_is_checked_too() -> None:
    parents = {**INSTRUMENT, "lamp": ()}
    table = np.multiply.outer(np.array([[[0.6, 0.0], [0.2, 0.2]], [[0.0, 0.6], [0.2, 0.2]]]), [0.5, 0.5])
    assert "= 1.2" in refused(lambda: bounds(ResponseTypes(parents, [("d", "y")], table), mean_of("lamp")))


def test_a_table_that_breaks_an_independence_of_the_graph_is_refused() -> None:
    table = np.random.default_rng(0).dirichlet(np.ones(8)).reshape(2, 2, 2)
    assert "given m, y depends on x" in refused(lambda: ResponseTypes(FRONT_DOOR, [], table))
    assert "given nothing, age depends on drug" in refused(lambda: ResponseTypes({"drug": (), "age": ()}, [], table.sum(2)))


def test_what_no_experiment_can_have_found_is_refused() -> None:
    seen = np.array([[0.2, 0.3], [0.4, 0.1]])
    assert "P(y=1 | do(x=0)) must lie between" in refused(lambda: necessity(seen, np.array([0.1, 0.5])))
    types = ResponseTypes(BOW, [("x", "y")], seen)
    assert "known beside it" in refused(lambda: bounds(types, mean_of("y", x=1), [(mean_of("y", x=0), 0.1)]))
    assert "there are none" in refused(lambda: necessity(np.array([[0.5, 0.0], [0.5, 0.0]]), np.array([0.0, 0.0])))
    assert "there are none" in refused(lambda: sufficiency(np.array([[0.0, 0.5], [0.0, 0.5]]), np.array([1.0, 1.0])))


def test_what_multiplies_unknown_laws_is_refused() -> None:
    parents = {"a": (), "b": ("a",), "x": ("b",), "y": ("x",)}
    latents = [("a", "b"), ("x", "y")]
    types = ResponseTypes(parents, latents, random_truth(parents, latents, (2, 2, 2, 2), 0).table())
    assert "a, b and of x, y" in refused(lambda: bounds(types, lambda do: do(a=1)["b"] * do(x=1)["y"]))


def test_wrong_names_values_and_tables_are_refused() -> None:
    table = np.full((2, 2), 0.25)
    types = ResponseTypes(BOW, [("x", "y")], table)
    assert "did you mean" in refused(lambda: bounds(types, mean_of("yy", x=1)))
    assert "not a variable" in refused(lambda: bounds(types, mean_of("y", age=1)))
    assert "x is never 2" in refused(lambda: bounds(types, mean_of("y", x=2)))
    assert "entry by entry" in refused(lambda: bounds(types, lambda do: do(x=1)["y"][:3]))
    assert "no entry in `parents`" in refused(lambda: ResponseTypes(BOW, [("x", "heat")], table))
    assert "cycle" in refused(lambda: ResponseTypes({"x": ("y",), "y": ("x",)}, [], table))
    assert "2 axes" in refused(lambda: ResponseTypes(INSTRUMENT, [], table))
    assert "negative" in refused(lambda: ResponseTypes(BOW, [], -table))
    assert "ascending" in refused(lambda: ResponseTypes(BOW, [], table, {"x": np.array([1, 0])}))
    assert "low and a high" in refused(lambda: Payoffs.box(np.ones(1), np.zeros(1)))
    assert "one step" in refused(lambda: response_types(ConfoundedRiver()))
    assert "axes z, d, y" in refused(lambda: balke_pearl(table))
    assert "never occurs in context" in refused(lambda: interval_values(log_process(Memory())))


def test_too_many_response_types_are_refused_before_any_memory_is_taken() -> None:
    with pytest.raises(TooLargeError, match=r"1\.07e\+14 response types"):
        ResponseTypes(BOW, [("x", "y")], np.ones((12, 12)) / 144)
    with pytest.raises(TooLargeError, match="response types"):
        response_types(SimpsonClinic(study="CovidCFR"))


def test_zero_cells_leave_open_what_was_never_seen() -> None:
    """In the log nobody young takes the drug; what it would do to them is free, and what it does to the old is known."""
    table = np.array([[[0.3, 0.2], [0.0, 0.0]], [[0.1, 0.1], [0.1, 0.2]]])
    types = ResponseTypes(CLINIC, [], table)
    assert np.allclose(ends(types, mean_of("cure", drug=1)), [0.5 * 0 + 0.5 * 2 / 3, 0.5 * 1 + 0.5 * 2 / 3])
    assert np.allclose(ends(types, mean_of("cure", drug=0)), 0.5 * 0.4 + 0.5 * 0.5)
    assert np.allclose(ends(types, lambda do: (do()["age"] == 1) * do(drug=1)["cure"]), 1 / 3)


def test_a_value_of_the_instrument_without_any_weight_tells_nothing() -> None:
    table = np.concatenate([VITAMIN_A, np.zeros((1, 2, 2))])
    types = ResponseTypes(INSTRUMENT, [("d", "y")], table)
    assert np.allclose(ends(types, effect_of("d", "y")), contrast(balke_pearl(VITAMIN_A)), rtol=0, atol=1e-9)
    assert np.allclose(ends(types, mean_of("d", z=2)), [0.0, 1.0])


def test_names_may_contain_spaces_and_values_may_be_any_numbers() -> None:
    parents = {"ice cream": (), "bare knees": ("ice cream",)}
    table = distribution(IceCreamShorts(), "ice_cream", "shorts")
    types = ResponseTypes(parents, [("ice cream", "bare knees")], table, {"ice cream": np.array([-0.5, 2.5])})
    assert printed(ends(types, lambda do: do(**{"ice cream": 2.5})["bare knees"]), ".4075 .9075")


def test_ties_are_shared() -> None:
    payoffs = Payoffs.box(np.array([[0.2, 0.2, 0.1], [0.0, 0.3, 0.3]]), np.array([[0.5, 0.5, 0.1], [0.0, 0.4, 0.4]]))
    assert np.allclose(payoffs.maximin().policy, [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], atol=1e-6)
    assert np.allclose(payoffs.minimax_regret().policy, [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], atol=1e-6)


def test_a_policy_that_sees_a_context_is_an_intervention_too() -> None:
    model = Sighted()
    types = response_types(model)
    found = bounds(types, lambda do: do(treatment=do()["stratum"])["recovery"])
    assert found.low == pytest.approx(value(model, np.eye(2)), abs=1e-9)


def test_a_printed_figure_that_is_wrong_is_noticed() -> None:
    assert not printed([0.275, 0.725], ".36 .64")
