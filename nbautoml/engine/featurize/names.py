"""Words that users may write about featurization: transformers, types of columns, languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any  # Any: parameters as users give them

from nbautoml.domain.options import Constraint, Flag, Number, OneOf, Whole, shorten
from nbautoml.engine.featurize.options import ColumnPurpose
from nbautoml.errors import ConfigError, did_you_mean

MOST_BITS = 16
"""A hashed column is at most 2 ** 16 wide."""
LONGEST_RUN = 3
"""Words that make one term, at most."""
STRATEGIES = ("mean", "median", "most_frequent", "constant")


@dataclass(frozen=True, slots=True)
class _Runs:
    """The fewest and the most words that make one term."""

    def accept(self, value: Any) -> list[int]:
        """Return both numbers."""
        pair = list(value) if isinstance(value, (list, tuple)) else []
        if len(pair) != 2 or any(type(n) is not int for n in pair):
            raise ValueError(str(self))
        if not 1 <= pair[0] <= pair[1] <= LONGEST_RUN:
            raise ValueError(str(self))
        return pair

    def __str__(self) -> str:
        return f"two whole numbers from 1 to {LONGEST_RUN}, the smaller one first"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerName:
    """A transformer by the name that users know.

    Parameters
    ----------
    name : str
        The SDK's spelling.
    doc : str
        What it does, and what blocking it means here.
    params : mapping of str to Constraint
        Parameters that may be set.
    not_blocked : str, default ""
        Why it cannot be blocked, and what to do instead.
    is_absent : bool, default False
        Whether no run uses it: blocking it changes nothing.
    """

    name: str
    doc: str
    params: Mapping[str, Constraint] = field(default_factory=dict)
    not_blocked: str = ""
    is_absent: bool = False


_ALL = (
    TransformerName(
        name="Imputer",
        doc="Fills missing numbers.",
        params={"strategy": OneOf(STRATEGIES), "fill_value": Number()},
        not_blocked="linear models take no missing numbers; choose a strategy of it "
        "with add_transformer_params",
    ),
    TransformerName(
        name="CatImputer",
        doc="Counts a missing category as the most frequent one.",
        not_blocked="linear models take no missing categories",
    ),
    TransformerName(name="ImputationMarker", doc="A column that says where cells were missing."),
    TransformerName(
        name="StringCast",
        doc="Reads cells of categories and texts as strings.",
        not_blocked="categories and texts are read as strings before anything else",
    ),
    TransformerName(
        name="MaxAbsScaler",
        doc="Scales features.",
        not_blocked="scaling is part of each model, not of the features",
    ),
    TransformerName(
        name="OneHotEncoder",
        doc="A column for each category. Blocked: all categories are hashed.",
    ),
    TransformerName(
        name="HashOneHotEncoder",
        doc="Hashed columns for many categories. Blocked: the most frequent get columns.",
        params={"number_of_bits": Whole(1, MOST_BITS)},
    ),
    TransformerName(
        name="LabelEncoder",
        doc="A number for each category, for trees. Blocked: trees get columns of 0 and 1.",
    ),
    TransformerName(
        name="CatTargetEncoder",
        doc="The mean label of each category.",
    ),
    TransformerName(
        name="WoETargetEncoder", doc="The weight of evidence of each category.", is_absent=True
    ),
    TransformerName(
        name="DateTimeTransformer",
        doc="Year, month, day and so on. Blocked: dates are not used.",
    ),
    TransformerName(name="TimeIndexFeaturizer", doc="Calendar of a time series.", is_absent=True),
    TransformerName(
        name="TfIdf",
        doc="Weighted terms of texts. Blocked: terms are counted; with CountVectorizer "
        "blocked too, texts are not used.",
        params={
            "ngram_range": _Runs(),
            "max_features": Whole(1),
            "max_df": Number(0, 1, is_low_open=True),
            "use_idf": Flag(),
        },
    ),
    TransformerName(name="CountVectorizer", doc="Counted terms of texts."),
    TransformerName(name="NaiveBayes", doc="Naive Bayes of texts.", is_absent=True),
    TransformerName(
        name="TextTargetEncoder", doc="A linear model of texts as features.", is_absent=True
    ),
    TransformerName(name="WordEmbedding", doc="Pre-trained vectors of words.", is_absent=True),
)

TRANSFORMERS: Mapping[str, TransformerName] = MappingProxyType({t.name: t for t in _ALL})

_OTHER_NAMES = {
    "targetencoder": "CatTargetEncoder",
    "datetime": "DateTimeTransformer",
    "tfidfvectorizer": "TfIdf",
}

_SDK_PURPOSES = {"Hashes": ColumnPurpose.IGNORE, "AllNan": ColumnPurpose.IGNORE}
PURPOSES: Mapping[str, ColumnPurpose] = MappingProxyType(
    {purpose.value: purpose for purpose in ColumnPurpose} | _SDK_PURPOSES
)
"""The SDK's words for types of columns; ``Hashes`` and ``AllNan`` are not used, as there."""

