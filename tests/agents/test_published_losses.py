"""Our losses are TorchRL's of the same names:

the same parameters and minibatch give the same numbers, through whole networks.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learning import data_of
from places import THROWAWAY_FILE
from tensordict import TensorDict
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.modules import ProbabilisticActor, QValueActor
from torchrl.objectives import (
    BCLoss,
    DiscreteCQLLoss,
    DiscreteIQLLoss,
    DQNLoss,
    LossModule,
    TD3BCLoss,
)

from dosuite.agents import make_agent
from dosuite.agents.networks.encoder import Encoder
from dosuite.agents.networks.perceptrons import Perceptrons
from dosuite.agents.networks.training import Minibatch, minibatches
from dosuite.agents.offline.base import Task
from dosuite.agents.offline.fitted_q import CQL, QLearner
from dosuite.envs import Data, make_model

torch.set_num_threads(1)

pytestmark = [  # TorchRL's, which are about its own bookkeeping; the targets are put there by hand
    pytest.mark.filterwarnings("ignore:No target network updater:UserWarning"),
    pytest.mark.filterwarnings("ignore:The name target_actor_network_params:UserWarning"),
]

RELAY = make_model(f"{THROWAWAY_FILE}:Relay")
DATA, PUSHED = data_of(RELAY, 300), data_of(make_model("CorrelatedNoiseLQ-v0"), 300)
ROWS, SEEDS = 40, 2
ENCODER = Encoder(
    DATA.observation_space, 5, torch.device("cpu")
)  # fewer rows than cells, so that these enter as features


def rngs(first: int) -> list[np.random.Generator]:
    return [np.random.default_rng(first + seed) for seed in range(SEEDS)]


@pytest.fixture
def batch() -> Minibatch:
    """A minibatch of each seed, with episodes that end and that go on."""
    found = next(minibatches([DATA] * SEEDS, rngs(7), 1, ROWS, ENCODER))
    assert 0 < found.going_on.mean() < 1
    return found


def learner_of(agent: Any, data: Data = DATA, encoder: Encoder = ENCODER) -> Any:
    """A learner whose networks and targets are all different, and which is not about to copy one to
    the other.
    """
    learner, draw = (
        agent._learner(Task([data] * SEEDS, rngs(0), encoder, [8, 8])),
        torch.Generator().manual_seed(2),
    )
    for part in learner.parameters():
        part.data += torch.randn(part.shape, generator=draw)
    learner.steps = 5
    return learner


def alone(networks: Perceptrons, member: int) -> nn.Sequential:
    """The network of a member, made of layers of torch."""
    layers: list[nn.Module] = []
    for weight, bias in zip(networks.layers[::2], networks.layers[1::2], strict=True):
        layer = nn.Linear(*weight.shape[1:])
        layer.weight.data, layer.bias.data = (
            weight.detach()[member].mT.clone(),
            bias.detach()[member, 0].clone(),
        )
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def q_network(networks: Perceptrons, member: int) -> QValueActor:
    return QValueActor(alone(networks, member), in_keys=["observation"], action_space="categorical")


def rows_of(
    batch: Minibatch, seed: int, see: Callable[[torch.Tensor], torch.Tensor] = ENCODER.features
) -> TensorDict:
    """The rows of a seed, under TorchRL's names."""
    over = batch.going_on[seed][:, None] == 0
    following = {
        "observation": see(batch.next_observation)[seed],
        "reward": batch.reward[seed][:, None],
        "done": over,
        "terminated": over,
    }
    return TensorDict(
        {
            "observation": see(batch.observation)[seed],
            "action": batch.action[seed],
            "next": following,
        },
        [ROWS],
    )


def give_targets(loss: LossModule, name: str, modules: Sequence[nn.Module]) -> None:
    """Put the parameters of modules in place of the targets that TorchRL has copied."""
    parameters = [TensorDict.from_module(module).data for module in modules]
    targets = parameters[0] if len(parameters) == 1 else torch.stack(parameters)
    getattr(loss, name).data.update_(targets)


def theirs(kind: Any, learner: QLearner, batch: Minibatch, seed: int, **settings: Any) -> Any:
    loss = kind(
        q_network(learner.values, seed),
        loss_function="smooth_l1",
        action_space="categorical",
        **settings,
    )
    loss.make_value_estimator(gamma=DATA.discount)
    give_targets(loss, "target_value_network_params", [q_network(learner.target, seed)])
    return loss(rows_of(batch, seed))


def same(ours: torch.Tensor, expected: list[torch.Tensor]) -> None:
    assert ours.detach().double().numpy() == pytest.approx(
        np.array([each.item() for each in expected]), rel=1e-5
    )
    assert len(set(ours.tolist())) == SEEDS


def looks_up(learner: QLearner) -> QLearner:
    """The same, when it has looked at its target as it is now."""
    learner.of_target = learner.task.encoder.table(learner.target, learner.sync)
    return learner


def test_deep_q_learning_is_theirs(batch: Minibatch) -> None:
    learner = looks_up(learner_of(make_agent("dqn")))
    same(learner(batch), [theirs(DQNLoss, learner, batch, seed)["loss"] for seed in range(SEEDS)])


