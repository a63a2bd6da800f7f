"""What follows the search: the ensemble, fits on all rows, and the run's own files."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Sequence

from nbautoml.domain import events as ev
from nbautoml.domain.events import Phase, TrialFinished, json_safe
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.baseline import BASELINE, run_baseline
from nbautoml.engine.confidence import put_confidence
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.names import STACK, VOTING
from nbautoml.engine.ensemble.nested import LEAST_ROWS
from nbautoml.engine.ensemble.refit import put_refits, refit
from nbautoml.engine.ensemble.stack import fit_stack, most_members
from nbautoml.engine.ensemble.store import (
    Ensemble,
    as_stack,
    as_voting,
    put_ensemble,
    put_failure,
)
from nbautoml.engine.ensemble.verdict import Rival, as_rival, choose_single
from nbautoml.engine.ensemble.vote import FEWEST_MEMBERS, Vote, choose_vote
from nbautoml.engine.featurize.build import engineered_feature_names, summarize_features
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.search.book import TrialBook, TrialRecord
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.loop import StopReason
from nbautoml.engine.search.requests import Requests
from nbautoml.engine.trial_data import featurizer_path
from nbautoml.errors import TrainingError

logger = logging.getLogger(__name__)

SUMMARY = "outputs/featurization_summary.json"
FEATURE_NAMES = "outputs/engineered_feature_names.json"
# A run that was asked to finish spends at most this long on fits on all rows.
_FINISH_NOW_SECONDS = 20.0


class Finisher:
    """Ends a run after its search.

    Parameters
    ----------
    context : RunContext
        The run.
    profile : DataProfile
        What the columns are.
    book : TrialBook
        The finished trials.
    requests : Requests
        What people ask, and the deadline.
    finished : sequence of TrialFinished
        Trials that were done before, oldest first.
    n_settled : int, default 0
        So many of them are from before the run was continued.
    """

    def __init__(
        self,
        context: RunContext,
        profile: DataProfile,
        book: TrialBook,
        requests: Requests,
        finished: Sequence[TrialFinished] = (),
        *,
        n_settled: int = 0,
    ) -> None:
        self._context = context
        self._profile = profile
        self._book = book
        self._requests = requests
        self._taken = {event.number for event in finished}
        self._earlier_answers = [
            e for e in finished if _is_done_ensemble(e) or e.family == BASELINE
        ]
        settled, new = finished[:n_settled], finished[n_settled:]
        # Their models stay as they are: somebody may have registered them.
        self._settled = {event.number for event in settled}
        # An attempt that was lost may have got as far as its ensembles. Those from before the run
        # was continued are followed by others, if there is something new to choose from.
        n_known = sum(not e.is_ensemble and e.outcome is TrialOutcome.COMPLETED for e in settled)
        has_news = len(book.completed) > n_known or not any(map(_is_done_ensemble, settled))
        known = new if has_news else finished
        self._done = {e.family for e in known if e.is_ensemble}
        self._stored: list[tuple[TrialRecord, Ensemble]] = []
        # What is best without the next ensemble.
        self._rival: Rival | None = None
        self._best_single_score: float | None = None
        self._answer = next((e.number for e in reversed(known) if e.is_best), None)

    def finish(self, reason: StopReason) -> TrialRecord | None:
        """Return the best trial, its model stored; None when canceled before there was one.

        Raises
        ------
        TrainingError
            When every trial failed.
        """
        single = self._book.best
        if single is None:
            return None if reason is StopReason.CANCELED else self._fall_back()
        if reason is StopReason.CANCELED:
            self._put_run_files(single)
            return self._best_of(single)
        if reason is StopReason.FINISH_NOW:
            self._requests.deadline = _earlier(self._requests.deadline, _FINISH_NOW_SECONDS)
        self._make_ensembles()
        if self._context.plan.ensemble.has_refits(self._context.data.n_folds):
            self._refit(single)
        self._put_run_files(self._stored[0][1].members[0] if self._stored else single)
        best = self._best_of(single)
        put_confidence(self._context, best.number, self._requests.deadline)
        return best

    def _best_of(self, *singles: TrialRecord) -> TrialRecord:
        """Return the ensemble that was found to be the best, or else the best trial."""
        ensembles = [record for record, _ in self._stored]
        earlier = self._earlier()
        for record in [*ensembles, *earlier]:
            if record.number == self._answer:
                return record
        # Ensembles from before the run was continued lost against the best single trial.
        rivals = [*singles, *([] if ensembles else earlier)]
        metric = self._context.plan.metric
        return min(rivals, key=lambda r: (metric.sort_key(r.score), r.number))

    def _fall_back(self) -> TrialRecord:
        """Return the constant model, unless trials failed for other reasons than time."""
        broken = [r for r in self._book.records if r.outcome in _BROKEN]
        if broken:
            raise TrainingError(
                f"All {len(self._book.records)} trials ended without a model; the first: "
                f"{broken[0].error or broken[0].outcome.value}"
            )
        if self._earlier_answers:
            return self._best_of()
        return run_baseline(self._context, self._new_number())

    def _wanted(self) -> list[str]:
        """Return the ensembles that are to be made, in their order."""
        context = self._context
        options, n_rows = context.plan.ensemble, len(context.data.valid_rows)
        most = most_members(context.data.spec.n_classes)
        has_stack = options.has_stack(n_rows) and most >= FEWEST_MEMBERS
        wanted = [VOTING] * options.enable_voting + [STACK] * has_stack
        is_possible = len(self._book.choices()) >= FEWEST_MEMBERS and n_rows >= LEAST_ROWS
        is_possible &= context.plan.limits.max_iterations != 1
        return [name for name in wanted if is_possible and name not in self._done]

    def _make_ensembles(self) -> None:
        """Choose, score and store the ensembles that are wanted, as far as there is time."""
        wanted = self._wanted()
        # Choosing can be cut at its first look at each candidate.
        least = self._storing(n_scorings=2 * FEWEST_MEMBERS)
        if not wanted or self._requests.deadline.remaining() <= least:
            return
        context = self._context
        text = "Choosing the ensemble's members."
        context.ports.events.emit(ev.PhaseChanged(phase=Phase.ENSEMBLE, text=text))
        started = context.ports.clock()
        deadline = self._requests.deadline.moved(-self._storing())
        choices = self._book.choices()
        vote = choose_vote(context, choices, deadline)
        self._rival = choose_single(context, choices, vote.parts)
        self._best_single_score = self._rival.mean
        if VOTING in wanted:
            self._store(as_voting(vote), vote, started)
        if STACK in wanted and self._requests.deadline.remaining() > least:
            self._make_stack(vote)

    def _make_stack(self, vote: Vote) -> None:
        started = self._context.ports.clock()
        deadline = self._requests.deadline.moved(-self._storing())
        try:
            stack = fit_stack(self._context, vote, deadline)
        except Exception as error:  # noqa: BLE001 a trial fails as any other, the run goes on
            logger.debug("the stack failed", exc_info=True)
            put_failure(self._context, self._new_number(), STACK, str(error))
            return
        if stack is not None:
            self._store(as_stack(self._context, stack, vote), vote, started)

    def _store(self, ensemble: Ensemble, vote: Vote, started: float) -> None:
        number, context = self._new_number(), self._context
        rival = as_rival(context, ensemble.predictions, vote.parts)
        direction = context.plan.metric.direction
        is_best = self._rival is None or self._rival.is_matched_by(rival, direction)
        record = put_ensemble(
            context,
            ensemble,
            number,
            seconds=context.ports.clock() - started,
            is_best=is_best,
            params={"best_single_score": self._best_single_score},
        )
        self._stored.append((record, ensemble))
        if is_best:
            self._rival, self._answer = rival, number

    def _storing(self, n_scorings: int = 0) -> float:
        """Return the seconds that are kept for storing an ensemble, and for some scorings."""
        likely = self._book.choices()[: max(len(self._book.members), 1)]
        n_bytes = sum(record.model_bytes for record in likely)
        return self._requests.finish_cost.ensemble(n_scorings=n_scorings, n_bytes=n_bytes)

    def _refit(self, single: TrialRecord) -> None:
        """Fit the members and the best single model on all rows, and store them with that."""
        context = self._context
        context.ports.events.emit(
            ev.PhaseChanged(phase=Phase.FINALIZING, text="Fitting the best models on all rows.")
        )
        members = [member for _, ensemble in self._stored for member in ensemble.members]
        singles = [] if single.number in self._settled else [single]
        wanted = {record.number: record for record in (*members, *singles)}
        parts = refit(context, self._requests, list(wanted.values()))
        put_refits(context, parts, singles, self._stored)

    def _put_run_files(self, record: TrialRecord) -> None:
        """Store what the features are, as the best single model has them."""
        data, artifacts = self._context.data, self._context.ports.artifacts
        representation = record.candidate.representation
        path = featurizer_path(data.folder, representation, 0)
        featurizer = pickle.loads(path.read_bytes())
        summary = summarize_features(self._profile, featurizer)
        names = engineered_feature_names(featurizer)
        artifacts.put_bytes(None, SUMMARY, json.dumps(json_safe(summary)).encode())
        artifacts.put_bytes(None, FEATURE_NAMES, json.dumps(json_safe(names)).encode())

    def _earlier(self) -> list[TrialRecord]:
        """Return the ensembles that were done before, and the constant model if it was."""
        return [
            TrialRecord(
                number=event.number,
                key=event.key,
                candidate=Candidate(
                    family=event.family,
                    model_name=event.family,
                    params=dict(event.params),
                    scaler="",
                ),
                outcome=event.outcome,
                score=event.score,
            )
            for event in self._earlier_answers
        ]

    def _new_number(self) -> int:
        taken = [*self._taken, *(r.number for r in self._book.records)]
        number = max(taken, default=-1) + 1
        self._taken.add(number)
        return number


# Ends for which no limit of the run is to blame.
_BROKEN = frozenset({TrialOutcome.FAILED, TrialOutcome.CRASHED})


def _is_done_ensemble(event: TrialFinished) -> bool:
    return event.is_ensemble and event.outcome is TrialOutcome.COMPLETED


def _earlier(deadline: Deadline, seconds: float) -> Deadline:
    return Deadline(min(deadline.at, deadline.clock() + seconds), deadline.clock)
