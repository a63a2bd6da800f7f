"""What answers a request inside a worker: a bundle's model, or somebody's entry script."""

from __future__ import annotations

import importlib.util
import inspect
import json
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar  # Any: models, JSON values

import numpy as np
import numpy.typing as npt

from nbautoml.errors import ModelError, NbAutoMLError
from nbautoml.registry.schema import ModelSchema, to_json
from nbautoml.registry.trust import check_hash, load_pickle
from nbautoml.serving.forms import (
    METHODS,
    Prediction,
    ScoreRequest,
    describe,
    fault,
    read_form,
    write_form,
)
from nbautoml.serving.parts import Parts
from nbautoml.serving.schema import CheckedRows, RequestRows, joined
from nbautoml.serving.trees import hasten

if TYPE_CHECKING:
    from nbautoml.serving.explain import RowExplainer

MODEL_FILE = "model.pkl"
PROFILE_FILE = "profile.json"
MOST_AT_ONCE = 32
"""Requests whose rows a model predicts together."""
MODEL_DIR_VARIABLE = "AZUREML_MODEL_DIR"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request: its body, and what stands behind the question mark of its address."""

    body: bytes
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply as a JSON value, and for how many rows (0 where that is not known)."""

    content: Any
    n_rows: int = 0


class Scorer(Protocol):
    """Answers requests; called by `n_threads` threads at a time."""

    n_threads: int
    version: str
    methods: tuple[str, ...]
    most_at_once: int

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        """Answer requests; a request that is wrong, or that fails, gets its error.

        What is wrong with a request is a `RequestFaultError`.
        """

    def is_quick(self, asked: Asked) -> bool:
        """Whether an answer for a few rows takes the model's own time, and no more."""

    def describe_row(self) -> dict[str, Any]:
        """Return JSON Schema of a row; empty where nothing is known."""

    def sample(self) -> list[Any]:
        """Return rows for an example; none where none are known."""


def load_scorer(job: Mapping[str, Any], folder: Path) -> Scorer:
    """Return what answers the requests of a revision.

    Parameters
    ----------
    job : mapping
        What the revision serves: see `nbautoml.serving.revisions`.
    folder : Path
        The revision's folder.

    Raises
    ------
    ModelError
        When the model cannot be trusted or loaded.
    """
    if job["entry"]["kind"] == "script":
        return ScriptScorer(job, folder)
    return BundleScorer(job, folder)


