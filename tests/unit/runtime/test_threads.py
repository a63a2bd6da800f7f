"""Threads of predictions."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator

import cloudpickle
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_info, threadpool_limits

import nbautoml.runtime.threads
from nbautoml.runtime.bag import FoldBag
from nbautoml.runtime.pipeline import ModelPipeline
from nbautoml.runtime.threads import FEW_ROWS, THREADS, Threads

MANY = np.zeros((FEW_ROWS + 1, 2))
FEW = np.zeros((3, 2))


class Spy:
    """A model whose answers say which thread gave them, and what OpenMP might use there."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.threads: list[str] = []
        self.limits: list[int] = []

    def predict(self, X: np.ndarray) -> np.ndarray:
        self.threads.append(threading.current_thread().name)
        self.limits += openmp_threads()
        return np.full(len(X), self.number)


def openmp_threads() -> list[int]:
    info = threadpool_info()
    return [library["num_threads"] for library in info if library["user_api"] == "openmp"]


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine with two processors and no limit."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1}, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    with threadpool_limits(2):
        yield


def test_answers_come_in_the_order_of_the_models(two_threads: None) -> None:
    answers = THREADS.ask([Spy(number) for number in range(5)], "predict", MANY)
    assert [answer[0] for answer in answers] == [0, 1, 2, 3, 4]


def test_models_share_the_threads_when_there_are_many_rows(two_threads: None) -> None:
    both = threading.Barrier(2, timeout=30)

    class Waiting(Spy):
        def predict(self, X: np.ndarray) -> np.ndarray:
            both.wait()  # only another thread lets this one go on
            return super().predict(X)

    models = [Waiting(), Waiting()]
    THREADS.ask(models, "predict", MANY)
    assert len({name for model in models for name in model.threads}) == 2
    assert {limit for model in models for limit in model.limits} == {1}
    assert set(openmp_threads()) == {2}


def test_few_rows_stay_on_the_thread_that_asks_and_so_does_openmp(two_threads: None) -> None:
    spies = [Spy(), Spy()]
    pipeline = ModelPipeline([("bag", FoldBag([ModelPipeline([("spy", spy)]) for spy in spies]))])
    pipeline.predict(FEW)
    assert {name for spy in spies for name in spy.threads} == {threading.current_thread().name}
    assert {limit for spy in spies for limit in spy.limits} == {1}
    assert set(openmp_threads()) == {2}


def test_a_limit_that_is_there_already_holds_for_models_too() -> None:
    spies = [Spy(), Spy()]
    with threadpool_limits(1):
        THREADS.ask(spies, "predict", MANY)
    assert {name for spy in spies for name in spy.threads} == {threading.current_thread().name}


def test_a_bag_within_an_ensemble_starts_no_threads_of_its_own(two_threads: None) -> None:
    spies = [Spy() for _ in range(4)]
    bags = [
        FoldBag([ModelPipeline([("spy", spy)]) for spy in two]) for two in (spies[:2], spies[2:])
    ]
    for bag in bags:
        bag.estimators[0].classes = None
    THREADS.ask(bags, "predict", MANY)
    for first, second in (spies[:2], spies[2:]):
        assert first.threads == second.threads


def test_an_error_of_a_model_comes_through(two_threads: None) -> None:
    class Broken:
        def predict(self, X: np.ndarray) -> np.ndarray:
            raise ValueError("no such column")

    with pytest.raises(ValueError, match="no such column"):
        THREADS.ask([Spy(), Broken()], "predict", MANY)


def test_after_an_error_threads_are_used_again(two_threads: None) -> None:
    with pytest.raises(ZeroDivisionError), THREADS.alone(1):
        raise ZeroDivisionError
    assert THREADS._n_threads() == 2


def test_a_pickle_carries_no_thread(two_threads: None) -> None:
    THREADS.ask([Spy(), Spy()], "predict", MANY)
    assert isinstance(pickle.loads(pickle.dumps(THREADS)), Threads)
    cloudpickle.register_pickle_by_value(nbautoml.runtime.threads)
    try:
        copy = cloudpickle.loads(cloudpickle.dumps(THREADS))
    finally:
        cloudpickle.unregister_pickle_by_value(nbautoml.runtime.threads)
    assert [a[0] for a in copy.ask([Spy(1), Spy(2)], "predict", MANY)] == [1, 2]


def test_answers_are_the_same_on_any_number_of_threads(two_threads: None) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(FEW_ROWS * 2, 3)), rng.normal(size=FEW_ROWS * 2)
    parts = [slice(0, None, 2), slice(1, None, 2)]
    fits = [HistGradientBoostingRegressor(max_iter=20).fit(X[part], y[part]) for part in parts]
    bag = FoldBag([ModelPipeline([("model", fit)]) for fit in fits])
    together = bag.predict(X)
    with threadpool_limits(1):
        assert np.array_equal(bag.predict(X), together)
