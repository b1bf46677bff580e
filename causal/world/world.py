"""What the benchmark asks of a model: shifts, twin, control, dial and reference policies."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arrays import Array
from ..errors import InputError, NotDiscreteError, TooLargeError, did_you_mean
from ..exact.policies import (
    associational_policy,
    associational_value,
    behaviour_policy,
    best_policy,
    value,
)
from ..model.lookups import Lookup, policy_lookup
from ..model.scm import SCM
from .twins import mixed_behaviour, unconfounded


class World(SCM):
    """A model that the benchmark can ask for its shifts, its twin, its control and its reference
    policies.

    Subclass it to add a world; every method has a default that suits a discrete model.
    """

    deployment: ClassVar[str] = ""  # the shift in which policies are valued; "" is the model itself
    _shifts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
        cls._shifts = tuple(
            name for name in names if getattr(getattr(cls, name), "is_shift", False)
        )
        super().__init_subclass__()

    @classmethod
    def shifts(cls) -> tuple[str, ...]:
        """The names of the declared shifts."""
        return cls._shifts

    def shifted(self, name: str) -> "World":
        """The model in the shifted world `name`. Raises InputError if no such shift is declared."""
        if name not in self._shifts:
            raise InputError(
                f"{name!r} is not a shift of {type(self).__name__}; "
                f"{did_you_mean(name, self._shifts)}"
            )
        if not self.observe_intent:
            world: World = getattr(self, name)()
            return world
        return self.without_intent().shifted(name).with_intent()

    def deployed(self) -> "World":
        """The world in which policies are valued, and practised in:

        the model itself, or its shift `deployment`.
        """
        return self.shifted(self.deployment) if self.deployment else self

    def confused_policy(self) -> Array:
        """The confused policy (C, A): what an associational learner makes of an endless log.

        It plans in the process that the log shows, ties shared. A world whose learners are confused
        in another way says so here."""
        return associational_policy(self)

    def promised_value(self) -> float:
        """What the confused policy believes that it will earn: NaN where it believes nothing."""
        return associational_value(self)

    def causal_policy(self) -> Array:
        """The best deterministic memoryless policy in this very world, ties shared: (C, A).

        A world with too many policies to try gives its own reference here, and says which. Raises
        TooLargeError if there is none."""
        return best_policy(self)

    def values_in(self, world: "World") -> Mapping[str, float]:
        """The values in `world`, a shift of this one or itself, of reference policies that are no
        table (C, A): with memory, or with actions that cannot be counted. By column of the results,
        such as j_best. What is not given is computed from the tables."""
        return {}

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        """Other numbers in the same graph, worth a row of their own: their names, and the knobs
        that make them.

        The first stands for the family in the main job.
        """
        return {}

    def twin(self) -> "World | None":
        """A model with the same observational law and a different best policy; None where there is
        none.

        For a discrete one-step model it is the world in which seeing is doing. Any other writes its
        own, or has none."""

        def misleads(world: World, other: World) -> bool:
            """Whether the best policy of the other world is not as good in this one."""
            return value(world, other.causal_policy()) < value(world, world.causal_policy()) - 1e-9

        if self.horizon > 1:
            return None
        try:
            twin = unconfounded(self)
            return twin if misleads(twin, self) and misleads(self, twin) else None
        except (NotDiscreteError, TooLargeError):
            return None

    def marginal(self) -> Lookup:
        """The behaviour policy of the control: P(action | context) in the log, latents summed out.

        A world in which a context is a nuisance, of which nobody should make anything, leaves that
        context out."""
        return policy_lookup(self, behaviour_policy(self))

    def control(self) -> "World":
        """The same world unconfounded:

        the behaviour policy is replaced by its own marginal given the context.
        """
        return self.dial(0.0)

    def dial(self, strength: float) -> "World":
        """The spectrum from the control (0) to the model itself (1).

        Raises InputError if `strength` is outside [0, 1].
        """
        if not 0 <= strength <= 1:
            raise InputError(f"the dial goes from 0 to 1, and got {strength}")
        return self if strength == 1 else self.dialled(strength)

    def dialled(self, strength: float) -> "World":
        """What the dial shows below 1:

        the behaviour policy mixed with its own marginal, where a world has no dial of its own.
        """
        return self.with_behaviour(
            mixed_behaviour(self, self.without_intent().marginal(), strength)
        )

    def picture(
        self, now: Mapping[str, float], past: Mapping[str, float]
    ) -> NDArray[np.uint8] | None:
        """How the world looks, (height, width, 3), red, green and blue from 0 to 255; None for a
        picture of its graph.

        `past` has every variable of the step just taken, latents too, and is empty before the
        first; `now` has what is drawn before the next action. All pictures of a model have the same
        size. They are for people: no agent is shown them."""
        return None
