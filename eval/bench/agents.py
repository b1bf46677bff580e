"""Training many seeds at once, against Stable-Baselines3's algorithms, and against one by one.

Both sides learn from the same log, or by as many steps of practice, with the same numbers of
updates, minibatches, networks and learning rates. A unit of work is one seed's update on a log, or
one seed's step of practice.
"""

from functools import partial
from typing import Any

import numpy as np
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import polyak_update

from dosuite.agents import OfflineAgent, Practice, agent_classes, make_agent
from dosuite.agents.networks.features import image_size
from dosuite.agents.offline.fitted_q import FQI
from dosuite.agents.online.base import Features
from dosuite.agents.online.dqn import DQN
from dosuite.causal import World
from dosuite.envs import Data, collect
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.coin_end import CoinEnd
from dosuite.envs.worlds.copycat_car import CopycatCar
from dosuite.envs.worlds.river import ConfoundedRiver

from ..runs.practice import PracticeUnits
from .timing import Comparison, Resize, Sides, Work

SEEDS = 10
UPDATES = 200
TURNS = 3
LANES = 20  # seeds that practise at once
LANES_TURNS = 1
PRACTICE_STEPS = 2_000
STEPS = 10_000  # of the log
UNIT = "updates/s"
TEN_TIMES = "Stable-Baselines3's DQN ten times"
REPLAY_COLUMNS = {
    "observations": "observation",
    "next_observations": "next_observation",
    "actions": "action",
}  # array of the replay buffer -> column of the log


def sb3_dqn(data: Data, agent: DQN, seed: int) -> Any:
    """Train Stable-Baselines3's DQN, with the settings of `agent`, on a log.

    The log fills its replay buffer exactly.
    """
    algorithm: Any = SB3DQN(
        "MlpPolicy",
        env=None,  # type: ignore[arg-type]
        seed=seed,
        buffer_size=len(data),
        batch_size=agent.batch,
        learning_rate=agent.rate,
        gamma=data.discount,
        policy_kwargs={"net_arch": [agent.hidden, agent.hidden], **_extractor(data)},
        device="cpu",
        _init_setup_model=False,
    )
    algorithm.observation_space = data.observation_space
    algorithm.action_space = data.action_space
    algorithm.n_envs = 1
    algorithm._setup_model()
    algorithm.set_logger(Logger(None, []))
    _fill(algorithm.replay_buffer, data)
    for _ in range(0, agent.updates, agent.sync):
        algorithm.train(agent.sync, agent.batch)
        polyak_update(algorithm.q_net.parameters(), algorithm.q_net_target.parameters(), 1.0)
    return algorithm


def _extractor(data: Data) -> dict[str, Any]:
    """Images enter through the convolution that our networks have."""
    is_image = image_size(data.observation_space) is not None
    return {"features_extractor_class": Features} if is_image else {}


def _fill(buffer: Any, data: Data) -> None:
    """Write all rows of a log to a replay buffer of the same size."""
    for name, column in REPLAY_COLUMNS.items():
        array = getattr(buffer, name)
        array[:] = data[column].reshape(array.shape)
    buffer.rewards[:, 0] = data["reward"]
    buffer.timeouts[:, 0] = data["truncated"]
    buffer.dones[:, 0] = data["terminated"] | data["truncated"]
    buffer.full = True


