"""The prediction matrix: which class of agents should succeed in which world.

The predictions are in `matrix.csv`. A row is a world; its columns are

- `name`, and the `world` as `make_model` reads it;
- the prediction of each class in CLASSES: 1 if it succeeds, 0 if it fails, p in between, - if it
  does not apply;
- `zero` and `one`: the reference values that score 0 and 1;
- `most_recorded`, `most_practice`: bounds on the steps of a log and of practice, if any;
- `agents`: what runs for a class instead of its usual agent, as `class=agent` or
  `class=agent@regime`, separated by spaces; `class=` if none does;
- `note`.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dosuite.agents import make_agent
from dosuite.causal import InputError, World
from dosuite.envs import make_model
from dosuite.envs.regimes import Regime

from ..runs.run import Run, acts_there

POOLED = 40  # recorded steps for each of the experimenter's, in a mixed log
SHORT_PRACTICE = 10  # in worlds of one step, practice is this many times shorter
NO_ANSWER = "-"  # the prediction of a class that does not apply


@dataclass(frozen=True)
class AgentClass:
    """A class of agents, what runs for it in worlds of one step and in longer ones, and where.

    An empty text is no agent.
    """

    name: str
    agent: str
    longer: str  # the agent in worlds of several steps
    regime: str
    most_recorded: int | None = None  # bound on the recorded steps to learn from


CLASSES = (
    AgentClass("BC", "bc", "bc", "observe"),
    AgentClass("NaiveRL", "naive", "naive", "observe"),
    AgentClass("Pess", "maximin", "maximin", "observe"),
    AgentClass("Seq", "decision-transformer", "decision-transformer", "observe", 100_000),
    AgentClass("Lat", "latent", "", "observe"),
    AgentClass("Adj", "adjust-all", "adjust-all", "observe"),
    AgentClass("ID", "identify", "identify", "observe"),
    AgentClass("PartID", "minimax-regret", "", "observe"),
    AgentClass("Online", "thompson", "q-learning", "intervene"),
    AgentClass("RDC", "thompson", "q-learning", "counterfactual"),
    AgentClass("Pool", "naive", "naive", "mixed"),
    AgentClass("Fuse", "fused", "fused", "mixed"),
)
NAIVE = "NaiveRL"  # the class whose predictions hold for agents that the user adds


@dataclass(frozen=True)
class MatrixRow:
    """A row of `matrix.csv`."""

    name: str
    world: str
    predictions: Mapping[str, str]  # by class
    zero: str
    one: str
    most_recorded: int | None
    most_practice: int | None
    agents: Mapping[str, str]  # by class
    note: str


@dataclass(frozen=True)
class Cell:
    """One prediction, and the runs that test it: none if no agent applies."""

    row: MatrixRow
    column: str
    predicted: str
    runs: tuple[Run, ...] = ()


@cache
def matrix_rows() -> tuple[MatrixRow, ...]:
    """The rows of `matrix.csv`."""
    file = resources.files(__package__) / "matrix.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(_row(texts) for texts in csv.DictReader(lines))


def _row(texts: Mapping[str, str]) -> MatrixRow:
    agents = {}
    for text in texts["agents"].split():
        name, _, agent = text.partition("=")
        agents[name] = agent
    return MatrixRow(
        texts["name"],
        texts["world"],
        {one.name: texts[one.name] for one in CLASSES},
        texts["zero"],
        texts["one"],
        int(texts["most_recorded"]) if texts["most_recorded"] else None,
        int(texts["most_practice"]) if texts["most_practice"] else None,
        agents,
        texts["note"],
    )


def matrix_cells(
    only: Sequence[str], agents: Sequence[str], seeds: int, recorded: int, practice: int
) -> list[Cell]:
    """The cells whose row has a text of `only` in its name, or whose class is one; else all.

    Each of `agents`, which learn from a log, becomes a class with the predictions of NaiveRL.
    `recorded` are the steps of a log, `practice` those of practice (see `runs_of`). Raises
    InputError if no cell is left, or if an agent does not exist or is a policy.
    """
    for agent in agents:
        if make_agent(agent).learns == (Regime.GIVEN,):
            raise InputError(f"{agent} is a policy; the matrix runs agents, which learn")
    classes = [*CLASSES, *(AgentClass(agent, agent, agent, "observe") for agent in agents)]
    cells = []
    for row in matrix_rows():
        for one in classes:
            if not only or any(text in row.name or text == one.name for text in only):
                cells.append(_cell(row, one, seeds, recorded, practice))
    if not cells:
        names = [one.name for one in CLASSES] + [row.name for row in matrix_rows()]
        raise InputError(
            f"nothing in the matrix is called {', '.join(only)}; there are {', '.join(names)}"
        )
    return cells


def _cell(row: MatrixRow, one: AgentClass, seeds: int, recorded: int, practice: int) -> Cell:
    predicted = row.predictions.get(one.name, row.predictions[NAIVE])
    model = make_model(row.world)
    agent, regime = _agent_and_regime(row, one, model)
    if predicted == NO_ANSWER or not agent or not acts_there(agent, model):
        return Cell(row, one.name, predicted)
    bounds = [recorded, row.most_recorded or recorded, one.most_recorded or recorded]
    practice = min(practice, row.most_practice or practice)
    runs = runs_of(row.world, agent, regime, seeds, min(bounds), practice)
    return Cell(row, one.name, predicted, runs)


def _agent_and_regime(row: MatrixRow, one: AgentClass, model: World) -> tuple[str, str]:
    """The agent that runs for a class, "" if none does, and its regime.

    If it does not learn in the regime of its class, it learns in the first one that it can.
    """
    usual = one.agent if model.horizon == 1 else one.longer
    agent, _, regime = row.agents.get(one.name, usual).partition("@")
    if not agent:
        return "", ""
    learns = make_agent(agent).learns
    return agent, regime or (one.regime if one.regime in learns else learns[0])


def runs_of(
    world: str, agent: str, regime: str, seeds: int, recorded: int, practice: int
) -> tuple[Run, ...]:
    """The run of each seed, with `recorded` steps of a log or `practice` steps of practice.

    A mixed log has 1 intervention for 40 recorded steps. In a world of one step, practice is a
    tenth as long.
    """
    if make_model(world).horizon == 1:
        practice = max(1, practice // SHORT_PRACTICE)
    budgets = {Regime.OBSERVE: recorded, Regime.MIXED: recorded + recorded // POOLED}
    budget = budgets.get(Regime(regime), practice)
    share = 1 / (POOLED + 1) if regime == Regime.MIXED else None
    return tuple(Run(world, agent, regime, budget, seed, share=share) for seed in range(seeds))


def in_order(cells: Iterable[Cell]) -> list[Run]:
    """All runs, those of one world and seed one after the other, since they share a log."""
    positions: dict[str, int] = {}
    for row in matrix_rows():
        positions.setdefault(row.world, len(positions))
    runs = [run for cell in cells for run in cell.runs]
    return sorted(runs, key=lambda run: (positions[run.environment], run.seed))
