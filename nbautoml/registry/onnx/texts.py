"""Text columns in a graph: words, runs of letters, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any  # Any: fitted vectorizers of scikit-learn

import numpy as np
import numpy.typing as npt

from nbautoml.registry.onnx.columns import ReadColumn
from nbautoml.registry.onnx.graph import RUNTIME, Graph, refuse

_PAD = "\0"
# Words of two signs or more, which are letters, digits or "_", as scikit-learn finds them.
_WORD = r"[\p{L}\p{N}_]{2,}"
_SPACE_CODE, _OTHER_CODE, _FIRST_CODE = 1, 2, 3
_N_LETTERS = 0x10000
"""Letters up to here are told apart; the rarer ones count as one."""
_FAR = 2**40


def text_features(graph: Graph, step: Any, columns: Sequence[ReadColumn]) -> str:
    """`TextColumns`: weights of terms, or a few components of them and the texts' lengths.

    Raises
    ------
    ModelError
        For texts in which spaces do not part words.
    """
    blocks = []
    for place, column in enumerate(columns):
        vectorizers, reducer = step.vectorizers_[place], step.reducers_[place]
        signs = _signs_of(graph, column, vectorizers)
        terms = [_terms(graph, column, signs, vectorizer) for vectorizer in vectorizers]
        if not step.n_components:
            blocks += terms
            continue
        if reducer is not None:
            weights = graph.round32(graph.join(terms))
            blocks.append(graph.matmul(weights, reducer.components_.T))
        blocks += [_n_letters(graph, signs), _n_words(graph, signs)]
    return graph.join(blocks) if blocks else graph.repeat(np.empty((1, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signs:
    """The signs of each text as codes, with a space at both ends; ``alphabet`` maps them."""

    codes: str
    alphabet: dict[str, int]


def _signs_of(graph: Graph, column: ReadColumn, vectorizers: Sequence[Any]) -> _Signs:
    letters = {
        letter
        for vectorizer in vectorizers
        if vectorizer.analyzer == "char_wb"
        for term in vectorizer.vocabulary_
        for letter in term
    }
    alphabet = {letter: code for code, letter in enumerate(sorted(letters - {" "}), _FIRST_CODE)}
    keys: dict[str, int] = dict.fromkeys([*_spaces(), _PAD], _SPACE_CODE)
    for lower, variants in _cases().items():
        if lower in alphabet:
            keys |= dict.fromkeys(variants, alphabet[lower])
    keys |= alphabet
    flat = graph.squeeze(column.value)
    signs = graph.node(
        "Tokenizer", flat, domain=RUNTIME, mark=0, pad_value=_PAD, separators=[""], mincharnum=1
    )
    known = np.array(list(keys), dtype=object)
    codes = graph.lookup(signs, known, list(keys.values()), _OTHER_CODE)
    edge = graph.repeat(np.array([[_SPACE_CODE]]))
    return _Signs(codes=graph.node("Concat", edge, codes, edge, axis=1), alphabet=alphabet)


@cache
def _spaces() -> tuple[str, ...]:
    return tuple(chr(i) for i in range(_N_LETTERS) if chr(i).isspace())


@cache
def _cases() -> dict[str, tuple[str, ...]]:
    """Return, for each small letter, the letters that become it."""
    found: dict[str, tuple[str, ...]] = {}
    for place in range(_N_LETTERS):
        letter = chr(place)
        lower = letter.lower()
        if lower != letter and len(lower) == 1:
            found[lower] = (*found.get(lower, ()), letter)
    return found


def _terms(graph: Graph, column: ReadColumn, signs: _Signs, vectorizer: Any) -> str:
    """Return the weights of the terms that a fitted `TfidfVectorizer` gives."""
    counts = _COUNTERS.get(vectorizer.analyzer, _refuse_counts)(graph, column, signs, vectorizer)
    n_times = graph.cast(counts, "double")
    is_there = graph.compare("Greater", n_times, [[0.0]])
    logs = graph.add(graph.node("Log", graph.where(is_there, n_times, [[1.0]])), [[1.0]])
    weights = graph.where(is_there, logs, [[0.0]])
    if vectorizer.use_idf:
        weights = graph.mul(weights, vectorizer.idf_[np.newaxis])
    length = graph.node("Sqrt", graph.sum_of(graph.mul(weights, weights), 1))
    is_empty = graph.compare("Equal", length, [[0.0]])
    return graph.div(weights, graph.where(is_empty, [[1.0]], length))


def _refuse_counts(_graph: Graph, column: ReadColumn, _signs: _Signs, vectorizer: Any) -> str:
    raise refuse(
        f"column {column.source.name!r}",
        "holds texts in which no spaces part words; a graph cannot split them as the model does.",
    )


def _count_letters(graph: Graph, _column: ReadColumn, signs: _Signs, vectorizer: Any) -> str:
    """Count runs of three letters in words; runs across words are no terms."""
    terms = _in_order(vectorizer)
    codes = signs.alphabet | {" ": _SPACE_CODE}
    pool = [codes[letter] for term in terms for letter in term]
    return graph.node(
        "TfIdfVectorizer",
        signs.codes,
        min_gram_length=3,
        max_gram_length=3,
        max_skip_count=0,
        mode="TF",
        ngram_counts=[0, 0, 0],
        ngram_indexes=list(range(len(terms))),
        pool_int64s=pool,
    )


def _count_words(graph: Graph, column: ReadColumn, _signs: _Signs, vectorizer: Any) -> str:
    """Count words and neighbouring words."""
    flat = graph.squeeze(column.value)
    lower = graph.node(
        "StringNormalizer", flat, case_change_action="LOWER", is_case_sensitive=1, locale="C"
    )
    words = graph.node(
        "Tokenizer", lower, domain=RUNTIME, mark=0, pad_value=_PAD, tokenexp=_WORD, mincharnum=2
    )
    edge = graph.repeat(np.array([[_PAD]], dtype=object))
    terms = _in_order(vectorizer)
    sizes = np.array([term.count(" ") + 1 for term in terms])
    order = np.argsort(sizes, kind="stable")
    longest = int(sizes.max())
    starts = [int(sizes[sizes < size].sum()) for size in range(1, longest + 1)]
    return graph.node(
        "TfIdfVectorizer",
        graph.node("Concat", words, edge, axis=1),
        min_gram_length=int(sizes.min()),
        max_gram_length=longest,
        max_skip_count=0,
        mode="TF",
        ngram_counts=starts,
        ngram_indexes=[int(place) for place in order],
        pool_strings=[word for place in order for word in terms[place].split(" ")],
    )


_COUNTERS = {"word": _count_words, "char_wb": _count_letters}


def _in_order(vectorizer: Any) -> list[str]:
    """Return the terms in the order of their outputs."""
    vocabulary: dict[str, int] = vectorizer.vocabulary_
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _is_letter(graph: Graph, signs: _Signs) -> str:
    return graph.node("Not", graph.compare("Equal", signs.codes, [[_SPACE_CODE]]))


def _n_letters(graph: Graph, signs: _Signs) -> str:
    """Return the length of each text from its first to its last letter."""
    is_letter = _is_letter(graph, signs)
    width = graph.node("Shape", signs.codes, start=1, end=2)
    zero, one = graph.constant(0), graph.constant(1)
    places = graph.node("Range", zero, graph.squeeze(width, 0), one)
    row = graph.node("Unsqueeze", places, graph.constant([0]))
    axis = graph.constant([1])
    first = graph.node("ReduceMin", graph.where(is_letter, row, [[_FAR]]), axis, keepdims=1)
    last = graph.node("ReduceMax", graph.where(is_letter, row, [[-1]]), axis, keepdims=1)
    length = graph.add(graph.sub(last, first), [[1]])
    return graph.cast(graph.node("Max", length, graph.constant([[0]])), "double")


def _n_words(graph: Graph, signs: _Signs) -> str:
    """Return how many letters begin a word."""
    is_letter = _is_letter(graph, signs)
    before = _slice(graph, is_letter, [0], [-1])
    here = _slice(graph, is_letter, [1], [_FAR])
    begins = graph.node("And", here, graph.node("Not", before))
    return graph.sum_of(graph.cast(begins, "double"), 1)


def _slice(graph: Graph, value: str, start: list[int], end: list[int]) -> str:
    bounds: list[npt.NDArray[np.int64]] = [np.array(start), np.array(end), np.array([1])]
    return graph.node("Slice", value, *(graph.constant(bound) for bound in bounds))
