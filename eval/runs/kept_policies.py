"""The policies of runs, kept in files beside the results, so that they can be scored again."""

from contextlib import suppress
from pathlib import Path

from dosuite.agents import Policy, load_policy, save_policy
from dosuite.causal import InputError


def policy_path(folder: Path, key: str) -> Path:
    """The file of the policy of a run in the folder of the results."""
    return folder / "policies" / f"{key}.pt"


def kept_policy(folder: Path, key: str) -> Policy | None:
    """The policy of a run in the folder of the results; None if it was not kept.

    Raises InputError if its file is damaged.
    """
    path = policy_path(folder, key)
    return load_policy(path) if path.is_file() else None


def keep_policy(policy: Policy, folder: Path, key: str) -> None:
    """Save the policy of a run, unless it has parts that no file can keep, as a user's class."""
    path = policy_path(folder, key)
    path.unlink(missing_ok=True)  # of an earlier version
    # a policy without an attribute for each argument of its constructor cannot be kept either
    with suppress(InputError, AttributeError, TypeError, RuntimeError):
        save_policy(policy, path)
