"""A dash light that shows the last action, and a clone that copies it and ignores the road."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    Ranges,
    World,
    action,
    behaviour_policy,
    context,
    latent,
    lookup,
    reward,
    shift,
)
from dosuite.causal.exact import greedy, log_process
from dosuite.causal.model.lookups import Lookup

from ..pictures.scene import INK, LAND, ORANGE, PAPER, RED, ROAD, WALL, Pixels, Scene


def _stationary(model: "BrakeLight") -> Bernoulli:
    """The stationary law of the pedestrian, a Markov chain with two states."""
    return Bernoulli(model.appear / (model.appear + model.leave))


class BrakeLight(World):
    """Drive (0) or brake (1): driving earns 1 on a free road and costs 10 with a pedestrian on it,
    braking earns nothing.

    The expert sees the pedestrian; a policy sees only a poor camera and the dash light, which shows
    the last action. Pedestrians stay for a while, so in the log the light predicts the next action
    better than the camera does. A clone that uses both imitates the expert better, and never
    brakes: the light is off at the start, and stays off.

        pedestrian_tm1 --> pedestrian --> camera
        brake_tm1 --> light         |
        brake <---------------------+        (reward <-- pedestrian, brake)

    Observation: MultiDiscrete([2, 2]), the camera and the light. Action: Discrete(2). 100 steps;
    the reward of a step is -10, 0 or 1, and J is the return of an episode. The log begins in the
    stationary law, an episode of the environment with the light off. The confused policy is the
    clone, which takes in each observation the expert's most frequent action. It has no estimate of
    its return. In the control the expert sees only the camera, and brakes with the probability that
    the log shows given the camera.

    Trap: 0 0 0 1, since J(confused) = -120.0 < J(uniform) = -60.0 < J(behaviour) = 77.2.
    Way out: randomise light.
    Best: 0 0 1 1, since J(causal) = 52.0 > J(uniform) > J(confused).
    Twin: none, because in the log a pedestrian shows in the whole past, and so he would have to in
    the twin.

    Source: the brake indicator of de Haan, Jayaraman and Levine (2019); the numbers are ours.
    """

    held_out: ClassVar[Ranges] = {
        "appear": (0.02, 0.1),
        "leave": (0.1, 0.4),
        "accuracy": (0.8, 0.97),
    }

    horizon: int = 100
    # The pedestrian starts in the stationary law, and after one step so does the light.
    burn_in: int = 1
    appear: float = 0.05  # P(pedestrian | none a step earlier)
    leave: float = 0.2  # P(no pedestrian | one a step earlier)
    accuracy: float = 0.9  # P(the camera is right)
    slip: float = 0.01  # P(the expert does the wrong thing)

    @latent.starting(_stationary)
    def pedestrian(self, pedestrian_tm1: Array) -> Bernoulli:
        return Bernoulli(np.where(pedestrian_tm1 == 1, 1.0 - self.leave, self.appear))

    @context
    def camera(self, pedestrian: Array) -> Bernoulli:
        return Bernoulli(np.where(pedestrian == 1, self.accuracy, 1.0 - self.accuracy))

    @context.starting(Exactly(0))
    def light(self, brake_tm1: Array) -> Exactly:
        return Exactly(brake_tm1)

    @action
    def brake(self, pedestrian: Array) -> Bernoulli:
        return Bernoulli(np.where(pedestrian == 1, 1.0 - self.slip, self.slip))

    @reward
    def safety(self, pedestrian: Array, brake: Array) -> Exactly:
        return Exactly(np.where(brake == 1, 0.0, np.where(pedestrian == 1, -10.0, 1.0)))

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> Pixels:
        """The car on its road with a pedestrian if there is one, the dash light, and the camera."""
        scene = Scene(6, 3, LAND)
        scene.tile(0, 1.3, ROAD, 6, 1)
        for x in range(6):
            scene.line([(x + 0.3, 1.8), (x + 0.7, 1.8)], PAPER, 2)
        scene.car(1.2, 1.9, braking=now["light"] == 1)
        if now["pedestrian"] == 1:
            scene.agent(3.4, 1.75, ORANGE)
        scene.tile(0.2, 0.2, INK, 2.2, 0.75)
        scene.text(1.0, 0.58, "brake", 0.26, PAPER)
        scene.disc(1.95, 0.57, 0.2, RED if now["light"] == 1 else WALL)
        scene.tile(3.4, 0.2, INK, 2.4, 0.75)
        scene.text(4.2, 0.58, "camera", 0.26, PAPER)
        if now["camera"] == 1:
            scene.agent(5.4, 0.58, ORANGE)
        return scene.pixels()

    def confused_policy(self) -> Array:
        """The clone, which sees the light: the most frequent action of the log in each context,
        (C, A).
        """
        return greedy(behaviour_policy(self))

    def promised_value(self) -> float:
        """NaN: a clone has no estimate of its return."""
        return np.nan

    def marginal(self) -> Lookup:
        """P(brake | camera) in the log, the behaviour policy of the control. The light is left out:
        it is a nuisance variable.
        """
        visits = log_process(self).visits.reshape(2, 2, 2)  # camera, light, brake
        by_camera = visits.sum(1)
        return lookup(self, "brake", ("camera",), by_camera / by_camera.sum(1, keepdims=True))

    def twin(self) -> None:
        return None

    @shift
    def rain(self) -> World:
        return replace(self, accuracy=0.75)

    @shift
    def downtown(self) -> World:
        return replace(self, appear=0.2)

    @shift
    def jaywalkers(self) -> World:
        """Pedestrians are independent from step to step, P(pedestrian) = 0.2 as before."""
        return replace(self, appear=0.2, leave=0.8)

    @shift
    def light_random(self) -> World:
        return self.do(light=Bernoulli(0.5))

    @shift
    def light_always_on(self) -> World:
        """Here the clone relies on the camera, and is as good as the causal policy."""
        return self.do(light=1)
