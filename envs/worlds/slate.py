"""A recommender that learns from the log of an older one, which knew the types of its users."""

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
    context,
    latent,
    reward,
    shift,
)

Rates = tuple[tuple[float, ...], ...]  # a row for each type of user, a column for each item


class SlateExposure(World):
    """Recommend one of four items (0 popular, 1 for one niche, 2 for another, 3 clickbait); a click
    earns 1.

    Three types of users differ in what they click. The old recommender knew the type and showed
    each niche its own item, so in the log the niche items are clicked most. Shown to every user,
    such an item is clicked rarely, for most users are of another type.

        item <-- taste --> click
          |                  ^
          +------------------+

    Observation: Discrete(1). Action: Discrete(4). One step; the reward is 0 or 1.

    Trap: 2, since promised = 0.7435 > J(confused) = 0.1625 and J(uniform) > J(confused).
    Way out: interventions.
    Best: 0, since J(behaviour) > J(causal) = 0.26 > J(uniform).

    Source: our own, in the manner of the recommender simulations of Ie et al. (2019).
    """

    held_out: ClassVar[Ranges] = {"taste": (0.02, 0.2)}

    users: tuple[float, ...] = (0.60, 0.25, 0.15)  # P(taste)
    # P(click | taste, item)
    clicks: Rates = (
        (0.30, 0.05, 0.05, 0.20),
        (0.20, 0.70, 0.05, 0.15),
        (0.20, 0.05, 0.80, 0.15),
    )
    # P(item | taste), in the log
    shown: Rates = (
        (0.85, 0.02, 0.01, 0.12),
        (0.10, 0.85, 0.02, 0.03),
        (0.05, 0.02, 0.90, 0.03),
    )

    @latent
    def taste(self) -> Categorical:
        return Categorical(np.array(self.users))

    @action
    def item(self, taste: Array) -> Categorical:
        return Categorical(np.array(self.shown)[taste])

    @reward
    def click(self, taste: Array, item: Array) -> Bernoulli:
        return Bernoulli(np.array(self.clicks)[taste, item])

    @shift
    def fans_leave(self) -> World:
        return replace(self, users=(0.90, 0.06, 0.04))

    @shift
    def niche_growth(self) -> World:
        """Most users are of the third type: the confused policy wins."""
        return replace(self, users=(0.2, 0.3, 0.5))

    @shift
    def taste_drift(self) -> World:
        """The third type clicks its niche item less often."""
        popular, niche, _, clickbait = self.clicks[2]
        return replace(self, clicks=(*self.clicks[:2], (popular, niche, 0.20, clickbait)))

    @shift
    def blockbuster(self) -> World:
        """Every type clicks the popular item with a probability higher by 0.2."""
        clicks = tuple((popular + 0.2, *others) for popular, *others in self.clicks)
        return replace(self, clicks=clicks)


class Segment(SlateExposure):
    """A label predicts the type of the user before the item is chosen; when it errs, the two other
    types are equally likely.

        segment <-- taste --> click <-- item <-- taste

    Observation: Discrete(3), the label. Otherwise as SlateExposure.

    Trap: 2 1 2, since promised = 0.6948 > J(confused) = 0.2594.
    Way out: interventions.
    Best: 0 1 2, since J(behaviour) > J(causal) = 0.3565 > J(confused).

    Source: as SlateExposure.
    """

    accuracy: float = 0.7  # P(segment = taste)

    @context
    def segment(self, taste: Array) -> Categorical:
        types = len(self.users)
        wrong = (1.0 - self.accuracy) / (types - 1)
        return Categorical(wrong + (self.accuracy - wrong) * np.eye(types)[taste])
