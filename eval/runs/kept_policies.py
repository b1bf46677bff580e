"""The policies of runs, kept in files beside the results, so that they can be scored again."""

from contextlib import suppress
from pathlib import Path

from dosuite.agents import Policy, save_policy
from dosuite.causal import InputError


def policy_path(folder: Path, key: str) -> Path:
    """The file of the policy of a run in the folder of the results."""
    return folder / "policies" / f"{key}.pt"


def keep_policy(policy: Policy, folder: Path, key: str) -> None:
    """Save the policy of a run, unless it has parts that no file can keep, as a user's class."""
    path = policy_path(folder, key)
    path.unlink(missing_ok=True)  # of an earlier version
    # a policy without an attribute for each argument of its constructor cannot be kept either
    with suppress(InputError, AttributeError, TypeError, RuntimeError):
        save_policy(policy, path)
