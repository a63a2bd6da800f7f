"""Which transformers the columns of a profile get in each representation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any  # Any: sklearn transformers are untyped; JSON values

from nbautoml.engine.featurize.names import UNSPACED_LANGUAGES
from nbautoml.engine.featurize.options import ColumnPurpose, FeaturizationOptions, Representation
from nbautoml.engine.profile import ColumnProfile, DataProfile
from nbautoml.errors import ConfigError
from nbautoml.runtime.categorical import HashedColumns, OneHotColumns, OrdinalColumns
from nbautoml.runtime.crosses import PairArithmetic, TargetColumns
from nbautoml.runtime.dates import DateParts
from nbautoml.runtime.featurizer import Featurizer
from nbautoml.runtime.input_adapter import InputAdapter
from nbautoml.runtime.lineage import SummaryRow, featurization_summary
from nbautoml.runtime.numeric import NumericColumns
from nbautoml.runtime.text import TextColumns

Step = tuple[str, Any, list[str]]

MAX_DENSE_CATEGORIES = 256
"""Above this many categories in all, one-hot columns are kept as a sparse matrix."""
MIN_BITS, MAX_BITS = 6, 10
TEXT_COMPONENTS, FEWEST_TEXT_COMPONENTS = 60, 30
"""Components of a text column for trees, where there are one or two, and where there are many.

