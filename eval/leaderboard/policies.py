"""The policies of an unpacked submission."""

from pathlib import Path

from dosuite.agents import Policy
from dosuite.causal import InputError

from ..runs.kept_policies import kept_policy


def loaded_policy(folder: Path, key: str) -> Policy | None:
    """The policy of a run in the folder of a submission; None if it is not there or not readable.

    No code of the author's is run.
    """
    try:
        return kept_policy(folder, key)
    except InputError:
        return None
