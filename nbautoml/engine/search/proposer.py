"""What to try next: first a fixed portfolio, then steps away from what the ensemble uses."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from nbautoml.domain.tasks import Task
from nbautoml.engine.featurize.options import Representation
from nbautoml.engine.models._base import Choice, DataShape, ModelFamily, Params, SearchSpace
from nbautoml.engine.models.catalog import get_family
from nbautoml.engine.search.candidate import LOG, Candidate
from nbautoml.engine.search.order import Start, learned_order


class Proposer(Protocol):
    """Chooses candidates; a run asks it and tells it what came of them."""

    def ask(self, members: Sequence[Candidate] = ()) -> Candidate | None:
        """Return a candidate that it never returned before, or None when there is none left.

        Parameters
        ----------
        members : sequence of Candidate
            What the ensemble would use now, the heaviest first.
        """

    def claim(self, candidate: Candidate) -> bool:
        """Note that a candidate is tried that was not asked for; False when it was returned."""

    def tell(self, candidate: Candidate, *, loss: float | None, cost: float) -> None:
        """Take in how a candidate did.

        Parameters
        ----------
        candidate : Candidate
            What was tried, by this proposer or in an earlier attempt of the run.
        loss : float or None
            Smaller is better; None when it failed.
        cost : float
            What it took, in any unit that is the same for all.
        """


# A step in the unit cube: at first, at most, at least, and how it changes.
_FIRST_STEP = 0.25
_LARGEST_STEP = 0.5
_SMALLEST_STEP = 0.03
_GROW, _SHRINK = 1.25, 0.8
# How often a choice without order is drawn anew in a step.
_CHANGE_CHOICE = 0.2
_TRIES = 30


@dataclass(slots=True)
class _Place:
    """A told candidate from which steps can start."""

    candidate: Candidate
    loss: float
    step: float = _FIRST_STEP


@dataclass(slots=True)
class _FamilyState:
    """What is known of one family; costs count from the start of the run."""

    name: str
    family: ModelFamily
    space: SearchSpace
    features: tuple[str, ...] = ("",)
    targets: tuple[str, ...] = ("",)
    best: _Place | None = None
    total: float = 0.0
    improved_at: float = 0.0
    improved_before: float = 0.0
    gain: float = 0.0
    is_exhausted: bool = False

    def expected_cost(self, best_loss: float) -> float:
        """Return about what it takes until this family betters the best of all.

        The estimate is FLAML's (Wang et al., "FLAML: A Fast and Lightweight AutoML Library",
        MLSys 2021, section 4.2): what the last improvements took, and for a family that is
        behind, what catching up takes at its speed so far.
        """
        assert self.best is not None
        own = max(self.total - self.improved_at, self.improved_at - self.improved_before, 1e-9)
        behind = self.best.loss - best_loss
        if behind <= 0:
            return own
        if self.gain <= 0:
            return 4.0 * own + self.total
        speed = self.gain / max(self.total - self.improved_before, 1e-9)
        return max(own, 2.0 * behind / speed)


@dataclass(frozen=True, slots=True)
class _Setting:
    """What a candidate has besides its family's settings; empty for what is usual."""

    scaler: str = ""
    features: str = ""
    target: str = ""

    @classmethod
    def of(cls, start: Start) -> _Setting:
        return cls(start.scaler, start.features, start.target)


@dataclass(slots=True)
class _Told:
    """Where steps started, so that their result changes the step's size."""

    parents: dict[str, str] = field(default_factory=dict)
    places: dict[str, _Place] = field(default_factory=dict)


