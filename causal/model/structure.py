"""What a model declares: its knobs, its variables with their roles and mechanisms, the causal
graph, and interventions on it.

`Structure` only reads the class and never computes a probability; `SCM` adds sampling and exact
tables, `World` the tasks and the references of the benchmark."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar, Self, dataclass_transform

import networkx as nx

from ..arrays import Array
from ..errors import InputError, did_you_mean, no_setting
from ..graphs.step_graph import LAG
from .distributions import Distribution, Exactly
from .mechanisms import Intervention, Mechanism, as_mechanism
from .roles import RoleName

Columns = dict[str, Array]  # the values of variables, by name

NUISANCE = "nuisance"  # the variable that a world may show in addition to its own contexts
INTENT = "intent"  # the variable that holds what the behaviour policy was about to do

# Names of a log's own columns, which no variable may have.
RESERVED = {
    INTENT,
    NUISANCE,
    "episode",
    "step",
    "observation",
    "next_observation",
    "terminated",
    "truncated",
    "regime",
    "propensity",
}


@dataclass(frozen=True)
class Variable:
    """A variable of a model, with its mechanism at the first step and at later ones.

    The two are the same unless the variable depends on the step before."""

    name: str
    role: RoleName
    first: Mechanism
    later: Mechanism
    stream: str  # the name under which its noise is generated

    @property
    def lags(self) -> tuple[str, ...]:
        """The variables whose value one step earlier is among the causes."""
        return tuple(cause.removesuffix(LAG) for cause in self.later.causes if cause.endswith(LAG))


@dataclass_transform(kw_only_default=True, frozen_default=True)
@dataclass(frozen=True, kw_only=True)
class Structure:
    """The declaration of a structural causal model. Subclass `SCM` or `World`, not this.

    Annotated fields are the knobs of the model and become keyword arguments. Methods decorated with
    a role are its variables; their parameters are the causes, and a parameter `x_tm1` is `x` one
    step earlier. Models are immutable, hashable and picklable.

    Raises InputError when the class is made, if the model is not well formed, and when an object is
    made, if a knob has the wrong type or takes a probability out of [0, 1]."""

    horizon: int = 1  # steps in an episode
    discount: float = 1.0  # per step
    # Steps that the behaviour policy acts before the log begins. Episodes of the environment start
    # without any.
    burn_in: int = 0
    # Whether this is the counterfactual regime, in which the context shows what the behaviour
    # policy was about to do.
    observe_intent: bool = False
    edits: tuple[tuple[str, Mechanism], ...] = ()  # the mechanisms that `do` has replaced

    version: ClassVar[int] = 0  # part of the world's id; raised when one of its numbers changes
    # The lowest and the highest value of a continuous action; None if the action is discrete.
    action_bounds: ClassVar[tuple[float, float] | None] = None
    _roles: ClassVar[Mapping[str, RoleName]] = {}  # of the variables, in the order of declaration

    if not TYPE_CHECKING:

        def __new__(cls, *args: Any, **knobs: Any) -> Self:
            """Raise InputError if a knob is not a field, or comes without its name."""
            known = [field.name for field in fields(cls)]
            for knob in knobs:
                if knob not in known:
                    raise no_setting(cls, knob, known)
            if args:
                raise InputError(
                    f"{cls.__name__} takes its settings by name, as in {cls.__name__}(horizon=1), "
                    f"and got {args[0]!r}"
                )
            return super().__new__(cls)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__doc__ = vars(cls).get("__doc__") or ""  # or the dataclass would write one
        dataclass(frozen=True, kw_only=True)(cls)
        _check_annotations(cls)
        cls._roles = _declared_roles(cls)
        _check_names(cls)
        _check_overrides(cls)
        _check_defaults(cls)
        is_abstract = not cls._roles
        if not is_abstract:
            cls()._check_mechanisms()  # the model that the defaults give

    def _check_mechanisms(self) -> None:
        """Raise InputError if a mechanism is not a function of its parameters; see `SCM`."""

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what is cached on the object can be computed again."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def names_of_variables(cls) -> tuple[str, ...]:
        """The variables that the class declares; none for an abstract base."""
        return tuple(cls._roles)

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The variables by name, in the order of declaration, after all interventions."""
        variables = {name: self._declared(name, role) for name, role in self._roles.items()}
        variables |= self._added()
        if self.observe_intent:
            # The behaviour policy now sets the intent, and the action follows the intent.
            act = variables[self.action]
            follow = Mechanism((INTENT,), Exactly)
            variables[INTENT] = replace(act, name=INTENT, role="context")
            variables[act.name] = replace(
                act, first=follow, later=follow, stream=f"{act.name} after intent"
            )
        for name, edit in self.edits:
            # A mechanism that looks one step back cannot hold at the first step.
            looks_back = any(cause.endswith(LAG) for cause in edit.causes)
            first = variables[name].first if looks_back else edit
            variables[name] = replace(variables[name], first=first, later=edit)
        return variables

    def _added(self) -> dict[str, Variable]:
        """Variables that the class does not declare: see `World`."""
        return {}

    def _declared(self, name: str, role: RoleName) -> Variable:
        method = getattr(self, name)
        later = as_mechanism(method)
        starting = getattr(method, "starting", None)
        if starting is None:
            first = later
        elif isinstance(starting, Distribution):
            first = as_mechanism(starting)
        else:
            first = as_mechanism(partial(starting, self))
        return Variable(name, role, first, later, stream=name)

    def names(self, *roles: RoleName) -> tuple[str, ...]:
        """The variables that have one of the roles, in the order of declaration."""
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
        """The variables that are observed before acting."""
        return self.names("context")

    @cached_property
    def graph(self) -> "nx.DiGraph[str]":
        """The causal graph of one step, with an edge from each cause to its effect.

        A cause one step earlier is a node `x_tm1` of its own. Nodes have an attribute `role`; that
        of `x_tm1` is the role of x."""
        graph: nx.DiGraph[str] = nx.DiGraph()
        for name, variable in self.variables.items():
            graph.add_node(name, role=variable.role)
        for name, variable in self.variables.items():
            for cause in dict.fromkeys(variable.first.causes + variable.later.causes):
                graph.add_node(cause, role=self.variables[cause.removesuffix(LAG)].role)
                graph.add_edge(cause, name)
        return graph

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The variables of one step in topological order, causes first."""
        step = self.graph.subgraph(self.variables)
        declared = list(self.variables)
        return tuple(nx.lexicographical_topological_sort(step, key=declared.index))

    @cached_property
    def before_action(self) -> tuple[str, ...]:
        """The contexts and their causes in the same step, causes first."""
        needed = set(self.contexts)
        for name in self.contexts:
            needed |= nx.ancestors(self.graph, name)
        return tuple(name for name in self.order if name in needed)

    def do(self, **interventions: Intervention) -> Self:
        """The model with mechanisms replaced by a number, a distribution, or a function whose
        parameters are the causes.

        The new mechanism holds at every step. It gives values that the variable can take without
        interventions, or that are within `action_bounds`; a reward may be any number, and a latent
        that follows a function any value. Raises InputError if it does not, if a name is not a
        variable of the model, or if the new model is not well formed."""
        edits = dict(self.edits)
        for name, intervention in interventions.items():
            if name not in self.variables:
                raise InputError(
                    f"{name!r} is not a variable of {type(self).__name__}; "
                    f"{did_you_mean(name, self.variables)}"
                )
            edits[name] = as_mechanism(intervention)
        return replace(self, edits=tuple(edits.items()))

    def with_behaviour(self, policy: Intervention) -> Self:
        """The model whose log is written by the behaviour policy `policy`.

        In the counterfactual regime, `policy` sets the intent."""
        name = INTENT if self.observe_intent else self.action
        return self.do(**{name: policy})

    def with_intent(self) -> Self:
        """The model in the counterfactual regime: its context shows `intent`, the action that the
        behaviour policy was about to take."""
        if self.observe_intent:
            return self
        edits = [(INTENT if name == self.action else name, edit) for name, edit in self.edits]
        return replace(self, observe_intent=True, edits=tuple(edits))

    def without_intent(self) -> Self:
        """The model outside the counterfactual regime, with the same behaviour policy.

        An edit of the action itself is dropped: it was the learner's policy."""
        if not self.observe_intent:
            return self
        edits = []
        for name, edit in self.edits:
            if name != self.action:
                edits.append((self.action if name == INTENT else name, edit))
        return replace(self, observe_intent=False, edits=tuple(edits))


