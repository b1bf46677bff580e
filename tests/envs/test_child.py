"""The laws of a child process: it answers, it passes errors on, and it dies alone."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dosuite.causal import InputError
from dosuite.envs.child import Child, ChildDiedError, shared_child


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.close()


def noisy(number: int) -> int:
    print("not an answer")
    return number + len(sys.stdin.read())


def refusing() -> None:
    raise InputError("one line")


def leaving() -> None:
    sys.exit(3)


def not_picklable() -> None:
    class OwnError(Exception):
        pass

    raise OwnError


def test_a_child_answers_where_the_program_is(
    child: Child, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert child.call(noisy, 3) == 3
    assert Path(child.call(os.getcwd)) == tmp_path
    assert child.call(os.getpid) == child.call(os.getpid) != os.getpid()


def test_errors_are_passed_on(child: Child) -> None:
    with pytest.raises(InputError, match="one line"):
        child.call(refusing)
    with pytest.raises(SystemExit):
        child.call(leaving)
    with pytest.raises(RuntimeError, match="OwnError"):
        child.call(not_picklable)
    assert child.call(abs, -1) == 1


def test_a_death_costs_one_call(child: Child) -> None:
    before = child.call(os.getpid)
    with pytest.raises(ChildDiedError):
        child.call(os._exit, 0)
    assert child.call(os.getpid) != before


def test_a_killed_child_is_gone(child: Child) -> None:
    pid = child.call(os.getpid)
    child.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_shared_child_is_kept() -> None:
    assert shared_child() is shared_child()


def test_a_child_ends_in_the_middle_of_a_call_when_its_pipe_closes(child: Child) -> None:
    from threading import Thread

    pid = child.call(os.getpid)
    process = child._process
    assert process is not None
    assert process.stdin is not None

    def sleep() -> None:
        with pytest.raises(ChildDiedError):
            child.call(time.sleep, 60)

    thread = Thread(target=sleep)
    thread.start()
    time.sleep(0.5)
    process.stdin.close()
    thread.join(20)
    assert not thread.is_alive()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
