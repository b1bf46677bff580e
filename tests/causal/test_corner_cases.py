"""Models that are unlike the catalogue's: what they have taught."""

from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from places import ROOT

from dosuite.agents import make_agent
from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Exactly,
    InputError,
    Normal,
    TooLargeError,
    World,
    action,
    context,
    latent,
    logged,
    reward,
    selection,
    terminal,
    value,
)
from dosuite.causal.exact import chain, log_process, worst_policy
from dosuite.causal.identification import back_door_set
from dosuite.envs import Log, collect
from dosuite.eval import Run, grid, score


class Flip(World):
    """The context shows the latent at the first step, and its opposite later."""

    horizon: int = 3
    discount: float = 0.1

    @latent
    def coin(self) -> Bernoulli:
        return Bernoulli(0.5)

    @context.starting(lambda model, coin: Exactly(coin))
    def shown(self, coin: Array) -> Exactly:
        return Exactly(1 - coin)

    @action
    def guess(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def prize(self, guess: Array, coin: Array) -> Exactly:
        return Exactly(1.0 * (guess == coin))


class Survivors(World):
    """Rows are kept by the latent, the action and the outcome."""

    @latent
    def frailty(self) -> Bernoulli:
        return Bernoulli(0.4)

    @action
    def treat(self, frailty: Array) -> Bernoulli:
        return Bernoulli(0.2 + 0.5 * frailty)

    @reward
    def health(self, frailty: Array, treat: Array) -> Bernoulli:
        return Bernoulli(0.7 - 0.4 * frailty + 0.2 * treat)

    @selection
    def kept(self, frailty: Array, treat: Array, health: Array) -> Bernoulli:
        return Bernoulli(0.1 + 0.2 * frailty + 0.2 * treat + 0.4 * health)


class Odd(World):
    """A context that takes the values -1, 0 and 2, each with a best action of its own."""

    @context
    def mark(self) -> Categorical:
        return Categorical(np.array([0.2, 0.5, 0.3]), np.array([-1, 0, 2]))

    @logged
    def flag(self, mark: Array) -> Exactly:
        return Exactly((mark == 0).astype(np.uint8))

    @action
    def choice(self, mark: Array) -> Bernoulli:
        return Bernoulli(0.3 + 0.2 * mark)

    @reward
    def gain(self, mark: Array, choice: Array) -> Exactly:
        return Exactly(mark * (choice - 0.5))


class Gauge(World):
    """The context is continuous."""

    @context
    def level(self) -> Normal:
        return Normal(0.0, 1.0)

    @action
    def open(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def gain(self, level: Array, open: Array) -> Exactly:
        return Exactly(level * open)


class Noisy(World):
    """Only the reward is continuous."""

    @action
    def push(self) -> Bernoulli:
        return Bernoulli(0.5)

    @reward
    def gain(self, push: Array) -> Normal:
        return Normal(1.0 * push, 1.0)


def test_a_first_step_unlike_the_others_is_not_planned_as_if_it_were_alike() -> None:
    assert value(Flip(), Flip().causal_policy()) == pytest.approx(1.0)
    assert value(Flip(), worst_policy(Flip())) == pytest.approx(0.11)


def test_a_common_cause_two_steps_back_is_in_sight() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph(
        [("w_tm1", "y"), ("w_tm1", "v"), ("y_tm1", "a"), ("a", "r"), ("v_tm1", "r")]
    )
    graph.add_node("w")
    roles = {"a": "action", "r": "reward"}
    nx.set_node_attributes(
        graph, {name: roles.get(name.removesuffix("_tm1"), "latent") for name in graph}, "role"
    )
    assert back_door_set(graph) is None


@pytest.mark.parametrize("causes", [("a",), ("r",), ("a", "r")])
def test_selection_by_an_effect_of_the_action_has_no_back_door_set(causes: tuple[str, ...]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph([("a", "r"), *((cause, "s") for cause in causes)])
    nx.set_node_attributes(graph, {"a": "action", "r": "reward", "s": "selection"}, "role")
    assert back_door_set(graph) is None


def test_the_twin_of_a_selected_log_has_the_same_log() -> None:
    model, twin = Survivors(), Survivors().twin() or Survivors().control()
    (mine, theirs) = (log_process(world) for world in (model, twin))
    assert twin.variables["kept"].first.causes == ()
    assert theirs.visits == pytest.approx(mine.visits / mine.visits.sum())
    assert theirs.reward == pytest.approx(mine.reward)


def test_contexts_that_are_not_counted_from_zero_are_logged_scored_and_run() -> None:
    model = Odd()
    log = collect(model, 500, seed=0)
    exact = {
        (mark, choice): 0.3 + 0.2 * mark if choice else 0.7 - 0.2 * mark
        for mark in (-1, 0, 2)
        for choice in (0, 1)
    }
    marks, choices = log.columns["observation"][:, 0], log.columns["action"]
    assert log.columns["propensity"] == pytest.approx(
        [exact[int(m), int(c)] for m, c in zip(marks, choices, strict=True)]
    )
    assert (
        score(model, model.causal_policy())["causal_score"].isna().all()
    )  # nothing is confused here
    assert score(model, model.causal_policy())["regret"].tolist() == [0.0]
    for name in ("confused", "causal", "uniform", "behaviour"):
        (row,) = Run(f"{__file__}:Odd", name, "exact", 1, 0).rows()
        assert row["status"] == "ok"


def test_a_column_of_bytes_comes_back_as_bytes(tmp_path: Path) -> None:
    log = collect(Odd(), 50, seed=0)
    loaded = Log.load(log.save(tmp_path / "odd.arrow"))
    assert loaded.columns["flag"].dtype == np.uint8
    assert loaded.columns["terminated"].dtype == bool


def test_a_continuous_reward_has_exact_references() -> None:
    *references, run = grid([f"{__file__}:Noisy"], ["naive"], 1, 2000, 100)
    assert [run.agent for run in references] == ["confused", "causal", "uniform", "behaviour"]
    (row,) = run.rows()
    assert (row["status"], row["exact"], row["value"], row["j_uniform"]) == ("ok", True, 1.0, 0.5)


def test_a_continuous_context_is_run_without_exact_references() -> None:
    (run,) = grid([f"{__file__}:Gauge"], ["naive:updates=20"], 1, 200, 100)
    (row,) = run.rows()
    assert (row["status"], row["exact"]) == ("ok", False)
    assert np.isnan(row["j_causal"])


def test_an_action_that_nothing_selects_and_one_that_is_too_long_are_refused() -> None:
    with pytest.raises(InputError, match="never selects"):
        value(Survivors().do(kept=0))
    with pytest.raises(InputError, match="selects fewer"):
        collect(Survivors().do(kept=0), 5, seed=0)
    with pytest.raises(TooLargeError, match="steps"):
        chain(Flip(horizon=10**6))


@pytest.mark.parametrize(
    "name",
    [
        "reward",
        "action",
        "step",
        "order",
        "episode",
        "propensity",
        "regime",
        "horizon",
        "twin",
        "intent",
        "z_tm1",
    ],
)
def test_a_name_with_a_meaning_is_refused(name: str) -> None:
    def law(self: World) -> Bernoulli:
        return Bernoulli(0.5)

    law.__name__ = name
    with pytest.raises(InputError, match=name):
        type("Named", (Noisy,), {name: logged(law), "__annotations__": {}})


def test_an_end_that_is_neither_0_nor_1_is_refused() -> None:
    def end(self: World) -> Categorical:
        return Categorical(np.array([0.5, 0.25, 0.25]))

    with pytest.raises(InputError, match="must be 0 or 1"):
        type("Ending", (Flip,), {"end": terminal(end), "__annotations__": {}})


def test_a_folder_may_have_the_suffix_of_a_file(tmp_path: Path) -> None:
    folder = tmp_path / ".pyenv"
    folder.mkdir()
    (folder / "mine.py").write_text(
        (ROOT / "tests/eval/test_command_line.py")
        .read_text()
        .split("AGENT = '''")[1]
        .split("'''")[0]
    )
    assert make_agent(f"{folder}/mine.py:Always:action=1").action == 1  # type: ignore[attr-defined]