class PortfolioThenSteps:
    """Portfolio first; then local steps, the family chosen by gain per cost.

    The n-th answer depends on the seed, on n and on what was told before it, on nothing else.

    Parameters
    ----------
    models : sequence of str
        Catalog names of the families.
    task : Task
        What is learned.
    shape : DataShape
        Size of the data; families that do not suit it are left out.
    seed : int
        Seed of all draws.
    representations : collection of Representation, default ()
        Those that differ on these data; a family's features are varied among them.
    may_log : bool, default False
        Whether to try learning ``log(1 + y)`` too.
    order : sequence of Start, optional
        What is tried first; the learned order when not given.
    """

    def __init__(
        self,
        models: Sequence[str],
        *,
        task: Task,
        shape: DataShape,
        seed: int,
        representations: Collection[Representation] = (),
        may_log: bool = False,
        order: Sequence[Start] | None = None,
    ) -> None:
        self._seed = seed
        self._task = task
        self._families: dict[str, _FamilyState] = {}
        # Models that a user insists on are tried, however long they take.
        families = {name: get_family(name) for name in models}
        suited = {name for name, family in families.items() if family.suits(shape)} or set(models)
        for name, family in families.items():
            if name in suited:
                others = [r for r in family.other_representations if r in representations]
                self._families[name] = _FamilyState(
                    name,
                    family,
                    family.space(task),
                    features=("", *map(str, others)),
                    targets=("", LOG) if may_log and family.takes_log_target else ("",),
                )
        first = learned_order(task) if order is None else order
        queue = {c.identity: c for c in _in_order(self._families, task, first)}
        self._queue = deque(queue.values())
        self.portfolio_size = len(self._queue)
        self._seen: set[str] = set()
        self._told = _Told()
        self._n_asked = 0

    def ask(self, members: Sequence[Candidate] = ()) -> Candidate | None:
        """Return the next candidate, or None when there is nothing left to try."""
        self._n_asked += 1
        while self._queue:
            candidate = self._queue.popleft()
            if self._add(candidate):
                return candidate
        return self._step(np.random.default_rng([self._seed, self._n_asked]), members)

    def claim(self, candidate: Candidate) -> bool:
        """Note that a candidate is tried that was not asked for; False when it was returned."""
        return self._add(candidate)

    def tell(self, candidate: Candidate, *, loss: float | None, cost: float) -> None:
        """Take in how a candidate did."""
        self._seen.add(candidate.identity)
        state = self._families.get(candidate.family)
        if state is None:
            return
        state.total += cost
        parent = self._told.places.get(self._told.parents.get(candidate.identity, ""))
        is_step_up = loss is not None and parent is not None and loss < parent.loss
        if parent is not None:
            factor = _GROW if is_step_up else _SHRINK
            parent.step = min(max(parent.step * factor, _SMALLEST_STEP), _LARGEST_STEP)
        if loss is None:
            return
        step = parent.step if parent is not None else _FIRST_STEP
        place = _Place(candidate, loss, step)
        self._told.places[candidate.identity] = place
        if state.best is None or loss < state.best.loss:
            state.gain = 0.0 if state.best is None else state.best.loss - loss
            state.improved_before, state.improved_at = state.improved_at, state.total
            state.best = place

    def _step(self, rng: np.random.Generator, members: Sequence[Candidate]) -> Candidate | None:
        """Return a candidate near a good one, of a family that promises most for its cost."""
        while states := [s for s in self._families.values() if not s.is_exhausted]:
            state = self._draw_family(rng, states)
            parent = self._draw_parent(rng, state, members)
            for attempt in range(_TRIES):
                candidate = _propose(rng, state, parent, self._task, attempt / _TRIES)
                if self._add(candidate):
                    if parent is not None:
                        parents = self._told.parents
                        parents[candidate.identity] = parent.candidate.identity
                    return candidate
            state.is_exhausted = True
        return None

    def _draw_family(
        self, rng: np.random.Generator, states: Sequence[_FamilyState]
    ) -> _FamilyState:
        tried = [s for s in states if s.best is not None]
        if not tried:
            return states[int(rng.integers(len(states)))]
        best = min(s.best.loss for s in tried if s.best is not None)
        chances = np.array([1.0 / s.expected_cost(best) for s in tried])
        return tried[int(rng.choice(len(tried), p=chances / chances.sum()))]

    def _draw_parent(
        self, rng: np.random.Generator, state: _FamilyState, members: Sequence[Candidate]
    ) -> _Place | None:
        """Return one of the family's ensemble members, or its best."""
        places = [
            self._told.places[m.identity]
            for m in members
            if m.family == state.name and m.identity in self._told.places
        ]
        if state.best is not None and state.best not in places:
            places.append(state.best)
        return places[int(rng.integers(len(places)))] if places else None

    def _add(self, candidate: Candidate) -> bool:
        """Note that a candidate is taken; False when it was taken before."""
        if candidate.identity in self._seen:
            return False
        self._seen.add(candidate.identity)
        return True


def _in_order(
    states: Mapping[str, _FamilyState], task: Task, first: Sequence[Start]
) -> Iterator[Candidate]:
    """Return what comes first, then all portfolio entries by the families' pace."""
    for start in first:
        state = states.get(start.family)
        if state is None or start.features not in state.features:
            continue
        if start.target not in state.targets:
            continue
        portfolio = state.family.portfolio(task)
        if start.entry < len(portfolio):
            yield _candidate(state, portfolio[start.entry], _Setting.of(start))
    entries = [
        (state.family.delay + i / state.family.pace, order, state, params)
        for order, state in enumerate(states.values())
        for i, params in enumerate(state.family.portfolio(task))
    ]
    for _, _, state, params in sorted(entries, key=lambda entry: entry[:2]):
        yield _candidate(state, params, _Setting())


def _propose(
    rng: np.random.Generator, state: _FamilyState, parent: _Place | None, task: Task, spread: float
) -> Candidate:
    """Return a step away from `parent`; the longer, the more steps led to known candidates."""
    if parent is None:
        params = state.space.decode(rng.random(len(state.space)).tolist())
        return _candidate(state, params, _Setting(scaler=_draw(rng, state.family.scalers)))
    size = min(parent.step * (1.0 + 4.0 * spread), 1.0)
    direction = rng.normal(size=len(state.space))
    direction *= size / max(float(np.linalg.norm(direction)), 1e-12)
    point = state.space.encode(parent.candidate.params)
    moved = [_reflect(u + d) for u, d in zip(point, direction.tolist(), strict=True)]
    for i, dimension in enumerate(state.space.dimensions.values()):
        if isinstance(dimension, Choice):
            moved[i] = float(rng.random()) if rng.random() < _CHANGE_CHOICE else point[i]
    return _candidate(state, state.space.decode(moved), _change(rng, state, parent.candidate))


def _change(rng: np.random.Generator, state: _FamilyState, parent: Candidate) -> _Setting:
    """Return the parent's scaler, features and target, each now and then drawn anew."""
    drawn = []
    for now, among in (
        (parent.scaler, state.family.scalers),
        (parent.features, state.features),
        (parent.target, state.targets),
    ):
        is_drawn = len(among) > 1 and rng.random() < _CHANGE_CHOICE
        drawn.append(_draw(rng, among) if is_drawn else now)
    return _Setting(*drawn)


def _draw(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]


def _reflect(u: float) -> float:
    """Return a coordinate mirrored back into [0, 1]."""
    u = abs(u) % 2.0
    return 2.0 - u if u > 1.0 else u


def _candidate(state: _FamilyState, params: Params, setting: _Setting) -> Candidate:
    is_native = setting.features == Representation.NATIVE
    return Candidate(
        family=state.name,
        model_name=state.family.name,
        params=dict(params),
        scaler="" if is_native else setting.scaler or state.family.scalers[0],
        features=setting.features,
        target=setting.target,
    )
