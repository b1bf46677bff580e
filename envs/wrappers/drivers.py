"""Hidden drivers: what moves reward and dynamics, and the behaviour policy, unseen by a learner."""

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean

KINDS = ("bernoulli", "normal")
NORMAL = NormalDist()
LEAST, ALMOST_1 = 1e-300, 1 - 2**-53  # the uniform numbers that have a normal quantile


@dataclass(frozen=True)
class Driver:
    """A hidden process U_t with mean 0 and variance 1, which the actions do not affect.

    - "bernoulli": U_t is -1 or 1, with probability 1/2 each. After the first step it stays with
      probability `persistence`, and is otherwise drawn anew.
    - "normal": the autoregression U_t = persistence U_(t-1) + sqrt(1 - persistence^2) e_t, with
      standard normal e_t and U_0.

    With `persistence` 0 each step has its own U, with 1 each episode. Raises InputError if there is
    no such kind, or the persistence is not in [0, 1].
    """

    kind: str = "bernoulli"
    persistence: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"{self.kind!r} is not a driver; {did_you_mean(self.kind, KINDS)}")
        if not 0 <= self.persistence <= 1:
            raise InputError(f"persistence must be in [0, 1], and got {self.persistence}")

    def positive(self, before: float | None) -> float:
        """P(U_t > 0 | U_(t-1)); at the first step `before` is None."""
        if before is None:
            return 0.5
        if self.kind == "bernoulli":
            return (1 + self.persistence * before) / 2
        spread = sqrt(1 - self.persistence**2)
        if spread == 0:
            return float(before > 0)
        return NORMAL.cdf(self.persistence * before / spread)

    def drawn(self, before: float | None, uniform: float) -> float:
        """U_t given U_(t-1), as the quantile of a uniform number in (0, 1)."""
        if self.kind == "bernoulli":
            return 1.0 if uniform >= 1 - self.positive(before) else -1.0
        uniform = min(max(uniform, LEAST), ALMOST_1)
        if before is None:
            return NORMAL.inv_cdf(uniform)
        spread = sqrt(1 - self.persistence**2)
        if spread == 0:
            return before
        return self.persistence * before + spread * NORMAL.inv_cdf(uniform)

    def drawn_with_sign(self, before: float | None, is_positive: bool, uniform: float) -> float:
        """U_t given U_(t-1) and whether U_t is positive."""
        negative = 1 - self.positive(before)
        if is_positive:
            return self.drawn(before, negative + (1 - negative) * uniform)
        return self.drawn(before, negative * uniform)
