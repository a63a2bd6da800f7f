"""Environments, packages, and how they compare with what is installed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.runs.conda_dependencies import CondaDependencies
from nbautoml.runs.environment import Environment
from nbautoml.runs.packages import check_packages, compare_packages
from nbautoml.runs.run_configuration import RunConfiguration
from nbautoml.store.session import Session

CONDA = """
name: training
channels: [conda-forge]
dependencies:
  - python=3.8
  - conda-forge::pandas=1.1
  - pip:
    - --index-url https://example.org
    - scikit-learn==0.22
    - azureml-defaults
"""
INSTALLED = {"pandas": "3.0.1", "scikit-learn": "1.9.0", "xgboost-cpu": "3.0", "joblib": "1.4"}


def environment(*pip: str, conda: tuple[str, ...] = ()) -> Environment:
    made = Environment("e")
    made.python.conda_dependencies = CondaDependencies.create(
        pip_packages=pip, conda_packages=conda
    )
    return made


@pytest.fixture
def workspace(session: Session) -> SimpleNamespace:
    return SimpleNamespace(session=session)


def test_a_conda_file_is_read_and_written_again(tmp_path: Path) -> None:
    (tmp_path / "env.yml").write_text(CONDA)
    made = Environment.from_conda_specification("training", tmp_path / "env.yml")
    packages = made.python.conda_dependencies
    assert packages.pip_packages == ["scikit-learn==0.22", "azureml-defaults"]
    assert packages.pip_options == ["--index-url https://example.org"]
    assert packages.conda_packages == ["conda-forge::pandas=1.1"]
    assert (packages.get_python_version(), packages.conda_channels) == ("3.8", ["conda-forge"])
    again = CondaDependencies(packages.save(tmp_path / "out" / "again.yml"))
    assert again.as_dict() == packages.as_dict()


@pytest.mark.parametrize("text", ["a: [", "- just\n- a list", "name: x"])
def test_what_is_no_conda_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "env.yml").write_text(text)
    with pytest.raises(ConfigError):
        Environment.from_conda_specification("x", tmp_path / "env.yml")
    with pytest.raises(NotFoundError):
        CondaDependencies(tmp_path / "none.yml")


def test_a_requirements_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# packages\npandas>=2  # tables\n\n-r other.txt\njoblib\n")
    packages = Environment.from_pip_requirements("x", file).python.conda_dependencies
    assert packages.pip_packages == ["pandas>=2", "joblib"]
    assert packages.pip_options == ["-r other.txt"]


def test_a_package_is_stated_once() -> None:
    packages = CondaDependencies()
    packages.add_pip_package("scikit_learn==1.0")
    packages.add_pip_package("scikit-learn>=1.5")
    packages.add_conda_package("numpy")
    packages.remove_conda_package("NumPy")
    assert (packages.pip_packages, packages.conda_packages) == (["scikit-learn>=1.5"], [])
    with pytest.raises(ConfigError):
        packages.add_pip_package(3)  # type: ignore[arg-type]


def test_versions_are_counted_where_something_changed(workspace: SimpleNamespace) -> None:
    first = environment("pandas").register(workspace)
    same = environment("pandas").register(workspace)
    second = environment("pandas", "joblib").register(workspace)
    assert (first.version, same.version, second.version) == ("1", "1", "2")
    latest = Environment.get(workspace, "e")
    assert latest.python.conda_dependencies.pip_packages == ["pandas", "joblib"]
    assert Environment.get(workspace, "e", version="1").version == "1"
    assert list(Environment.list(workspace)) == ["e"]
    with pytest.raises(NotFoundError, match="has no version '9'; it has 1, 2"):
        Environment.get(workspace, "e", version="9")
    with pytest.raises(NotFoundError, match="No environment is called 'f'"):
        Environment.get(workspace, "f")


def test_curated_names_stand_for_the_present_python(workspace: SimpleNamespace) -> None:
    found = Environment.get(workspace, "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu")
    assert found.python.conda_dependencies.pip_packages == []


def test_an_environment_is_copied_and_kept_in_a_folder(tmp_path: Path) -> None:
    made = environment("pandas")
    made.environment_variables = {"EPOCHS": "3"}
    made.python.user_managed_dependencies = True
    made.python.interpreter_path = "/usr/bin/python3"
    made.save_to_directory(tmp_path)
    again = Environment.load_from_directory(tmp_path)
    assert again.as_dict() == made.as_dict()
    assert again.clone("f").name == "f"
    assert again.python.own_interpreter == "/usr/bin/python3"
    with pytest.raises(ConfigError, match="overwrite=True"):
        made.save_to_directory(tmp_path)
    with pytest.raises(NotFoundError):
        Environment.load_from_directory(tmp_path / "none")


@pytest.mark.parametrize("name", ["", "a b", "-a"])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        Environment(name)


def test_an_interpreter_counts_only_where_the_user_manages_it() -> None:
    made = Environment("e")
    made.python.interpreter_path = "/usr/bin/python3"
    assert made.python.own_interpreter is None


def test_what_is_missing_is_named_with_the_line_that_installs_it() -> None:
    with pytest.raises(ConfigError) as caught:
        check_packages(environment("pandas", "prophet>=1.1", "lightning"), INSTALLED.get)
    assert str(caught.value).endswith("pip install 'prophet>=1.1' lightning")


def test_other_versions_are_notes() -> None:
    found = compare_packages(environment("pandas==1.1", "joblib>=1"), INSTALLED.get)
    assert found.missing == ()
    assert found.notes == ("Stated was pandas==1.1; the script runs with version 3.0.1.",)


def test_names_of_conda_and_what_is_no_python_package_are_known() -> None:
    conda = ("py-xgboost<=4", "pip", "cudatoolkit=11", "scikit-learn=1.9", "python=3.8")
    assert compare_packages(environment(conda=conda), INSTALLED.get).missing == ()
    assert compare_packages(environment(conda=conda), INSTALLED.get).notes == ()


def test_packages_of_the_sdk_are_ours() -> None:
    stated = environment("azureml-defaults", "azureml-sdk==1.60", "inference-schema[x]")
    assert compare_packages(stated, INSTALLED.get).missing == ()


def test_markers_and_addresses_are_understood() -> None:
    stated = environment("pywin32; sys_platform == 'nowhere'", "git+https://example.org/x.git")
    found = compare_packages(stated, INSTALLED.get)
    assert found.missing == ()
    assert "is not looked at" in found.notes[0]


def test_packages_that_the_user_manages_are_not_looked_at() -> None:
    made = environment("surely-not-installed")
    made.python.user_managed_dependencies = True
    assert check_packages(made) == ()


def test_a_run_configuration_carries_packages_and_variables() -> None:
    packages = CondaDependencies.create(pip_packages=["pandas"])
    config = RunConfiguration(framework="Python", conda_dependencies=packages)
    config.environment_variables = {"A": "1"}
    assert config.environment is not None
    assert config.environment.environment_variables == {"A": "1"}
    assert config.environment.python.conda_dependencies is packages
