"""The tracks: what a learner has to learn from. Only learners of one track are ranked together."""

from enum import StrEnum

from dosuite.envs.regimes import Regime


class Track(StrEnum):
    """What a learner has. A member equals its plain text, by which JSON names it."""

    heading: str  # of its section
    about: str  # a sentence below it

    LOG = ("log", "From the log alone", "One log, and nothing else. No learner passes the floor.")
    GRAPH = ("graph", "With the graph", "A log and the causal graph of its world.")
    LABELS = ("labels", "With labels", "A log whose rows say in which domain they were recorded.")
    MIXED = ("mixed", "Mixed logs", "A log in which some episodes are those of an experimenter.")
    ONLINE = ("online", "Online", "Practice in the world, with or without a log from before.")
    INTENT = ("intent", "Online, with the intent", "Practice that shows what others would do.")
    GIVEN = ("given", "Policies that were not trained here", "Policies that users have brought.")

    def __new__(cls, value: str, heading: str = "", about: str = "") -> "Track":
        member = str.__new__(cls, value)
        member._value_ = value
        member.heading, member.about = heading, about
        return member


OF_REGIME = {
    Regime.MIXED: Track.MIXED,
    Regime.INTERVENE: Track.ONLINE,
    Regime.COUNTERFACTUAL: Track.INTENT,
    Regime.GIVEN: Track.GIVEN,
}


def track_of(regime: str, needs: str) -> Track | None:
    """The track of a run, from its regime and from what its agent is given in addition to its
    source. None for reference policies, which do not learn.
    """
    if regime == Regime.EXACT:
        return None
    if regime != Regime.OBSERVE:
        return OF_REGIME[Regime(regime)]
    told = needs.split(", ")
    if "labels" in told:
        return Track.LABELS
    return Track.GRAPH if "graph" in told else Track.LOG
