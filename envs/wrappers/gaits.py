"""Gaits of the MuJoCo robots: linear policies, and the random search that found them.

A gait is a table of weights (numbers of the action, numbers of the observation + 1): the action is
weights @ (observation, 1), clipped to the bounds. The weights are kept in `gaits.csv`; write a
robot's anew, in some minutes, with

    python -m dosuite.envs.wrappers.gaits Hopper-v5
"""

import csv
import sys
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from dosuite.causal import InputError
from dosuite.causal.arrays import Floats

from ..files import replacing

FILE = Path(str(resources.files("dosuite.envs.wrappers"))) / "gaits.csv"
STEPS = 200  # of an episode
DIRECTIONS, BEST = 16, 8  # tried in each iteration, and used
RATE, NOISE = 0.02, 0.03
ITERATIONS = {"HalfCheetah-v5": 150, "Hopper-v5": 300}


@cache
def gait(robot: str) -> Floats:
    """The kept weights of a robot, (numbers of the action, numbers of the observation + 1)."""
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [row[1:] for row in csv.reader(file) if row[0] == robot]
    if not rows:
        raise InputError(f"there is no gait of {robot!r}; python -m {__name__} writes one")
    return np.array(rows, dtype=float)


def walk(weights: Floats, observations: Floats) -> Floats:
    """The actions of a gait, before they are clipped: (n, observation) to (n, action)."""
    return np.asarray(observations @ weights[:, :-1].T + weights[:, -1])


def searched(robot: str, iterations: int, seed: int = 0) -> Floats:
    """The weights after a random search, scored by the progress in an episode.

    Source: Mania, Guy and Recht (2018), Simple random search of static linear policies is
    competitive for reinforcement learning, algorithm 2 (V2-t). The reward for being upright is left
    out, as there.
    """
    rng = np.random.default_rng(seed)
    env = gymnasium.make(robot, max_episode_steps=STEPS)
    numbers = int(np.prod(env.observation_space.shape or ()))
    seen = _Moments(numbers)
    weights = np.zeros((int(np.prod(env.action_space.shape or ())), numbers))
    for iteration in range(iterations):
        directions = rng.standard_normal((DIRECTIONS, *weights.shape))
        mean, spread = seen.mean.copy(), seen.spread()
        scores = np.zeros((DIRECTIONS, 2))
        for number, direction in enumerate(directions):
            start = int(rng.integers(2**31))
            for side, sign in enumerate((1, -1)):
                tried = weights + sign * NOISE * direction
                scores[number, side] = _progress(env, _folded(tried, mean, spread), start, seen)
        best = np.argsort(-scores.max(1))[:BEST]
        gains = scores[best, 0] - scores[best, 1]
        step = np.tensordot(gains, directions[best], 1)
        weights = weights + RATE / (BEST * scores[best].std() + 1e-9) * step
        print(f"{robot} {iteration}: {scores.mean():.1f}", file=sys.stderr, flush=True)
    return _folded(weights, seen.mean, seen.spread())


class _Moments:
    """Running mean and standard deviation of observations."""

    def __init__(self, numbers: int):
        self.count, self.mean, self.squares = 0, np.zeros(numbers), np.zeros(numbers)

    def add(self, rows: Floats) -> None:
        """Take rows (n, numbers) into account, by the formula of Chan, Golub and LeVeque (1983)."""
        total = self.count + len(rows)
        difference = rows.mean(0) - self.mean
        within = ((rows - rows.mean(0)) ** 2).sum(0)
        self.squares += within + difference**2 * self.count * len(rows) / total
        self.mean += difference * len(rows) / total
        self.count = total

    def spread(self) -> Floats:
        """The standard deviation; 1 where nothing has been seen to vary."""
        deviation = np.sqrt(self.squares / max(self.count, 1))
        return np.where(deviation < 1e-7, 1.0, deviation)


def _folded(weights: Floats, mean: Floats, spread: Floats) -> Floats:
    """The gait weights @ (observation - mean) / spread."""
    scaled = weights / spread
    return np.column_stack([scaled, -scaled @ mean])


def _progress(env: gymnasium.Env[Any, Any], weights: Floats, seed: int, seen: _Moments) -> float:
    """The return of an episode without the reward for being upright."""
    observation, _ = env.reset(seed=seed)
    space: Any = env.action_space
    rows, total, over = [], 0.0, False
    while not over:
        rows.append(observation)
        action = np.clip(walk(weights, observation[None])[0], space.low, space.high)
        observation, reward, terminated, truncated, info = env.step(action.astype(np.float32))
        total += float(reward) - float(info.get("reward_survive", 0.0))
        over = terminated or truncated
    seen.add(np.array(rows))
    return total


def main() -> None:
    """Search the gaits of the robots that are named, or of all, and keep them in the file."""
    robots = sys.argv[1:] or [*ITERATIONS]
    kept = {}
    if FILE.exists():
        kept = {robot: gait(robot) for robot in ITERATIONS if robot not in robots}
    kept |= {robot: searched(robot, ITERATIONS[robot]) for robot in robots}
    with replacing(FILE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for robot, weights in sorted(kept.items()):
            writer.writerows([robot, *(f"{number:.5g}" for number in row)] for row in weights)


if __name__ == "__main__":
    main()
