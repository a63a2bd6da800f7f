"""The line in front of a model, and requests that are answered together."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from nbautoml.registry.bundle import export_bundle
from nbautoml.registry.schema import describe_frame
from nbautoml.serving.forms import RequestFaultError
from nbautoml.serving.line import MOST_BYTES, QUICK_BYTES, Line
from nbautoml.serving.scorer import Answer, Asked, BundleScorer


class Slow:
    """Answers with the number of requests that it was handed, when it is let go."""

    def __init__(self, most_at_once: int = 3, n_threads: int = 1) -> None:
        self.most_at_once = most_at_once
        self.n_threads = n_threads
        self.go = threading.Event()
        self.batches: list[list[bytes]] = []

    def is_quick(self, asked: Asked) -> bool:
        return False

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        self.go.wait(10.0)
        self.batches.append([one.body for one in asked])
        if any(one.body == b"broken" for one in asked):
            raise RuntimeError("the whole batch")
        errors = {b"wrong": ValueError("this one"), b"stop": StopIteration("here")}
        return [errors.get(one.body) or Answer(content=one.body.decode()) for one in asked]


def ask_all(scorer: Slow, bodies: Sequence[bytes]) -> list[object]:
    """Send requests while the first is being answered."""

    async def work() -> list[object]:
        line = Line(scorer)
        asked = [line.ask(Asked(body=body, query={})) for body in bodies]
        tasks = [asyncio.ensure_future(asked[0])]
        while not line.is_working:
            await asyncio.sleep(0)
        tasks += [asyncio.ensure_future(one) for one in asked[1:]]
        while len(line) < len(bodies):
            await asyncio.sleep(0)
        scorer.go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert len(line) == 0
        return [one.content if isinstance(one, Answer) else one for one in found]

    return asyncio.run(work())


def test_what_waits_is_answered_together_and_in_order() -> None:
    scorer = Slow()

    assert ask_all(scorer, [b"a", b"b", b"c", b"d", b"e"]) == ["a", "b", "c", "d", "e"]
    assert scorer.batches == [[b"a"], [b"b", b"c", b"d"], [b"e"]]


def test_large_requests_are_answered_alone() -> None:
    scorer, large = Slow(), b"x" * MOST_BYTES

    ask_all(scorer, [b"a", large, b"b", b"c"])

    assert scorer.batches == [[b"a"], [large], [b"b", b"c"]]


def test_large_requests_are_answered_side_by_side() -> None:
    large = [name * (QUICK_BYTES + 1) for name in (b"a", b"b", b"c")]
    both = threading.Barrier(2, timeout=10)

    class Together(Slow):
        def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
            if asked[0].body[:1] in b"ab":
                both.wait()
            return super().score(asked)

    scorer = Together(1, n_threads=2)
    assert ask_all(scorer, large) == [one.decode() for one in large]


def test_a_few_rows_do_not_wait_for_many() -> None:
    class Few(Slow):
        def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
            if len(asked[0].body) > QUICK_BYTES:
                self.go.wait(10.0)
            self.batches.append([one.body[:1] for one in asked])
            return [Answer(content="") for _ in asked]

    async def work() -> list[list[bytes]]:
        scorer = Few(3, n_threads=2)
        line = Line(scorer)
        large = asyncio.ensure_future(line.ask(Asked(body=b"x" * (QUICK_BYTES + 1), query={})))
        while not line.is_working:
            await asyncio.sleep(0)
        await asyncio.gather(*(line.ask(Asked(body=b, query={})) for b in (b"a", b"b")))
        scorer.go.set()
        await large
        return scorer.batches

    assert asyncio.run(work()) == [[b"a", b"b"], [b"x"]]


def test_an_error_belongs_to_its_request() -> None:
    found = ask_all(Slow(), [b"a", b"b", b"wrong", b"c"])

    assert [str(one) for one in found] == ["a", "b", "this one", "c"]


def test_after_a_failure_the_next_are_answered() -> None:
    found = ask_all(Slow(1), [b"a", b"broken", b"b"])

    assert [str(one) for one in found] == ["a", "the whole batch", "b"]


def test_a_script_that_exits_is_a_failure_of_its_request() -> None:
    class Exiting(Slow):
        def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
            if asked[0].body == b"exit":
                raise SystemExit(3)
            return super().score(asked)

    assert [str(one) for one in ask_all(Exiting(1), [b"exit", b"a"])] == ["SystemExit: 3", "a"]


def test_what_no_future_takes_does_not_hold_up_the_line() -> None:
    found = ask_all(Slow(1), [b"stop", b"a"])

    assert [str(one) for one in found] == ["StopIteration: here", "a"]


def test_who_has_left_is_not_answered() -> None:
    async def work() -> list[bytes]:
        scorer = Slow()
        line = Line(scorer)
        first = asyncio.ensure_future(line.ask(Asked(body=b"a", query={})))
        while not line.is_working:
            await asyncio.sleep(0)
        first.cancel()
        second = asyncio.ensure_future(line.ask(Asked(body=b"b", query={})))
        await asyncio.sleep(0)
        scorer.go.set()
        assert (await second).content == "b"
        return scorer.batches

    assert asyncio.run(work()) == [[b"a"], [b"b"]]


class Timed:
    """Takes as long as a body says, on a clock of its own; knows in which thread it answered."""

    most_at_once = 8
    n_threads = 1

    def __init__(self) -> None:
        self.threads: list[bool] = []
        self.time = 0.0

    def is_quick(self, asked: Asked) -> bool:
        return not asked.query

    def score(self, asked: Sequence[Asked]) -> list[Answer | Exception]:
        self.threads.append(threading.current_thread() is not threading.main_thread())
        if asked[0].body == b"broken":
            raise RuntimeError("all of them")
        self.time += float(asked[0].body)
        return [Answer(content=len(asked)) for _ in asked]


def asked_in_turn(*requests: Asked) -> tuple[list[object], list[bool]]:
    """Return the answers to requests one after the other, and which were given in a thread."""
    scorer = Timed()

    async def work() -> list[object]:
        line = Line(scorer, lambda: scorer.time)
        found = []
        for one in requests:
            (answer,) = await asyncio.gather(line.ask(one), return_exceptions=True)
            found.append(answer.content if isinstance(answer, Answer) else str(answer))
        return found

    return asyncio.run(work()), scorer.threads


QUICK, LONG = Asked(body=b"0", query={}), Asked(body=b"0.05", query={})


def test_what_takes_no_time_needs_no_thread_once_that_is_known() -> None:
    assert asked_in_turn(QUICK, QUICK, QUICK) == ([1, 1, 1], [True, False, False])


def test_what_took_long_lately_has_a_thread_until_that_is_forgotten() -> None:
    _, threads = asked_in_turn(QUICK, QUICK, LONG, *[QUICK] * 20)

    assert threads[:5] == [True, False, False, True, True]
    assert threads[-1] is False


def test_what_is_not_quick_always_has_a_thread() -> None:
    explained = Asked(body=b"0", query={"explain": "true"})
    large = Asked(body=b"0" * (QUICK_BYTES + 1), query={})

    assert asked_in_turn(QUICK, explained, large, QUICK)[1] == [True, True, True, False]


def test_a_failure_without_a_thread_is_an_answer() -> None:
    broken = Asked(body=b"broken", query={})

    assert asked_in_turn(QUICK, broken, QUICK)[0] == [1, "all of them", 1]


def test_requests_that_come_at_once_are_answered_at_once() -> None:
    async def work() -> list[Answer]:
        line = Line(Timed(), lambda: 0.0)
        await line.ask(QUICK)
        return await asyncio.gather(*(line.ask(QUICK) for _ in range(3)))

    assert [answer.content for answer in asyncio.run(work())] == [3, 3, 3]


def test_explanations_are_not_quick(scorer: BundleScorer) -> None:
    bodies = [b'{"data": [[1]], "explain": true}', b"[[1]]"]

    assert [scorer.is_quick(Asked(body=body, query={})) for body in bodies] == [False, True]
    assert not scorer.is_quick(Asked(body=b"[[1]]", query={"explain": "1"}))


def frame_of(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(size=n), "w": rng.choice(["a", "b", "c"], size=n)})


@pytest.fixture(scope="module")
def scorer(tmp_path_factory: pytest.TempPathFactory) -> BundleScorer:
    """Return a scorer of a small model that refuses the word ``fail``."""
    folder = tmp_path_factory.mktemp("served")
    rows, y = frame_of(), np.where(frame_of()["x"] > 0, "yes", "no")
    one_hot = make_column_transformer((OneHotEncoder(), ["w"]), remainder="passthrough")
    model = make_pipeline(one_hot, LogisticRegression()).fit(rows, y)
    schema = describe_frame(rows, task="classification", label="y", classes=["no", "yes"])
    export_bundle(model, folder / "outputs", schema=schema, sample=rows, metrics={}, run_id="none")
    sha256 = hashlib.sha256((folder / "outputs" / "model.pkl").read_bytes()).hexdigest()
    entry = {"kind": "bundle", "folder": "outputs"}
    job = {"entry": entry, "models": ["m:1"], "hashes": {"model.pkl": sha256}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return BundleScorer(job, folder)


def asked(rows: list[dict[str, object]], **query: str) -> Asked:
    return Asked(body=json.dumps(rows).encode(), query=query)


def rows_of(*places: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(
        frame_of().iloc[list(places)].to_json(orient="records")
    )
    return found


def test_answers_are_the_same_together_and_alone(scorer: BundleScorer) -> None:
    inputs = Asked(body=json.dumps({"Inputs": {"data": rows_of(7)}}).encode(), query={})
    requests = [
        asked(rows_of(0)),
        asked(rows_of(1, 2, 3), probabilities="true"),
        inputs,
        asked(rows_of(4, 5)),
        asked([{"x": 1.0, "w": "unseen"}]),
    ]
    alone = [scorer.score([one])[0] for one in requests]

    together = scorer.score(requests)

    contents = [one.content if isinstance(one, Answer) else str(one) for one in together]
    assert contents == [one.content if isinstance(one, Answer) else str(one) for one in alone]
    assert [one.n_rows for one in together if isinstance(one, Answer)] == [1, 3, 1, 2]


def test_a_wrong_request_spoils_no_other(scorer: BundleScorer) -> None:
    found = scorer.score(
        [
            asked(rows_of(0)),
            Asked(body=b"no json", query={}),
            asked([{"x": "?"}]),
            asked(rows_of(1)),
        ]
    )

    assert [type(one) for one in found] == [Answer, RequestFaultError, RequestFaultError, Answer]
    assert [one.status for one in found if isinstance(one, RequestFaultError)] == [400, 422]


def test_the_rows_of_requests_are_predicted_in_one_call(scorer: BundleScorer) -> None:
    seen: list[int] = []
    predict = scorer._model.predict

    class Counting:
        def predict(self, frame: pd.DataFrame) -> object:
            seen.append(len(frame))
            return predict(frame)

    scorer._model, model = Counting(), scorer._model
    try:
        scorer.score([asked(rows_of(0)), asked(rows_of(1, 2))])
    finally:
        scorer._model = model
    assert seen == [3]
