"""One run:

an agent learns in a world, in a regime, with a budget and a seed, and is scored in every shifted
world.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from importlib.metadata import version
from inspect import getsourcefile
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dosuite import agents
from dosuite.agents import Agent, Exact, Policy, Practice, Spaces, make_agent
from dosuite.agents.user_policy import UserPolicyAgent
from dosuite.causal import InputError, NotDiscreteError, TooLargeError, World
from dosuite.causal.errors import did_you_mean
from dosuite.envs import CausalVectorEnv, Data, Log, collect, make_model, observation_space
from dosuite.envs.registry import world_class, world_text
from dosuite.envs.settings import parse
from dosuite.envs.spaces import action_space

from .reference_values import BELIEFS, REFERENCES, beliefs, evaluate, references

OFFLINE = ("observe", "mixed")
ONLINE = ("intervene", "counterfactual")
REGIMES = (*OFFLINE, *ONLINE, "exact", "given")


@dataclass(frozen=True)
class Run:
    """What is run. Its hash names its results, so equal runs are done once.

    Raises InputError if the environment, variant, agent or regime does not exist or they do not go
    together."""

    environment: str  # an id with settings: "SimpsonClinic-v0:study=Berkeley"
    # a name with settings: "dqn:updates=500", a user's "agent.py:MyAgent", or a policy, "model.zip"
    agent: str
    regime: str
    budget: int  # recorded steps of a log, or steps of practice
    seed: int
    variant: str = ""  # "twin" or "control"
    log: str = ""  # a log file to learn from, instead of one that is collected
    share: float | None = (
        # of the episodes of a mixed log, those in which the experimenter acts; without, as
        # `collect` has it
        None
    )

    def __post_init__(self) -> None:
        agent = make_agent(self.agent)
        if self.regime not in REGIMES:
            raise InputError(
                f"{self.regime!r} is not a regime; {did_you_mean(self.regime, REGIMES)}"
            )
        if self.regime not in agent.learns:
            raise InputError(
                f"{self.agent} does not learn in the regime {self.regime}; it learns in "
                f"{', '.join(agent.learns)}"
            )
        if self.budget < 1 or self.seed < 0:
            raise InputError(
                "a run needs a budget of at least 1 and a seed of at least 0, and got "
                f"{self.budget} and {self.seed}"
            )
        if unknown := agent.needs - {"graph", "labels", "log"}:
            raise InputError(
                f"{self.agent} needs {', '.join(sorted(unknown))}, which no run can hand over; "
                "it can be graph, labels or log"
            )
        if self.share is not None and (
            self.regime != "mixed" or self.log or not 0 < self.share < 1
        ):
            raise InputError(
                "a share is that of the interventions in a mixed log that is collected, in (0, "
                f"1), and got {self.share}"
            )
        model = make_model(self.environment, variant=self.variant)
        if not acts_there(self.agent, model):
            have, need = (
                ("are numbers", "that can be counted")
                if model.action_bounds
                else ("can be counted", "that are numbers")
            )
            raise InputError(
                f"the actions of {self.environment} {have}, and {self.agent} needs actions {need}"
            )
        if self.log:
            _read_log(self)

    @property
    def key(self) -> str:
        """A hash of the run, of the version of the package, of the world's file, of all agents',
        and of what the user brings.
        """
        contents = [_source_of(world_class(parse(self.environment)[0])), _package(), self._brings()]
        contents += [_read_log(self).content_hash.encode()] if self.log else []
        return _hash(sorted(asdict(self).items()), version("dosuite"), contents)

    def _brings(self) -> bytes:
        """The file of the policy that is brought, or else of the agent."""
        agent = self._agent
        return (
            agent.file.read_bytes()
            if isinstance(agent, UserPolicyAgent)
            else _source_of(type(agent))
        )

    def has_answer(self) -> bool:
        """Whether the reference policy that the run asks for can be computed."""
        model = make_model(self.environment, variant=self.variant)
        try:
            make_agent(self.agent).learn(Exact(model), np.random.default_rng(0))
        except (NotDiscreteError, TooLargeError):
            return False
        return True

    def rows(self) -> list[dict[str, Any]]:
        """Learn and score:

        a row for the deployment and one for each shift; one with status "failed" if learning fails.
        """
        return next(rows_together([self]))

    def rows_of(self, learned: Policy | Exception | None = None) -> list[dict[str, Any]]:
        """The rows of what was learned, or of the exception that stopped it;

        without either, learn.
        """
        head = self._head()
        try:
            model, seen = self._worlds()
            policy = (
                self._agent.learn(self._source(seen), self._rng) if learned is None else learned
            )
            if isinstance(policy, Exception):
                raise policy
            return [{**head, **row} for row in scored(model, seen, policy)]
        except InputError as error:
            return [{**head, **_nothing(), "status": "failed", "note": str(error)}]
        except Exception as error:  # an agent's fault must not cost the other runs
            return [
                {
                    **head,
                    **_nothing(),
                    "status": "failed",
                    "note": f"{type(error).__name__}: {error}".splitlines()[0],
                }
            ]

    @property
    def joined(self) -> bool:
        """Whether all seeds of such a run can learn at once."""
        return self.regime in OFFLINE and self._agent.trains_seeds_together()

    @property
    def _agent(self) -> Agent:
        return make_agent(self.agent)

    @property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(
            int(_hash(sorted(asdict(self).items())), 16)
        )  # whatever the code of other agents is

    def _worlds(self) -> tuple[World, World]:
        """The model, and the one whose contexts the agent sees."""
        model = make_model(self.environment, variant=self.variant)
        return model, model.with_intent() if self.regime == "counterfactual" else model

    def _head(self) -> dict[str, Any]:
        name, settings = parse(self.environment)
        member = ",".join(f"{key}={value}" for key, value in settings.items())
        about = {
            "environment": name,
            "member": member,
            "variant": self.variant,
            "agent": self.agent,
            "regime": self.regime,
        }
        needs = ", ".join(sorted(make_agent(self.agent).needs))
        return {**about, "needs": needs, "budget": self.budget, "seed": self.seed, "run": self.key}

    def _source(self, model: World) -> Data | Practice | Exact | Spaces:
        if self.regime == "exact":
            return Exact(model)
        if self.regime == "given":
            return spaces_of(model)
        seed = (
            int(_hash(self.environment, self.variant, self.regime, self.seed), 16) % 2**62
        )  # the same for every agent
        needs, episodes = make_agent(self.agent).needs, ceil(self.budget / model.horizon)
        if self.regime in ONLINE:
            world = model.deployed()
            before = _log_before(model.without_intent(), episodes, seed) if "log" in needs else None
            return Practice(
                lambda count: _seeded(CausalVectorEnv(world, count), seed),
                self.budget,
                model.discount,
                before,
            )
        log = (
            _read_log(self)
            if self.log
            else _collect(model, episodes, seed, self.regime, self.share)
        )
        return log.view(
            np.random.default_rng(seed),
            "labels" in needs,
            model.graph.copy() if "graph" in needs else None,
        )


def spaces_of(model: World) -> Spaces:
    """What a policy that is brought is told of a model."""
    return Spaces(observation_space(model), action_space(model))


def _source_of(cls: type) -> bytes:
    return Path(getsourcefile(cls) or "").read_bytes()


@cache
def _package() -> bytes:
    """The modules of the agents: one builds on another."""
    return b"".join(path.read_bytes() for path in sorted(Path(agents.__path__[0]).rglob("*.py")))


def acts_there(agent: str, model: World) -> bool:
    """Whether an agent can take the actions of a model;

    the reference policies can, where they have an answer.
    """
    made = make_agent(agent)
    return made.learns in (("exact",), ("given",)) or (
        made.counts_actions if model.action_bounds is None else made.acts_in_a_box
    )


def _log_before(model: World, episodes: int, seed: int) -> Data:
    """What the behaviour policy recorded before the practice, of other units."""
    return _collect(model, episodes, seed + 2**62, "observe").view(np.random.default_rng(seed))


def rows_together(runs: Sequence[Run]) -> Iterator[list[dict[str, Any]]]:
    """The rows of runs that differ in nothing but their seeds, each as it has them alone;

    where they can be, they are learned at once.
    """
    torch.set_num_threads(1)
    learned: list[Any] = [None] * len(runs)
    if len(runs) > 1 and runs[0].joined:
        with suppress(Exception):  # whatever it is, each run meets it alone too, and costs no other
            learned = _learn_all(runs)
    for run, found in zip(runs, learned, strict=True):
        yield run.rows_of(found)


def _learn_all(runs: Sequence[Run]) -> list[Any]:
    agent: Any = runs[0]._agent
    found = list(
        agent.learn_all([run._source(run._worlds()[1]) for run in runs], [run._rng for run in runs])
    )
    wrong = InputError(
        f"{agent.name}.learn_all must return a policy for each of {len(runs)} seeds, and "
        f"returned {len(found)}"
    )
    return found if len(found) == len(runs) else [wrong] * len(runs)


@lru_cache(maxsize=4)
def _collect(
    model: World, episodes: int, seed: int, regime: str, share: float | None = None
) -> Log:
    return collect(model, episodes, seed, regime, share)


def _read_log(run: Run) -> Log:
    if run.regime not in OFFLINE:
        raise InputError(
            f"an agent learns from a log in the regimes {' and '.join(OFFLINE)}, and not in "
            f"{run.regime}"
        )
    log = _load(run.log, Path(run.log).stat().st_mtime_ns if Path(run.log).exists() else 0)
    made_of = (log.origin.get("world"), log.origin.get("variant", ""))
    if made_of != (world_text(make_model(run.environment)), run.variant):
        raise InputError(
            f"{run.log} is a log of {' '.join(filter(None, made_of)) or 'an unknown world'}, and "
            f"not of {run.environment}"
        )
    return log


@lru_cache(maxsize=4)
def _load(path: str, changed: int) -> Log:
    return Log.load(path)


def _seeded(env: CausalVectorEnv, seed: int) -> CausalVectorEnv:
    env.reset(seed=seed)
    return env


def scored(model: World, seen: World, policy: Policy) -> list[dict[str, Any]]:
    """A row for the deployment and one for each shift, of a policy for `seen`:

    `model`, with or without the intent shown.
    """
    shifts = ("", *model.shifts()) if not model.edits else ("",)
    rows = []
    for shift in shifts:
        found = evaluate(seen.shifted(shift) if shift else seen.deployed(), policy)
        row = {"world": shift, "status": "ok", "note": policy.note, **asdict(found)}
        rows.append(
            {
                **_nothing(),
                **row,
                **references(model, model.shifted(shift) if shift else model.deployed()),
            }
        )
    rows[0] |= beliefs(seen, policy)
    return rows


def _nothing() -> dict[str, Any]:
    unknown: dict[str, Any] = {
        "world": "",
        "status": "ok",
        "note": "",
        "value": np.nan,
        "std_error": np.nan,
        "exact": False,
    }
    return unknown | dict.fromkeys((*REFERENCES, *BELIEFS), np.nan)


def _hash(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=10).hexdigest()
