"""The prediction matrix:

which class of agents is predicted to succeed in which world, and the runs that test it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dosuite.agents import agent_classes, make_agent
from dosuite.causal import InputError
from dosuite.envs import make_model
from dosuite.envs.regimes import Regime
from dosuite.envs.settings import parse

from ..runs.run import Run, acts_there

POOLED = 40  # recorded steps to each of the experimenter's, in a mixed log
# recorded steps, at most, for a sequence model, whose training does not get longer with the log
REMEMBERED = 100_000


@dataclass(frozen=True)
class Class:
    """A class of agents:

    its agent in worlds of one step and in longer ones, and where it learns; no text is no agent.
    """

    name: str
    agent: str
    longer: str
    regime: str
    most: int | None = None  # recorded steps to learn from, if that are fewer


CLASSES = (
    Class("BC", "bc", "bc", "observe"),
    Class("NaiveRL", "naive", "naive", "observe"),
    Class("Pess", "maximin", "maximin", "observe"),
    Class("Seq", "decision-transformer", "decision-transformer", "observe", REMEMBERED),
    Class("Lat", "latent", "", "observe"),
    Class("Adj", "adjust-all", "adjust-all", "observe"),
    Class("ID", "identify", "identify", "observe"),
    Class("PartID", "minimax-regret", "", "observe"),
    Class("Online", "thompson", "q-learning", "intervene"),
    Class("RDC", "thompson", "q-learning", "counterfactual"),
    Class("Pool", "naive", "naive", "mixed"),
    Class("Fuse", "fused", "fused", "mixed"),
)
NAIVE = "NaiveRL"  # the class of the agents that are run beside the others on request


@dataclass(frozen=True)
class Row:
    """A world, and of each class 1 if it is predicted to succeed, 0 to fail, p if in between and -
    if it does not apply.
    """

    name: str
    world: str
    predicted: str
    agents: Mapping[str, str] = field(
        default_factory=dict
    )  # of classes whose agent, or agent@regime, is another here; none if it is empty
    zero: str = "j_uniform"  # what scores 0 and what scores 1
    one: str = "j_causal"
    most: int | None = None  # recorded steps, if that are fewer
    practice: int | None = None  # steps of practice, if that are fewer
    note: str = ""

    @property
    def cells(self) -> dict[str, str]:
        """The prediction of each class."""
        return dict(zip((one.name for one in CLASSES), self.predicted.split(), strict=True))


NOT_COUNTED = {
    "Pess": "",
    "Lat": "",
    "Adj": "",
    "PartID": "",
    "Fuse": "",
}  # classes whose agents count observations and actions
BOX = {
    **NOT_COUNTED,
    "NaiveRL": "td3-bc",
    "Pool": "td3-bc",
    "Online": "ppo",
}  # where the action is a number

ROWS = (
    Row("IceCreamShorts", "IceCreamShorts-v0", "p 0 0 0 0 0 0 p 1 1 0 1"),
    Row("Kidney Blind", "SimpsonClinic-v0:study=KidneyStones", "p 0 0 0 - 1 1 1 1 - 0 1"),
    Row(
        "BloodPressure twin",
        "SimpsonClinic-BloodPressure-v0:study=KidneyStones",
        "p 1 1 1 - 0 1 1 1 - 1 1",
    ),
    Row("TarFrontdoor", "TarFrontdoor-v0:table=Causality", "p 0 0 0 0 0 1 1 1 - 0 1"),
    Row("Napkin", "NapkinClinic-v0", "p 0 0 0 0 0 1 1 1 - 0 1"),
    Row("EncourageIV-Confused", "EncourageIV-v0", "p 0 0 0 0 0 0 1 1 - 0 1"),
    Row("VitA low", "EncourageIV-VitaminA-v0:hardy=0.0", "0 0 1 0 0 0 0 1 1 - 0 1"),
    Row("MBias", "MBiasClinic-v0", "p 0 0 0 0 0 1 1 1 - 0 1", note="ID ignores M"),
    Row(
        "SelectionGate",
        "SelectionGate-v0",
        "0 0 0 0 0 0 0 p 1 - 0 1",
        note="interventions are selected as the log is",
    ),
    Row(
        "Overcontrol",
        "MediatorTrap-v0",
        "p 1 1 0 - 0 1 1 1 - 1 1",
        note="NaiveRL and Pess learn r(x); Adj is who learns r(x, m)",
    ),
    Row(
        "GreedyCasino",
        "GreedyCasino-v0:casino=Greedy",
        "0 p p 0 0 0 0 p p 1 p p",
        one="j_intent",
        note="without the intent every policy earns the same, so 1 is the best policy that sees it",
    ),
    Row("GenotypeClinic", "GenotypeClinic-v0", "p 0 0 0 p 0 0 p 1 1 0 1"),
    Row("ConfoundedRiver", "ConfoundedRiver-v0", "p 0 1 0 0 0 0 1 1 1 0 1"),
    Row("Door noisy_good", "Door-v0:expert=noisy_good", "p 0 1 0 0 0 0 p 1 1 0 1"),
    Row(
        "BrakeLight",
        "BrakeLight-v0",
        "0 0 0 0 p 0 1 - 1 1 0 1",
        {"ID": "targeted"},
        note="ID drops the light after targeted interventions",
    ),
    Row(
        "CopycatWrapper s>0",
        "CopycatCar-v0",
        "0 0 0 0 p - 1 - 1 - 0 1",
        {**NOT_COUNTED, "ID": "targeted", "Online": "ars"},
        most=100_000,
        note="the copycat around MountainCar as a model; ID drops the lamp after targeted interventions; all values are estimated",
    ),
    Row(
        "DelusionBox",
        "DelusionBox-v0",
        "p - - 0 p - 1 - 1 - 0 1",
        {"ID": "decision-transformer:actions=masked@mixed", "Online": "recurrent-ppo"},
        practice=100_000,
        note="1 is the best that remembers and marks its own actions; BC, Pool and Fuse have no memory",
    ),
    Row(
        "AirlinePricing",
        "AirlinePricing-v0",
        "p 0 0 0 0 0 1 1 1 - 0 1",
        {**BOX, "ID": "deep-iv"},
        most=100_000,
    ),
    Row(
        "CorrelatedNoiseLQ",
        "CorrelatedNoiseLQ-v0",
        "0 0 0 p p - 1 - 1 - 0 1",
        {**BOX, "ID": "lagged-iv", "Online": "ars:standardise=false"},
        zero="j_confused",
        most=100_000,
        note="0 is the clone, as for costs the worst: random pushes cost 200,000 times as much as the best",
    ),
    Row("SlateExposure", "SlateExposure-v0", "p 0 1 0 p 0 0 0 1 1 0 1"),
    Row(
        "TransportClinic A",
        "TransportClinic-v0",
        "0 0 0 0 - p 1 1 1 - 0 1",
        {"ID": "", "PartID": ""},
        note="the log holds nothing of the target, whose marker ID and PartID would need; Fuse sees interventions in the source",
    ),
    Row("ProxyClinic", "ProxyClinic-v0", "p 0 0 0 1 0 1 1 1 - 0 1", {"ID": "proximal"}),
    Row(
        "CoinEnd rho=0",
        "CoinEnd-v0",
        "p p p p - - - p 1 - p 1",
        note="Online practises in the test; Fuse sees interventions in training",
    ),
)


@dataclass(frozen=True)
class Cell:
    """One prediction, and the runs that test it: none if no agent applies."""

    row: Row
    column: str
    predicted: str
    runs: tuple[Run, ...] = ()


def cells(
    only: Sequence[str], agents: Sequence[str], seeds: int, rows: int, steps: int
) -> list[Cell]:
    """The cells whose row has a text of `only` in its name or whose class is one; all without any.

    `agents` that learn from a log are run beside the others, as of the class NaiveRL. `rows` are
    the recorded steps of a log, `steps` those of practice where an episode has several, a tenth of
    them where it has one. Raises InputError if nothing is left, or if an agent does not exist."""
    beside = [Class(text, text, text, "observe") for text in agents if make_agent(text)]
    found = [
        _cell(row, one, row.cells.get(one.name, row.cells[NAIVE]), seeds, rows, steps)
        for row in ROWS
        for one in (*CLASSES, *beside)
        if not only or any(text in row.name or text == one.name for text in only)
    ]
    if not found:
        names = ", ".join([one.name for one in CLASSES] + [row.name for row in ROWS])
        raise InputError(f"nothing in the matrix is called {', '.join(only)}; there are {names}")
    return found


def _cell(row: Row, one: Class, predicted: str, seeds: int, rows: int, steps: int) -> Cell:
    model = make_model(row.world)
    text, _, named = row.agents.get(
        one.name, one.agent if model.horizon == 1 else one.longer
    ).partition("@")
    if predicted == "-" or parse(text)[0] not in agent_classes() or not acts_there(text, model):
        return Cell(row, one.name, predicted)
    learns = make_agent(text).learns
    regime = named or (one.regime if one.regime in learns else learns[0])
    recorded = min(rows, row.most or rows, one.most or rows)
    return Cell(
        row,
        one.name,
        predicted,
        runs_of(row.world, text, regime, seeds, recorded, min(steps, row.practice or steps)),
    )


def runs_of(
    world: str, agent: str, regime: str, seeds: int, rows: int, steps: int
) -> tuple[Run, ...]:
    """The run of each seed, with so many recorded steps, or steps of practice where an episode has
    several; where it has one a tenth.
    """
    practised = steps if make_model(world).horizon > 1 else max(1, steps // 10)
    budget = {Regime.OBSERVE: rows, Regime.MIXED: rows + rows // POOLED}.get(
        Regime(regime), practised
    )
    share = 1 / (POOLED + 1) if regime == Regime.MIXED else None
    return tuple(Run(world, agent, regime, budget, seed, share=share) for seed in range(seeds))


def in_order(cells: Iterable[Cell]) -> list[Run]:
    """Every run, those of one world and seed one after the other, for they share a log."""
    runs = [run for cell in cells for run in cell.runs]
    return sorted(
        runs,
        key=lambda run: (
            list(dict.fromkeys(r.world for r in ROWS)).index(run.environment),
            run.seed,
        ),
    )
