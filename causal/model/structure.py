"""What a model declares: its variables, their roles and mechanisms, the graph, and `do`."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

import networkx as nx

from ..arrays import Array
from ..errors import InputError, did_you_mean
from ..graphs.step_graph import LAG
from .distributions import Distribution, Exactly

Method = TypeVar("Method", bound=Callable[..., Any])
Law = Callable[..., Distribution]
Columns = dict[str, Array]

INTENT = "intent"  # what the behaviour policy was about to do
RESERVED = {
    INTENT,
    "episode",
    "step",
    "observation",
    "next_observation",
    "terminated",
    "truncated",
    "regime",
    "propensity",
}  # in a log


@dataclass(frozen=True)
class Role:
    """Who sees a variable, and when.

    Used as a decorator on the method that is the variable's mechanism.
    """

    name: str

    def __call__(self, method: Callable[..., Any]) -> Callable[..., Any]:
        method.role = self.name  # type: ignore[attr-defined]
        return method

    def starting(
        self, law: Distribution | Law
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The same role, with `law` at the first step:

        a distribution, or a function of the model and same-step causes.
        """

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
    """A variable of a model:

    its law at the first step and its law later, which are often the same.
    """

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
class Structure:
    """What a structural causal model declares. Subclass `SCM`, or `World`; annotated fields are its
    knobs and become keyword arguments.

    A parameter `x_tm1` of a mechanism is `x` one step earlier. Models are immutable, hashable and
    picklable. Raises InputError when the class is made if the model is not well formed, and when an
    object is made if a knob has the wrong type or drives a probability out of [0, 1]."""

    horizon: int = 1  # steps in an episode
    discount: float = 1.0  # per step
    # steps that the behaviour policy acts before the log begins; an episode of the environment has
    # none
    burn_in: int = 0
    # the counterfactual regime: the context shows what the behaviour policy was about to do
    observe_intent: bool = False
    edits: tuple[tuple[str, Mechanism], ...] = ()  # what `do` has replaced

    version: ClassVar[int] = 0  # in the id; raised when a number changes
    action_bounds: ClassVar[tuple[float, float] | None] = (
        None  # lowest and highest, of an action that is a number; None if it is counted
    )
    _roles: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__doc__ = vars(cls).get("__doc__") or ""  # or the dataclass would write one
        dataclass(frozen=True, kw_only=True)(cls)
        names = dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base))
        cls._roles = {
            name: role for name in names if (role := getattr(getattr(cls, name), "role", None))
        }
        abstract = [base for base in cls.__mro__ if issubclass(base, Structure) and not base._roles]
        meaningful = {name for base in abstract for name in dir(base)}
        for name in cls._roles:
            if name in RESERVED or name in meaningful or name.endswith(LAG):
                raise InputError(
                    f"{cls.__name__}.{name} cannot be the name of a variable, for it has a "
                    "meaning; choose another"
                )
        for base in cls.__mro__[1:]:
            for name, role in getattr(base, "_roles", {}).items():
                if name not in cls._roles:
                    raise InputError(
                        f"{cls.__name__}.{name} replaces a variable: decorate it with @{role}"
                    )
        if needy := [field.name for field in fields(cls) if field.default is MISSING]:
            raise InputError(
                f"{cls.__name__}: give the field {needy[0]} a default that is a number, a string "
                "or a tuple"
            )
        if cls._roles:
            cls()

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
            found[name] = replace(
                found[name], first=copy, later=copy, stream=f"{name} after intent"
            )
        for name, edit in edits.items():
            lagged = any(cause.endswith(LAG) for cause in edit.causes)
            found[name] = replace(
                found[name], first=found[name].first if lagged else edit, later=edit
            )
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
        return tuple(
            nx.lexicographical_topological_sort(
                self.graph.subgraph(self.variables), key=list(self.variables).index
            )
        )

    @cached_property
    def graph(self) -> "nx.DiGraph[str]":
        """The causal graph of one step: an edge from each cause; a cause one step earlier is the
        node `x_tm1`.

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
        needed = set(self.contexts).union(
            *(nx.ancestors(self.graph, name) for name in self.contexts)
        )
        return tuple(name for name in self.order if name in needed)

    def do(self, **interventions: Intervention) -> Self:
        """The model in which mechanisms are replaced: by a value, a distribution, or a function
        whose parameters are the causes.

        A replaced mechanism holds at every step. Raises InputError if a name is not a variable of
        the model."""
        edits = dict(self.edits)
        for name, what in interventions.items():
            if name not in self.variables:
                raise InputError(
                    f"{name!r} is not a variable of {type(self).__name__}; "
                    f"{did_you_mean(name, self.variables)}"
                )
            edits[name] = as_mechanism(what)
        return replace(self, edits=tuple(edits.items()))

    def with_behaviour(self, policy: Intervention) -> Self:
        """The model whose log another behaviour policy writes;

        where the intent is seen, the intent is that policy's.
        """
        return self.do(**{INTENT if self.observe_intent else self.action: policy})

    def with_intent(self) -> Self:
        """The counterfactual regime:

        the contexts show `intent`, what the behaviour policy was about to do.
        """
        edits = tuple((INTENT if name == self.action else name, edit) for name, edit in self.edits)
        return self if self.observe_intent else replace(self, observe_intent=True, edits=edits)

    def without_intent(self) -> Self:
        """The same behaviour policy, unseen.

        An edit of the action itself is dropped: it was an edit of the learner.
        """
        edits = tuple(
            (self.action if name == INTENT else name, edit)
            for name, edit in self.edits
            if name != self.action
        )
        return replace(self, observe_intent=False, edits=edits) if self.observe_intent else self

    @classmethod
    def names_of_variables(cls) -> tuple[str, ...]:
        """The variables that the class declares; none for an abstract base."""
        return tuple(cls._roles)


def as_mechanism(what: Intervention) -> Mechanism:
    """A value, a distribution or a function as a mechanism.

    Raises InputError if it is none of them.
    """
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
        raise InputError(
            f"do takes a number, a distribution or a function, and got {what!r}"
        ) from None
