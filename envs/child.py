"""A child process that calls functions, so that what kills it costs one call and not the program.

It speaks through two pipes and needs no semaphore or file that a killed program would leave. It
ends when the program does, in the middle of a call too.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Lock, Thread
from traceback import format_exc
from typing import IO, Any, TypeVar

T = TypeVar("T")

# the numbers of threads that the libraries of arrays and networks read as they are imported
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)
_PATIENCE = 10.0  # seconds that a child has to end by itself

# the path comes first, since it says where dosuite is
_CODE = """
import os, pickle, sys
calls = os.fdopen(os.dup(0), "rb")
sys.path[:] = pickle.load(calls)
from dosuite.envs.child import serve
serve(calls)
"""


class ChildDiedError(Exception):
    """The process of a child ended before it had answered."""


def pickled(function: Callable[..., Any], *arguments: Any) -> bytes:
    """A call of a function of a module, for `Child.call_pickled`."""
    return pickle.dumps((function, arguments))


class Child:
    """A process that does one call at a time; it starts at the first, and anew after a death.

    `threads` is the number of threads of array libraries, unless the environment sets it.
    """

    def __init__(self, threads: int = 1):
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function of a module returns, called in the child.

        What it prints goes to stderr. Raises the function's exception, or ChildDiedError.
        """
        return self.call_pickled(pickled(function, *arguments))  # type: ignore[no-any-return]

    def call_pickled(self, call: bytes) -> Any:
        """`call` of what was `pickled`, which this process need not be able to import."""
        with self._lock:
            process = self._running()
            try:
                pickle.dump((os.getcwd(), sys.path, call), _pipe(process.stdin))
                _pipe(process.stdin).flush()
                raised, value = pickle.load(_pipe(process.stdout))
            except (EOFError, BrokenPipeError, pickle.UnpicklingError) as error:
                self.kill()
                raise ChildDiedError(f"ended with {process.returncode}") from error
            except BaseException:  # its answer would be taken for that of the next call
                self.kill()
                raise
        if raised:
            raise value
        return value

    def kill(self) -> None:
        """End the process at once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            _release(process)

    def close(self) -> None:
        """Let the process end, as it does by itself when its pipe is closed."""
        process, self._process = self._process, None
        if process is None:
            return
        _pipe(process.stdin).close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
        _release(process)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            count = {name: str(self._threads) for name in _THREADS}
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**count, **os.environ},
            )
            pickle.dump(sys.path, _pipe(self._process.stdin))
        return self._process


def shared_child() -> Child:
    """The one child of this process that is kept between calls, since a start takes seconds."""
    pid = os.getpid()
    if pid not in _shared:  # also in a fork, which must not share its parent's pipes
        _shared[pid] = Child()
    return _shared[pid]


_shared: dict[int, Child] = {}


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _release(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a process that ends, and close its pipes."""
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was left to write has no reader
            _pipe(pipe).close()


def serve(calls: IO[bytes]) -> None:
    """Answer the calls of the parent process until it closes their pipe or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's
    answers = os.fdopen(os.dup(1), "wb")
    # Code that reads or prints must not touch the pipes.
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    queue: SimpleQueue[Any] = SimpleQueue()
    busy = Event()
    Thread(target=_read, args=(calls, queue, busy), daemon=True).start()
    while (call := queue.get()) is not None:
        answer = _answer(*call)
        busy.clear()  # before the parent has the answer, and can send the next call
        try:
            answers.write(answer)
            answers.flush()
        except OSError:  # the parent died
            os._exit(1)


def _read(calls: IO[bytes], queue: SimpleQueue[Any], busy: Event) -> None:
    """Pass calls on, and end this process when the parent does."""
    while True:
        try:
            call = pickle.load(calls)
        except (EOFError, pickle.UnpicklingError):
            if busy.is_set():
                os._exit(1)
            queue.put(None)
            return
        busy.set()
        queue.put(call)


def _answer(folder: str, path: list[str], call: bytes) -> bytes:
    """Whether a call raised, and what it raised or returned."""
    try:
        os.chdir(folder)
        sys.path[:] = path
        function, arguments = pickle.loads(call)
        return pickle.dumps((False, function(*arguments)))
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        error.add_note(format_exc())
        try:
            answer = pickle.dumps((True, error))
            pickle.loads(answer)
        except Exception:  # an exception of the user's may not be picklable
            return pickle.dumps((True, RuntimeError(format_exc())))
        return answer