class BundleScorer:
    """Predicts with a model that nbautoml wrote.

    Parameters
    ----------
    job, folder
        As in `load_scorer`.
    """

    most_at_once = MOST_AT_ONCE

    def __init__(self, job: Mapping[str, Any], folder: Path) -> None:
        bundle = folder / job["entry"]["folder"]
        self.version = ", ".join(job["models"])
        for name, sha256 in job["hashes"].items():
            check_hash(bundle / name, sha256, of=self.version)
        manifest = _read(bundle / "manifest.json")
        versions = {"python": manifest["python"], **manifest["packages"]}
        self._model = load_pickle(bundle / MODEL_FILE, versions=versions, of=self.version)
        hasten(self._model)
        schema = ModelSchema.from_dict(_read(bundle / "schema.json"))
        self._rows = RequestRows(schema, unused=unused_columns(self._model))
        # A model that was written by an earlier version takes frames.
        self._takes_columns = getattr(self._model, "takes_columns", False) is True
        self._parts = Parts(job.get("threads", 1) if self._takes_columns else 1)
        self.n_threads = self._parts.n_threads
        self._sample = list(_read(bundle / "sample.json")["data"])
        classes = getattr(self._model, "classes_", None)
        self._classes = None if classes is None else [to_json(label) for label in classes]
        self.methods: tuple[str, ...] = METHODS if self._classes is not None else METHODS[:1]
        self._profile = bundle / PROFILE_FILE
        self._explainer: RowExplainer | None = None
        self._try_sample()

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        """Answer requests in one of the three forms; the rows of all are predicted together."""
        read = [_attempt(partial(self._read, one)) for one in asked]
        right = [one for one in read if isinstance(one, _Readable)]
        groups = [right] if right and _are_alike(right) else [[one] for one in right]
        answers = iter([answer for group in groups for answer in self._answer_together(group)])
        return [next(answers) if isinstance(one, _Readable) else one for one in read]

    def is_quick(self, asked: Asked) -> bool:
        """Whether no explanation is asked for, as far as a glance tells."""
        return b"explain" not in asked.body and "explain" not in asked.query

    def _read(self, asked: Asked) -> _Readable:
        request = read_form(read_body(asked.body), asked.query, self._rows.names)
        wants_proba = request.method != "predict" and self._classes is not None
        if request.method == "predict_proba" and not wants_proba:
            raise fault("This model predicts numbers, so it has no probabilities.")
        return _Readable(
            request=request, checked=self._rows.check(request.rows), wants_proba=wants_proba
        )

    def _answer_together(self, group: Sequence[_Readable]) -> Sequence[Answer | Exception]:
        """Answer requests with one prediction; where that fails, each with its own."""
        try:
            return self._answer(group)
        except Exception as error:  # noqa: BLE001 - it is the answer, or one of them has caused it
            if len(group) == 1:
                return [_told(error)]
        return [answer for one in group for answer in self._answer_together([one])]

    def _answer(self, group: Sequence[_Readable]) -> list[Answer]:
        rows = joined([one.checked for one in group])
        wants_values = any(one.wants_values for one in group)
        values = self._predict(rows) if wants_values else []
        proba = self._proba(rows) if any(one.wants_proba for one in group) else []
        answers, end = [], 0
        for one in group:
            n_rows = len(one.request.rows)
            start, end = end, end + n_rows
            told = self._explain(one.checked) if one.request.wants_explanations else None
            found = Prediction(
                values=values[start:end] if one.wants_values else [],
                proba=proba[start:end] if one.wants_proba else None,
                classes=self._classes,
                explanations=told,
                warnings=[*one.checked.warnings, *_left_out(told, n_rows)],
                model=self.version,
            )
            content = write_form(one.request.form, found)
            answers.append(Answer(content=content, n_rows=n_rows))
        return answers

    def describe_row(self) -> dict[str, Any]:
        """Return JSON Schema of a row."""
        return self._rows.describe_row()

    def sample(self) -> list[Any]:
        """Return a few rows of the training data."""
        return self._sample

    def _predict(self, rows: CheckedRows) -> list[Any]:
        return _as_json(self._ask("predict", rows))

    def _proba(self, rows: CheckedRows) -> list[list[float]]:
        found: list[list[float]] = self._ask("predict_proba", rows).astype(np.float64).tolist()
        return found

    def _ask(self, method: str, rows: CheckedRows) -> npt.NDArray[Any]:
        answer = getattr(self._model, method)
        if not self._takes_columns:
            return np.asarray(answer(rows.frame))
        return self._parts.ask(lambda part: np.asarray(answer(part.columns)), rows)

    def _explain(self, checked: CheckedRows) -> Mapping[str, Any]:
        if self._explainer is None:
            # Here: most services are never asked, and what it needs takes a second to load.
            from nbautoml.serving.explain import RowExplainer

            if not self._profile.is_file():
                raise fault("This model was made by an earlier version, so it is not explained.")
            background = self._rows.check(_read(self._profile)["background"])
            self._explainer = RowExplainer(self._model, background.frame, self._classes)
        return self._explainer.explain(checked.frame)

    def _try_sample(self) -> None:
        """Predict a sample row: what is ready has answered once, and its code is warm."""
        # As it was in training, which may hold nulls that requests may not.
        self._ask("predict", self._rows.check(self._sample[:1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Readable:
    """A request whose rows can be predicted."""

    request: ScoreRequest
    checked: CheckedRows
    wants_proba: bool

    @property
    def wants_values(self) -> bool:
        return not self.wants_proba or self.request.form.value == "plain"


def _are_alike(group: Sequence[_Readable]) -> bool:
    """Whether the rows of requests can be put into one frame as they are."""
    types = [
        [getattr(cells, "dtype", None) for cells in one.checked.columns.values()] for one in group
    ]
    return all(one == types[0] for one in types)


def _as_json(values: npt.NDArray[Any]) -> list[Any]:
    """Return answers as JSON values."""
    found: list[Any] = values.tolist()
    is_text = set(map(type, found)) == {str}
    return found if is_text else [to_json(value) for value in found]


def _told(error: Exception) -> Exception:
    """Return what a caller is told: a ValueError has the model's words for rows it cannot read."""
    if not isinstance(error, ValueError):
        return error
    told = fault(str(error))
    told.__cause__ = error
    return told


def _attempt(work: Callable[[], T]) -> T | Exception:
    """Return what `work` returns, or what it raises."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it becomes the answer to this request
        return error


def _left_out(told: Mapping[str, Any] | None, n_rows: int) -> list[str]:
    """Return a warning where not all rows were explained."""
    n_told = n_rows if told is None else len(told["rows"])
    return [f"only the first {n_told} of {n_rows:,} rows are explained"] if n_told < n_rows else []


def unused_columns(model: Any) -> frozenset[str]:
    """Return the columns that a model of nbautoml does not look at, as far as it can tell."""
    steps = getattr(model, "steps", None)
    first = steps[0][1] if steps else None
    adapter = getattr(first, "adapter", first)
    formats = getattr(adapter, "columns", ())
    return frozenset(f.name for f in formats if getattr(f, "kind", "") == "drop")


class ScriptScorer:
    """Calls ``init()`` once and ``run(data)`` for each request, as the SDK's services did.

    The script runs in the folder that it was deployed with; `AZUREML_MODEL_DIR` names the
    folder of its models.

    Parameters
    ----------
    job, folder
        As in `load_scorer`.

    Notes
    -----
    ``run`` gets the request's body as text. A ``run`` with several parameters, or one that is
    decorated (as ``inference_schema`` does), gets the members of the JSON object by name.
    """

    n_threads = 1
    most_at_once = 1  # it may take its time, and nobody waits for what is done

    def __init__(self, job: Mapping[str, Any], folder: Path) -> None:
        script = folder / job["entry"]["script"]
        source = folder / "source"
        self.methods: tuple[str, ...] = ()
        self.version = ", ".join(job["models"]) or script.name
        os.environ[MODEL_DIR_VARIABLE] = str(folder / job["model_dir"])
        os.chdir(source)
        sys.path[:0] = list(dict.fromkeys([str(script.parent), str(source)]))
        self._module = _load_script(script)
        for name in ("init", "run"):
            if not callable(getattr(self._module, name, None)):
                raise ModelError(
                    f"The entry script {script.name} has no function {name}(). A service needs "
                    "init(), which loads the model, and run(data), which answers a request."
                )
        self._module.init()
        self._by_name = _names_of(self._module.run)

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        """Answer requests one after the other; what the script raises for one is its answer."""
        return [_attempt(partial(self._run, one.body)) for one in asked]

    def is_quick(self, asked: Asked) -> bool:
        """Return False: nobody knows what a script does."""
        return False

    def _run(self, body: bytes) -> Answer:
        if not self._by_name:
            content = self._module.run(body.decode("utf-8", errors="replace"))
        else:
            request = read_body(body)
            if not isinstance(request, Mapping):
                wanted = ", ".join(self._by_name)
                raise fault(f"A request must be an object with {wanted}; got {describe(request)}.")
            content = self._module.run(**request)
        return Answer(content=content)

    def describe_row(self) -> dict[str, Any]:
        """Return nothing: a script takes what it takes."""
        return {}

    def sample(self) -> list[Any]:
        """Return no rows."""
        return []


def _load_script(script: Path) -> ModuleType:
    name = script.stem
    spec = importlib.util.spec_from_file_location(name, script)
    if spec is None or spec.loader is None:
        raise ModelError(f"The entry script {script.name} must be a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _names_of(run: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters that ``run`` gets by name; none where it gets the body as text."""
    names = tuple(inspect.signature(run).parameters)
    is_decorated = hasattr(run, "__wrapped__")
    return names if is_decorated or len(names) > 1 else ()


def read_body(body: bytes) -> Any:
    """Return a request's body as a JSON value; ``NaN`` is read as null.

    Raises
    ------
    RequestFaultError
        When it is no JSON (status 400).
    """
    import orjson  # here, because a script that reads the text itself does not need it

    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        first = error
    # Python's own writer says NaN for what is missing, and numbers may be longer than 64 bits.
    try:
        found = json.loads(body, parse_constant=_constant)
        if b"\\u" in body:
            # Half of a surrogate pair is no text: nobody could be told of it.
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise fault(f"The body is not JSON: {first}.", status=400) from None
    return found


def _constant(word: str) -> float | None:
    return None if word == "NaN" else float(word)


def describe_failure(error: BaseException) -> str:
    """Return an error with the line of the script where it happened, in one sentence."""
    if isinstance(error, NbAutoMLError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
