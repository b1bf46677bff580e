"""The Trap, the Way out and the Best of every docstring are computed, and true."""

import inspect
import pkgutil
import re
from collections.abc import Callable
from importlib import import_module

import networkx as nx
import numpy as np
import pytest

import dosuite.envs.worlds
from dosuite.causal import (
    Array,
    Categorical,
    Estimand,
    InputError,
    World,
    certificate,
    distribution,
    expectation,
    identify,
    latent_projection,
    value,
)
from dosuite.causal.exact import do_process, greedy, log_process
from dosuite.causal.identification import back_door_set, proximal_means
from dosuite.envs import all_observations
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.correlated_noise import CorrelatedNoiseLQ
from dosuite.envs.worlds.ice_cream import IceCreamShorts
from dosuite.eval.runs.reference_values import references

EXACT = 1e-9
NUMBER = r"-?\d+(?:\.\d+)?"
TERM = rf"E\[[^\]]*\]|P\((?:[^()]|\([^()]*\))*\)|J\(\w+\)|promised|{NUMBER}"
LABELS = ("Trap", "Way out", "Best", "Twin")


def classes() -> list[type[World]]:
    """Every model class that is written in a module of dosuite.envs.worlds."""
    modules = [
        import_module(f"dosuite.envs.worlds.{module.name}")
        for module in pkgutil.iter_modules(dosuite.envs.worlds.__path__)
    ]
    return [
        kind
        for module in modules
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, World) and kind.__module__ == module.__name__ and kind._roles
    ]