def test_conservative_q_learning_is_theirs_but_for_half_their_q_loss(batch: Minibatch) -> None:
    agent = CQL(alpha=0.7)
    learner = learner_of(agent)
    learner.target.follow(
        learner.values
    )  # which is where their value afterwards comes from, whatever their target is
    expected = [theirs(DiscreteCQLLoss, learner, batch, seed) for seed in range(SEEDS)]
    same(
        looks_up(learner)(batch),
        [2 * each["loss_qvalue"] + 0.7 * each["loss_cql"] for each in expected],
    )


def test_conservative_q_learning_has_their_double_target(batch: Minibatch) -> None:
    learner = looks_up(learner_of(CQL(alpha=0.0)))
    double = [
        theirs(DQNLoss, learner, batch, seed, double_dqn=True)["loss"] for seed in range(SEEDS)
    ]
    same(learner(batch), double)
    assert double != [theirs(DQNLoss, learner, batch, seed)["loss"] for seed in range(SEEDS)]


def test_implicit_q_learning_is_theirs(batch: Minibatch) -> None:
    learner = learner_of(make_agent("iql", expectile=0.8, temperature=2.0, tau=1e-9))
    expected = []
    for seed in range(SEEDS):
        actor = TensorDictModule(alone(learner.actor, seed), ["observation"], ["logits"])
        critics, targets = (
            [
                TensorDictModule(alone(part, seed + copy), ["observation"], ["state_action_value"])
                for copy in (0, SEEDS)
            ]
            for part in (learner.values, learner.target)
        )
        loss = DiscreteIQLLoss(
            ProbabilisticActor(
                actor, ["logits"], distribution_class=torch.distributions.Categorical
            ),
            critics,
            TensorDictModule(alone(learner.state, seed), ["observation"], ["state_value"]),
            loss_function="l2",
            temperature=2.0,
            expectile=0.8,
            action_space="categorical",
        )
        loss.make_value_estimator(gamma=DATA.discount)
        give_targets(loss, "target_qvalue_network_params", targets)
        found = loss(rows_of(batch, seed))
        expected.append(found["loss_value"] + found["loss_qvalue"] + found["loss_actor"])
    same(learner(batch), expected)


def test_behaviour_cloning_is_theirs(batch: Minibatch) -> None:
    learner = learner_of(make_agent("bc"))
    losses = [
        BCLoss(TensorDictModule(alone(learner.actor, seed), ["observation"], ["action"]))
        for seed in range(SEEDS)
    ]
    same(
        learner(batch), [loss(rows_of(batch, seed))["loss_bc"] for seed, loss in enumerate(losses)]
    )


class Critic(nn.Module):
    """A network that sees observation and action beside each other."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.net(torch.cat([observation, action], -1))
        return found


def test_twin_delayed_policy_gradients_that_clone_are_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    encoder = Encoder(PUSHED.observation_space, ROWS, torch.device("cpu"))
    batch = next(minibatches([PUSHED] * SEEDS, rngs(7), 1, ROWS, encoder))
    batch = replace(batch, going_on=(torch.arange(ROWS) % 3 > 0).float().expand(SEEDS, -1))
    learner = learner_of(make_agent("td3-bc", tau=1e-9, noise=0.5, clip=0.3), PUSHED, encoder)
    learner.steps = learner.agent.updates - 1  # the last one, after those that clone alone
    noise = [
        torch.as_tensor(rng.standard_normal((ROWS, 1), np.float32))
        for rng in deepcopy(learner.task.rngs)
    ]
    scaled = replace(
        batch,
        observation=learner._standard(batch.observation),
        next_observation=learner._standard(batch.next_observation),
        action=batch.action[..., None] / learner.high,
    )
    assert scaled.action.abs().max() <= 1
    expected = []
    for seed in range(SEEDS):
        actor, target = (
            TensorDictModule(
                nn.Sequential(alone(part, seed), nn.Tanh()), ["observation"], ["action"]
            )
            for part in (learner.actor, learner.target_actor)
        )
        critics, targets = (
            [
                TensorDictModule(
                    Critic(alone(part, seed + copy)),
                    ["observation", "action"],
                    ["state_action_value"],
                )
                for copy in (0, SEEDS)
            ]
            for part in (learner.critics, learner.target_critics)
        )
        loss = TD3BCLoss(
            actor, critics, bounds=(-1.0, 1.0), policy_noise=0.5, noise_clip=0.3, loss_function="l2"
        )
        loss.make_value_estimator(gamma=PUSHED.discount)
        give_targets(loss, "target_actor_network_params", [target])
        give_targets(loss, "target_qvalue_network_params", targets)
        with monkeypatch.context() as patch:
            patch.setattr(torch, "randn_like", lambda _, drawn=noise[seed]: drawn)
            found = loss(rows_of(scaled, seed, lambda seen: seen))
        expected.append(found["loss_qvalue"] + found["loss_actor"])
    same(learner(batch), expected)
