"""`World`, the class that every world subclasses: a model and what the benchmark asks of it."""

from collections.abc import Mapping
from dataclasses import replace
from functools import wraps
from numbers import Real
from types import FunctionType
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..errors import InputError, NotDiscreteError, TooLargeError, did_you_mean, raised_at
from ..exact.policies import (
    associational_policy,
    associational_value,
    behaviour_policy,
    best_policy,
    value,
)
from ..model.lookups import Lookup, policy_lookup
from ..model.scm import SCM
from ..model.structure import NUISANCE, Variable
from ..tolerances import ROUNDING
from .domains import domain_variables
from .hedges import hedged
from .nuisance import FAIR, flipped, nuisance_variable
from .twins import mixed_behaviour, unconfounded

FLIPPED = "nuisance_flipped"  # the shift that comes with a nuisance

Ranges = Mapping[str, tuple[float, float]]  # the lowest and the highest value, by name

# The methods that a world may override, besides its shifts.
OVERRIDABLE = (
    "confused_policy",
    "promised_value",
    "causal_policy",
    "values_in",
    "twin",
    "hedge",
    "marginal",
    "control",
    "dialled",
    "picture",
)


class World(SCM):
    """A structural causal model with shifts, reference policies, a twin and a control.

    Subclass it to add a world: declare the variables, and mark methods that return a shifted world
    with `@shift`. That is enough for a discrete world. Every other method has a default, computed
    from the model, which a subclass may override:

    - `confused_policy`, `promised_value`, `causal_policy` and `values_in` are the references that
      scores are measured against; `deployment` names the shift in which policies are valued.
    - `twin` is a world with the same log and another best policy, and `hedge` one that also has
      the same graph. `control` is the world without confounding, and `dial` leads from it to the
      world itself; `marginal` and `dialled` say how.
    - `members` are further settings worth running, and `picture` draws a state.
    - `held_out` declares ranges of knobs and laws, from which worlds are drawn that nobody has
      learned in.

    A policy is an array (C, A), the probability of each action in each context. Contexts and
    actions are in the order of `model.tables.support`.
    """

    # How contexts are shown to the agent, such as "digits"; "" shows them as they are. The answers
    # about the model do not depend on it. See `dosuite.envs.observations`.
    observation: str = ""

    # The strength of a nuisance, in [-1, 1]: of a further context, 0 or 1, that follows the hidden
    # cause or the previous action in the log, and nothing where policies are valued. 0: none.
    nuisance_strength: float = 0.0
    nuisance_follows: str = "cause"  # or action

    # In a world of one step: how many domains the log is from. A row's domain is a label of it, and
    # the first hidden cause of action and reward is more or less common there, by `domain_ranges`:
    # common, in overlapping ranges, or disjoint. 1: the world as it is. See `domains.rates`.
    domains: int = 1
    domain_ranges: str = "common"

    deployment: ClassVar[str] = ""  # the shift in which policies are valued; "" is the world itself
    # The ranges that held-out worlds are drawn from, by the name of a knob or of a variable without
    # causes. For a variable it is the probability of its last value; the other values share the
    # rest in their old proportions. Empty: the world has no held-out worlds.
    held_out: ClassVar[Ranges] = {}
    _shifts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
        cls._shifts = tuple(
            name for name in names if getattr(getattr(cls, name), "is_shift", False)
        )
        super().__init_subclass__()
        for name in (*cls._shifts, *OVERRIDABLE):
            method = vars(cls).get(name)
            if isinstance(method, FunctionType):
                setattr(cls, name, _reported(cls, method))

    # Shifts.

    def shifts(self) -> tuple[str, ...]:
        """The names of the declared shifts, in the order of their declaration.

        With a nuisance there is one more, in which it disagrees as often as it agrees in the log.
        """
        return (*self._shifts, FLIPPED) if self.nuisance_strength else self._shifts

    def shifted(self, name: str) -> "World":
        """The shifted world `name`, with the intent observed if it is here.

        A nuisance follows nothing there. Raises InputError if no such shift is declared.
        """
        if name not in self.shifts():
            raise InputError(
                f"{name!r} is not a shift of {type(self).__name__}; "
                f"{did_you_mean(name, self.shifts())}"
            )
        if self.observe_intent:
            return self.without_intent().shifted(name).with_intent()
        if name == FLIPPED:
            return self.deployed().do(**{NUISANCE: flipped(self.variables[NUISANCE])})
        world: World = getattr(self, name)()
        return world._without_clue()

    def deployed(self) -> "World":
        """The world in which policies are valued, and in which online agents practise.

        It is the shift named by `deployment`, or this world if that is empty.
        """
        return self.shifted(self.deployment) if self.deployment else self._without_clue()

    def _without_clue(self) -> "World":
        """The world with a nuisance that follows nothing, if it has one."""
        return self.do(**{NUISANCE: FAIR}) if self.nuisance_strength else self

    def _added(self) -> dict[str, Variable]:
        added: dict[str, Variable] = {}
        if not self._is_extended:
            return added
        plain = replace(
            self, nuisance_strength=0.0, domains=1, domain_ranges="common", edits=(),
            observe_intent=False,
        )  # fmt: skip
        if self._has_domains:
            added |= domain_variables(plain, self.domains, self.domain_ranges)
        if self.nuisance_strength:
            follows, strength = self.nuisance_follows, self.nuisance_strength
            added[NUISANCE] = nuisance_variable(plain, follows, strength)
        return added

    @property
    def _has_domains(self) -> bool:
        return self.domains != 1 or self.domain_ranges != "common"

    @property
    def _is_extended(self) -> bool:
        """Whether it has variables that its class does not declare, and so no twin and no hedge."""
        return bool(self.nuisance_strength) or self._has_domains

    # Reference policies.

    def confused_policy(self) -> Array:
        """The confused policy (C, A): what an associational learner learns from infinite data.

        It is optimal in the decision process that the log shows, where seeing is taken for doing.
        Ties are split evenly. Override it where learners are confused in another way.
        """
        return associational_policy(self)

    def promised_value(self) -> float:
        """The return that the confused policy expects; NaN if it has no estimate."""
        return associational_value(self)

    def causal_policy(self) -> Array:
        """The best deterministic memoryless policy of this world, (C, A). Ties are split evenly.

        Override it in a world with too many policies to enumerate, and document what it is there.
        Raises TooLargeError if there are too many.
        """
        return best_policy(self)

    def values_in(self, world: "World") -> Mapping[str, float]:
        """Values of reference policies in `world`, which is this world or a shift of it, by name.

        Override it for references that are not an array (C, A), because they have memory or because
        actions are continuous. The names are columns of the results, such as j_best; values that
        are left out are computed from the tables.
        """
        return {}

    # Related worlds.

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        """Further settings of the same graph that get rows of their own: their fields, by name.

        The first stands for the whole family where only one member is run.
        """
        return {}

    def twin(self) -> "World | None":
        """A world with the same observational law and a different best policy, or None.

        By default that of a discrete one-step world is the world in which seeing is doing, if the
        best policy of either is not optimal in the other. Override it in a world of several steps,
        which has none by default.
        """
        if self.horizon > 1 or self._is_extended:
            return None
        try:
            twin = unconfounded(self)
            if _misleads(self, twin) and _misleads(twin, self):
                return twin
        except (NotDiscreteError, TooLargeError):
            pass
        return None

    def hedge(self) -> "World | None":
        """A world with the same observational law, the same graph over the observed variables, and
        a different best policy, or None; `hedge_reason` says why.

        By default it is computed for a discrete one-step world: of all worlds with the graph and
        the law, the one that a single policy serves worst together with this one. Latents have
        other values there.
        """
        return None if self._is_extended else hedged(self, World.deployed).model

    def hedge_reason(self) -> str:
        """Why the world has no hedge, in one line; "" if it has one."""
        if self.hedge() is not None:
            return ""
        if self._is_extended:
            return "it has a nuisance" if self.nuisance_strength else "it has domains"
        return hedged(self, World.deployed).reason or "its class declares none"

    def marginal(self) -> Lookup:
        """The behaviour policy of the control: P(action | contexts) in the log, without latents.

        Override it to leave out a context that is irrelevant to the action.
        """
        return policy_lookup(self, behaviour_policy(self))

    def control(self) -> "World":
        """This world without confounding: the behaviour policy is replaced by `marginal`, and a
        nuisance follows nothing.
        """
        return self.dial(0.0)._without_clue()

    def dial(self, strength: float) -> "World":
        """The world with confounding of a strength between 0, the control, and 1, the world itself.

        Raises InputError if the strength is outside [0, 1].
        """
        if not isinstance(strength, Real) or not 0 <= strength <= 1:
            raise InputError(f"the dial goes from 0 to 1, and got {strength!r}")
        return self if strength == 1 else self.dialled(strength)

    def dialled(self, strength: float) -> "World":
        """The world at a strength below 1: with this probability actions come from the behaviour
        policy, and otherwise from `marginal`.

        Override it, and not `dial`, where confounding has another parameter.
        """
        marginal = self.without_intent().marginal()
        return self.with_behaviour(mixed_behaviour(self, marginal, strength))

    # Pictures.

    def picture(
        self, now: Mapping[str, float], past: Mapping[str, float]
    ) -> NDArray[np.uint8] | None:
        """A picture of the state as RGB pixels (height, width, 3), or None to draw the graph.

        `past` holds every variable of the last step, latents included, and is empty before the
        first; `now` holds what is drawn before the next action. All pictures of a world have one
        size. Pictures are for people: no agent sees them.
        """
        return None


def _reported(cls: type[World], method: FunctionType) -> FunctionType:
    """The method of a world, whose errors become an InputError that says where it was raised.

    A world that it returns shows contexts as its own world does.
    """

    @wraps(method)
    def reported(*args: Any, **kwargs: Any) -> Any:
        if method.__name__ in ("twin", "hedge") and args[0]._is_extended:
            return None  # the method knows of no nuisance and of no domains
        try:
            return _shown_alike(method(*args, **kwargs), args[0].observation)
        except InputError:
            raise
        except Exception as error:  # the method is the user's, and may raise anything
            reason = " ".join(str(error).split())
            name = f"{cls.__name__}.{method.__name__}"
            raise InputError(
                f"{name} raised {type(error).__name__}: {reason}{raised_at(error)}"
            ) from error

    return cast("FunctionType", reported)


def _shown_alike(result: Any, observation: str) -> Any:
    """What a method returned; a world with contexts shown in this way."""
    if isinstance(result, World) and result.observation != observation:
        return replace(result, observation=observation)
    return result


def _misleads(other: World, world: World) -> bool:
    """Whether the best policy of the other world is not optimal in this one."""
    best = value(world, world.causal_policy())
    return value(world, other.causal_policy()) < best - ROUNDING
