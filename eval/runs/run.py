"""One run: an agent learns in a world, in a regime, with a budget and a seed, and is scored there
and in every shift."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from dosuite.agents import Agent, Exact, OnlineAgent, Policy, Practice, Spaces, make_agent
from dosuite.agents.user_policy import UserPolicyAgent
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.causal.counts import whole_number
from dosuite.causal.errors import did_you_mean
from dosuite.envs import Data, Log, collect, make_model
from dosuite.envs.plugins import names_file
from dosuite.envs.regimes import OFFLINE as OFFLINE
from dosuite.envs.regimes import ONLINE as ONLINE
from dosuite.envs.regimes import Regime
from dosuite.envs.registry import recorded_origin
from dosuite.envs.settings import parse

from .code import code_hash, user_code
from .failure import note_of, traceback_of
from .pairs import leak, learned_pair, pair_columns, partners
from .possible_regret import regret_columns
from .practice import PracticeUnits, note_of_practice
from .scored_rows import empty_row, scored, spaces_of

NEEDS = frozenset({"graph", "labels", "log"})  # what a run can hand over in addition to its source


@dataclass(frozen=True)
class Outcome:
    """The rows of a run, the traceback of what stopped it ("" if nothing did, or a refusal), and
    the policy that was scored."""

    rows: list[dict[str, Any]]
    traceback: str = ""
    policy: Policy | None = None  # None if the run failed


class Learned(NamedTuple):
    """What an agent returned, or the exception that stopped it, and a note on its practice."""

    policy: Policy | BaseException
    note: str = ""


@dataclass(frozen=True)
class Run:
    """The description of a run. Equal runs have equal results, and are done once.

    Raises InputError if the environment, variant, agent or regime does not exist, or if they do
    not fit together."""

    environment: str  # an id with settings: "SimpsonClinic-v0:study=Berkeley"
    # a name with settings: "dqn:updates=500", a user's "agent.py:MyAgent", or a policy, "model.zip"
    agent: str
    regime: str
    # recorded steps of a log, or steps of practice; a run that names a log has the steps of that
    budget: int
    seed: int
    variant: str = ""  # "twin", "hedge" or "control"
    log: str = ""  # the file of a log to learn from; "" collects one
    share: float | None = None  # of interventions in a mixed log; None is the share of `collect`
    # recorded steps of the log that an agent has before its practice; None is as many as it will
    # practise, and 0 an empty log
    log_rows: int | None = None
    # of the log or the practice, in place of the seed: runs that differ in the seed alone then
    # learn from the same rows; None is the seed
    log_seed: int | None = None

    def __post_init__(self) -> None:
        self._check_regime()
        # plain text, for the hashes that name results and seed generators are taken of its repr
        object.__setattr__(self, "regime", Regime(self.regime).value)
        self._check_numbers()
        self._check_needs()
        self._check_log_rows()
        self._check_actions()
        if self.log:
            object.__setattr__(self, "budget", len(_read_log(self)))

    def _check_regime(self) -> None:
        agent = make_agent(self.agent)
        regimes = tuple(Regime)
        if self.regime not in regimes:
            raise InputError(
                f"{self.regime!r} is not a regime; {did_you_mean(self.regime, regimes)}"
            )
        if self.regime not in agent.learns:
            raise InputError(
                f"{self.agent} does not learn in the regime {self.regime}; it learns in "
                f"{', '.join(agent.learns)}"
            )

    def _check_numbers(self) -> None:
        # plain ints, for the same reason
        object.__setattr__(self, "budget", whole_number("the budget of a run", self.budget, 1))
        object.__setattr__(self, "seed", whole_number("the seed of a run", self.seed, 0))
        if self.log_seed is not None:
            number = whole_number("log_seed of a run", self.log_seed, 0)
            object.__setattr__(self, "log_seed", number)
        if self.share is None:
            return
        if self.regime != Regime.MIXED or self.log or not 0 < self.share < 1:
            raise InputError(
                "a share of interventions is set only for a mixed log that the run collects, and "
                f"is in (0, 1); got {self.share}"
            )

    def _check_needs(self) -> None:
        if unknown := make_agent(self.agent).needs - NEEDS:
            raise InputError(
                f"{self.agent} needs {', '.join(sorted(unknown))}, which no run can hand over; "
                "it can be graph, labels or log"
            )

    def _check_log_rows(self) -> None:
        rows = self.log_rows
        if not self._has_log_before and rows:
            raise InputError(
                f"log_rows are those of a log before a practice, and {self.agent} has none in the "
                f"regime {self.regime}"
            )
        if rows is None:
            rows = self.budget if self._has_log_before else 0
        object.__setattr__(self, "log_rows", whole_number("log_rows of a run", rows, 0))

    @property
    def _has_log_before(self) -> bool:
        """Whether the agent has a log before its practice."""
        return self.regime in ONLINE and "log" in self._agent.needs

    @property
    def _described(self) -> list[tuple[str, Any]]:
        """The fields that tell the run from others, by which it is hashed.

        As many rows before a practice as it has steps are the rule, and are not written; nor is
        that the seed is also the log's.
        """
        described = asdict(self)
        if not self._has_log_before or self.log_rows == self.budget:
            del described["log_rows"]
        if self.log_seed is None:
            del described["log_seed"]
        return sorted(described.items())

    def _check_actions(self) -> None:
        model = make_model(self.environment, variant=self.variant)
        if acts_there(self.agent, model):
            return
        kinds = ("can be counted", "are numbers")
        here, other = kinds if model.action_bounds is None else kinds[::-1]
        wanted = "that can be counted" if other == kinds[0] else "that are numbers"
        raise InputError(
            f"the actions of {self.environment} {here}, and {self.agent} needs actions {wanted}"
        )

    @property
    def key(self) -> str:
        """The name of the results: a hash of the run and of all that its numbers depend on.

        These are the code of the package, the versions of the libraries it computes with, the
        user's files that the run names, and the content of its log.
        """
        return self.key_under(code_hash())

    def key_under(self, code: bytes) -> str:
        """The key that the run has where `code_hash` is `code`."""
        contents = [code, *self._user_contents()]
        if self.log:
            contents.append(_read_log(self).content_hash.encode())
        return _hash(self._described, contents)

    def _user_contents(self) -> Iterator[bytes]:
        """The files of a user's world, and of a user's agent or policy."""
        world_name, agent_name = parse(self.environment)[0], parse(self.agent)[0]
        if names_file(world_name):
            yield user_code(_file_of(world_name))
        agent = self._agent
        if names_file(agent_name):
            yield user_code(_file_of(agent_name))
        elif isinstance(agent, UserPolicyAgent):
            yield agent.contents()

    def has_answer(self) -> bool:
        """Whether the reference policy that the run asks for can be computed."""
        model = make_model(self.environment, variant=self.variant)
        try:
            self._agent.learn(Exact(model), np.random.default_rng(0))
        except (NotDiscreteError, TooLargeError):
            return False
        return True

    def rows(self) -> list[dict[str, Any]]:
        """Learn and score: a row for the deployment and one for each shift.

        A run that fails has one row with status "failed" and a note.
        """
        return self.outcome().rows

    def outcome(self, learned: "Learned | None" = None) -> Outcome:
        """Score what was learned, or record the exception that stopped it. Without either, learn.

        `learned` is what `learner` learned. Any exception but KeyboardInterrupt is recorded,
        SystemExit too, so that the fault of one agent does not cost the other runs.
        """
        head = self._head()
        try:
            policy, overspent = learned or self.learner.learned()
            if isinstance(policy, BaseException):
                raise policy
            if not isinstance(policy, Policy):
                raise InputError(
                    f"learn must return a Policy, and that of {self.agent} returned a "
                    f"{type(policy).__name__}"
                )
            model, shown = self._worlds()
            rows = [head | row for row in scored(model, shown, policy)]
            for row in rows:
                row["note"] = "; ".join(filter(None, (row["note"], overspent)))
            if self.log and _has_interventions(_read_log(self)):
                rows[0] |= dict.fromkeys(regret_columns(), np.nan)
            pair = learned_pair(self.environment, self.variant, self._partners)
            if pair is not None:
                rows[0] |= pair_columns(pair, policy)
                if note := leak(rows[0]):
                    return Outcome([rows[0] | {"status": "failed", "note": note}])
            return Outcome(rows, policy=policy)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too
            failed = {**head, **empty_row(), "status": "failed", "note": note_of(error)}
            return Outcome([failed], traceback_of(error))

    @property
    def learner(self) -> "Run":
        """The run whose policy this one scores: itself, or the one in the world of which it is the
        twin or the hedge.

        A world and its twin have the same observational law, so that one log is a sample of both. A
        static learner that is told nothing else learns once from it, and is scored in both worlds.
        A world and its hedge have the same graph, too, and a learner may be told that.
        """
        return replace(self, variant="") if self.variant in self._partners else self

    @property
    def _partners(self) -> tuple[str, ...]:
        """The variants that this run's agent cannot tell from the world, as it learns for both."""
        return () if self.log else partners(self.regime, self._agent.needs)

    def learned(self) -> "Learned":
        """Learn, or catch the exception that stops it."""
        try:
            source = self._source(self._worlds()[1])
            policy = self._agent.learn(source, self._rng)
            return Learned(policy, note_of_practice(source))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit too
            return Learned(error)

    def died(self) -> Outcome:
        """The outcome of a run whose process ended before it had one."""
        note = "the process of the run died: by os._exit, a crash or a lack of memory"
        return Outcome([{**self._head(), **empty_row(), "status": "failed", "note": note}])

    @property
    def calls_user_code(self) -> bool:
        """Whether the world, the agent or the policy is of a file of the user's."""
        return next(self._user_contents(), None) is not None

    @property
    def joined(self) -> bool:
        """Whether all seeds of such a run can learn at once."""
        # an offline agent that practises too, by Stable-Baselines3, does so one by one
        if self.regime not in OFFLINE and not isinstance(self._agent, OnlineAgent):
            return False
        return self._agent.trains_seeds_together()

    @property
    def _agent(self) -> Agent:
        return make_agent(self.agent)

    @property
    def _own_name(self) -> str:
        """What an agent of a user's file calls itself: its `name`, or that of its class."""
        agent = self._agent
        if isinstance(agent, UserPolicyAgent) or not names_file(parse(self.agent)[0]):
            return ""
        return str(vars(type(agent)).get("name", type(agent).__name__))

    @property
    def _rng(self) -> np.random.Generator:
        """The agent's generator, which does not depend on any code."""
        return np.random.default_rng(int(_hash(self._described), 16))

    def _worlds(self) -> tuple[World, World]:
        """The model, and the one whose contexts the agent sees."""
        model = make_model(self.environment, variant=self.variant)
        return model, model.with_intent() if self.regime == Regime.COUNTERFACTUAL else model

    def _head(self) -> dict[str, Any]:
        """The columns that say which run a row is of."""
        name, settings = parse(self.environment)
        return {
            "environment": name,
            "member": ",".join(f"{key}={value}" for key, value in settings.items()),
            "variant": self.variant,
            "agent": self.agent,
            "agent_name": self._own_name,
            "regime": self.regime,
            "needs": ", ".join(sorted(self._agent.needs)),
            "budget": self.budget,
            "log_rows": self.log_rows,
            "seed": self.seed,
            "run": self.key,
        }

    def _source(self, model: World) -> Data | Practice | Exact | Spaces:
        """What the agent learns from. Its randomness is the same for every agent."""
        if self.regime == Regime.EXACT:
            return Exact(model)
        if self.regime == Regime.GIVEN:
            return spaces_of(model)
        number = self.seed if self.log_seed is None else self.log_seed
        seed = source_seed(self.environment, self.variant, self.regime, number)
        return self._practice(model, seed) if self.regime in ONLINE else self._data(model, seed)

    def _practice(self, model: World, seed: int) -> Practice:
        world = model.deployed()
        log = None
        if "log" in self._agent.needs:
            log = _log_before(model.without_intent(), self.log_rows or 0, seed)

        units = PracticeUnits(world, seed, self.budget, self._agent.rounds_up)
        return Practice(units, self.budget, model.discount, log)

    def _data(self, model: World, seed: int) -> Data:
        if self.log:
            log = _read_log(self)
        else:
            log = _collect(model, self._episodes(model), seed, self.regime, self.share)
        needs = self._agent.needs
        graph = model.graph.copy() if "graph" in needs else None
        return log.view(np.random.default_rng(seed), "labels" in needs, graph)

    def _episodes(self, model: World) -> int:
        return ceil(self.budget / model.horizon)