def claims(kind: type[World]) -> dict[str, str]:
    """The claims of a docstring by their labels, without the full stop;

    a claim ends at the next label or empty line.
    """
    text = inspect.cleandoc(kind.__doc__ or "")
    found = re.findall(
        rf"^({'|'.join(LABELS)}): (.+?)\.$(?=\n[A-Z][\w ]*: |\n\n|\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    return {label: " ".join(claim.split()) for label, claim in found}


def holds(model: World, label: str, claim: str) -> bool:
    """Whether a claim about a model is true.

    Raises InputError if it asks for what the model does not have.
    """
    if label == "Way out":
        return is_way_out(model, claim)
    if label == "Twin":
        return claim.startswith("none, because ") and model.twin() is None
    if claim.startswith("since "):  # too many contexts to name an action in each
        return comparisons_hold(model, claim.removeprefix("since "))
    actions, _, reason = claim.partition(", since ")
    policy = model.confused_policy() if label == "Trap" else model.deployed().causal_policy()
    if label == "Best" and actions == "with a memory":
        return value(model.deployed(), policy) < evaluate(
            model, "J(causal)"
        ) - EXACT and comparisons_hold(model, reason)
    return is_said(model, policy, actions) and comparisons_hold(model, reason)


def is_said(model: World, policy: Array, words: str) -> bool:
    """Whether words tell a policy:

    the actions, "1 everywhere", the context whose value is the action, or that they are "many".
    """
    told = in_words(policy).split()
    if words == "many":
        return len(told) > 16 and len(set(told)) > 1
    if words.endswith(" everywhere"):
        return set(told) == {words.removesuffix(" everywhere")}
    if words in model.contexts:
        return told == [
            str(value)
            for value in all_observations(model).reshape(len(told), -1)[
                :, model.contexts.index(words)
            ]
        ]
    return words == " ".join(told)


def in_words(policy: Array) -> str:
    """The action in each context in order, "either" where several are taken alike."""
    return " ".join("either" if (row > 0).sum() > 1 else str(row.argmax()) for row in policy)


def comparisons_hold(model: World, text: str) -> bool:
    """Whether chained comparisons, joined by ", " or " and ", are all true."""
    pieces = re.split(f"({TERM})", text)
    separators, terms = pieces[::2], pieces[1::2]
    if separators[0] or separators[-1] or not {" = ", " < ", " > "} & set(separators):
        return False
    return all(
        compare(model, *pair) for pair in zip(terms, separators[1:-1], terms[1:], strict=False)
    )


def compare(model: World, left: str, relation: str, right: str) -> bool:
    gap = evaluate(model, left) - evaluate(model, right)
    tolerance = max(last_digit(left), last_digit(right), EXACT)
    truth = {
        " = ": abs(gap) < tolerance + EXACT,
        " > ": gap > EXACT,
        " < ": gap < -EXACT,
        ", ": True,
        " and ": True,
    }
    return truth.get(relation, False)


def last_digit(term: str) -> float:
    """One unit of the last printed digit of a number; 0 for what is computed."""
    return float(10.0 ** -len(term.partition(".")[2])) if re.fullmatch(NUMBER, term) else 0.0


def evaluate(model: World, term: str) -> float:
    """The exact value of a number, E[y | x=1, do(z=0)], P(y=1 | x=1, do(z=0)), promised or
    J(policy).
    """
    if re.fullmatch(NUMBER, term):
        return float(term)
    if term == "promised" or term.startswith("J("):
        return references(model, model.deployed())[
            f"j_{term[2:-1]}" if term.startswith("J(") else term
        ]
    what, _, conditions = term[2:-1].partition(" | ")
    done = re.findall(rf"do\((\w+)=({NUMBER})\)", conditions)
    seen = re.findall(rf"(?<!do\()\b(\w+)=({NUMBER})", conditions)
    world = model.do(**{name: to_number(number) for name, number in done})
    given = {name: to_number(number) for name, number in seen}
    if term.startswith("E"):
        return expectation(world, what, given)
    name, _, number = what.partition("=")
    return float(
        distribution(world, name, given=given) @ (world.tables.support(name) == float(number))
    )


def to_number(text: str) -> float:
    """A number as it is written:

    values of variables are often indices, and 1 is one where 1.0 is not.
    """
    return float(text) if "." in text else int(text)


def is_way_out(model: World, claim: str) -> bool:
    if found := re.fullmatch(r"the instrument (\w+)", claim):
        return is_instrument(model, found[1])
    if found := re.fullmatch(r"the state (\d+) steps earlier", claim):
        return (
            isinstance(model, CorrelatedNoiseLQ)
            and recovers(model, int(found[1]))
            and not recovers(model, int(found[1]) - 1)
        )
    if claim.startswith("adjust for "):
        chosen = back_door_set(model.graph) or ()
        named = sorted(re.split(", | and ", claim.removeprefix("adjust for ")))
        if model.action_bounds is not None:  # no table has the strata
            return bool(chosen) and sorted(chosen) == named
        return (
            bool(chosen)
            and sorted(chosen) == named
            and has_overlap(model, chosen)
            and adjustment_is_exact(model, chosen)
        )
    if claim.startswith("ignore "):
        return model.contexts == (claim.removeprefix("ignore "),) and who_sees_nothing_is_right(
            model
        )
    if claim.startswith("randomise "):
        return who_randomises_is_right(model, claim.removeprefix("randomise "))
    return claim in WAYS_OUT and WAYS_OUT[claim](model)


def who_randomises_is_right(model: World, name: str) -> bool:
    """Whether the confused policy of a log in which the variable `name` is noise is as good as the
    causal one, and the own is not.
    """
    values = model.tables.support(name)
    noisy = model.do(**{name: Categorical(np.full(len(values), 1 / len(values)), values)})
    return (
        not none_needed(model)
        and abs(value(model.deployed(), noisy.confused_policy()) - evaluate(model, "J(causal)"))
        < EXACT
    )


def is_instrument(model: World, name: str) -> bool:
    """Whether a logged variable moves the action, and the reward through the action alone, given
    the contexts.
    """
    if name not in model.names("logged"):
        return False
    graph, given = model.graph.copy(), set(model.contexts)
    moves = not nx.is_d_separator(graph, {name}, {model.action}, given)
    graph.remove_edges_from(list(graph.out_edges(model.action)))
    return moves and nx.is_d_separator(graph, {name}, {model.reward}, given)


def recovers(model: CorrelatedNoiseLQ, lag: int) -> bool:
    """Whether the state so many steps earlier, as an instrument, gives the expert's gain in an
    endless log.
    """
    return bool(abs(model.regressed_gain(lag) - model.expert).max() < EXACT)


def only_interventions(model: World) -> bool:
    """Whether nothing that is logged can be adjusted for."""
    chosen = back_door_set(model.graph)
    return chosen is None or not has_overlap(model, chosen)


def none_needed(model: World) -> bool:
    """Whether the confused policy is as good as the causal one."""
    return abs(evaluate(model, "J(confused)") - evaluate(model, "J(causal)")) < EXACT


def intent_helps(model: World) -> bool:
    """Whether whoever sees the intent earns more than the causal policy."""
    acting = model.with_intent()
    return value(acting, acting.causal_policy()) > evaluate(model, "J(causal)") + EXACT


def who_sees_nothing_is_right(model: World) -> bool:
    """Whether by the graph seeing is doing where no context is given, and the action that then
    looks best is the causal policy.
    """
    told = identify(latent_projection(model.graph), model.reward, model.action)
    means = [
        expectation(model, model.reward, {model.action: act})
        for act in model.tables.support(model.action)
    ]
    same = (model.causal_policy() == greedy(np.array([means]))).all()
    return isinstance(told, Estimand) and told.method == "seeing" and bool(same)


def graph_tells(model: World) -> bool:
    """Whether no adjustment does it, and the formula of the complete algorithm, in the law of the
    log, is what the actions earn.
    """
    found = certificate(model)
    if not found.identified or found.intervals is None or not only_interventions(model):
        return False
    return np.allclose(found.intervals.low, do_process(model).reward, rtol=0, atol=EXACT)


def bounds_tell(model: World) -> bool:
    """Whether no formula does it, and sharp bounds leave no doubt about the best policy."""
    found = certificate(model)
    if (
        found.identified
        or found.intervals is None
        or not found.intervals.exact
        or found.minimax_regret is None
    ):
        return False
    sure = found.minimax_regret.value < EXACT
    return sure and np.allclose(
        found.minimax_regret.policy, model.causal_policy(), rtol=0, atol=EXACT
    )


def proxies_tell(model: World) -> bool:
    """Whether the bridge between two proxies, that of the treatment written first, gives what each
    action does.
    """
    one, other = model.names("logged", "context")
    joint = distribution(model, model.action, one, other, model.reward)
    means = proximal_means(joint, model.tables.support(model.reward))
    truth = [
        expectation(model.do(**{model.action: int(act)}), model.reward)
        for act in model.tables.support(model.action)
    ]
    return bool(abs(means - truth).max() < EXACT)


def nothing_to_adjust_for(model: World) -> bool:
    """Whether the plain means of the log are what each action does, and the confused policy has
    made something else of them.
    """
    plain = abs(log_process(model).reward - do_process(model).reward).max() < EXACT
    return bool(back_door_set(model.graph) == () and plain and not none_needed(model))


def transport_tells(model: World) -> bool:
    """Whether the rates of the trial in the log, weighted with what the marker's law will be, are
    what each action does in the target.
    """
    target, trial = model.deployed(), {"domain": 0} if "domain" in model.variables else {}
    (marker,) = set(model.names("logged")) - {"domain"}
    for act in model.tables.support(model.action).tolist():
        done = target.do(**{model.action: act})
        rates = [
            expectation(model, model.reward, {model.action: act, marker: kind, **trial})
            for kind in (0, 1)
        ]
        if abs(distribution(done, marker) @ rates - expectation(done, model.reward)) > EXACT:
            return False
    return True


WAYS_OUT: dict[str, Callable[[World], bool]] = {
    "interventions": only_interventions,
    "the graph": graph_tells,
    "bounds": bounds_tell,
    "none needed": none_needed,
    "intent": intent_helps,
    "no adjustment": nothing_to_adjust_for,
    "proxies": proxies_tell,
    "transport": transport_tells,
    "trials in the target": lambda model: not transport_tells(model),
}


def has_overlap(model: World, chosen: tuple[str, ...]) -> bool:
    """Whether each action is taken in the log wherever contexts and the chosen variables have
    positive probability.
    """
    joint = distribution(model, *model.contexts, *chosen, model.action)
    return bool((joint[joint.sum(-1) > 0] > 0).all())


def adjustment_is_exact(model: World, chosen: tuple[str, ...]) -> bool:
    """Whether sum_z P(z) E[reward | a, z] is E[reward | do(a)] for each action a of a one-step
    model without contexts.
    """
    weights = distribution(model, *chosen)
    cells = [index for index in np.ndindex(*weights.shape) if weights[index] > 0]
    for act in model.tables.support(model.action):
        adjusted = 0.0
        for cell in cells:
            stratum = {
                name: model.tables.support(name)[i] for name, i in zip(chosen, cell, strict=True)
            }
            adjusted += float(weights[cell]) * expectation(
                model, model.reward, {model.action: act, **stratum}
            )
        if abs(adjusted - expectation(model.do(**{model.action: act}), model.reward)) > EXACT:
            return False
    return True


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_class_says_trap_way_out_and_best(kind: type[World]) -> None:
    assert {"Trap", "Way out", "Best"} <= set(claims(kind))


@pytest.mark.parametrize(
    ("kind", "label"),
    [(kind, label) for kind in classes() for label in claims(kind)],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_claim_is_true(kind: type[World], label: str) -> None:
    assert holds(kind(), label, claims(kind)[label]), (
        f"{kind.__name__}: {label}: {claims(kind)[label]}"
    )


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_who_has_no_twin_says_why(kind: type[World]) -> None:
    assert ("Twin" in claims(kind)) == (kind().twin() is None)


def falsehoods() -> list[tuple[str, str]]:
    """The claims of IceCreamShorts, each with one number changed."""
    changed = []
    for label, claim in claims(IceCreamShorts).items():
        for number in re.finditer(NUMBER, claim):
            digits = len(number[0].partition(".")[2])
            others = (
                [float(number[0]) + 2 * sign / 10**digits for sign in (-1, 1)]
                if digits
                else [1 - int(number[0])]
            )
            changed += [
                (label, f"{claim[: number.start()]}{other:.{digits}f}{claim[number.end() :]}")
                for other in others
            ]
    return changed


@pytest.mark.parametrize(("label", "claim"), falsehoods())
def test_a_claim_with_one_number_changed_is_false(label: str, claim: str) -> None:
    assert not holds(IceCreamShorts(), label, claim)


@pytest.mark.parametrize(
    "claim",
    [
        "none needed",
        "adjust for shorts",
        "ignore shorts",
        "randomise heat",
        "the graph",
        "bounds",
        "intervention",
        "",
    ],
)
def test_a_wrong_way_out_is_false(claim: str) -> None:
    assert not holds(IceCreamShorts(), "Way out", claim)


@pytest.mark.parametrize(
    "reason",
    [
        "",
        "promised",
        "E[pay | ice_cream=1] != 0.2",
        "E[pay | ice_cream=1] > 0.2 or so",
        "promised 0.615",
    ],
)
def test_a_reason_that_is_no_comparison_does_not_hold(reason: str) -> None:
    assert not comparisons_hold(IceCreamShorts(), reason)


def test_a_claim_about_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(InputError, match="did you mean 'shorts'"):
        comparisons_hold(IceCreamShorts(), "E[short | ice_cream=1] = 0.8")


@pytest.mark.parametrize(
    ("kind", "claim"),
    [
        (AirlinePricing, "the instrument sales"),
        (AirlinePricing, "the instrument time"),
        (AirlinePricing, "adjust for fuel"),
        (CorrelatedNoiseLQ, "the state 9 steps earlier"),
        (CorrelatedNoiseLQ, "the state 11 steps earlier"),
    ],
)
def test_a_wrong_instrument_is_no_way_out(kind: type[World], claim: str) -> None:
    assert not holds(kind(), "Way out", claim)
