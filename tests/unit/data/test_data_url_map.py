from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nbautoml.data import Dataset
from nbautoml.data.url_map import UrlMap, UrlMapping, find_workspace_root, load_url_map
from nbautoml.errors import ConfigError, DatasetError

Write = Callable[[str, str | bytes], str]
URL = "https://host.invalid/data/a.csv"


def a_map(**targets: str) -> UrlMap:
    return UrlMap(
        mappings=tuple(
            UrlMapping(prefix=f"https://host/{k.replace('_', '/')}", target=Path(v), origin="test")
            for k, v in targets.items()
        )
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://host/one/x.csv", "/a/x.csv"),
        ("https://host/one/two/x.csv", "/b/x.csv"),
        ("https://host/one/two", "/b"),
        ("https://host/one/x.csv?sig=1&t=2", "/a/x.csv"),
        ("https://host/one/x%20y.csv", "/a/x y.csv"),
        ("https://host/oneself/x.csv", None),
        ("https://other/one/x.csv", None),
    ],
)
def test_the_longest_prefix_that_ends_at_a_part_wins(url: str, expected: str | None) -> None:
    found = a_map(one="/a", one_two="/b").find(url)

    assert (str(found) if found else None) == expected


@pytest.mark.parametrize("path", ["../../etc/passwd", "%2e%2e/secret", "a/%2E%2E/%2E%2E/b"])
def test_a_url_cannot_lead_out_of_its_folder(path: str) -> None:
    with pytest.raises(DatasetError, match="leads out of the folder"):
        a_map(one="/a").find(f"https://host/one/{path}")


@pytest.mark.parametrize("form", ["inline", "yaml", "json", "config", "config file", "azureml"])
def test_every_form_of_the_map_makes_a_notebook_run_offline(
    write: Write, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    local = Path(write("data/a.csv", "n\n7\n")).parent
    prefix = "https://host.invalid/data/"
    if form == "inline":
        monkeypatch.setenv("NBAUTOML_URL_MAP", f"https://x/=/nowhere; {prefix}={local}")
    elif form == "yaml":
        monkeypatch.setenv("NBAUTOML_URL_MAP", write("map.yaml", f"{prefix}: data\n"))
    elif form == "json":
        monkeypatch.setenv("NBAUTOML_URL_MAP", write("map.json", json.dumps({URL: "data/a.csv"})))
    elif form == "config":
        Path("config.json").write_text(json.dumps({"name": "w", "url_map": {prefix: str(local)}}))
    elif form == "config file":
        Path("config.json").write_text(json.dumps({"name": "w", "url_map": "map.yaml"}))
        Path("map.yaml").write_text(f"{prefix}: {local}\n")
    else:
        Path(".nbautoml").mkdir()
        config = {"name": "w", "url_map": {prefix: str(local)}}
        Path(".nbautoml/config.json").write_text(json.dumps(config))
        Path("notebooks").mkdir()
        monkeypatch.chdir("notebooks")

    dataset = Dataset.Tabular.from_delimited_files(URL)

    assert dataset.to_pandas_dataframe()["n"].tolist() == [7]


def test_the_variable_wins_over_the_config_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"url_map": {"https://h/": "a", "https://k/": "b"}}')

    found = load_url_map({"NBAUTOML_URL_MAP": f"https://h/={tmp_path}/c"}, tmp_path)

    assert found.find("https://h/x") == tmp_path / "c" / "x"
    assert found.find("https://k/x") == tmp_path / "b" / "x"


def test_a_mapped_file_that_is_missing_names_the_map_and_close_names(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(write("data/aa.csv", "n\n7\n")).parent
    monkeypatch.setenv("NBAUTOML_URL_MAP", f"https://host.invalid/data/={folder}")

    with pytest.raises(DatasetError, match=r"by NBAUTOML_URL_MAP, but .*Did you mean 'aa.csv'"):
        Dataset.Tabular.from_delimited_files(URL)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "does not exist"), ("- a\n- b\n", "must map URLs"), ("a: [", "cannot be read")],
)
def test_a_map_that_cannot_be_read_is_named(
    write: Write, content: str | None, expected: str
) -> None:
    path = write("map.yaml", content) if content is not None else "/nowhere/map.yaml"

    with pytest.raises(ConfigError, match=expected):
        load_url_map({"NBAUTOML_URL_MAP": path}, None)


@pytest.mark.parametrize("content", ["not json", "[1]", '{"compilerOptions": {}}'])
def test_a_config_file_of_something_else_is_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text('{"name": "w"}')
    inner = tmp_path / "web" / "app"
    inner.mkdir(parents=True)
    (inner / "config.json").write_text(content)

    assert find_workspace_root(inner) == tmp_path
    assert load_url_map({}, inner) == UrlMap()
