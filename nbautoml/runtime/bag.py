"""The mean of one model per fold, and files that hold models as the bytes of their parts."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any  # Any: scikit-learn carries no types

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from nbautoml.runtime.featurizer import DataTransformer, Featurizer
from nbautoml.runtime.pipeline import MemberInput, ModelPipeline
from nbautoml.runtime.threads import THREADS


class FoldBag(BaseEstimator):  # type: ignore[misc] # scikit-learn is untyped
    """Mean of models that were each fitted on other rows of the training data.

    Parameters
    ----------
    estimators : list of ModelPipeline
        One fitted pipeline for each fold; each makes its features itself. A last one may be
        fitted on all rows.
    weights : list of float, optional
        One for each model; all count the same when not given.
    """

    def __init__(self, estimators: list[ModelPipeline], weights: list[float] | None = None) -> None:
        self.estimators = estimators
        self.weights = weights

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Return the mean of the members' probabilities, shape (n_rows, n_classes)."""
        return _mean(THREADS.ask(self.estimators, "predict_proba", X), self.weights)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Return the mean of the members' numbers, or the code of the likeliest class."""
        if self.estimators[0].classes is None:
            return _mean(THREADS.ask(self.estimators, "predict", X), self.weights)
        return np.asarray(np.argmax(self.predict_proba(X), axis=1))


def _mean(answers: list[npt.NDArray[Any]], weights: list[float] | None) -> npt.NDArray[np.float64]:
    return np.asarray(np.average(answers, axis=0, weights=weights), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedPart:
    """What one fit leaves: scaler, if any, model, and the codes of the classes that it saw."""

    scaler: tuple[str, Any] | None  # a fitted transformer
    model: tuple[str, Any]  # a fitted estimator
    codes: npt.NDArray[np.int64] | None
    classes: npt.NDArray[Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPart:
    """A fit as the bytes of its two files: pickles of a featurizer and of a `FittedPart`."""

    featurizer: bytes
    fitted: bytes

    def open(self) -> ModelPipeline:
        """Return the pipeline; it takes rows as the input adapter reads them."""
        part: FittedPart = pickle.loads(self.fitted)
        scaling = () if part.scaler is None else (part.scaler,)
        steps = [("featurizer", pickle.loads(self.featurizer)), *scaling, part.model]
        return ModelPipeline(steps, classes=part.classes, codes=part.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedSaved:
    """A user's pipeline as the bytes of its file."""

    model: bytes

    def open(self) -> ModelPipeline:
        """Return the pipeline without its reader; it takes rows as the input adapter reads them."""
        saved: ModelPipeline = pickle.loads(self.model)
        reader, rest = saved.steps[0][1], saved.steps[1:]
        if not isinstance(reader, MemberInput):
            rest = [("featurizer", reader.featurizer_), *rest]
        return ModelPipeline(rest, classes=saved.classes, codes=saved.codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedRefit:
    """The fold models of a user's pipeline, and a fit on all rows, as the bytes of their files.

    Each side makes up for what the other lacks, the fold models for chance in a fit, the fit on all
    rows for those that a fold keeps out. `share` is the weight of the latter; the fold models have
    the rest together.
    """

    model: bytes
    refit: PackedPart
    share: float = 0.5

    def open(self) -> ModelPipeline:
        """Return the pipeline without its reader; it takes rows as the input adapter reads them."""
        saved = PackedSaved(model=self.model).open()
        name, last = saved.steps[-1]
        folds = [saved]
        if isinstance(last, FoldBag):
            # A file that holds a fit on all rows already gets the new one in its place.
            folds = last.estimators if last.weights is None else last.estimators[:-1]
        weights = [(1.0 - self.share) / len(folds)] * len(folds) + [self.share]
        bag = FoldBag([*folds, self.refit.open()], weights)
        return ModelPipeline([(name, bag)], classes=saved.classes)


class PackedModel:
    """Pickles as a call and the bytes of its parts, and unpickles as the model itself.

    So a file of many fitted parts is written without loading one of them.

    Parameters
    ----------
    open_with : callable
        Module-level function that makes the model from `arguments`.
    arguments : tuple
        Picklable arguments; `PackedPart` objects cost no more than a copy of their bytes.
    """

    def __init__(self, open_with: Any, *arguments: Any) -> None:
        self._open_with = open_with
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self._open_with, self._arguments


def open_model(adapter: bytes, parts: tuple[PackedPart, ...]) -> ModelPipeline:
    """Return the user's pipeline of one trial.

    Parameters
    ----------
    adapter : bytes
        Pickle of the input adapter.
    parts : tuple of PackedPart
        One for each fold, or the only fit.
    """
    reads = pickle.loads(adapter)
    folds = [part.open() for part in parts]
    first = folds[0]
    featurizer = first.steps[0][1]
    if len(folds) == 1:
        reader = DataTransformer.from_fitted(reads, featurizer)
        steps = [("datatransformer", reader), *first.steps[1:]]
        return ModelPipeline(steps, classes=first.classes, codes=first.codes)
    reader = MemberInput.from_fitted(reads, featurizer)
    steps = [("datatransformer", reader), (first.steps[-1][0], FoldBag(folds))]
    return ModelPipeline(steps, classes=first.classes)


def open_refit(adapter: bytes, packed: PackedRefit) -> ModelPipeline:
    """Return the user's pipeline of one trial that was fitted on all rows, too.

    Parameters
    ----------
    adapter : bytes
        Pickle of the input adapter.
    packed : PackedRefit
        The trial's fold models, and the fit on all rows.
    """
    model = packed.open()
    reader = MemberInput.from_fitted(pickle.loads(adapter), featurizer_of(model))
    return ModelPipeline([("datatransformer", reader), *model.steps], classes=model.classes)


def open_whole(open_with: Any, *arguments: Any) -> ModelPipeline:
    """Return a model that predicts whole numbers.

    Parameters
    ----------
    open_with : callable
        Makes the model from `arguments`.
    *arguments
        What it takes.
    """
    model: ModelPipeline = open_with(*arguments)
    model.predicts_whole = True
    return model


def featurizer_of(member: ModelPipeline) -> Featurizer:
    """Return the featurizer of a pipeline, or of the first of its folds."""
    name, step = member.steps[0]
    if name == "featurizer":
        featurizer: Featurizer = step
        return featurizer
    return featurizer_of(step.estimators[0])
