"""Every family of the catalog, and the fast one for tests, keeps the family contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nbautoml.domain.tasks import Task
from nbautoml.engine.models.catalog import FAMILIES, families_for
from nbautoml.testing.family_contract import FAMILY_CHECKS
from nbautoml.testing.fast_family import FAST_FAMILY

CASES = [
    *(
        (name, task)
        for task in (Task.CLASSIFICATION, Task.REGRESSION)
        for name in families_for(task)
    ),
    (FAST_FAMILY, Task.CLASSIFICATION),
]


@pytest.mark.parametrize(("name", "task"), CASES, ids=[f"{n}-{t}" for n, t in CASES])
@pytest.mark.parametrize("check", FAMILY_CHECKS, ids=lambda check: check.__name__)
def test_family_keeps_contract(check: Callable[[str, Task], None], name: str, task: Task) -> None:
    check(name, task)


@pytest.mark.parametrize("name", FAMILIES.names())
def test_catalog_knows_what_the_class_says(name: str) -> None:
    from nbautoml.engine.models.catalog import _BUILTINS

    family = FAMILIES.get(name)
    entry = _BUILTINS[name]
    assert (family.name, family.aliases, set(family.tasks)) == (
        name,
        entry.aliases,
        set(entry.tasks),
    )