PREDICTION_TYPES = ("Integer",)

UNSPACED_LANGUAGES = frozenset({"zho", "cmn", "yue", "jpn", "tha", "lao", "khm", "mya", "bod"})
"""Languages whose words are not set apart by spaces."""
LANGUAGES = UNSPACED_LANGUAGES | {
    "afr", "ara", "arg", "ast", "azb", "aze", "bak", "bar", "bel", "ben", "bos", "bpy", "bre",
    "bul", "cat", "ceb", "ces", "che", "chv", "cym", "dan", "deu", "ell", "eng", "est", "eus",
    "fas", "fin", "fra", "fry", "gle", "glg", "guj", "hat", "hbs", "heb", "hin", "hrv", "hun",
    "hye", "ido", "ind", "isl", "ita", "jav", "kan", "kat", "kaz", "kir", "kor", "lat", "lav",
    "lit", "lmo", "ltz", "mal", "mar", "min", "mkd", "mlg", "mon", "msa", "mul", "nds", "nep",
    "new", "nld", "nno", "nor", "oci", "pan", "pms", "pnb", "pol", "por", "ron", "rus", "scn",
    "sco", "slk", "slv", "spa", "sqi", "srp", "sun", "swa", "swe", "tam", "tat", "tel", "tgk",
    "tgl", "tur", "ukr", "urd", "uzb", "vie", "vol", "war", "yor",
}  # fmt: skip
"""ISO 639-3 codes of the languages of multilingual BERT, which are those of the SDK; "mul" is
several."""
_SHORT_LANGUAGES = {
    "ar": "ara", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng", "es": "spa",
    "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "it": "ita", "ja": "jpn",
    "ko": "kor", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron", "ru": "rus",
    "sv": "swe", "th": "tha", "tr": "tur", "uk": "ukr", "vi": "vie", "zh": "zho",
}  # fmt: skip


def transformer_name(name: object, *, of: str) -> TransformerName:
    """Return a transformer by its name, in any case.

    Parameters
    ----------
    name : str
        As users write it.
    of : str
        Which setting names it, for messages.

    Raises
    ------
    ConfigError
        When there is no such transformer.

    Examples
    --------
    >>> transformer_name("tfidf", of="blocked_transformers").name
    'TfIdf'
    """
    text = name if isinstance(name, str) else ""
    by_lower = {known.lower(): known for known in TRANSFORMERS}
    found = by_lower.get(text.lower(), _OTHER_NAMES.get(text.lower(), ""))
    if not found:
        raise ConfigError(
            f"{of} of FeaturizationConfig must name transformers of {list(TRANSFORMERS)}; "
            f"got {shorten(name)}.{did_you_mean(text, TRANSFORMERS)}"
        )
    return TRANSFORMERS[found]


