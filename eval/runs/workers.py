"""Worker processes that end with the main one, and whose death costs only the task they did."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from queue import SimpleQueue
from typing import TypeVar

from dosuite.envs.child import Child, ChildDiedError, shared_child

T = TypeVar("T")


def in_workers(
    do: Callable[[T], int], tasks: Sequence[T], workers: int, apart: Callable[[T], bool]
) -> Iterator[tuple[T, int]]:
    """Each task and what `do` returns for it, in any order; 0 if its process died.

    A process dies by os._exit, a crash of a library, or a lack of memory. With one worker the tasks
    are done in this process, except for those that are `apart`, which a child does.
    """
    if workers == 1 or len(tasks) <= 1:
        for task in tasks:
            yield task, _done_by(shared_child(), do, task) if apart(task) else do(task)
        return
    cores = os.cpu_count() or 1
    children = [Child(max(cores // workers, 1)) for _ in range(min(workers, len(tasks)))]
    idle: SimpleQueue[Child] = SimpleQueue()
    for child in children:
        idle.put(child)

    def one(task: T) -> int:
        child = idle.get()
        try:
            return _done_by(child, do, task)
        finally:
            idle.put(child)

    threads = ThreadPoolExecutor(len(children))
    try:
        futures: dict[Future[int], T] = {threads.submit(one, task): task for task in tasks}
        for future in as_completed(futures):
            yield futures[future], future.result()
        for child in children:
            child.close()
    finally:
        # The tasks that wait are given up before the children of the others are killed.
        threads.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()
        threads.shutdown()


def _done_by(child: Child, do: Callable[[T], int], task: T) -> int:
    try:
        return child.call(do, task)
    except ChildDiedError:
        return 0
