"""What a worker of an engine does. It imports little, and no torch: its child process does."""

import os
from contextlib import suppress
from typing import Any

from dosuite.envs.child import ChildDiedError, shared_child

Calls = list[bytes]  # see `dosuite.envs.child.pickled`
Answers = list[Any]  # for each call what it returned, its exception, or None if its process died


def answers_to(calls: Calls, place: str) -> Answers:
    """Do calls in a child process, so that one that kills its process costs that call alone.

    They are done in the folder `place`, where that exists.
    """
    with suppress(OSError):
        os.chdir(place)
    answers: Answers = []
    for call in calls:
        try:
            answers.append(shared_child().call_pickled(call))
        except ChildDiedError:
            answers.append(None)
        except Exception as error:
            answers.append(error)
    return answers
