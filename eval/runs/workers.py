"""Worker processes that end with the main one, and whose death costs only the work they did."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from threading import Thread
from time import sleep
from typing import TypeVar

from joblib import Parallel, delayed
from joblib.externals.loky import ProcessPoolExecutor

T = TypeVar("T")

PATIENCE = 1.0  # seconds between looks of a worker at whether the main process lives

_watching: list[int] = []  # the main process, once this one is watching it


def in_workers(
    do: Callable[[T], int], tasks: Sequence[T], workers: int, died: Callable[[T], bool]
) -> Iterator[int]:
    """What `do` returns for each task, in any order.

    A worker process that dies (by os._exit, a crash of a library, or a lack of memory) takes the
    others of its pool with it. Every task is then asked by `died`, and those for which it is true,
    since they have no result, are done again, each in a process of its own. A task whose own
    process dies raises no error: `died` is the caller's way to find it.
    """
    pool = Parallel(n_jobs=min(workers, max(len(tasks), 1)), return_as="generator_unordered")
    main = os.getpid()
    try:
        yield from pool(delayed(_watched)(do, task, main) for task in tasks)
    except BrokenProcessPool:
        yield from _each_apart(do, [task for task in tasks if died(task)], workers, main)


def _each_apart(
    do: Callable[[T], int], tasks: Sequence[T], workers: int, main: int
) -> Iterator[int]:
    """What `do` returns for each task, done in a process of its own; 0 if the process dies."""
    with ThreadPoolExecutor(workers) as threads:
        waiting = [threads.submit(_apart, do, task, main) for task in tasks]
        for finished in as_completed(waiting):
            yield finished.result()


def _apart(do: Callable[[T], int], task: T, main: int) -> int:
    with ProcessPoolExecutor(1) as process:
        try:
            return int(process.submit(_watched, do, task, main).result())
        except BrokenProcessPool:
            return 0


def _watched(do: Callable[[T], int], task: T, main: int) -> int:
    """Do a task, in a process that ends when the main process does."""
    if os.getpid() != main and main not in _watching:
        _watching.append(main)
        Thread(target=_end_with, args=(main,), daemon=True).start()
    return do(task)


def _end_with(main: int) -> None:
    while os.getppid() == main:
        sleep(PATIENCE)
    os._exit(1)