def _log(model: World, needs: frozenset[str] = frozenset()) -> Data:
    """A log of the behaviour policy, with the labels and the graph if they are needed."""
    log = collect(model, STEPS // model.horizon, seed=0)
    graph = model.graph.copy() if "graph" in needs else None
    return log.view(np.random.default_rng(0), "labels" in needs, graph)


def _all_at_once(agent: Any, data: Data, updates: int) -> Work:
    def run() -> None:
        agent.learn_all([data] * SEEDS, [np.random.default_rng(seed) for seed in range(SEEDS)])

    return Work(run, SEEDS * updates)


def _against_sb3(model: World, resize: Resize) -> Sides:
    updates = resize(UPDATES)
    agent, data = DQN(updates=updates, sync=min(DQN.sync, updates)), _log(model)

    def ten_times() -> None:
        for seed in range(SEEDS):
            sb3_dqn(data, agent, seed)

    return _all_at_once(agent, data, updates), Work(ten_times, SEEDS * updates)


def _against_itself(name: str, model: World, resize: Resize) -> Sides:
    updates = resize(UPDATES)
    settings: dict[str, Any] = {**_settings_for(name, updates)}
    agent: Any = make_agent(name, **settings)
    data = _log(model, agent.needs)

    def one_by_one() -> None:
        for seed in range(SEEDS):
            agent.learn(data, np.random.default_rng(seed))

    return _all_at_once(agent, data, updates), Work(one_by_one, SEEDS * updates)


def _settings_for(name: str, updates: int) -> dict[str, int]:
    """The settings with which an agent makes this number of updates."""
    settings = {"updates": updates}
    if issubclass(agent_classes()[name], FQI):
        settings["iterations"] = 1
    return settings


def _sb3_comparison(model: World, target: float = 8) -> Comparison:
    shown = f" on {model.observation}" if model.observation else ""
    return Comparison(
        f"ten seeds of dqn at once, {type(model).__name__}{shown}",
        TEN_TIMES,
        target,
        UNIT,
        "stable-baselines3",
        partial(_against_sb3, model),
        TURNS,
    )


def _own_comparisons() -> list[Comparison]:
    """A comparison for each agent that trains all seeds at once.

    Observations are numbers in their worlds, so that all agents train networks.

    There is no target. As the networks are written, the ratio cannot exceed the time of an update
    of one seed divided by what each further seed adds to it: 1.35 to 2.7, and 7.6 for dqn, measured
    from 10 to 20 seeds. What a seed adds is mostly work on activations, of which matrix products
    are 15 to 27 %.
    """
    comparisons = []
    for name, kind in agent_classes().items():
        if kind.trains_seeds_together() and issubclass(kind, OfflineAgent):
            model = AirlinePricing() if kind.acts_in_a_box else CopycatCar()
            measured = f"ten seeds of {name} at once, {type(model).__name__}"
            sides = partial(_against_itself, name, model)
            comparisons.append(
                Comparison(measured, "one by one", None, UNIT, "dosuite", sides, TURNS)
            )
    return comparisons


def _against_runs(name: str, model: World, resize: Resize) -> Sides:
    """An agent with lanes, against as many runs of the agent of Stable-Baselines3."""
    steps, seeds = resize(PRACTICE_STEPS), range(resize(LANES))
    lanes, single = make_agent(f"{name}-lanes"), make_agent(name)

    def practice(seed: int) -> Practice:
        units = PracticeUnits(model, 1000 * seed, steps, rounds_up=True)
        return Practice(units, steps, model.discount)

    def at_once() -> None:
        lanes.learn_all([practice(seed) for seed in seeds], [*map(np.random.default_rng, seeds)])

    def one_by_one() -> None:
        for seed in seeds:
            single.learn(practice(seed), seed)

    units = len(seeds) * steps
    return Work(at_once, units), Work(one_by_one, units)


def _lanes_comparison(name: str, kind: type[World]) -> Comparison:
    return Comparison(
        f"twenty seeds of {name}-lanes at once, {kind.__name__}",
        f"{name} of Stable-Baselines3 twenty times",
        10,
        "steps/s",
        "stable-baselines3",
        partial(_against_runs, name, kind()),
        LANES_TURNS,
    )


TRAINING_COMPARISONS = (
    _sb3_comparison(ConfoundedRiver()),
    _sb3_comparison(CoinEnd()),
    _sb3_comparison(ConfoundedRiver(observation="digits"), target=6),
    *(
        _lanes_comparison(name, kind)
        for name in ("dqn", "ppo")
        for kind in (ConfoundedRiver, CoinEnd)
    ),
    *_own_comparisons(),
)