def acts_there(agent: str, model: World) -> bool:
    """Whether an agent can take the actions of a model.

    True for reference policies and for those of a user, which are refused only as they act.
    """
    made = make_agent(agent)
    if made.learns in ((Regime.EXACT,), (Regime.GIVEN,)):
        return True
    return made.counts_actions if model.action_bounds is None else made.acts_in_a_box


def outcomes(runs: Sequence[Run]) -> Iterator[Outcome]:
    """The outcomes of runs that differ only in their seeds and in the twin or the hedge that they
    are scored in.

    Each is equal to that of the run alone. The seeds learn at once where their agent can.
    """
    torch.set_num_threads(1)
    learners = list(dict.fromkeys(run.learner for run in runs))
    learned: dict[Run, Learned] = {}
    if len(learners) > 1 and learners[0].joined:
        # No cause is lost: each run then learns alone, and meets it again and keeps its traceback,
        # or has the result that learning at once must equal.
        with suppress(Exception, SystemExit):
            learned = dict(zip(learners, _learn_all(learners), strict=True))
    for run in runs:
        if run.learner not in learned:
            learned[run.learner] = run.learner.learned()
        yield run.outcome(learned[run.learner])


def _learn_all(runs: Sequence[Run]) -> list[Learned]:
    """The policy of each run, or the exception that stopped it, with a note on its practice."""
    agent: Any = runs[0]._agent
    sources = [run._source(run._worlds()[1]) for run in runs]
    policies = list(agent.learn_all(sources, [run._rng for run in runs]))
    if len(policies) == len(runs):
        notes = map(note_of_practice, sources)
        return [Learned(*pair) for pair in zip(policies, notes, strict=True)]
    wrong = InputError(
        f"{agent.name}.learn_all must return a policy for each of {len(runs)} seeds, and "
        f"returned {len(policies)}"
    )
    return [Learned(wrong)] * len(runs)


