"""What the files of printed figures share:

the comparison, and the values that are printed of every one-step world.
"""

import numpy as np
from numpy.typing import ArrayLike

from dosuite.causal import Array, World, distribution, expectation, uniform_policy, value
from dosuite.causal.exact import do_process, log_process


def printed(computed: ArrayLike, figures: str) -> bool:
    """Whether numbers equal the printed figures, separated by spaces, within one unit of the last
    digit; 0 to 9 are exact.
    """
    words = figures.split()
    units = np.array(
        [
            1e-6 if word in set("0123456789") else 10.0 ** -len(word.partition(".")[2]) + 1e-9
            for word in words
        ]
    )
    numbers = np.ravel(computed)
    return len(numbers) == len(words) and bool(
        (abs(numbers - np.array(words, float)) <= units).all()
    )


def naive(model: World, name: str | None = None) -> list[float]:
    """E[name | action] for each action of a one-step model; of the reward, if no name is given."""
    actions = range(uniform_policy(model).shape[1])
    return [expectation(model, name or model.reward, {model.action: act}) for act in actions]


def done(model: World, name: str | None = None) -> list[float]:
    """E[name | do(action)] for each action of a one-step model."""
    actions = range(uniform_policy(model).shape[1])
    return [expectation(model.do(**{model.action: act}), name or model.reward) for act in actions]


def earned(model: World, world: World | None = None) -> list[float]:
    """J of the confused and of the causal policy, which were learned in `model`, in a world that
    may have shifted.
    """
    world = world or model
    return [value(world, model.confused_policy()), value(world, model.causal_policy())]


def pooled(model: World, interventions: float) -> Array:
    """Naive means (C, A) of a log of one-step episodes, to each of which come so many with uniform
    actions and no label.
    """
    seen, acted = log_process(model), do_process(model)
    shares = seen.visits / seen.visits.sum(), interventions * acted.visits
    return np.asarray((shares[0] * seen.reward + shares[1] * acted.reward) / sum(shares))


def natural_bounds(model: World, name: str) -> Array:
    """Sharp bounds on P(name=1 | do(action)) from the log alone (Manski, 1990):

    a row (low, high) for each action.
    """
    joint = distribution(model, model.action, name)
    return np.stack([joint[:, 1], joint[:, 1] + 1.0 - joint.sum(1)], axis=1)
