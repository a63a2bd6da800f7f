"""Small parts of deployments: forms, columns, files, keys, configurations."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nbautoml.errors import ConfigError, NotFoundError
from nbautoml.registry.files import MODEL_PATHS_VARIABLE
from nbautoml.registry.model import Model
from nbautoml.registry.schema import ColumnSchema, ModelSchema
from nbautoml.serving.configs import DeploymentConfig, InferenceConfig, check_deployment_name
from nbautoml.serving.folder import Folder, LiveFile, read_json, write_json
from nbautoml.serving.forms import Form, Prediction, RequestFaultError, read_form, write_form
from nbautoml.serving.guard import is_loopback, refusal_of
from nbautoml.serving.keys import new_keys
from nbautoml.serving.logfile import LogFile, last_lines
from nbautoml.serving.schema import Kind, RequestRows, kind_of
from nbautoml.serving.scorer import read_body
from nbautoml.serving.webservice import AciWebservice, LocalWebservice


def column(name: str, dtype: str, **changes: object) -> ColumnSchema:
    return ColumnSchema(**{"name": name, "dtype": dtype, "is_nullable": False, **changes})


KINDS = [
    (column("a", "int64", minimum=0, maximum=1), Kind.FLAG),
    (column("a", "int64", minimum=1, maximum=1), Kind.FLAG),
    (column("a", "int64", minimum=0, maximum=2), Kind.NUMBER),
    (column("a", "float64", minimum=0.0, maximum=1.0), Kind.NUMBER),
    (column("a", "Float64"), Kind.NUMBER),
    (column("a", "bool", categories=(False, True)), Kind.TRUTH),
    (column("a", "object", categories=(True,)), Kind.TRUTH),
    (column("a", "datetime64[us]"), Kind.DATE),
    (column("a", "str", categories=("x", "y")), Kind.WORD),
    (column("a", "str"), Kind.WORD),
    (column("a", "str", categories=("1", "2")), Kind.ANY),
    (column("a", "object", categories=("x", 1)), Kind.ANY),
    (column("a", "object"), Kind.ANY),
]


@pytest.mark.parametrize(("told", "kind"), KINDS)
def test_the_kind_of_a_column_follows_from_its_type(told: ColumnSchema, kind: Kind) -> None:
    assert kind_of(told) is kind


def rows_of(*columns: ColumnSchema, **options: object) -> RequestRows:
    return RequestRows(ModelSchema(task="t", label="y", columns=columns), **options)


def test_names_of_columns_may_be_any_text() -> None:
    names = ["", "class", "two words", "Größe", "model_config", "__init__", "a.b", "1"]
    checked = rows_of(*(column(name, "float64") for name in names)).check(
        [dict.fromkeys(names, 1)] * 2
    )

    assert list(checked.frame.columns) == names
    assert checked.frame.to_numpy().tolist() == [[1.0] * len(names)] * 2


def test_numbers_that_were_words_in_training_are_words() -> None:
    checked = rows_of(column("zip", "str", categories=("10115", "80331"))).check(
        [{"zip": 10115}, {"zip": "80331"}]
    )

    assert checked.warnings == ()
    assert checked.frame["zip"].tolist() == [10115, "80331"]


def test_a_thousand_rows_are_checked_fast() -> None:
    rows = rows_of(*(column(f"n{i}", "float64", is_nullable=i % 2 == 0) for i in range(30)))
    body = [{f"n{i}": float(i) for i in range(30)} for _ in range(1000)]
    began = time.process_time()
    frame = rows.check(body).frame
    assert frame.shape == (1000, 30)
    assert time.process_time() - began < 0.5


def test_dates_are_read_in_their_forms_and_zones() -> None:
    texts = ["2025-01-02", "2025-01-02T03:04:05Z", "2025-01-02T05:04:05+02:00", "2 Jan 2025", None]
    rows = rows_of(column("d", "datetime64[us]", is_nullable=True))
    frame = rows.check([{"d": text} for text in texts]).frame

    assert [str(time) for time in frame["d"]] == [
        "2025-01-02 00:00:00",
        "2025-01-02 03:04:05",
        "2025-01-02 03:04:05",
        "2025-01-02 00:00:00",
        "NaT",
    ]
    began = time.process_time()
    rows.check([{"d": f"2025-01-{n % 28 + 1:02d}"} for n in range(2000)])
    assert time.process_time() - began < 0.3


def test_columns_may_be_unused_and_rows_many() -> None:
    rows = rows_of(column("a", "float64"), column("id", "str"), unused=frozenset({"id"}))

    assert list(rows.check([{"a": 1}]).frame.columns) == ["a"]
    assert rows.check([{"a": 1, "id": 5}]).warnings == ()
    with pytest.raises(RequestFaultError, match="10,000 rows at most"):
        rows.check([{"a": 1}] * 10_001)


def test_all_missing_values_make_a_column_of_numbers() -> None:
    frame = rows_of(column("a", "float64", is_nullable=True)).check([{"a": None}] * 2).frame

    assert frame["a"].dtype == np.float64
    assert frame["a"].isna().all()


def test_a_model_with_a_column_called_data_takes_lists() -> None:
    request = read_form([{"data": 1}], {}, frozenset({"data"}))
    assert (request.form, request.rows) == (Form.PLAIN, [{"data": 1}])
    nested = read_form({"Inputs": {"data": [{"data": 1}]}}, {}, frozenset({"data"}))
    assert nested.rows == [{"data": 1}]


def test_probabilities_are_true_false_or_auto() -> None:
    assert [read_form([[1]], {"probabilities": w}).method for w in ("", "TRUE", "auto")] == [
        "predict",
        "predict_proba",
        "auto",
    ]
    with pytest.raises(RequestFaultError, match="true, false or auto; got 'maybe'"):
        read_form([[1]], {"probabilities": "maybe"})


def test_warnings_go_with_each_form() -> None:
    found = Prediction(values=[1], warnings=["careful"], model="m:1")
    assert write_form(Form.PLAIN, found) == {
        "predictions": [1],
        "model": "m:1",
        "warnings": ["careful"],
    }
    assert write_form(Form.INPUTS, found)["warnings"] == ["careful"]
    assert json.loads(write_form(Form.DATA, found)) == {"result": [1], "warnings": ["careful"]}


@pytest.mark.parametrize("body", [b"", b"{", b"[1,]", b"[" * 100_000, b"9" * 5000, b"\xff"])
def test_what_is_no_json_has_status_400(body: bytes) -> None:
    with pytest.raises(RequestFaultError) as caught:
        read_body(body)
    assert caught.value.status == 400


def test_python_s_own_json_is_read() -> None:
    assert read_body(b"[NaN, -Infinity, 1e999]") == [None, -np.inf, np.inf]
    assert read_body(b"[" + b"9" * 30 + b"]") == [1e30]


def test_a_live_file_is_read_when_it_has_changed(tmp_path: Path) -> None:
    live = LiveFile(tmp_path / "x.json")
    assert live.read() == {}
    write_json(tmp_path / "x.json", {"a": 1})
    first = live.read()
    assert first == {"a": 1}
    assert live.read() is first
    write_json(tmp_path / "x.json", {"a": 2})
    assert live.read() == {"a": 2}
    (tmp_path / "x.json").unlink()
    assert live.read() == {}


def test_files_of_a_deployment_are_its_owners_alone(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "deployments" / "d")
    folder.make()
    (folder.path / "left over").touch()
    folder.make()
    write_json(folder.spec_file, {"port": 1})
    LogFile(folder.log_file).say("hello")

    assert not (folder.path / "left over").exists()
    for path in (folder.path, folder.spec_file, folder.log_file):
        assert path.stat().st_mode & 0o077 == 0
    assert read_json(folder.path / "absent.json") == {}


def test_a_log_keeps_its_end(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "x.log", max_bytes=100)
    for number in range(50):
        log.write(f"line {number}")

    assert last_lines(tmp_path / "x.log", 3) == "line 47\nline 48\nline 49\n"
    assert sum(p.stat().st_size for p in tmp_path.iterdir()) < 300
    assert last_lines(tmp_path / "none.log", 3) == ""
    assert last_lines(tmp_path / "x.log", 0) == ""


@pytest.mark.parametrize("name", ["", "-a", "a/b", "..", "a b", "x" * 64, None, 5, "ä"])
def test_a_name_that_could_lead_elsewhere_is_refused(name: object) -> None:
    with pytest.raises(ConfigError, match="name of a deployment"):
        check_deployment_name(name)


def test_configurations_have_keys_and_loopback_unless_it_is_said() -> None:
    assert (AciWebservice.deploy_configuration().auth_enabled, DeploymentConfig().host) == (
        True,
        "127.0.0.1",
    )
    config = AciWebservice.deploy_configuration(
        cpu_cores=1,
        memory_gb=1,
        tags={"area": 1},
        description="d",
        auth_enabled=False,
        enable_app_insights=True,
        dns_name_label="x",
    )
    assert (config.auth_enabled, config.log_requests, config.tags) == (False, True, {"area": "1"})
    assert LocalWebservice.deploy_configuration(port=8890).port == 8890
    assert "secret" not in repr(AciWebservice.deploy_configuration(primary_key="secret"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"port": 0}, "port of a deployment"),
        ({"port": 70_000}, "1 to 65535"),
        ({"port": "80"}, "port of a deployment"),
        ({"cpu_cores": 0}, "cpu_cores"),
        ({"host": "0.0.0.0", "auth_enabled": False}, "needs keys"),
    ],
)
def test_configurations_that_cannot_be_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        DeploymentConfig(**changes)


def test_a_script_is_found_with_its_folder_or_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "service"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "score.py").touch()
    monkeypatch.chdir(tmp_path)

    assert InferenceConfig("inner/score.py", source_directory="service").locate() == (
        folder,
        folder / "inner" / "score.py",
    )
    assert InferenceConfig(entry_script="service/inner/score.py").locate() == (
        folder / "inner" / "score.py",
        folder / "inner" / "score.py",
    )
    with pytest.raises(NotFoundError, match=r"%%writefile"):
        InferenceConfig("score.py", source_directory="service").validate_configuration()
    with pytest.raises(NotFoundError, match="no folder"):
        InferenceConfig("score.py", source_directory="absent").locate()
    with pytest.raises(ConfigError, match="must lie in source_directory"):
        InferenceConfig("../x.py", source_directory="service").locate()


def test_paths_of_models_are_known_inside_of_a_deployment_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(MODEL_PATHS_VARIABLE, raising=False)
    with pytest.raises(NotFoundError, match=r"get_model_path\('heart', _workspace=ws\)"):
        Model.get_model_path("heart")
    monkeypatch.setenv(MODEL_PATHS_VARIABLE, json.dumps({"heart": "/m", "heart:2": "/m"}))
    assert Model.get_model_path("heart") == Model.get_model_path("heart", version=2) == "/m"
    with pytest.raises(NotFoundError, match="Did you mean 'heart'"):
        Model.get_model_path("hearts")


def refused(tmp_path: Path, *, listens_on: str = "127.0.0.1", **headers: str) -> int:
    """Return the status that a request with these headers is refused with; 200 where it is not."""
    keys = new_keys()
    write_json(tmp_path / "s.json", {"auth_enabled": True, "keys": keys})
    given = {"host": "localhost:1", "authorization": f"Bearer {keys['primary']}"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    live = LiveFile(tmp_path / "s.json")
    found = refusal_of("/score", given, live, is_local=is_loopback(listens_on))
    return 200 if found is None else found[0]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1"}, 200),
        ({"host": "[::1]:80"}, 200),
        ({"host": "evil.example"}, 400),
        ({"host": "localhost.evil.example"}, 400),
        ({"host": "[::1"}, 400),
        ({"origin": "http://localhost:8888"}, 200),
        ({"origin": "null"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"content_length": str(2**40)}, 413),
    ],
)
def test_names_pages_and_sizes_are_checked(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    assert refused(tmp_path, **headers) == status


def test_a_service_for_others_is_called_by_any_name_with_a_key(tmp_path: Path) -> None:
    assert refused(tmp_path, listens_on="0.0.0.0", host="ml.example") == 200
    assert refused(tmp_path, listens_on="0.0.0.0", host="ml.example", authorization="") == 401


def test_the_supervisor_needs_the_standard_library_alone() -> None:
    import subprocess

    code = (
        "import sys, nbautoml.serving.supervisor; import site; "
        "places = tuple(site.getsitepackages()); "
        "print(*sorted({n.partition('.')[0] for n, m in sys.modules.items() "
        "if str(getattr(m, '__file__', '')).startswith(places)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # what the interpreter's own start-up files bring is not ours
    bare = subprocess.run(
        [sys.executable, "-c", code.replace(", nbautoml.serving.supervisor", "")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) - set(bare.stdout.split()) <= {"nbautoml"}
