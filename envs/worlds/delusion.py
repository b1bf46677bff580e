"""A box with a prize in it, and a model that believes an expert to be acting when it acts itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit

from dosuite.causal import Array, Bernoulli, Exactly, World, action, context, latent, reward, shift

from ..pictures.scene import BLUE, GREY, ORANGE, YELLOW, Pixels, Scene

CERTAIN = 1e-12  # nobody is surer than this, or one mistake would be evidence without end
TIE = 1e-9  # beliefs closer than this to one half favour neither box

Choice = Callable[
    [Array], Array
]  # the probability of taking box 1, given the belief that it is the better one


class DelusionBox(World):
    """Open one of two boxes, fifty times: the better one has a prize seven times in ten, the other
    three times in ten.

    The log is that of an expert, who knows the better box and rarely errs, so in the log an action
    tells more of it than three prizes do. A sequence model of the log that acts by its own
    predictions takes its own actions for the expert's: its first guess convinces it, and in nearly
    half of all episodes it stays with the worse box. Better experts make that worse.

        box <-- theta --> prize          theta is the better box, and stays
         |                  ^
         +------------------+            last <-- box_tm1, prize_tm1

    J(confused), J(causal), J(best), J(worst) and J(intent) are of players who remember the whole
    episode: the sequence model, the same with its own actions marked as actions, so that they are
    no evidence, and whoever makes the best and the worst of the evidence, the last of them shown in
    each round what the expert would do. The confused and the causal policy below remember the last
    round alone: the one plans as if the log were of its own making and repeats its last action, the
    other stays with a box that has won and leaves one that has not.

    Observation: Discrete(5): 0 before the first round, then 1 + 2 box + prize of the last one.
    Action: Discrete(2). 50 steps; the reward of a step is 0 or 1, and J is the number of prizes of
    an episode.

    Trap: either 0 0 1 1, since promised = 34.0 > J(confused) = 25.54.
    Way out: interventions.
    Best: either 1 0 0 1, since J(best) = 33.76 > J(causal) = 32.51 > J(confused) = 25.54.
    Twin: none, because the whole history tells of the better box, and so it would have to in the
    twin.

    Source: the delusions of Ortega et al. (2021), Shaking the foundations; the numbers are ours.
    """

    horizon: int = 50
    reliability: float = 0.7  # P(prize | the better box) = 1 - P(prize | the other)
    slip: float = 0.05  # P(the expert takes the other box)
    # weight of the model's own action as evidence, in actions of the expert; 0 if it is marked
    self_evidence: float = 1.0

    @latent
    def clock(self) -> Exactly:
        return Exactly(0)

    @latent.starting(Bernoulli(0.5))
    def theta(self, theta_tm1: Array, clock: Array) -> Exactly:
        return Exactly(np.where(clock == self.horizon // 2, 1 - theta_tm1, theta_tm1))

    @context.starting(Exactly(0))
    def last(self, box_tm1: Array, prize_tm1: Array) -> Exactly:
        return Exactly(1 + 2 * box_tm1 + prize_tm1)

    @action
    def box(self, theta: Array) -> Bernoulli:
        return Bernoulli(np.where(theta == 1, 1.0 - self.slip, self.slip))

    @reward
    def prize(self, theta: Array, box: Array) -> Bernoulli:
        return Bernoulli(np.where(box == theta, self.reliability, 1.0 - self.reliability))

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> Pixels:
        """The two boxes, a star over the better one;

        the one that was just opened, with its prize or empty.
        """
        scene = Scene(5, 3)
        for box, x in enumerate((0.7, 2.9)):
            if past and past["theta"] == box:
                scene.text(x + 0.7, 0.35, "*", 0.7, GREY)
            opened = bool(past) and past["box"] == box
            scene.tile(x, 1.3, ORANGE, 1.4, 1.2)
            scene.tile(x, 0.65 if opened else 1.05, BLUE, 1.4, 0.3)
            if opened and past["prize"] == 1:
                scene.disc(x + 0.7, 1.12, 0.2, YELLOW)
        return scene.pixels()

    @shift
    def reliability_55(self) -> World:
        """The better box has a prize in 55 rounds of 100, and no player knows."""
        return replace(self, reliability=0.55)

    @shift
    def reliability_60(self) -> World:
        return replace(self, reliability=0.6)

    @shift
    def reliability_80(self) -> World:
        return replace(self, reliability=0.8)

    @shift
    def reliability_90(self) -> World:
        return replace(self, reliability=0.9)

    @shift
    def clumsy_expert(self) -> World:
        """Only the expert changes, and nobody who has learned from him before."""
        return replace(self, slip=0.3)

    @shift
    def switch(self) -> World:
        """The boxes change places once, at half-time: the clock, which stood still, goes."""
        return self.do(clock=_tick)

    def promised_value(self) -> float:
        """What the sequence model predicts for itself, in each round once it has acted:

        as its own expert, it cannot be far wrong.
        """
        return play(self, self, self.imitated, own=self.self_evidence).predicted

    def values_in(self, world: World) -> Mapping[str, float]:
        """The values of players with a memory in a world, a shift of this one;

        the best, the worst and the intent's know the world.
        """
        assert isinstance(world, DelusionBox)
        known = world.do(clock=0)  # who knows when the boxes change places renames them
        return {
            "j_confused": play(self, world, self.imitated, own=self.self_evidence).earned,
            "j_causal": play(self, world, self.imitated).earned,
            "j_best": play(world, known, likelier).earned,
            "j_worst": play(world, known, lambda belief: 1.0 - likelier(belief)).earned,
            "j_intent": play(world, known, likelier, intent=True).earned,
        }

    def imitated(self, belief: Array) -> Array:
        """What a model of the log predicts the expert to do, and does:

        box 1, with this probability.
        """
        return belief * (1.0 - self.slip) + (1.0 - belief) * self.slip

    def dialled(self, strength: float) -> World:
        """From actions that are marked as actions (0), and say nothing of theta in the log either,
        to the expert's own (1).
        """
        world = super().dialled(strength)
        assert isinstance(world, DelusionBox)
        return replace(world, self_evidence=strength * self.self_evidence)


@dataclass(frozen=True)
class Play:
    """What comes of playing with a memory of the whole episode."""

    earned: float  # expected discounted return
    predicted: float  # what the player expected of each action that he took, added up
    locked: float  # probability that in the end the worse box is believed to be the better one


def play(
    reader: DelusionBox, world: DelusionBox, choose: Choice, own: float = 0.0, intent: bool = False
) -> Play:
    """Play in `world`, exactly, as who reads the evidence as if the world were `reader`.

    A prize speaks for its box, no prize against it. An action of the player's own speaks for its
    box `own` times as much as one of the expert's; with `intent` he sees in each round what the
    expert would do, and his own actions say nothing. So two numbers are all there is to remember:
    by how much the actions for box 1, and the outcomes for it, outnumber those for box 0."""
    rounds, slip, theta = world.horizon, world.slip, 1
    net = np.arange(-rounds, rounds + 1)
    action_odds, outcome_odds = (
        logit(np.clip(chance, CERTAIN, 1.0 - CERTAIN))
        for chance in (1.0 - reader.slip, reader.reliability)
    )
    one = expit((1.0 if intent else own) * action_odds * net[:, None] + outcome_odds * net)
    belief, taken = (1.0 - one, one), (1.0 - choose(one), choose(one))
    expected = [
        better * reader.reliability + (1.0 - better) * (1.0 - reader.reliability)
        for better in belief
    ]
    law = np.zeros_like(one)
    law[rounds, rounds] = 1.0
    earned = predicted = 0.0
    for step, theta in enumerate(_thetas(world)):
        if intent:
            law = (1.0 - slip) * _count(law, theta, 0) + slip * _count(law, 1 - theta, 0)
        after = np.zeros_like(law)
        for box in (0, 1):
            prize = world.reliability if box == theta else 1.0 - world.reliability
            acted = law * taken[box] if intent else _count(law * taken[box], box, 0)
            earned += world.discount**step * prize * acted.sum()
            predicted += world.discount**step * (expected[box] * acted).sum()
            after += prize * _count(acted, box, 1) + (1.0 - prize) * _count(acted, 1 - box, 1)
        law = after
    return Play(float(earned), float(predicted), float(law[belief[theta] < 0.5 - TIE].sum()))


def likelier(belief: Array) -> Array:
    """Box 1 if it is likelier to be the better one, either if both are as likely."""
    return np.where(abs(belief - 0.5) < TIE, 0.5, belief > 0.5)


def _count(law: Array, box: int, axis: int) -> Array:
    """One more that speaks for a box."""
    return np.roll(law, 2 * box - 1, axis)


def _tick(clock_tm1: Array) -> Exactly:
    return Exactly(clock_tm1 + 1)


def _thetas(world: DelusionBox) -> list[int]:
    """The better box of each round, if at first it is box 1:

    it moves without noise, so that one unit tells.
    """
    theta = np.ravel(world.sample(1, np.random.default_rng(0))["theta"])
    return [int(now == theta[0]) for now in theta]
