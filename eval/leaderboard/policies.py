"""The policies of an unpacked submission."""

from pathlib import Path

from dosuite.agents import Policy, load_policy
from dosuite.causal import InputError

from ..runs.kept_policies import policy_path


def loaded_policy(folder: Path, key: str) -> Policy | None:
    """The policy of a run in the folder of a submission; None if it is not there or not readable.

    No code of the author's is run.
    """
    path = policy_path(folder, key)
    try:
        return load_policy(path) if path.is_file() else None
    except InputError:
        return None