def _declared_roles(cls: type[Structure]) -> dict[str, RoleName]:
    """The role of every decorated method of a class and its bases, bases first."""
    roles = {}
    for base in reversed(cls.__mro__):
        for name in vars(base):
            role = getattr(getattr(cls, name), "role", None)
            if role is not None:
                roles[name] = role
    return roles


def _check_names(cls: type[Structure]) -> None:
    """Raise InputError if a variable has the name of a log's column or of a method of `World`."""
    taken = set(RESERVED)
    for base in cls.__mro__:
        if issubclass(base, Structure) and not base._roles:
            taken.update(dir(base))
    for name in cls._roles:
        if name in taken or name.endswith(LAG):
            raise InputError(
                f"{cls.__name__}.{name} cannot be the name of a variable, because models or logs "
                "use it; choose another"
            )


def _check_overrides(cls: type[Structure]) -> None:
    """Raise InputError if a method replaces a variable of a base class and has no role."""
    for base in cls.__mro__[1:]:
        for name, role in getattr(base, "_roles", {}).items():
            if name not in cls._roles:
                raise InputError(
                    f"{cls.__name__}.{name} replaces a variable: decorate it with @{role}"
                )


def _check_annotations(cls: type[Structure]) -> None:
    """Raise InputError if a knob of a base class gets a new default without its type, which would
    be ignored."""
    own = vars(cls)
    for field in fields(cls):
        name = field.name
        if name in own and name not in own.get("__annotations__", {}):
            default = own[name]
            raise InputError(
                f"{cls.__name__}: {name} = {default!r} has no type, and would be ignored; write "
                f"{name}: {type(default).__name__} = {default!r}"
            )


def _check_defaults(cls: type[Structure]) -> None:
    """Raise InputError if a knob has no default."""
    for field in fields(cls):
        if field.default is MISSING:
            raise InputError(
                f"{cls.__name__}: give the field {field.name} a default that is a number, a "
                "string or a tuple"
            )
