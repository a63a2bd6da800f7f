"""What follows the search: the ensemble, fits on all rows, and the run's own files."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping, Sequence

import numpy as np

from nbautoml.domain import events as ev
from nbautoml.domain.events import Phase, TrialFinished, json_safe
from nbautoml.domain.status import TrialOutcome
from nbautoml.engine.baseline import BASELINE, run_baseline
from nbautoml.engine.confidence import put_confidence
from nbautoml.engine.context import RunContext
from nbautoml.engine.ensemble.refit import refit
from nbautoml.engine.ensemble.vote import FEWEST_MEMBERS, Vote, choose_vote
from nbautoml.engine.featurize.build import engineered_feature_names, summarize_features
from nbautoml.engine.models._base import Vector
from nbautoml.engine.profile import DataProfile
from nbautoml.engine.search.active import mean_and_std
from nbautoml.engine.search.book import TrialBook, TrialRecord
from nbautoml.engine.search.budget import Deadline
from nbautoml.engine.search.candidate import Candidate
from nbautoml.engine.search.loop import StopReason
from nbautoml.engine.search.requests import Requests
from nbautoml.engine.trial import score_predictions
from nbautoml.engine.trial_data import open_fold
from nbautoml.engine.trial_files import MODEL, mean_metrics, put_trial
from nbautoml.errors import TrainingError
from nbautoml.runtime.bag import PackedPart, PackedSaved, open_model
from nbautoml.runtime.voting import open_voting

VOTING = "VotingEnsemble"
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
        self._earlier_answers = [e for e in finished if _is_done_vote(e) or e.family == BASELINE]
        settled, new = finished[:n_settled], finished[n_settled:]
        # An attempt that was lost may have got as far as its ensemble. One from before the run
        # was continued is followed by another, if there is something new to choose from.
        n_known = sum(not e.is_ensemble and e.outcome is TrialOutcome.COMPLETED for e in settled)
        has_news = len(book.completed) > n_known or not any(map(_is_done_vote, settled))
        self._needs_vote = has_news and not any(map(_is_done_vote, new))

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
        vote = self._vote() if self._has_vote() else None
        if self._context.plan.ensemble.enable_refit:
            self._refit(single, vote)
        self._put_run_files(vote[1].members[0] if vote else single)
        best = self._best_of(single, *([vote[0]] if vote else []))
        put_confidence(self._context, best.number, self._requests.deadline)
        return best

    def _best_of(self, *rivals: TrialRecord) -> TrialRecord:
        """Return the best of some trials and of the ensembles that were done before."""
        metric = self._context.plan.metric
        return min([*rivals, *self._earlier()], key=lambda r: (metric.sort_key(r.score), -r.number))

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

    def _has_vote(self) -> bool:
        plan = self._context.plan
        is_wanted = plan.ensemble.enable_voting and plan.limits.max_iterations != 1
        is_possible = len(self._book.choices()) >= FEWEST_MEMBERS
        # Choosing can be cut at its first look at each candidate.
        least = self._storing(n_scorings=2 * FEWEST_MEMBERS)
        has_time = self._requests.deadline.remaining() > least
        return is_wanted and is_possible and has_time and self._needs_vote

    def _storing(self, n_scorings: int = 0) -> float:
        """Return the seconds that are kept for storing an ensemble, and for some scorings."""
        likely = self._book.choices()[: max(len(self._book.members), 1)]
        n_bytes = sum(record.model_bytes for record in likely)
        return self._requests.finish_cost.ensemble(n_scorings=n_scorings, n_bytes=n_bytes)

    def _vote(self) -> tuple[TrialRecord, Vote]:
        """Choose, score and store the ensemble, as an iteration of its own."""
        context = self._context
        events = context.ports.events
        number = self._new_number()
        events.emit(ev.PhaseChanged(phase=Phase.ENSEMBLE, text="Choosing the ensemble's members."))
        started = context.ports.clock()
        deadline = self._requests.deadline.moved(-self._storing())
        vote = choose_vote(context, self._book.choices(), deadline)
        record = self._record_of(vote, number)
        events.emit(
            ev.TrialStarted(
                number=number,
                pipeline=VOTING,
                family=VOTING,
                params=record.candidate.params,
                n_folds=context.data.n_folds,
            )
        )
        put_trial(context, number, vote.predictions, self._pack(vote, {}))
        events.emit(
            TrialFinished(
                number=number,
                key=record.key,
                outcome=TrialOutcome.COMPLETED,
                pipeline=VOTING,
                family=VOTING,
                params=record.candidate.params,
                n_folds=context.data.n_folds,
                folds_done=context.data.n_folds,
                seconds=context.ports.clock() - started,
                score=record.score,
                score_std=record.score_std,
                metrics=record.metrics,
                is_ensemble=True,
            )
        )
        return record, vote

    def _record_of(self, vote: Vote, number: int) -> TrialRecord:
        data = self._context.data
        scored = self._score_folds(vote.predictions)
        score, deviation = mean_and_std([m[data.spec.primary_metric] for m in scored])
        honest, _ = mean_and_std(
            [m[data.spec.primary_metric] for m in self._score_folds(vote.honest)]
        )
        members = {str(m.number): w for m, w in zip(vote.members, vote.weights, strict=True)}
        keys = "".join(m.key for m in vote.members) + json.dumps(members)
        params = {"members": members, "score_on_rows_left_out": honest}
        return TrialRecord(
            number=number,
            key=hashlib.blake2b(keys.encode(), digest_size=16).hexdigest(),
            candidate=Candidate(family=VOTING, model_name=VOTING, params=params, scaler=""),
            outcome=TrialOutcome.COMPLETED,
            score=score,
            score_std=deviation,
            metrics=mean_metrics(scored),
        )

    def _score_folds(self, predictions: Vector) -> list[dict[str, float]]:
        """Return all metrics of each fold, over the rows that have a prediction."""
        data = self._context.data
        has_one = np.asarray(np.isfinite(predictions.reshape(len(predictions), -1)).all(axis=1))
        places = [fold[has_one[fold]] for fold in data.fold_places()]
        valid_rows = data.valid_rows
        return [
            score_predictions(
                data.y[valid_rows[rows]],
                predictions[rows],
                data.spec,
                data.weights_of(valid_rows[rows]),
            )
            for rows in places
            if len(rows)
        ]

    def _refit(self, single: TrialRecord, vote: tuple[TrialRecord, Vote] | None) -> None:
        """Fit the members and the best single model on all rows, and put them in their place."""
        context = self._context
        context.ports.events.emit(
            ev.PhaseChanged(phase=Phase.FINALIZING, text="Fitting the best models on all rows.")
        )
        members = vote[1].members if vote else ()
        wanted = {record.number: record for record in (*members, single)}
        parts = refit(context, self._requests, list(wanted.values()))
        if single.number in parts:
            model = context.data.packed(open_model, (parts[single.number],))
            context.ports.artifacts.put_bytes(single.number, MODEL, pickle.dumps(model))
        if vote and parts:
            packed = self._pack(vote[1], parts)
            context.ports.artifacts.put_bytes(vote[0].number, MODEL, packed)

    def _pack(self, vote: Vote, parts: Mapping[int, PackedPart]) -> bytes:
        """Return the ensemble's model file; members that are not refit are their folds' mean."""
        artifacts = self._context.ports.artifacts
        members: list[PackedPart | PackedSaved] = []
        for member in vote.members:
            part: PackedPart | PackedSaved | None = parts.get(member.number)
            if part is None:
                saved = artifacts.local_path(member.number, MODEL)
                part = PackedSaved(model=saved.read_bytes())
            members.append(part)
        names = tuple(str(member.number) for member in vote.members)
        model = self._context.data.packed(open_voting, names, vote.weights, tuple(members))
        return pickle.dumps(model)

    def _put_run_files(self, record: TrialRecord) -> None:
        """Store what the features are, as the best single model has them."""
        data, artifacts = self._context.data, self._context.ports.artifacts
        representation = record.candidate.representation
        featurizer = pickle.loads(open_fold(data.folder, representation, 0).featurizer.read_bytes())
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
        return max([*self._taken, *(r.number for r in self._book.records)], default=-1) + 1


# Ends for which no limit of the run is to blame.
_BROKEN = frozenset({TrialOutcome.FAILED, TrialOutcome.CRASHED})


def _is_done_vote(event: TrialFinished) -> bool:
    return event.is_ensemble and event.outcome is TrialOutcome.COMPLETED


def _earlier(deadline: Deadline, seconds: float) -> Deadline:
    return Deadline(min(deadline.at, deadline.clock() + seconds), deadline.clock)
