"""The process of a `ParallelRunStep`: cuts data into parts and calls a script with each of them.

Run as ``python -m nbautoml.pipelines.mini_batches`` in a copy of the script's folder.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any  # Any: rows or paths, and what a script returns for them

import pandas as pd

from nbautoml.errors import ConfigError, NotFoundError, TrainingError
from nbautoml.runs.run import Run

logger = logging.getLogger(__name__)

DEFAULT_BYTES, DEFAULT_FILES = "1MB", 10
"""Size of a part of a table, and number of files in a part: the SDK's."""
_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?B?)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a script returned for a part, as lines; ``n_failed`` of its items have no result."""

    lines: tuple[str, ...]
    n_failed: int
    error: str = ""


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of the process; what follows ``--`` is for the script."""
    parser = argparse.ArgumentParser(prog=f"python -m {__spec__.name if __spec__ else ''}")
    parser.add_argument("--entry_script", required=True)
    parser.add_argument("--inputs", required=True, type=lambda text: text.split(","))
    parser.add_argument("--error_threshold", type=int, default=-1)
    parser.add_argument("--output_action", default="append_row")
    parser.add_argument("--append_row_file_name", default="parallel_run_step.txt")
    parser.add_argument("--process_count", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mini_batch_size")
    parser.add_argument("--run_invocation_timeout", type=float, default=60.0)
    parser.add_argument("--run_max_try", type=int, default=3)
    parser.add_argument("--output", type=Path)
    parser.add_argument("script_arguments", nargs="*")
    return parser.parse_args(list(arguments))


def size_in_bytes(text: str) -> int:
    """Return how many bytes a size is.

    Raises
    ------
    ConfigError
        When it is no size.

    Examples
    --------
    >>> size_in_bytes("10KB"), size_in_bytes("1.5 MB")
    (10240, 1572864)
    """
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ConfigError(f"mini_batch_size must be a size such as '100KB' or '1MB'; got {text!r}.")
    unit = found[2].upper()
    return int(float(found[1]) * _UNITS[unit if unit in _UNITS else f"{unit}B"])


def parts_of_table(frame: pd.DataFrame, size: str | None) -> Iterator[pd.DataFrame]:
    """Yield parts of a table, of about so many bytes in memory, at least one row each."""
    if frame.empty:
        return
    row_bytes = max(float(frame.memory_usage(deep=True, index=False).sum()) / len(frame), 1.0)
    n_rows = max(int(size_in_bytes(size or DEFAULT_BYTES) / row_bytes), 1)
    for start in range(0, len(frame), n_rows):
        yield frame.iloc[start : start + n_rows].reset_index(drop=True)


def parts_of_files(place: Path, size: str | None) -> Iterator[list[str]]:
    """Yield lists of the files at a place, so many in each.

    Raises
    ------
    ConfigError
        When the size is no number of files.
    NotFoundError
        When there are none.
    """
    if size is not None and not size.isdecimal():
        raise ConfigError(f"mini_batch_size for files is their number; got {size!r}.")
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
    if not files:
        raise NotFoundError(f"There are no files to work on in {place}.")
    count = max(int(size or DEFAULT_FILES), 1)
    for start in range(0, len(files), count):
        yield [str(path) for path in files[start : start + count]]


def lines_of(result: Any) -> list[str]:
    """Return what a script returned, a line an item; values of a row are parted by spaces.

    Examples
    --------
    >>> lines_of(["a: 1", 2]), lines_of(pd.DataFrame({"a": [1], "b": ["x y"]}))
    (['a: 1', '2'], ['1 "x y"'])
    """
    if isinstance(result, pd.DataFrame):
        return str(result.to_csv(sep=" ", header=False, index=False)).splitlines()
    return [str(item) for item in result]


def work(options: argparse.Namespace) -> int:
    """Call the script with all parts; return how many items have failed.

    Results are written in the order of the data.

    Raises
    ------
    TrainingError
        When more have failed than the threshold says.
    """
    given = Run.get_context().input_datasets  # type: ignore[union-attr] # it runs in a step
    parts = (part for name in options.inputs for part in _parts(given[name], options))
    n_done, n_failed = 0, 0
    begin = (options.entry_script, options.script_arguments)
    with (
        _results(options) as written,
        ProcessPoolExecutor(
            options.process_count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=begin,
        ) as pool,
    ):
        for part, result in _in_order(pool, parts, options):
            n_done += len(part)
            n_failed += result.n_failed
            if result.error:
                sys.stderr.write(f"A part of {len(part)} items has failed: {result.error}\n")
            if written is not None:
                written.write("".join(f"{line}\n" for line in result.lines))
            if 0 <= options.error_threshold < n_failed:
                pool.shutdown(cancel_futures=True)
                raise TrainingError(
                    f"{n_failed} items have failed, more than error_threshold="
                    f"{options.error_threshold} allows. Last error: {result.error or 'no result'}"
                )
    sys.stdout.write(f"{n_done} items, {n_failed} of them failed\n")
    return n_failed


def _in_order(
    pool: ProcessPoolExecutor, parts: Iterator[Any], options: argparse.Namespace
) -> Iterator[tuple[Any, Result]]:
    """Yield parts with their results, with only a few parts on their way."""
    ahead: list[tuple[Any, Future[Result]]] = []
    limits = (options.run_max_try, options.run_invocation_timeout)
    for part in parts:
        ahead.append((part, pool.submit(call_script, part, *limits)))
        if len(ahead) > 2 * options.process_count:
            first, future = ahead.pop(0)
            yield first, future.result()
    for part, future in ahead:
        yield part, future.result()


def _parts(given: Any, options: argparse.Namespace) -> Iterator[Any]:
    if isinstance(given, str):
        return parts_of_files(Path(given), options.mini_batch_size)
    return parts_of_table(given.to_pandas_dataframe(), options.mini_batch_size)


@contextmanager
def _results(options: argparse.Namespace) -> Iterator[Any]:
    """Open the file of results where there is one."""
    if options.output is None:
        yield None
        return
    options.output.mkdir(parents=True, exist_ok=True)
    if options.output_action != "append_row":
        yield None
        return
    path: Path = options.output / options.append_row_file_name
    with path.open("w", encoding="utf-8") as stream:
        yield stream


_SCRIPT = "__parallel_run_script__"


def _begin(entry_script: str, arguments: Sequence[str]) -> None:
    """Load the script in a process of the pool and let it get ready."""
    sys.argv = [entry_script, *arguments]
    folder = str(Path(entry_script).parent.absolute())
    sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(_SCRIPT, entry_script)
    assert spec is not None  # the step has looked for the file
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_SCRIPT] = module
    spec.loader.exec_module(module)
    if hasattr(module, "init"):
        module.init()


def call_script(part: Any, n_tries: int, seconds: float) -> Result:
    """Call ``run`` of the script that this process has loaded; try again when it fails."""
    script: ModuleType = sys.modules[_SCRIPT]
    error = ""
    for _ in range(max(n_tries, 1)):
        try:
            with _time_limit(seconds):
                lines = lines_of(script.run(part))
        except Exception as problem:  # noqa: BLE001 - the border: a part is an attempt, as a trial is
            error = f"{type(problem).__name__}: {problem}"
            continue
        return Result(lines=tuple(lines), n_failed=max(len(part) - len(lines), 0))
    return Result(lines=(), n_failed=len(part), error=error)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise a TimeoutError after a time, where the system has such a clock."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise TimeoutError(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def main() -> int:
    """Do what the command line says; return the exit code."""
    try:
        work(parse(sys.argv[1:]))
    except (TrainingError, ConfigError, NotFoundError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