def _log_before(model: World, rows: int, seed: int) -> Data:
    """What the behaviour policy recorded before the practice, of other units, in whole episodes.

    A log of 0 rows has the columns and no row.
    """
    episodes = max(1, ceil(rows / model.horizon))
    log = _collect(model, episodes, seed + 2**62, Regime.OBSERVE.value)
    view = log.view(np.random.default_rng(seed))
    return view if rows else view.at(slice(0))


def source_seed(environment: str, variant: str, regime: str, seed: int) -> int:
    """The seed of the log or the practice of a run, which is the same for every agent."""
    return int(_hash(environment, variant, regime, seed), 16) % 2**62


def recorded_log(environment: str, variant: str, regime: str, budget: int, seed: int) -> Log:
    """The log that a run learns from, or that it has in addition to its practice."""
    model = make_model(environment, variant=variant)
    episodes = ceil(budget / model.horizon)
    number = source_seed(environment, variant, regime, seed)
    if regime in ONLINE:
        return _collect(model, episodes, number + 2**62, Regime.OBSERVE.value)
    return _collect(model, episodes, number, regime)


@lru_cache(maxsize=4)
def _collect(
    model: World, episodes: int, seed: int, regime: str, share: float | None = None
) -> Log:
    return collect(model, episodes, seed, regime, share)


