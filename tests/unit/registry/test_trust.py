from __future__ import annotations

import pickle
import platform
import warnings
from pathlib import Path

import numpy as np
import pytest

from nbautoml.errors import ModelError
from nbautoml.registry import trust

PYTHON = platform.python_version()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"answer": 42}))
    return path


def test_a_file_with_the_recorded_hash_passes(file: Path) -> None:
    trust.check_hash(file, trust.sha256_of(file), of="m:1")


def test_a_changed_file_is_named_and_refused(file: Path) -> None:
    recorded = trust.sha256_of(file)
    file.write_bytes(b"something else")

    with pytest.raises(ModelError, match=r"model\.pkl of m:1 is not the file .* not loaded"):
        trust.check_hash(file, recorded, of="m:1")


def test_the_same_versions_load_without_a_word(file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = trust.load_pickle(
            file, versions={"python": PYTHON, "numpy": np.__version__}, of="m:1"
        )

    assert loaded == {"answer": 42}


def test_another_minor_version_loads_with_a_warning_that_names_it(file: Path) -> None:
    major = np.__version__.split(".")[0]

    with pytest.warns(UserWarning, match=rf"numpy {major}\.0\.99 .*pip install numpy=="):
        loaded = trust.load_pickle(file, versions={"numpy": f"{major}.0.99"}, of="m:1")

    assert loaded == {"answer": 42}


def test_another_major_version_is_refused_and_says_what_to_install(file: Path) -> None:
    with pytest.raises(ModelError, match=r"numpy 0\.1 \(here: .*pip install numpy==0\.1"):
        trust.load_pickle(file, versions={"numpy": "0.1"}, of="m:1")


def test_a_missing_package_is_refused_and_says_what_to_install(file: Path) -> None:
    with pytest.raises(ModelError, match=r"no-such-thing 2\.0 \(here: not installed\)"):
        trust.load_pickle(file, versions={"no-such-thing": "2.0"}, of="m:1")


def test_another_python_is_refused_and_names_the_one_to_use(file: Path) -> None:
    with pytest.raises(ModelError, match=r"use Python 3\.1$|use Python 3\.1\."):
        trust.load_pickle(file, versions={"python": "3.1.4"}, of="m:1")


def test_another_patch_of_the_same_python_fits() -> None:
    minor = ".".join(PYTHON.split(".")[:2])

    assert trust.compare_versions({"python": f"{minor}.999"}) == ()


def test_ignore_versions_tries_all_the_same(file: Path) -> None:
    with pytest.warns(UserWarning, match="numpy"):
        loaded = trust.load_pickle(file, versions={"numpy": "0.1"}, of="m:1", ignore_versions=True)

    assert loaded == {"answer": 42}


def test_a_pickle_of_unknown_code_says_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cno_such_module\nThing\n.")

    with pytest.raises(ModelError, match=r"model\.pkl of m:1 cannot be loaded here: .*no_such_mod"):
        trust.load_pickle(path, versions={}, of="m:1")


def test_a_truncated_pickle_is_a_model_error(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-3])

    with pytest.raises(ModelError, match="cannot be loaded here"):
        trust.load_pickle(file, versions={}, of="m:1")


def test_either_distribution_of_xgboost_serves() -> None:
    version = trust.installed_version("xgboost")

    assert version
    assert trust.compare_versions({"xgboost-cpu": version, "xgboost": version}) == ()
