"""A lead car that shows the traffic light better than the camera does, until another car drives
ahead.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Exactly,
    Ranges,
    World,
    action,
    context,
    latent,
    reward,
    shift,
)

from ..pictures.scene import GREEN, INK, LAND, ORANGE, PAPER, RED, ROAD, WALL, Pixels, Scene


def _stationary(model: "TrafficLight") -> Bernoulli:
    """The stationary law of the light, a Markov chain with two states."""
    return Bernoulli(model.to_green / (model.to_green + model.to_red))


class TrafficLight(World):
    """Stop (0) or go (1) at a traffic light: going earns 1 when it is green and costs 5 when it is
    red, stopping earns nothing.

    A camera shows the light, with errors. The car ahead obeys the light and hardly ever errs; so in
    the log it is the better sign, and a learner follows it and ignores the camera. But the lead
    car's behaviour is an effect of the light on another driver, and drivers change: policies are
    valued behind a lead car that goes and stops at random (the shift `random_lead`).

        light_tm1 --> light --> camera, lead
        go <-- lead            (reward <-- light, go)

    Observation: MultiDiscrete([2, 2]): the camera shows green (1) or red (0), the lead car goes (1)
    or stops (0). Action: Discrete(2). 50 steps; the reward of a step is -5, 0 or 1, and J is the
    return of an episode in the deployment. The driver in the log does what the lead car does with
    probability 0.9. Nothing confounds the log: the control is the world in which the lead car of
    the deployment is that of the log, and the dial lies between.

    Trap: 0 1 0 1, since promised = 34.643 > J(confused) = -17.857.
    Way out: randomise lead.
    Best: 0 0 1 1, since J(causal) = 19.643 > J(uniform) = -17.857.
    Twin: none, because nothing confounds the log, and what it does not tell is who will drive
    ahead.

    Source: after the traffic lights of Gupta et al. (2023); the numbers are ours.
    """

    deployment: ClassVar[str] = "random_lead"

    held_out: ClassVar[Ranges] = {"to_red": (0.05, 0.2), "to_green": (0.15, 0.4)}

    horizon: int = 50
    to_red: float = 0.1  # P(red | green a step earlier)
    to_green: float = 0.25  # P(green | red a step earlier)
    camera_accuracy: float = 0.85  # P(the camera shows the light)
    lead_accuracy: float = 0.99  # P(the lead car does what the light says), in the log
    lead_accuracy_deployed: float = 0.5  # the same in the deployment

    @latent.starting(_stationary)
    def light(self, light_tm1: Array) -> Bernoulli:
        return Bernoulli(np.where(light_tm1 == 1, 1.0 - self.to_red, self.to_green))

    @context
    def camera(self, light: Array) -> Bernoulli:
        return Bernoulli(np.where(light == 1, self.camera_accuracy, 1.0 - self.camera_accuracy))

    @context
    def lead(self, light: Array) -> Bernoulli:
        return Bernoulli(np.where(light == 1, self.lead_accuracy, 1.0 - self.lead_accuracy))

    @action
    def go(self, lead: Array) -> Bernoulli:
        return Bernoulli(np.where(lead == 1, 0.9, 0.1))

    @reward
    def ride(self, light: Array, go: Array) -> Exactly:
        return Exactly(np.where(go == 0, 0.0, np.where(light == 1, 1.0, -5.0)))

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> Pixels:
        """The car behind its lead car, which goes (with an arrow) or brakes; the light, and what
        the camera shows.
        """
        scene = Scene(6, 3, LAND)
        scene.tile(0, 1.3, ROAD, 6, 1)
        scene.line([(5.2, 1.3), (5.2, 2.3)], PAPER, 4)
        scene.car(1.0, 1.85, braking=past.get("go") == 0)
        scene.car(3.6, 1.85, ORANGE, braking=now["lead"] == 0)
        if now["lead"] == 1:
            scene.arrow(4.2, 1.85, 0.7, 0)
        for x, words, green in ((5.5, "", now["light"]), (1.9, "camera", now["camera"])):
            scene.text(x - 1.1, 0.65, words, 0.26)
            scene.tile(x - 0.25, 0.15, INK, 0.5, 1)
            scene.disc(x, 0.42, 0.18, WALL if green == 1 else RED)
            scene.disc(x, 0.88, 0.18, GREEN if green == 1 else WALL)
        return scene.pixels()

    def dialled(self, strength: float) -> World:
        """The world in which the lead car loses this share of its accuracy in the deployment: at 0
        it is as accurate as in the log.
        """
        lost = self.lead_accuracy - self.lead_accuracy_deployed
        return replace(self, lead_accuracy_deployed=self.lead_accuracy - strength * lost)

    @shift
    def random_lead(self) -> World:
        """The lead car has its accuracy of the deployment, by default 0.5."""
        return replace(self, lead_accuracy=self.lead_accuracy_deployed)

    @shift
    def lead_always_goes(self) -> World:
        return self.do(lead=1)

    @shift
    def lead_parked(self) -> World:
        return self.do(lead=0)

    @shift
    def lead_inverted(self) -> World:
        return replace(self, lead_accuracy=1.0 - self.lead_accuracy)


class Ambiguous(TrafficLight):
    """The camera never errs, and in the log the lead car always agrees with it: either sign alone
    explains the whole log.

    Which of them a learner follows depends on chance, or on its inductive bias. Rows in which the
    two disagree would decide; their share in a log is 1 - lead_accuracy.

        light_tm1 --> light --> camera, lead
        go <-- lead            (reward <-- light, go)

    Otherwise as TrafficLight. Where the signs disagree the confused policy has no data, and takes
    either action with probability 0.5.

    Trap: 0 either either 1, since promised = 35.714 > J(confused) = 8.929.
    Way out: randomise lead.
    Best: 0 0 1 1, since J(causal) = 35.714 > J(confused) > J(uniform) = -17.857.
    Twin: none, because nothing confounds the log, and what it does not tell is who will drive
    ahead.

    Source: as TrafficLight.
    """

    camera_accuracy: float = 1.0
    lead_accuracy: float = 1.0

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        return {"Never": {}, "Rarely": {"lead_accuracy": 0.99}}