def _read_log(run: Run) -> Log:
    """The log that a run names. Raises InputError if it is not one of the run's world."""
    if run.regime not in OFFLINE:
        raise InputError(
            f"an agent learns from a log in the regimes {' and '.join(OFFLINE)}, and not in "
            f"{run.regime}"
        )
    path = Path(run.log)
    if path.suffix.lower() in (".csv", ".tsv", ".parquet"):
        raise InputError(
            f"{run.log} is a table and names no world to score in; in Python, learn from it with "
            f"make_agent(NAME).learn(Log.of({str(path)!r}), 0)"
        )
    log = _load(run.log, path.stat().st_mtime_ns if path.exists() else 0)
    recorded = (log.origin.get("world"), log.origin.get("variant", ""))
    expected = recorded_origin(make_model(run.environment))
    has_name = recorded == (expected["world"], run.variant)
    if has_name and log.origin.get("code") != expected.get("code"):
        raise InputError(
            f"{run.log} is a log of {recorded[0]} as another file, or this one before it was "
            "changed, defines it; write it again with `dosuite data`"
        )
    if not has_name:
        raise InputError(
            f"{run.log} is a log of {' '.join(filter(None, recorded)) or 'an unknown world'}, and "
            f"not of {run.environment}"
        )
    return log


def _has_interventions(log: Log) -> bool:
    """Whether a log says more than the observational law, by which `ias` and its regrets judge."""
    return bool((log["regime"] != 0).any())


@lru_cache(maxsize=4)
def _load(path: str, changed: int) -> Log:
    return Log.load(path)


def _file_of(name: str) -> Path:
    """The file in `path/to/file.py` or `path/to/file.py:name`."""
    return Path(name[: name.rindex(".py") + len(".py")])


def _hash(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=10).hexdigest()
