"""The declaration of options: canonical values, messages, old names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nbautoml.domain.options import (
    Anything,
    Flag,
    ListOf,
    Number,
    OneOf,
    Option,
    Text,
    Whole,
    shorten,
    validate,
)
from nbautoml.errors import ConfigError, NotAvailableError

OPTIONS = {
    option.name: option
    for option in (
        Option(name="mode", constraint=OneOf(("auto", "off")), doc="Mode.", default="auto"),
        Option(name="folds", constraint=Whole(2), doc="Folds.", old_names=("n_folds",)),
        Option(name="frame", constraint=Anything("a frame"), doc="F.", not_yet="Leave it out."),
        Option(name="path", constraint=Text(), doc="Path.", no_effect="nothing is uploaded."),
    )
}


def check(**given: object):
    warned: list[str] = []
    return validate(given, OPTIONS, of="Thing", warn=warned.append), warned


def test_values_hold_defaults_and_given_names_what_was_written() -> None:
    checked, warned = check(folds=3)
    assert dict(checked.values) == {"mode": "auto", "folds": 3, "frame": None, "path": None}
    assert checked.given == {"folds"}
    assert warned == []


def test_none_is_not_given() -> None:
    assert check(mode=None)[0].given == frozenset()


@pytest.mark.parametrize("value", [3, 3.0, np.int64(3), np.float64(3.0)])
def test_whole_takes_numbers_of_python_and_numpy(value: object) -> None:
    accepted = Whole(1).accept(value)
    assert (accepted, type(accepted)) == (3, int)


@pytest.mark.parametrize("value", [True, 2.5, float("nan"), float("inf"), "3", 0])
def test_whole_refuses_what_is_none(value: object) -> None:
    with pytest.raises(ValueError, match="a whole number of at least 1"):
        Whole(1).accept(value)


@pytest.mark.parametrize("value", [True, float("nan"), float("inf"), "1", 0.0])
def test_number_above_zero_refuses(value: object) -> None:
    with pytest.raises(ValueError, match="a number above 0"):
        Number(0, is_low_open=True).accept(value)


def test_wrong_word_names_the_valid_ones_and_the_closest() -> None:
    with pytest.raises(ConfigError) as caught:
        check(mode="aut")
    assert str(caught.value) == (
        "mode of Thing must be one of ['auto', 'off']; got 'aut'. Did you mean 'auto'?"
    )


def test_a_word_or_something_else_is_refused_with_both_named() -> None:
    with pytest.raises(ValueError, match=r"one of \['auto'\] or a whole number of at least 2"):
        OneOf(("auto",), also=Whole(2)).accept(1)


def test_list_takes_a_single_value() -> None:
    assert ListOf(Flag()).accept(True) == [True]


def test_unknown_name_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match="Thing has no setting 'fold'. Did you mean 'folds'"):
        check(fold=3)


def test_old_name_is_accepted_with_a_sentence() -> None:
    checked, warned = check(n_folds=4)
    assert checked.values["folds"] == 4
    assert warned == ["n_folds of Thing is an old name; write folds."]


def test_two_spellings_of_one_option_are_refused() -> None:
    with pytest.raises(ConfigError, match="got folds twice"):
        check(folds=3, n_folds=4)


def test_what_is_not_built_yet_is_refused_even_for_a_frame() -> None:
    with pytest.raises(NotAvailableError) as caught:
        check(frame=pd.DataFrame({"a": [1]}))
    assert str(caught.value) == "frame of Thing is not available yet. Leave it out."


def test_what_has_no_effect_is_accepted_with_a_sentence() -> None:
    assert check(path="x")[1] == ["path of Thing has no effect here: nothing is uploaded."]


def test_long_values_are_cut_in_messages() -> None:
    assert len(shorten(list(range(1000)))) == 80
