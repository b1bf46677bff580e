"""The roles of variables: who sees a variable, and when.

A role decorates the method that is the variable's mechanism."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from .distributions import Distribution

Method = TypeVar("Method", bound=Callable[..., Any])
Law = Callable[..., Distribution]

RoleName = Literal["latent", "context", "action", "logged", "reward", "terminal", "selection"]


@dataclass(frozen=True)
class Role:
    """A decorator that declares a method as a variable with this role."""

    name: RoleName

    def __call__(self, method: Callable[..., Any]) -> Callable[..., Any]:
        method.role = self.name  # type: ignore[attr-defined]
        return method

    def starting(
        self, law: Distribution | Law
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """The same role, for a variable whose law at the first step is `law`.

        `law` is a distribution, or a function whose first parameter is the model and whose others
        are causes in the same step."""

        def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
            method.starting = law  # type: ignore[attr-defined]
            return self(method)

        return decorate


latent = Role("latent")  # never observed
context = Role("context")  # observed before acting: the observation
action = Role("action")  # chosen; its mechanism is the behaviour policy
logged = Role("logged")  # in the log and in `info`, but not in the observation
reward = Role("reward")  # observed after acting, and to be maximised
terminal = Role("terminal")  # 1 ends the episode after this step
selection = Role("selection")  # rows with 0 are not recorded; only in models of one step


def shift(method: Method) -> Method:
    """Mark a method that returns the model in a shifted world."""
    method.is_shift = True  # type: ignore[attr-defined]
    return method