LightGBM on 15, 30, 60 and 100 components got 0.55, 0.58, 0.64 and 0.63 of 22 kinds of issue
reports right, 0.85, 0.85, 0.87 and 0.86 of reviews, and the same of text messages; the time of a
fit grows with them.
"""
MOST_ENCODED_CLASSES = 5
"""With more classes, a share of each class for each category is too much for too few rows."""
CROSSED = 6
"""Pairs among this many columns are made, 15 in all."""
FEWEST_NUMBERS = 8
"""Columns of fewer different numbers take no part in arithmetic."""

_STRATEGIES = ("mean", "median", "most_frequent", "constant")


def build_adapter(profile: DataProfile) -> InputAdapter:
    """Return the step that reads raw rows like the profiled training data."""
    return InputAdapter(tuple(column.form for column in profile.columns))


def build_featurizer(profile: DataProfile, representation: Representation | str) -> Featurizer:
    """Return an unfitted transformer of adapted columns to features.

    Parameters
    ----------
    profile : DataProfile
        What the columns are.
    representation : {"tree", "linear", "target_encoded", "crossed"}
        ``"tree"``: numbers as they are with NaN kept, ordinal codes, a few components of
        texts; always dense. ``"linear"``: missing values filled and marked, one-hot or hashed
        categories, all terms of texts; dense, or csr where a step makes it so. Not scaled.
        ``"target_encoded"`` and ``"crossed"``: ``"tree"`` with more columns, see `TargetColumns`
        and `PairArithmetic`.

    Returns
    -------
    Featurizer
        Fit it on the training rows of a fold, on what `build_adapter` returns.

    Raises
    ------
    ConfigError
        When blocked transformers leave nothing.
    """
    recipe = _RECIPES[Representation(representation).matrix]
    steps = [step for make in recipe for step in make(profile)]
    if not steps:
        raise ConfigError(
            "blocked_transformers of FeaturizationConfig leave no feature of any column: "
            f"{list(profile.options.blocked_transformers)}. Block fewer of them."
        )
    return Featurizer(steps, is_dense=Representation(representation) is not Representation.LINEAR)


def useful_representations(profile: DataProfile, n_classes: int) -> frozenset[Representation]:
    """Return the representations that give other features than ``"tree"`` does.

    Parameters
    ----------
    profile : DataProfile
        What the columns are.
    n_classes : int
        Number of classes; 0 for numbers.
    """
    useful = {Representation.TREE}
    if not profile.options.is_auto:
        return frozenset(useful)
    if _categories(profile) or profile.of_purpose(ColumnPurpose.TEXT):
        useful.add(Representation.LINEAR)
    if _categories(profile) and not _is_blocked(profile.options, "LabelEncoder"):
        useful.add(Representation.NATIVE)
    if n_classes > MOST_ENCODED_CLASSES:
        return frozenset(useful)
    if _target_means(profile):
        useful.add(Representation.TARGET_ENCODED)
    crosses = _target_means(profile, crossed=CROSSED) or _arithmetic(profile)
    if crosses and len(_crossable(profile)) > 1:
        useful.add(Representation.CROSSED)
    return frozenset(useful)


def summarize_features(profile: DataProfile, featurizer: Featurizer) -> list[SummaryRow]:
    """Return the featurization summary: one row for each raw column, with the SDK's keys.

    Parameters
    ----------
    profile : DataProfile
        What the columns are.
    featurizer : Featurizer
        Fitted.
    """
    forms = [column.form for column in profile.columns]
    return featurization_summary(forms, featurizer.lineage_)


def engineered_feature_names(featurizer: Featurizer) -> list[dict[str, Any]]:
    """Return the lineage of each feature of a fitted featurizer as JSON values."""
    return [entry.to_dict() for entry in featurizer.lineage_]


def _is_blocked(options: FeaturizationOptions, *names: str) -> bool:
    blocked = {name.lower() for name in options.blocked_transformers}
    return any(name.lower() in blocked for name in names)


def _names(columns: Iterable[ColumnProfile]) -> list[str]:
    return [column.name for column in columns]


def _plain_numbers(profile: DataProfile) -> list[Step]:
    """Numbers as they are; asked imputers are obeyed here too."""
    asked: list[ColumnProfile] = []
    free: list[ColumnProfile] = []
    for column in profile.of_purpose(ColumnPurpose.NUMERIC):
        is_asked = bool(profile.options.params_of("Imputer", column.name))
        (asked if is_asked else free).append(column)
    truths = profile.of_purpose(ColumnPurpose.BOOLEAN)
    steps: list[Step] = []
    if free or truths:
        steps.append(("numbers", NumericColumns(strategy="none"), _names((*free, *truths))))
    return steps + _imputed(asked, profile.options)


def _filled_numbers(profile: DataProfile) -> list[Step]:
    numbers = profile.of_purpose(ColumnPurpose.NUMERIC)
    truths = profile.of_purpose(ColumnPurpose.BOOLEAN)
    steps = _imputed(numbers, profile.options)
    if truths:
        has_marker = not _is_blocked(profile.options, "ImputationMarker")
        filler = NumericColumns(strategy="most_frequent", add_marker=has_marker)
        steps.append(("truths", filler, _names(truths)))
    return steps


def _imputed(columns: Iterable[ColumnProfile], options: FeaturizationOptions) -> list[Step]:
    """Return one imputing step for each group of columns that have the same parameters."""
    groups: dict[tuple[str, float], list[str]] = {}
    for column in columns:
        groups.setdefault(_imputer_of(column.name, options), []).append(column.name)
    has_marker = not _is_blocked(options, "ImputationMarker")
    return [
        (
            f"numbers_{strategy}_{fill_value:g}",
            NumericColumns(strategy=strategy, fill_value=fill_value, add_marker=has_marker),
            names,
        )
        for (strategy, fill_value), names in groups.items()
    ]


def _imputer_of(name: str, options: FeaturizationOptions) -> tuple[str, float]:
    params = options.params_of("Imputer", name)
    strategy = params.get("strategy", "mean")
    if strategy not in _STRATEGIES:
        raise ConfigError(
            f"The strategy of Imputer for column {name!r} must be one of {list(_STRATEGIES)}; "
            f"got {strategy!r}."
        )
    return strategy, float(params.get("fill_value", 0.0)) if strategy == "constant" else 0.0


def _ordinal(profile: DataProfile) -> list[Step]:
    few = profile.of_purpose(ColumnPurpose.CATEGORICAL)
    many = profile.of_purpose(ColumnPurpose.CATEGORICAL_HASH)
    if _is_blocked(profile.options, "LabelEncoder"):
        return _one_hot(profile)
    steps: list[Step] = []
    if few:
        steps.append(("categories", OrdinalColumns(order="name"), _names(few)))
    if many:
        steps.append(("many_categories", OrdinalColumns(order="frequency"), _names(many)))
    return steps


def _one_hot(profile: DataProfile) -> list[Step]:
    few = profile.of_purpose(ColumnPurpose.CATEGORICAL)
    many = profile.of_purpose(ColumnPurpose.CATEGORICAL_HASH)
    if _is_blocked(profile.options, "OneHotEncoder"):
        few, many = (), (*few, *many)
    if _is_blocked(profile.options, "HashOneHotEncoder"):
        few, many = (*few, *many), ()
    if few and not many and _is_blocked(profile.options, "OneHotEncoder"):
        if _is_blocked(profile.options, "LabelEncoder"):
            return []
        return [("categories", OrdinalColumns(), _names(few))]
    n_categories = sum(int(column.stats.get("n_unique", 0)) for column in few)
    steps: list[Step] = []
    if few:
        encoder = OneHotColumns(is_sparse=n_categories > MAX_DENSE_CATEGORIES)
        steps.append(("categories", encoder, _names(few)))
    for column in many:
        encoder = HashedColumns(number_of_bits=_bits_of(column, profile.options))
        steps.append((f"many_categories_{column.name}", encoder, [column.name]))
    return steps


def _bits_of(column: ColumnProfile, options: FeaturizationOptions) -> int:
    """Return as many bits as the categories need, or what the user asked for."""
    params = options.params_of("HashOneHotEncoder", column.name)
    if "number_of_bits" in params:
        return int(params["number_of_bits"])
    needed = int(column.stats.get("n_unique", 1)).bit_length()
    return max(MIN_BITS, min(needed, MAX_BITS))


def _dates(profile: DataProfile, *, impute: bool) -> list[Step]:
    dates = profile.of_purpose(ColumnPurpose.DATETIME)
    if not dates or _is_blocked(profile.options, "DateTime", "DateTimeTransformer"):
        return []
    return [("dates", DateParts(impute=impute), _names(dates))]


def _texts(profile: DataProfile, *, n_components: int) -> list[Step]:
    """Return one step for each group of text columns that have the same parameters."""
    options = profile.options
    is_counted = _is_blocked(options, "TfIdf")
    if is_counted and _is_blocked(options, "CountVectorizer"):
        return []
    groups: list[tuple[dict[str, Any], list[str]]] = []
    for column in profile.of_purpose(ColumnPurpose.TEXT):
        params = {} if is_counted else _text_params(column.name, options)
        same = next((names for given, names in groups if given == params), None)
        if same is None:
            groups.append((params, [column.name]))
        else:
            same.append(column.name)
    is_spaced = _is_spaced(options.language)
    return [
        (
            "texts" if not position else f"texts_{position}",
            TextColumns(
                n_components=n_components,
                random_state=options.seed,
                is_counted=is_counted,
                is_spaced=is_spaced,
                **params,
            ),
            names,
        )
        for position, (params, names) in enumerate(groups)
    ]


def _components(profile: DataProfile) -> int:
    """Return how many components each text column has, about 120 in all."""
    n_texts = max(len(profile.of_purpose(ColumnPurpose.TEXT)), 1)
    return min(TEXT_COMPONENTS, max(FEWEST_TEXT_COMPONENTS, 2 * TEXT_COMPONENTS // n_texts))


def _text_params(name: str, options: FeaturizationOptions) -> dict[str, Any]:
    """Return what the user asked of ``TfIdf`` as parameters of `TextColumns`."""
    asked = options.params_of("TfIdf", name)
    if "ngram_range" in asked:
        asked["ngram_range"] = tuple(asked["ngram_range"])
    if "max_features" in asked:
        asked["max_words"] = asked["max_trigrams"] = asked.pop("max_features")
    return asked


def _is_spaced(language: str) -> bool | None:
    """Return whether spaces set words apart; None where the texts have to show it."""
    if language in ("", "mul"):
        return None
    return language not in UNSPACED_LANGUAGES


def _categories(profile: DataProfile) -> list[ColumnProfile]:
    """Return the category columns with more than two values."""
    columns = (
        *profile.of_purpose(ColumnPurpose.CATEGORICAL),
        *profile.of_purpose(ColumnPurpose.CATEGORICAL_HASH),
    )
    return [column for column in columns if column.stats.get("n_unique", 0) > 2]


def _crossable(profile: DataProfile) -> list[ColumnProfile]:
    return [*_categories(profile), *profile.of_purpose(ColumnPurpose.NUMERIC)]


def _target_means(profile: DataProfile, *, crossed: int = 0) -> list[Step]:
    columns = _crossable(profile) if crossed else _categories(profile)
    if not columns or _is_blocked(profile.options, "TargetEncoder", "CatTargetEncoder"):
        return []
    encoder = TargetColumns(crossed=crossed, seed=profile.options.seed)
    return [("target_means", encoder, _names(columns))]


def _arithmetic(profile: DataProfile) -> list[Step]:
    numbers = [
        column
        for column in profile.of_purpose(ColumnPurpose.NUMERIC)
        if column.stats.get("n_unique", 0) > FEWEST_NUMBERS
    ]
    if len(numbers) < 2:
        return []
    return [("pairs", PairArithmetic(crossed=CROSSED), _names(numbers))]


_TREE: tuple[Callable[[DataProfile], list[Step]], ...] = (
    _plain_numbers,
    _ordinal,
    lambda profile: _dates(profile, impute=False),
    lambda profile: _texts(profile, n_components=_components(profile)),
)

_RECIPES: dict[Representation, tuple[Callable[[DataProfile], list[Step]], ...]] = {
    Representation.TREE: _TREE,
    Representation.TARGET_ENCODED: (*_TREE, _target_means),
    Representation.CROSSED: (
        *_TREE,
        lambda profile: _target_means(profile, crossed=CROSSED),
        _arithmetic,
    ),
    Representation.LINEAR: (
        _filled_numbers,
        _one_hot,
        lambda profile: _dates(profile, impute=True),
        lambda profile: _texts(profile, n_components=0),
    ),
}
