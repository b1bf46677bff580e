"""Runs on the workers of Dask or Ray, whose files come back to the one process that keeps them.

What a worker that is lost had not finished is done again on another one.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from dosuite.causal import InputError
from dosuite.causal.errors import did_you_mean
from dosuite.envs.child import pickled

from .bundles import Bundle, Group, bundles_of, files_of, keep
from .remote_calls import Answers, Calls, answers_to

Work = Callable[[Calls], Answers]
Ended = Iterator[tuple[int, Answers | None]]  # an index of calls; None: several workers were lost

POLL = 0.3  # seconds between looks at what has ended, and whether there are workers
PATIENCE = 60.0  # seconds without any worker after which the runs are given up
GONE = "the engine has no workers any more; run the command again to do the runs that are left"


def check_engine(name: str) -> str:
    """The name. Raises InputError if there is no such engine, or its library is missing."""
    if name not in ENGINES:
        raise InputError(f"{name!r} is no engine; {did_you_mean(name, [*ENGINES])}")
    package = "distributed" if name == "dask" else name
    if find_spec(package) is None:
        raise InputError(f"--engine {name} needs {package}: pip install 'dosuite[{name}]'")
    return name


def in_engine(
    engine: str, do: Callable[..., int], groups: Sequence[Group], workers: int, folder: Path
) -> Iterator[tuple[Group, int]]:
    """Each group and its number of runs, in any order; 0 if the process that did it died.

    `do(group, folder=...)` writes the results of a group. A worker does so in a folder of its own
    machine, and this process writes the same files to `folder`. Raises InputError if there have
    been no workers for a minute; what was done until then is kept.
    """
    work = partial(answers_to, place=os.getcwd())
    files_in = partial(files_of, do)
    bundles = bundles_of(groups, workers)
    while bundles:
        lost: list[Bundle] = []
        calls = [[pickled(files_in, group) for group in bundle] for bundle in bundles]
        for index, answers in ENGINES[engine](work, calls, workers):
            bundle = bundles[index]
            if answers is None and len(bundle) > 1:  # each of its groups is tried alone
                lost += [[group] for group in bundle]
                continue
            for group, files in zip(bundle, answers or [None], strict=True):
                if isinstance(files, Exception):
                    raise files
                if files is not None:
                    keep(files, group, folder)
                yield group, 0 if files is None else len(group)
        bundles = lost


def _rounds(left: Mapping[Any, int], has_workers: Callable[[], bool]) -> Iterator[None]:
    """One round after another until no bundle is left, or there are no workers for a minute."""
    seen = monotonic()
    while left:
        yield
        if has_workers():
            seen = monotonic()
        elif monotonic() - seen > PATIENCE:
            raise InputError(GONE)


def _on_dask(work: Work, calls: Sequence[Calls], workers: int) -> Ended:
    """On the cluster whose scheduler DASK_SCHEDULER_ADDRESS names, or on one of this machine."""
    import dask
    from distributed import CancelledError, Client, KilledWorker, LocalCluster

    def has_workers() -> bool:
        with suppress(OSError):  # the scheduler is gone, too
            return bool(client.nthreads())
        return False

    with ExitStack() as stack:
        cluster = dask.config.get("scheduler-address", None)
        if cluster is None:
            one_thread = {"threads_per_worker": 1, "dashboard_address": None}
            local = LocalCluster(n_workers=workers, silence_logs=logging.CRITICAL, **one_thread)
            cluster = stack.enter_context(local)
        client = stack.enter_context(Client(cluster))
        left = {client.submit(work, each, pure=False): index for index, each in enumerate(calls)}
        for _ in _rounds(left, has_workers):
            sleep(POLL)
            for future in [future for future in left if future.done()]:
                index = left.pop(future)
                try:
                    yield index, future.result(timeout=PATIENCE)
                except KilledWorker:
                    yield index, None
                except TimeoutError:  # the worker with the result was lost: it is done again
                    left[future] = index
                except CancelledError as error:  # as all are when the scheduler is lost
                    raise InputError(GONE) from error


def _on_ray(work: Work, calls: Sequence[Calls], workers: int) -> Ended:
    """On the cluster that RAY_ADDRESS names, or on one of this machine."""
    import ray
    from ray import exceptions

    def has_workers() -> bool:
        return bool(ray.cluster_resources().get("CPU", 0) >= 1)

    lost = exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError
    with ExitStack() as stack:
        if not ray.is_initialized():
            quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
            here = {"address": "local", "num_cpus": workers, "include_dashboard": False}
            ray.init(**quiet, **({} if "RAY_ADDRESS" in os.environ else here))
            stack.callback(ray.shutdown)

        @ray.remote(num_cpus=1)  # type: ignore[untyped-decorator]
        def remote(each: Calls) -> Answers:  # Ray takes no partial
            return work(each)

        left = {remote.remote(each): index for index, each in enumerate(calls)}
        for _ in _rounds(left, has_workers):
            ready, _ = ray.wait([*left], num_returns=len(left), timeout=POLL)
            for one in ready:
                index = left.pop(one)
                try:
                    yield index, ray.get(one, timeout=PATIENCE)
                except (*lost, exceptions.ObjectLostError):
                    yield index, None
                except TimeoutError:  # as above
                    left[one] = index


ENGINES: dict[str, Callable[[Work, Sequence[Calls], int], Ended]] = {
    "dask": _on_dask,
    "ray": _on_ray,
}
