"""A river whose captain feels the current, so that in the log paddling looks better than it is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
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
from dosuite.causal.exact import log_process
from dosuite.causal.model import policy_lookup

from ..pictures.scene import (
    BLUE,
    GREY,
    INK,
    LAND,
    ORANGE,
    PAPER,
    RED,
    WATER,
    WOOD,
    YELLOW,
    Pixels,
    Scene,
)

CELLS = 5

Stroke = tuple[float, float, float]  # probabilities of going right, of going left and of staying


class ConfoundedRiver(World):
    """Anchor (0) or paddle (1) among five cells: anchoring in cell 0 earns 0.2, and each step in
    cell 4 earns 1.

    The captain paddles when the current feels favourable, so in the log paddling takes the boat up
    the river. A policy that paddles without feeling the current is mostly swept back. The current
    is independent from step to step, so in the log the cells form a Markov decision process: that
    of another river, in which paddling is worth it.

        cell_tm1, paddle_tm1 --> cell <-- current_tm1
        paddle <-- current            (reward <-- cell, paddle)

    Observation: Discrete(5). Action: Discrete(2). 120 steps, discounted by 0.9; the reward of a
    step is in [0, 1], and J is the discounted return of an episode.

    Trap: 1 1 1 1 0, since promised = 5.184 > J(confused) = 0.7546.
    Way out: interventions.
    Best: 0 1 1 1 0, since J(causal) = 2.0 > J(uniform) > J(confused).

    Source: the MDP with unobserved confounders of Zhang and Bareinboim (2016); the numbers are
    ours."""

    held_out: ClassVar[Ranges] = {"favourable": (0.05, 0.5), "anchorage": (0.1, 0.4)}

    horizon: int = 120
    discount: float = 0.9
    captain: float = 0.9  # P(paddle | favourable) = 1 - P(paddle | adverse), in the log
    favourable: float = 0.3  # P(the current is favourable)
    stroke_favourable: Stroke = (0.9, 0.0, 0.1)
    stroke_adverse: Stroke = (0.05, 0.8, 0.15)
    anchorage: float = 0.2  # reward of a step at anchor in cell 0

    @latent
    def current(self) -> Bernoulli:
        return Bernoulli(self.favourable)

    @context.starting(Exactly(0))
    def cell(self, cell_tm1: Array, paddle_tm1: Array, current_tm1: Array) -> Categorical:
        at = np.eye(CELLS)
        stroke = np.where(current_tm1[:, None] == 1, self.stroke_favourable, self.stroke_adverse)
        right, left = at[np.minimum(cell_tm1 + 1, CELLS - 1)], at[np.maximum(cell_tm1 - 1, 0)]
        paddled = stroke[:, [0]] * right + stroke[:, [1]] * left + stroke[:, [2]] * at[cell_tm1]
        return Categorical(np.where(paddle_tm1[:, None] == 1, paddled, at[cell_tm1]))

    @action
    def paddle(self, current: Array) -> Bernoulli:
        return Bernoulli(np.where(current == 1, self.captain, 1.0 - self.captain))

    @reward
    def toll(self, cell: Array, paddle: Array) -> Exactly:
        return Exactly(
            np.where(cell == CELLS - 1, 1.0, self.anchorage * (cell == 0) * (paddle == 0))
        )

    @shift
    def flood(self) -> World:
        return replace(self, favourable=0.1)

    @shift
    def rapids(self) -> World:
        return replace(self, stroke_adverse=(0.0, 0.95, 0.05))

    @shift
    def drought(self) -> World:
        return replace(self, stroke_favourable=(0.5, 0.0, 0.5))

    @shift
    def fair(self) -> World:
        """The current is mostly favourable: the confused policy wins."""
        return replace(self, favourable=0.8)

    @shift
    def slack_water(self) -> World:
        """The adverse current is weak: the confused policy wins."""
        return replace(self, stroke_adverse=(0.3, 0.3, 0.4))

    def twin(self) -> World | None:
        """The river in which the boat moves as in the log, whatever the current. The boat stays
        after cells and actions that the log lacks.
        """
        moves = self._logged_moves().reshape(-1, CELLS)
        return self.do(
            cell=lookup(self, "cell", ("cell_tm1", "paddle_tm1"), moves),
            paddle=policy_lookup(self, behaviour_policy(self)),
        )

    def hedge(self) -> World | None:
        """The river in which a boat that is paddled when the captain would anchor goes right.

        The current is what the captain does. If it is followed, the boat moves as in the log; if
        the boat is at anchor when he would paddle, it stays.
        """
        logged = self._logged_moves()
        at = np.eye(CELLS)
        right = at[np.minimum(np.arange(CELLS) + 1, CELLS - 1)]
        against = np.stack([at, right], axis=1)  # (cells, actions, cells)
        moves = np.stack([logged, logged], axis=2)  # (cells, actions, currents, cells)
        for act in (0, 1):
            moves[:, act, 1 - act] = against[:, act]
        causes = ("cell_tm1", "paddle_tm1", "current_tm1")
        paddles = float(behaviour_policy(self)[0, 1])
        return self.do(
            current=Bernoulli(paddles),
            paddle=lookup(self, "paddle", ("current",), np.eye(2)),
            cell=lookup(self, "cell", causes, moves.reshape(-1, CELLS)),
        )

    def _logged_moves(self) -> Array:
        """The law of the next cell in the log (cells, actions, cells); the boat stays where there
        is none.
        """
        moves = log_process(self).transition
        has_data = moves.sum(2, keepdims=True) > 0
        return np.where(has_data, moves, np.eye(CELLS)[:, None])

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> Pixels:
        """The boat, and the current of the last step: blue to the right, red to the left. The grey
        line is the anchor's.
        """
        scene = Scene(CELLS, 2, WATER)
        for bank in (0.0, 1.65):
            scene.tile(0, bank, LAND, CELLS, 0.35)
        scene.tile(0, 1.65, ORANGE, 1, 0.35)
        scene.text(0.5, 1.82, "anchorage", 0.14)
        scene.tile(CELLS - 1, 1.65, YELLOW, 1, 0.35)
        scene.text(CELLS - 0.5, 1.82, "toll", 0.14)
        for x in range(1, CELLS):
            scene.line([(x, 0.45), (x, 1.55)], PAPER, 1)
        if past:
            ahead = 1 if past["current"] == 1 else -1
            colour = BLUE if ahead == 1 else RED
            for x in range(CELLS):
                scene.arrow(x + 0.5 - 0.25 * ahead, 0.52, 0.5 * ahead, 0, colour)
        boat = now["cell"] + 0.5
        if past.get("paddle") == 0:
            scene.line([(boat - 0.3, 1.2), (boat - 0.4, 1.6)], GREY, 1.5)
        _draw_boat(scene, boat, paddling=past.get("paddle") == 1)
        return scene.pixels()


def _draw_boat(scene: Scene, x: float, paddling: bool) -> None:
    scene.disc(x, 0.82, 0.1, INK)
    scene.polygon([(x - 0.12, 1.1), (x - 0.09, 0.92), (x + 0.09, 0.92), (x + 0.12, 1.1)], INK)
    if paddling:
        scene.line([(x + 0.1, 0.85), (x + 0.26, 1.4)], INK, 3)
    scene.polygon([(x - 0.36, 1.1), (x + 0.36, 1.1), (x + 0.24, 1.32), (x - 0.24, 1.32)], WOOD)


class MarkovRiver(ConfoundedRiver):
    """The current persists, so that past cells are evidence of it, and a policy with a memory does
    better.

        current_tm1 --> current --> paddle
        cell_tm1, paddle_tm1, current_tm1 --> cell

    Otherwise as ConfoundedRiver; anchoring in cell 0 earns 0.3. The log begins after 200 steps of
    the captain, an episode of the environment in cell 0. J(causal) is the value of the best
    memoryless policy.

    Trap: 1 1 1 1 0, since promised = 3.121 > J(confused) = 2.391.
    Way out: interventions.
    Best: 0 either either either either, since J(behaviour) = 3.175 > J(causal) = 3.0 > J(confused)
    = 2.391.
    Twin: none, because in the log the next cell depends on the whole past, and so it would have to
    in the twin.

    Source: as ConfoundedRiver.
    """

    burn_in: int = 200
    anchorage: float = 0.3
    persistence: float = 0.8  # autocorrelation of the current from step to step

    @latent.starting(ConfoundedRiver.current)
    def current(self, current_tm1: Array) -> Bernoulli:
        return Bernoulli(
            self.persistence * current_tm1 + (1.0 - self.persistence) * self.favourable
        )

    def twin(self) -> None:
        return None

    def hedge(self) -> None:
        return None
