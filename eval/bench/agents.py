"""Training ten seeds at once, against Stable-Baselines3's DQN trained ten times, and against
training them one by one.

The sides learn from the same log with the same updates, minibatches, networks and rates. A unit is
one seed's update."""

from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from typing import Any

import numpy as np
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import polyak_update

from dosuite.agents import agent_classes, make_agent
from dosuite.agents.online.dqn import DQN
from dosuite.causal import World
from dosuite.envs import Data, collect
from dosuite.envs.worlds.airline import AirlinePricing
from dosuite.envs.worlds.coin_end import CoinEnd
from dosuite.envs.worlds.copycat_car import CopycatCar
from dosuite.envs.worlds.river import ConfoundedRiver

from .timing import Row, Scale, Work

SEEDS, UPDATES, TURNS = 10, 200, 3


def sb3_dqn(data: Data, agent: DQN, seed: int) -> Any:
    """Stable-Baselines3's DQN with the settings of ours, after its updates on a log that fills its
    replay buffer.
    """
    algorithm: Any = SB3DQN(
        "MlpPolicy",
        env=None,  # type: ignore[arg-type]
        seed=seed,
        buffer_size=len(data),
        batch_size=agent.batch,
        learning_rate=agent.rate,
        gamma=data.discount,
        policy_kwargs={"net_arch": [agent.hidden, agent.hidden]},
        device="cpu",
        _init_setup_model=False,
    )
    algorithm.observation_space, algorithm.action_space, algorithm.n_envs = (
        data.observation_space,
        data.action_space,
        1,
    )
    algorithm._setup_model()
    algorithm.set_logger(Logger(None, []))
    _fill(algorithm.replay_buffer, data)
    for _ in range(0, agent.updates, agent.sync):
        algorithm.train(agent.sync, agent.batch)
        polyak_update(algorithm.q_net.parameters(), algorithm.q_net_target.parameters(), 1.0)
    return algorithm


def _fill(buffer: Any, data: Data) -> None:
    for name, column in (
        ("observations", "observation"),
        ("next_observations", "next_observation"),
        ("actions", "action"),
    ):
        array = getattr(buffer, name)
        array[:] = data[column].reshape(array.shape)
    buffer.rewards[:, 0], buffer.timeouts[:, 0] = data["reward"], data["truncated"]
    buffer.dones[:, 0] = data["terminated"] | data["truncated"]
    buffer.full = True


def _log(model: World, needs: frozenset[str] = frozenset()) -> Data:
    graph = model.graph.copy() if "graph" in needs else None
    return collect(model, 10_000 // model.horizon, seed=0).view(
        np.random.default_rng(0), "labels" in needs, graph
    )


def _at_once(agent: Any, data: Data, units: int) -> Work:
    """A call learns with all seeds."""
    return Work(
        lambda: agent.learn_all(
            [data] * SEEDS, [np.random.default_rng(seed) for seed in range(SEEDS)]
        ),
        units,
    )


def _against_sb3(model: World, scale: Scale) -> tuple[Work, Work]:
    updates = scale(UPDATES)
    agent, data = DQN(updates=updates, sync=min(DQN.sync, updates)), _log(model)

    def ten_times() -> None:
        for seed in range(SEEDS):
            sb3_dqn(data, agent, seed)

    return _at_once(agent, data, SEEDS * updates), Work(ten_times, SEEDS * updates)


def _against_itself(name: str, model: World, scale: Scale) -> tuple[Work, Work]:
    updates = scale(UPDATES)
    agent: Any = make_agent(name, **_lasting(name, updates))
    data = _log(model, agent.needs)

    def one_by_one() -> None:
        for seed in range(SEEDS):
            agent.learn(data, np.random.default_rng(seed))

    return _at_once(agent, data, SEEDS * updates), Work(one_by_one, SEEDS * updates)


def _lasting(name: str, updates: int) -> dict[str, int]:
    """The setting with which an agent takes so many steps in a world of one step, or of many."""
    has = {field.name for field in fields(agent_classes()[name])}  # type: ignore[arg-type]
    return {"updates" if "updates" in has else "steps": updates} | (
        {"iterations": 1} if "iterations" in has else {}
    )


def _own_rows() -> Iterator[Row]:
    """Each agent that learns with all seeds at once, in a world whose observations are numbers, so
    that all train networks.
    """
    for name, kind in agent_classes().items():
        if kind.trains_seeds_together():
            model = AirlinePricing() if kind.acts_in_a_box else CopycatCar()
            measured = f"ten seeds of {name} at once, {type(model).__name__}"
            yield Row(
                measured,
                "one by one",
                None,
                UNIT,
                "dosuite",
                partial(_against_itself, name, model),
                TURNS,
            )


UNIT, TEN_TIMES = "updates/s", "Stable-Baselines3's DQN ten times"

ROWS = (
    *(
        Row(
            f"ten seeds of dqn at once, {kind.__name__}",
            TEN_TIMES,
            8,
            UNIT,
            "stable-baselines3",
            partial(_against_sb3, kind()),
            TURNS,
        )
        for kind in (ConfoundedRiver, CoinEnd)
    ),
    *_own_rows(),
)
