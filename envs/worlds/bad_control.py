"""A logged variable that must not be adjusted for, because the action causes it."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from dosuite.causal import (
    Array,
    Bernoulli,
    Categorical,
    Ranges,
    World,
    action,
    distribution,
    latent,
    logged,
    lookup,
    reward,
    shift,
    uniform_policy,
)
from dosuite.causal.arrays import Floats
from dosuite.causal.exact.decision_process import greedy
from dosuite.causal.model.elimination import conditional

Rates = tuple[float | tuple[float, ...], ...]


def _less(good: Array, cost: Array) -> Categorical:
    """1 with probability `good`, else 0, minus a cost; both arguments are (n,)."""
    bad_end, good_end = 0.0 - cost[:, None], 1.0 - cost[:, None]
    values = np.unique(np.concatenate([bad_end, good_end]))
    probability = good[:, None]
    p = (values == good_end) * probability + (values == bad_end) * (1.0 - probability)
    return Categorical(p, values)


class AdjustingForAnEffect(World):
    """Base class of worlds whose confused policy adjusts for one logged variable that is an effect
    of the action.
    """

    adjusts: ClassVar[tuple[str, ...]]  # the name of this variable

    def confused_policy(self) -> Array:
        """The policy (C, A) that adjusts for the variable, with its law in the log as weights."""
        return adjusting_policy(self, *self.adjusts)

    def promised_value(self) -> float:
        return float(adjusted_means(self, *self.adjusts).max())

    def dialled(self, strength: float) -> World:
        """The world that logs the variable in a share `strength` of the rows; in the other rows the
        logged value is that of an independent row.
        """
        (name,) = self.adjusts
        if is_effect(self, name):
            return on_record(self, name, strength)
        return super().dialled(strength)

    def twin(self) -> World | None:
        """The world with the same log in which the variable comes before the action and confounds
        it.
        """
        return comes_first(self, *self.adjusts)


class MediatorTrap(AdjustingForAnEffect):
    """Send a person to a course (1) or not (0); a job earns 1, and the course costs 0.1.

    The course gives people a skill, and the skill gets them a job. The log is an experiment:
    courses were assigned by the toss of a coin, and the plain means of the log are right. The
    confused policy is that of a learner that uses every logged variable: it estimates the value of
    an action at each skill, and averages over the skills in the log. Among equally skilled people
    the course is money spent for nothing.

        treatment --> mediator --> outcome
            |                         ^
            +--------- cost ----------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is in [-0.1, 1].

    Trap: 0, since promised = 0.45 > J(confused) = 0.3.
    Way out: no adjustment.
    Best: 1, since E[outcome | treatment=1] = 0.5 = E[outcome | do(treatment=1)] and J(causal) = 0.5
    > J(confused).

    Source: the bad control of Angrist and Pischke, Mostly Harmless Econometrics, section 3.2.3; the
    numbers are ours."""

    adjusts: ClassVar[tuple[str, ...]] = ("mediator",)

    mediated: Rates = (0.2, 0.8)  # P(mediator | treatment)
    good: Rates = (0.2, 0.7)  # P(job | mediator)
    held_out: ClassVar[Ranges] = {"cost": (0.0, 0.25)}

    cost: float = 0.1  # of the treatment

    @action
    def treatment(self) -> Bernoulli:
        return Bernoulli(0.5)

    @logged
    def mediator(self, treatment: Array) -> Bernoulli:
        return Bernoulli(np.array(self.mediated)[treatment])

    @reward
    def outcome(self, mediator: Array, treatment: Array) -> Categorical:
        return _less(np.array(self.good)[mediator], self.cost * treatment)

    @shift
    def mediator_boosted(self) -> World:
        return self._mediating(0.05, 0.95)

    @shift
    def mediator_broken(self) -> World:
        """The treatment does not affect the mediator: the confused policy wins."""
        return self._mediating(0.2, 0.2)

    @shift
    def harm(self) -> World:
        """The skill lowers the chance of a job: the confused policy wins."""
        return replace(self, good=(0.7, 0.2))

    @shift
    def dear(self) -> World:
        """The treatment costs 0.4: the confused policy wins."""
        return replace(self, cost=0.4)

    def _mediating(self, low: float, high: float) -> World:
        return replace(self, mediated=(low, high))


class BirthWeight(MediatorTrap):
    """A mother smokes (1) or does not (0); a child that survives earns 1.

    Smoking lowers the birth weight (mediator 1 is a light child), and so does a rare defect that is
    far more deadly. Among light children those of smokers survive more often, since smoking
    explains their weight and makes the defect less likely. The confused policy is that of a learner
    that estimates the value of an action at each weight, and averages over the weights in the log.

        treatment --> mediator <-- defect
            |                        |
            +------> outcome <-------+

    Observation: Discrete(1). Action: Discrete(2). One step; the reward is 0 or 1.

    Trap: 1, since promised = 0.9068 > J(confused) = 0.892.
    Way out: no adjustment.
    Best: 0, since E[outcome | treatment=1, mediator=1] > E[outcome | treatment=0, mediator=1] and
    J(causal) = 0.932 > J(confused).

    Source: the paradox is that of Hernandez-Diaz, Schisterman and Hernan (2006); the numbers are
    ours."""

    mediated: Rates = ((0.05, 0.90), (0.60, 0.92))  # P(mediator | treatment, defect)
    good: Rates = ((0.98, 0.50), (0.94, 0.46))  # P(survival | treatment, defect)
    held_out: ClassVar[Ranges] = {"defects": (0.02, 0.3)}

    cost: float = 0.0
    defects: float = 0.1  # P(defect)

    @latent
    def defect(self) -> Bernoulli:
        return Bernoulli(self.defects)

    @logged
    def mediator(self, treatment: Array, defect: Array) -> Bernoulli:
        return Bernoulli(np.array(self.mediated)[treatment, defect])

    @reward
    def outcome(self, treatment: Array, defect: Array) -> Categorical:
        return _less(np.array(self.good)[treatment, defect], self.cost * treatment)

    @shift
    def common_defect(self) -> World:
        return replace(self, defects=0.3)

    @shift
    def rare_defect(self) -> World:
        return replace(self, defects=0.02)

    @shift
    def harm(self) -> World:
        """Smoking does more harm."""
        return replace(self, good=((0.98, 0.50), (0.85, 0.40)))

    def _mediating(self, low: float, high: float) -> World:
        return replace(self, mediated=((low, low), (high, high)))


def adjusted_means(model: World, name: str) -> Floats:
    """The sum over v of P(name=v) E[reward | action, name=v] for each action of a one-step model:
    (A,).

    E[reward | action, name=v] is taken as 0 where the log has no row with this action and value.
    """
    joint = distribution(model, model.action, name, model.reward)
    cells = joint.sum(2)
    means = joint @ model.tables.support(model.reward) / np.where(cells > 0, cells, 1.0)
    return np.asarray(means @ cells.sum(0))


def adjusting_policy(model: World, name: str) -> Floats:
    """The policy (C, A) that takes the action with the highest adjusted mean in every context; ties
    are split equally.
    """
    return np.tile(greedy(adjusted_means(model, name)), (len(uniform_policy(model)), 1))


def is_effect(model: World, name: str) -> bool:
    """Whether the action is a cause of the variable `name` in its own mechanism."""
    return model.action in model.variables[name].first.causes


def on_record(model: World, name: str, strength: float) -> World:
    """The world with the same effect of the action in which the variable `name` has its own value
    in a share of the rows, and in the others is drawn from its marginal.

    For a one-step model without contexts, in which nothing causes the action; the share `strength`
    is in [0, 1]."""
    joint = distribution(model, model.action, name, model.reward)
    # P(action, reward) P(name): the log in which the variable is independent of the rest.
    independent = joint.sum(1, keepdims=True) * joint.sum((0, 2))[:, None]
    mixed = strength * joint + (1.0 - strength) * independent
    value_law = conditional(mixed.sum(2), unseen=1.0 / mixed.shape[1])
    reward_law = conditional(mixed, unseen=1.0 / mixed.shape[2]).reshape(-1, mixed.shape[2])
    laws = {
        name: lookup(model, name, (model.action,), value_law),
        model.reward: lookup(model, model.reward, (model.action, name), reward_law),
    }
    return model.do(**laws)


def comes_first(model: World, name: str) -> World | None:
    """The one-step world with the same law of `name`, action and reward in which `name` is a cause
    of the other two, and nothing hidden is.

    None if it has the same best policy.
    """
    # P(name) P(action | name) P(reward | name, action).
    order, laws = (name, model.action, model.reward), {}
    for place, effect in enumerate(order):
        joint = distribution(model, *order[: place + 1])
        law = conditional(joint, unseen=1.0 / joint.shape[-1])
        laws[effect] = lookup(model, effect, order[:place], law.reshape(-1, law.shape[-1]))
    twin = model.do(**laws)
    return twin if (abs(twin.causal_policy() - model.causal_policy()) > 1e-9).any() else None
