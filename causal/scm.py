"""Structural causal models, written as classes: methods are variables, their parameters are their causes.

`IceCreamShorts().do(ice_cream=1).sample(1000, rng)` is an experiment; without the `do` it is the log.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, dataclass_transform

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from . import noise
from .distributions import Array, Distribution, Exactly
from .errors import InputError, NotDiscreteError, TooLargeError, did_you_mean
from .graph import LAG

if TYPE_CHECKING:
    from .tables import Tables
    from .variants import Lookup

Method = TypeVar("Method", bound=Callable[..., Any])
Law = Callable[..., Distribution]
Columns = dict[str, Array]

INTENT = "intent"  # what the behaviour policy was about to do
RESERVED = {INTENT, "episode", "step", "observation", "next_observation", "terminated", "truncated", "regime", "propensity"}  # in a log


@dataclass(frozen=True)
class Role:
    """Who sees a variable, and when. Used as a decorator on the method that is the variable's mechanism."""

    name: str

    def __call__(self, method: Callable[..., Any]) -> Callable[..., Any]:
        method.role = self.name  # type: ignore[attr-defined]
        return method

    def starting(self, law: Distribution | Law) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The same role, with `law` at the first step: a distribution, or a function of the model and same-step causes."""

        def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
            method.starting = law  # type: ignore[attr-defined]
            return self(method)

        return decorate


latent = Role("latent")  # never seen
context = Role("context")  # seen before acting: the observation
action = Role("action")  # chosen; its mechanism is the behaviour policy
logged = Role("logged")  # in the log and in `info`, never in the observation
reward = Role("reward")  # seen after acting, and to be maximised
terminal = Role("terminal")  # 1 ends the episode after this step
selection = Role("selection")  # rows with 0 are not recorded; one-step models only


def shift(method: Method) -> Method:
    """Mark a method that returns the model in a shifted world."""
    method.is_shift = True  # type: ignore[attr-defined]
    return method


@dataclass(frozen=True)
class Mechanism:
    """The law of a variable as a function of its causes, in the order of `causes`."""

    causes: tuple[str, ...]
    law: Law


Intervention = Distribution | Law | Mechanism | float


@dataclass(frozen=True)
class Always:
    """A law that has no causes."""

    distribution: Distribution

    def __call__(self) -> Distribution:
        return self.distribution


@dataclass(frozen=True)
class Variable:
    """A variable of a model: its law at the first step and its law later, which are often the same."""

    name: str
    role: str
    first: Mechanism
    later: Mechanism
    stream: str  # the name of its noise

    @property
    def lags(self) -> tuple[str, ...]:
        """The variables whose value one step earlier is among the causes."""
        return tuple(cause.removesuffix(LAG) for cause in self.later.causes if cause.endswith(LAG))


@dataclass_transform(kw_only_default=True, frozen_default=True)
@dataclass(frozen=True, kw_only=True)
class SCM:
    """A structural causal model. Subclass it; annotated fields are its knobs and become keyword arguments.

    A parameter `x_tm1` of a mechanism is `x` one step earlier. Models are immutable, hashable and picklable.
    Raises InputError when the class is made if the model is not well formed, and when an object is made if a knob
    has the wrong type or drives a probability out of [0, 1].
    """

    horizon: int = 1  # steps in an episode
    discount: float = 1.0  # per step
    burn_in: int = 0  # steps that the behaviour policy acts before the log begins; an episode of the environment has none
    observe_intent: bool = False  # the counterfactual regime: the context shows what the behaviour policy was about to do
    edits: tuple[tuple[str, Mechanism], ...] = ()  # what `do` has replaced

    version: ClassVar[int] = 0  # in the id; raised when a number changes
    action_bounds: ClassVar[tuple[float, float] | None] = None  # lowest and highest, of an action that is a number; None if it is counted
    deployment: ClassVar[str] = ""  # the shift in which policies are valued; "" is the model itself
    _roles: ClassVar[Mapping[str, str]] = {}
    _shifts: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__doc__ = vars(cls).get("__doc__") or ""  # or the dataclass would write one
        dataclass(frozen=True, kw_only=True)(cls)
        names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
        cls._roles = {name: role for name in names if (role := getattr(getattr(cls, name), "role", None))}
        cls._shifts = tuple(name for name in names if getattr(getattr(cls, name), "is_shift", False))
        for name in cls._roles:
            if name in RESERVED or hasattr(SCM, name) or name.endswith(LAG):
                raise InputError(f"{cls.__name__}.{name} cannot be the name of a variable, for it has a meaning; choose another")
        for base in cls.__mro__[1:]:
            for name, role in getattr(base, "_roles", {}).items():
                if name not in cls._roles:
                    raise InputError(f"{cls.__name__}.{name} replaces a variable: decorate it with @{role}")
        if needy := [field.name for field in fields(cls) if field.default is MISSING]:
            raise InputError(f"{cls.__name__}: give the field {needy[0]} a default that is a number, a string or a tuple")
        if cls._roles:
            cls()

    def __post_init__(self) -> None:
        from .checks import check  # which is about models

        check(self)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The variables by name, in the order in which they are written."""
        found = {name: self._variable(name, role) for name, role in self._roles.items()}
        edits = dict(self.edits)
        if self.observe_intent:
            name = self.action
            found[INTENT] = replace(found[name], name=INTENT, role="context")
            copy = Mechanism((INTENT,), Exactly)
            found[name] = replace(found[name], first=copy, later=copy, stream=f"{name} after intent")
        for name, edit in edits.items():
            lagged = any(cause.endswith(LAG) for cause in edit.causes)
            found[name] = replace(found[name], first=found[name].first if lagged else edit, later=edit)
        return found

    def _variable(self, name: str, role: str) -> Variable:
        method = getattr(self, name)
        later = as_mechanism(method)
        first = later
        if (law := getattr(method, "starting", None)) is not None:
            first = as_mechanism(law if isinstance(law, Distribution) else partial(law, self))
        return Variable(name, role, first, later, stream=name)

    def names(self, *roles: str) -> tuple[str, ...]:
        """The variables that have one of the roles, in the order in which they are written."""
        return tuple(name for name, variable in self.variables.items() if variable.role in roles)

    @property
    def action(self) -> str:
        """The name of the action."""
        return next(name for name, role in self._roles.items() if role == "action")

    @property
    def reward(self) -> str:
        """The name of the reward."""
        return next(name for name, role in self._roles.items() if role == "reward")

    @property
    def contexts(self) -> tuple[str, ...]:
        """What is seen before acting."""
        return self.names("context")

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables of one step, causes first."""
        return tuple(nx.lexicographical_topological_sort(self.graph.subgraph(self.variables), key=list(self.variables).index))

    @cached_property
    def graph(self) -> "nx.DiGraph[str]":
        """The causal graph of one step: an edge from each cause; a cause one step earlier is the node `x_tm1`.

        Nodes have an attribute `role`; that of `x_tm1` is the role of x.
        """
        graph: nx.DiGraph[str] = nx.DiGraph()
        for name, variable in self.variables.items():
            graph.add_node(name, role=variable.role)
        for name, variable in self.variables.items():
            for cause in dict.fromkeys(variable.first.causes + variable.later.causes):
                graph.add_node(cause, role=self.variables[cause.removesuffix(LAG)].role)
                graph.add_edge(cause, name)
        return graph

    @cached_property
    def before_action(self) -> tuple[str, ...]:
        """The contexts and their causes in the same step, causes first."""
        needed = set(self.contexts).union(*(nx.ancestors(self.graph, name) for name in self.contexts))
        return tuple(name for name in self.order if name in needed)

    def do(self, **interventions: Intervention) -> Self:
        """The model in which mechanisms are replaced: by a value, a distribution, or a function whose parameters are the causes.

        A replaced mechanism holds at every step. Raises InputError if a name is not a variable of the model.
        """
        edits = dict(self.edits)
        for name, what in interventions.items():
            if name not in self.variables:
                raise InputError(f"{name!r} is not a variable of {type(self).__name__}; {did_you_mean(name, self.variables)}")
            edits[name] = as_mechanism(what)
        return replace(self, edits=tuple(edits.items()))

    def with_behaviour(self, policy: Intervention) -> Self:
        """The model whose log another behaviour policy writes; where the intent is seen, the intent is that policy's."""
        return self.do(**{INTENT if self.observe_intent else self.action: policy})

    def with_intent(self) -> Self:
        """The counterfactual regime: the contexts show `intent`, what the behaviour policy was about to do."""
        edits = tuple((INTENT if name == self.action else name, edit) for name, edit in self.edits)
        return self if self.observe_intent else replace(self, observe_intent=True, edits=edits)

    def without_intent(self) -> Self:
        """The same behaviour policy, unseen. An edit of the action itself is dropped: it was an edit of the learner."""
        edits = tuple((self.action if name == INTENT else name, edit) for name, edit in self.edits if name != self.action)
        return replace(self, observe_intent=False, edits=edits) if self.observe_intent else self

    @classmethod
    def names_of_variables(cls) -> tuple[str, ...]:
        """The variables that the class declares; none for an abstract base."""
        return tuple(cls._roles)

    @classmethod
    def shifts(cls) -> tuple[str, ...]:
        """The names of the declared shifts."""
        return cls._shifts

    def shifted(self, name: str) -> "SCM":
        """The model in the shifted world `name`. Raises InputError if no such shift is declared."""
        if name not in self._shifts:
            raise InputError(f"{name!r} is not a shift of {type(self).__name__}; {did_you_mean(name, self._shifts)}")
        if not self.observe_intent:
            world: SCM = getattr(self, name)()
            return world
        return self.without_intent().shifted(name).with_intent()

    def deployed(self) -> "SCM":
        """The world in which policies are valued, and practised in: the model itself, or its shift `deployment`."""
        return self.shifted(self.deployment) if self.deployment else self

    def confused(self) -> Array:
        """The confused policy (C, A): what an associational learner makes of an endless log.

        It plans in the process that the log shows, ties shared. A world whose learners are confused in another way says so here.
        """
        from .exact import associational_policy  # this module is what exact answers are built on

        return associational_policy(self)

    def promised(self) -> float:
        """What the confused policy believes that it will earn: NaN where it believes nothing."""
        from .exact import associational_value

        return associational_value(self)

    def best(self) -> Array:
        """The best deterministic memoryless policy in this very world, ties shared: (C, A).

        A world with too many policies to try gives its own reference here, and says which. Raises TooLargeError if there is none.
        """
        from .exact import extreme_policy

        return extreme_policy(self, best=True)

    def values_in(self, world: "SCM") -> Mapping[str, float]:
        """The values in `world`, a shift of this one or itself, of reference policies that are no table (C, A): with memory, or
        with actions that cannot be counted. By name: j_confused, j_causal, j_best, j_worst, j_uniform, j_behaviour, j_intent,
        promised. What is not given is computed from the tables.
        """
        return {}

    @classmethod
    def members(cls) -> Mapping[str, Mapping[str, Any]]:
        """Other numbers in the same graph, worth a row of their own: their names, and the knobs that make them.

        The first stands for the family in the main job.
        """
        return {}

    def twin(self) -> "SCM | None":
        """A model with the same observational law and a different best policy; None where there is none.

        For a discrete one-step model it is the world in which seeing is doing. Any other writes its own, or has none.
        """
        from .exact import causal_policy, value  # this module is what they are built on
        from .variants import unconfounded

        def misleads(world: SCM, other: SCM) -> bool:
            """Whether the best policy of the other world is not as good in this one."""
            return value(world, causal_policy(other)) < value(world, causal_policy(world)) - 1e-9

        if self.horizon > 1:
            return None
        try:
            twin = unconfounded(self)
            return twin if misleads(twin, self) and misleads(self, twin) else None
        except (NotDiscreteError, TooLargeError):
            return None

    def marginal(self) -> "Lookup":
        """The behaviour policy of the control: P(action | context) in the log, latents summed out.

        A world in which a context is a nuisance, of which nobody should make anything, leaves that context out.
        """
        from .exact import behaviour_policy
        from .variants import policy_lookup  # both need answers about this model

        return policy_lookup(self, behaviour_policy(self))

    def control(self) -> "SCM":
        """The same world unconfounded: the behaviour policy is replaced by its own marginal given the context."""
        return self.dial(0.0)

    def dial(self, strength: float) -> "SCM":
        """The spectrum from the control (0) to the model itself (1). Raises InputError if `strength` is outside [0, 1]."""
        if not 0 <= strength <= 1:
            raise InputError(f"the dial goes from 0 to 1, and got {strength}")
        return self if strength == 1 else self.dialled(strength)

    def dialled(self, strength: float) -> "SCM":
        """What the dial shows below 1: the behaviour policy mixed with its own marginal, where a world has no dial of its own."""
        from .variants import mixed_behaviour  # needs exact answers about this model

        return self.with_behaviour(mixed_behaviour(self, strength))

    def picture(self, now: Mapping[str, float], past: Mapping[str, float]) -> NDArray[np.uint8] | None:
        """How the world looks, (height, width, 3), red, green and blue from 0 to 255; None for a picture of its graph.

        `past` has every variable of the step just taken, latents too, and is empty before the first; `now` has what is drawn
        before the next action. All pictures of a model have the same size. They are for people: no agent is shown them.
        """
        return None

    def sample(self, n: int, rng: np.random.Generator) -> Columns:
        """Every variable of `n` units: arrays of shape (n,), or (n, horizon) if the horizon is longer than one step.

        The process is run to its horizon; what follows a terminal step is to be ignored. The noise is a function of one
        number drawn from `rng`, so that equal generators give the same units under every `do`.
        """
        ids = noise.units(int(rng.integers(2**63)), np.arange(n))
        steps: list[Columns] = []
        for step in range(self.horizon):
            steps.append(self.step(ids, step, steps[-1] if steps else None))
        if self.horizon == 1:
            return steps[0]
        return {name: np.stack([values[name] for values in steps], axis=1) for name in self.variables}

    def step(
        self,
        ids: noise.Units,
        step: int | Array,
        past: Columns | None,
        known: Columns | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Columns:
        """The variables `names` (all, if not given) of one step of a batch: arrays of shape (n,).

        `past` holds the step before, and is None at the first step; `known` holds what is already known of this one.
        """
        values, clock = dict(known or {}), noise.clock(step)
        for name in self.order if names is None else names:
            if name in values:
                continue
            variable = self.variables[name]
            mechanism = variable.first if past is None else variable.later
            causes = [past[c.removesuffix(LAG)] if past and c.endswith(LAG) else values[c] for c in mechanism.causes]
            law, rows = self._tables.law(name, past is None, causes)
            still = isinstance(law, Exactly)
            values[name] = law.sample(np.empty(len(ids)) if still else noise.at(ids, variable.stream, clock), rows)
        return values

    @cached_property
    def _tables(self) -> "Tables":
        from .tables import shared  # they are built on models

        return shared(self)


def as_mechanism(what: Intervention) -> Mechanism:
    """A value, a distribution or a function as a mechanism. Raises InputError if it is none of them."""
    if isinstance(what, Mechanism):
        return what
    if isinstance(what, Distribution):
        return Mechanism((), Always(what))
    if isinstance(causes := getattr(what, "causes", None), tuple):
        return Mechanism(causes, what)  # type: ignore[arg-type]
    if callable(what):
        return Mechanism(tuple(inspect.signature(what).parameters), what)
    try:
        number = float(what)
        return Mechanism((), Always(Exactly(int(number) if number.is_integer() else number)))
    except (TypeError, ValueError):
        raise InputError(f"do takes a number, a distribution or a function, and got {what!r}") from None
