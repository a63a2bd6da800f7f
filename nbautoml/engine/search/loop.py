"""The search: asks for candidates while there is time for them, and ends it when it should.

Two ways of keeping time. A run with `iterations` is *counted*: the n-th candidate depends on
the results of the trials before the last `max_concurrent` ones, taken in the order of their
numbers, and on no clock, so that the same seed gives the same trials. A run with a time limit
alone takes results as they come.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import replace
from enum import StrEnum

from nbautoml.domain.events import LogWritten
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.vote import FEWEST_MEMBERS, most_scorings
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.plan import SearchPlan
from nbautoml.engine.search.active import TrialEnd
from nbautoml.engine.search.book import TrialBook, TrialRecord
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.disk_space import DiskSpace
from nbautoml.engine.search.gain import GainWatch
from nbautoml.engine.search.pause import Pause
from nbautoml.engine.search.proposer import Proposer
from nbautoml.engine.search.requests import Requests
from nbautoml.engine.search.runner import TrialRunner
from nbautoml.engine.search.worker_reports import WorkerReports
from nbautoml.errors import ComputeError


class StopReason(StrEnum):
    """Why a search ended."""

    ITERATIONS = "The number of iterations was reached."
    TIME = "The time was used up."
    EXIT_SCORE = "The exit score was reached."
    NO_GAIN = "More iterations brought no gain."
    EXHAUSTED = "There was nothing left to try."
    FINISH_NOW = "The run was asked to finish."
    CANCELED = "The run was canceled."
    DISK_FULL = "The disk was nearly full."
    NO_WORKERS = "The workers were lost, and did not come back."


# Requests and limits are looked at this often.
_LOOK_SECONDS = 0.1
# Candidates that do not fit into the time left are passed over this often.
_MOST_PASSED_OVER = 12
# When none of them fits, one is begun that time will cut, if at least this part of it is done by
# then: boosting gains most in its first rounds.
_LEAST_PART = 0.4
# The other folds wait for the first one when they are expected to take longer than this.
_RACE_SECONDS = 1.0
# Time kept for the ensemble and for refits: at least this for looking at the clock, and at most
# this share of the budget.
_LEAST_RESERVE, _MOST_RESERVE_SHARE = 0.15, 0.15
_REFITS_IN_RESERVE = 5
_REFIT_COST = 1.25


class SearchLoop:
    """Runs trials until something ends the search.

    Parameters
    ----------
    context : RunContext
        The run.
    proposer : Proposer
        Chooses candidates.
    book : TrialBook
        Takes in finished trials.
    requests : Requests
        What people ask, and the deadline.
    earlier : sequence of TrialRecord
        Trials of an earlier attempt; none of them is run again.
    settled : sequence of TrialRecord
        Trials from before the run was continued: known from the start, and not counted.
    taken : collection of int
        Numbers of trials that are not to be used again.
    """

    def __init__(
        self,
        context: RunContext,
        proposer: Proposer,
        book: TrialBook,
        requests: Requests,
        *,
        earlier: Sequence[TrialRecord] = (),
        settled: Sequence[TrialRecord] = (),
        taken: Collection[int] = (),
    ) -> None:
        self._context = context
        self._proposer = proposer
        self._book = book
        self._requests = requests
        self._earlier = {record.key: record for record in earlier}
        self._taken = set(taken)
        limits = context.plan.limits
        self._is_counted = context.plan.is_counted
        # How many trials a counted run may know before it takes in the oldest of them: it does
        # not depend on the machine. No more than there are slots are on their way at a time.
        self._window = max(1, limits.max_concurrent)
        self._n_slots = context.ports.executor.n_slots
        self._most = min(self._window, self._n_slots)
        self._pause = Pause(requests, context.ports.events, context.ports.clock)
        self._gain = GainWatch(
            book,
            n_rows=len(context.data.y),
            budget=None if self._is_counted else limits.timeout_seconds,
            clock=lambda: context.ports.clock() - self._pause.seconds,
        )
        self._n_valid = len(context.data.valid_rows)
        self.runner = TrialRunner(
            context,
            self._time_left,
            self._most,
            requests.finish_cost,
            time_to_go=self._reserve_to_come,
        )
        self._asked: deque[int] = deque()
        self._smaller: deque[Candidate] = deque()
        self._halved: set[str] = set()
        self._waiting: deque[tuple[int, Candidate]] = deque()
        self._ended: dict[int, TrialRecord] = {}
        self._n_asked = 0
        self._reason: StopReason | None = None
        self._workers = WorkerReports(context.ports)
        self._space = DiskSpace(context.scratch, context.ports.clock)
        for record in settled:
            self._learn(record)
        book.start_anew()
        if not self._is_counted:
            for record in earlier:
                self._take_in(record)
            self._n_asked = len(self._earlier)

    def run(self) -> StopReason:
        """Run trials until the search ends; nothing of it runs on when this returns."""
        while True:
            self._requests.poll()
            self._pause.look()
            cut = self._reason_to_cut()
            if cut is not None:
                self._cut(cut)
                return cut
            self._settle()
            if not self._pause.is_on:
                self._launch()
            if self.runner.active:
                if not self._take_news():
                    return StopReason.NO_WORKERS
            elif self._pause.is_on:
                time.sleep(_LOOK_SECONDS)
            else:
                return self._reason or StopReason.EXHAUSTED
            self._workers.look()

    def _take_news(self) -> bool:
        """Hear of the trials on their way; False when the workers are lost for good.

        Without a model there is nothing to end with: then the error goes on.
        """
        try:
            records = self.runner.poll(min(_LOOK_SECONDS, max(self._time_left(), 0.0)))
        except ComputeError as error:
            if not self._book.completed:
                raise
            self._context.ports.events.emit(LogWritten(level="ERROR", message=error.message))
            self._cut(StopReason.NO_WORKERS)
            return False
        self._ended.update({record.number: record for record in records})
        return True

    def reserve(self) -> float:
        """Return the seconds that are kept for what follows the search."""
        return self._reserve(n_refits=_REFITS_IN_RESERVE)

    def _reserve(self, *, n_refits: int) -> float:
        budget = self._context.plan.limits.timeout_seconds
        if budget is None:
            return 0.0
        cost = self._requests.finish_cost
        choices = self._book.choices()
        if not choices:
            return cost.answer()
        # The best single model is stored already; all that follows may be left out.
        seconds = self._refit_reserve(choices[:n_refits])
        ensembles = self._context.plan.ensemble
        has_stack = ensembles.has_stack(self._n_valid)
        if (ensembles.enable_voting or has_stack) and len(choices) >= FEWEST_MEMBERS:
            n_classes = self._context.data.spec.n_classes
            most = most_scorings(len(choices), self._n_valid, n_classes)
            n_bytes = sum(r.model_bytes for r in choices[: len(self._book.members)])
            seconds += cost.ensemble(n_scorings=most, n_bytes=n_bytes)
            if ensembles.enable_voting and has_stack:  # a second one to store
                seconds += cost.ensemble(n_scorings=0, n_bytes=n_bytes)
        return min(seconds, self._most_reserve()) + _LEAST_RESERVE

    def _refit_reserve(self, records: Sequence[TrialRecord]) -> float:
        if not self._context.plan.ensemble.has_refits(self._context.data.n_folds):
            return 0.0
        fits = sum(self._refit_seconds(r.fold_seconds) for r in records)
        if fits == 0.0:
            return 0.0
        n_bytes = sum(r.model_bytes for r in records)
        # What was stored of the ensemble is stored again with the fits on all rows.
        return fits + self._requests.finish_cost.write(n_bytes=n_bytes)

    def _refit_seconds(self, fold_seconds: float) -> float:
        """Return what a fit on all rows takes of all slots; 0 when it will not be begun.

        It is not where it takes longer than the reserve may be: what is kept for it would be
        left over, and is of more use to the search.
        """
        seconds = _REFIT_COST * fold_seconds
        return 0.0 if seconds > self._most_reserve() else seconds / self._n_slots

    def _reserve_to_come(self) -> float:
        """Return by how much the reserve may grow once the trials on their way have ended."""
        most = self._most_reserve()
        has_refits = self._context.plan.ensemble.has_refits(self._context.data.n_folds)
        if not has_refits or not math.isfinite(most):
            return 0.0
        trials = self.runner.active.values()
        growth = sum(self._refit_seconds(trial.predicted_seconds) for trial in trials)
        return min(growth, max(most + _LEAST_RESERVE - self.reserve(), 0.0))

    def _most_reserve(self) -> float:
        budget = self._context.plan.limits.timeout_seconds
        return math.inf if budget is None else _MOST_RESERVE_SHARE * budget

    def _time_left(self) -> float:
        deadline = self._requests.deadline
        return deadline.remaining() - self.reserve() if deadline.is_limited else math.inf

    def _reason_to_cut(self) -> StopReason | None:
        """Return why trials on their way are to be stopped, if they are."""
        if self._requests.is_canceled:
            return StopReason.CANCELED
        if self._requests.is_finishing:
            return StopReason.FINISH_NOW
        if self._time_left() <= 0 and not self._is_about_to_end():
            return StopReason.TIME
        if self._reason is StopReason.EXIT_SCORE and not self._is_counted:
            return self._reason
        if self._space.is_used_up():
            return StopReason.DISK_FULL
        return None

    def _is_about_to_end(self) -> bool:
        """Whether a trial on its way will soon end by itself, at the cost of fits on all rows.

        A fit was told when to end before all those trials were known that the reserve is for
        now. While there are few models one more is worth more than fits on all rows; the
        ensembles' time stays untouched.
        """
        is_rich = len(self._book.completed) >= _REFITS_IN_RESERVE
        if is_rich or self._requests.deadline.remaining() <= self._reserve(n_refits=0):
            return False
        now = time.monotonic()
        return any(
            get_family(trial.candidate.family).can_be_cut and now < trial.ends_by < math.inf
            for trial in self.runner.active.values()
        )

    def _cut(self, reason: StopReason) -> None:
        is_late = reason is StopReason.TIME
        outcome = TrialOutcome.TIME_LIMIT if is_late else TrialOutcome.CANCELED
        for record in self.runner.cancel_all(TrialEnd(outcome=outcome, error=reason.value)):
            self._ended[record.number] = record
        while self._tell_one():
            pass

    def _settle(self) -> None:
        """Start and tell what can be, in an order that no clock decides."""
        while True:
            while self._reason is None and self._start_one():
                pass
            if not self._tell_one():
                return

    def _start_one(self) -> bool:
        """Start the next candidate, if there is room for one; say whether it was done."""
        most = self._context.plan.max_singles(self._n_valid)
        if most is not None and self._n_asked >= most:
            self._reason = StopReason.ITERATIONS
            return False
        if len(self._asked) >= (self._window if self._is_counted else self._most):
            return False
        if self._pause.is_on:
            return False
        candidate = self._next_candidate()
        if candidate is None:
            return False
        self._n_asked += 1
        known = self._earlier.get(self._context.key_of(candidate))
        number = known.number if known is not None else self._new_number()
        self._asked.append(number)
        if known is not None:
            self._ended[number] = known
        else:
            self._waiting.append((number, candidate))
        return True

    def _launch(self) -> None:
        """Start what was asked for, as far as there is room."""
        while self._waiting and len(self.runner.active) < self._most:
            number, candidate = self._waiting.popleft()
            self.runner.start(number, candidate, self._bar(candidate))

    def _next_candidate(self) -> Candidate | None:
        """Return a candidate that fits into the time left; None ends the search."""
        passed_over = []
        for _ in range(_MOST_PASSED_OVER):
            candidate = self._ask()
            if candidate is None:
                self._reason = StopReason.EXHAUSTED
                return None
            if self._fits(candidate):
                return candidate
            passed_over.append(candidate)
        cut = self._to_be_cut(passed_over)
        if cut is None:
            self._reason = StopReason.TIME
        return cut

    def _to_be_cut(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """Return the candidate of which the time left allows most, if it allows enough of it."""
        fitting = [
            (seconds, place)
            for place, candidate in enumerate(candidates)
            if get_family(candidate.family).can_be_cut
            and (seconds := self._needed(candidate)) <= self._time_left() / _LEAST_PART
        ]
        return candidates[min(fitting)[1]] if fitting else None

    def _ask(self) -> Candidate | None:
        """Return a trial that ran out of memory at half its size, or what the proposer has."""
        while self._smaller:
            candidate = self._smaller.popleft()
            if self._proposer.claim(candidate):
                return candidate
        return self._proposer.ask(self._book.members)

    def _fits(self, candidate: Candidate) -> bool:
        left = self._time_left()
        if not math.isfinite(left) or not self._book.completed:
            return True
        return self._needed(candidate) <= left

    def _needed(self, candidate: Candidate) -> float:
        """Return in how many seconds a candidate would be done, beside the others on their way."""
        fold = self.runner.predict(candidate)
        work = self.runner.work_left + fold * self._context.data.n_folds
        return max(fold, work / self._n_slots)

    def _bar(self, candidate: Candidate) -> tuple[float, float] | None:
        """Return what the first fold must reach, where waiting for it pays.

        Counted runs never wait: what the others cost is a matter of clocks.
        """
        n_folds = self._context.data.n_folds
        best = self._book.best
        if self._is_counted or n_folds < 3 or best is None or not best.fold_scores:
            return None
        is_known = any(r.candidate.family == candidate.family for r in self._book.completed)
        is_cheap = self.runner.predict(candidate) * (n_folds - 1) < _RACE_SECONDS
        if not is_known or is_cheap:
            return None
        return best.fold_scores[0], best.score_std or 0.0

    def _new_number(self) -> int:
        number = next(n for n in range(len(self._taken) + 1) if n not in self._taken)
        self._taken.add(number)
        return number

    def _tell_one(self) -> bool:
        """Take in one trial that ended; a counted run takes them in the order of asking."""
        places = range(1) if self._is_counted else range(len(self._asked))
        for place in places:
            if place < len(self._asked) and self._asked[place] in self._ended:
                number = self._asked[place]
                del self._asked[place]
                self._take_in(self._ended.pop(number))
                return True
        return False

    def _take_in(self, record: TrialRecord) -> None:
        self._learn(record)
        if self._reason is None:
            self._reason = _reason_to_end(self._context.plan, record, self._gain)

    def _learn(self, record: TrialRecord) -> None:
        self._book.add(record)
        self._gain.look()
        if record.outcome is TrialOutcome.MEMORY_LIMIT:
            self._halve(record.candidate)
        hint = self.runner.hint(record.candidate)
        n_folds = self._context.data.n_folds
        cost = hint if self._is_counted else record.fold_seconds or hint
        self._proposer.tell(record.candidate, loss=self._book.loss_of(record), cost=cost * n_folds)

    def _halve(self, candidate: Candidate) -> None:
        """Have a candidate tried once more with half the memory, where its family can do that."""
        params = get_family(candidate.family).half_size(candidate.params)
        if params is None or candidate.identity in self._halved:
            return
        smaller = replace(candidate, params=params)
        self._halved.add(smaller.identity)
        self._smaller.append(smaller)


def _reason_to_end(plan: SearchPlan, record: TrialRecord, gain: GainWatch) -> StopReason | None:
    """Return why a search ends after a trial, if it does."""
    is_scored = record.outcome is TrialOutcome.COMPLETED and record.score is not None
    goal = plan.limits.exit_score
    if goal is not None and is_scored and not plan.metric.is_better(goal, record.score):
        return StopReason.EXIT_SCORE
    if plan.limits.stops_early and gain.is_over():
        return StopReason.NO_GAIN
    return None