def blocked_name(name: object) -> str:
    """Return the SDK's spelling of a transformer to block.

    Raises
    ------
    ConfigError
        When there is no such transformer, or runs cannot do without it.
    """
    found = transformer_name(name, of="blocked_transformers")
    if found.not_blocked:
        raise ConfigError(
            f"blocked_transformers of FeaturizationConfig cannot name {found.name!r}: "
            f"{found.not_blocked}."
        )
    return found.name


def transformer_params(name: object, params: object) -> tuple[str, dict[str, Any]]:
    """Return the SDK's spelling of a transformer and its checked parameters.

    Raises
    ------
    ConfigError
        When there is no such transformer or parameter, or a value is wrong.

    Examples
    --------
    >>> transformer_params("HashOneHotEncoder", {"number_of_bits": 3})
    ('HashOneHotEncoder', {'number_of_bits': 3})
    """
    found = transformer_name(name, of="transformer_params")
    if not found.params:
        able = [known for known, spec in TRANSFORMERS.items() if spec.params]
        why = "is not used here, so it has" if found.is_absent else "has"
        raise ConfigError(
            f"transformer_params of FeaturizationConfig: {found.name} {why} no parameters to set; "
            f"those that have are {able}."
        )
    if not isinstance(params, Mapping):
        raise ConfigError(
            f"transformer_params of FeaturizationConfig: parameters of {found.name} must be a "
            f"mapping such as {{'{next(iter(found.params))}': ...}}; got {shorten(params)}."
        )
    checked = {str(key): _checked(found, str(key), value) for key, value in params.items()}
    if checked.get("strategy") == "constant" and checked.get("fill_value") is None:
        raise ConfigError(
            "transformer_params of FeaturizationConfig: strategy 'constant' of Imputer needs "
            "fill_value, a number."
        )
    return found.name, checked


def _checked(transformer: TransformerName, key: str, value: Any) -> Any:
    constraint = transformer.params.get(key)
    if constraint is None:
        raise ConfigError(
            f"transformer_params of FeaturizationConfig: {transformer.name} has no parameter "
            f"{key!r}; it takes {list(transformer.params)}.{did_you_mean(key, transformer.params)}"
        )
    if key == "fill_value" and value is None:
        return None
    try:
        return constraint.accept(value)
    except ValueError as error:
        expected, *hint = error.args
        if value == "ffill":
            hint = [" It fills time series, and is for forecasting."]
        raise ConfigError(
            f"transformer_params of FeaturizationConfig: {key} of {transformer.name} must be "
            f"{expected}; got {shorten(value)}.{''.join(hint)}"
        ) from None


def purpose_name(column: str, purpose: object) -> str:
    """Return the SDK's spelling of a column's type.

    Raises
    ------
    ConfigError
        When there is no such type.

    Examples
    --------
    >>> purpose_name("zip", "categorical")
    'Categorical'
    """
    text = purpose if isinstance(purpose, str) else ""
    by_lower = {known.lower(): known for known in PURPOSES}
    if text.lower() not in by_lower:
        raise ConfigError(
            f"column_purposes of FeaturizationConfig: the type of column {column!r} must be one "
            f"of {list(PURPOSES)}; got {shorten(purpose)}.{did_you_mean(text, PURPOSES)}"
        )
    return by_lower[text.lower()]


def language_code(language: object) -> str:
    """Return the three letters of a language.

    Raises
    ------
    ConfigError
        When it is none that is known.

    Examples
    --------
    >>> language_code("DEU")
    'deu'
    """
    text = language.lower() if isinstance(language, str) else ""
    if text in LANGUAGES:
        return text
    three = _SHORT_LANGUAGES.get(text.partition("-")[0].partition("_")[0])
    hint = f" Did you mean {three!r}?" if three else ""
    raise ConfigError(
        "dataset_language of FeaturizationConfig must be a code of three letters (ISO 639-3) "
        f"such as 'eng', 'deu' or 'zho'; got {shorten(language)}.{hint}"
    )
