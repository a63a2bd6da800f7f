"""Entry scripts as notebooks write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbautoml.errors import WebserviceException
from nbautoml.registry.model import Model
from nbautoml.serving.configs import InferenceConfig
from tests.integration.serving.conftest import Kit, ask, deleted_at_the_end

pytestmark = pytest.mark.integration

SCORE = """
import json
import os
import joblib
import pandas as pd
from helper import words

def init():
    global model
    model_path = os.path.join(os.getenv('AZUREML_MODEL_DIR'), 'model.pkl')
    model = joblib.load(model_path)
    print('model loaded')

def run(data):
    try:
        data = json.loads(data)['data']
        result = model.predict(pd.DataFrame(data))
        return {'data': result.tolist(), 'message': words(), 'stage': os.environ.get('STAGE')}
    except Exception as error:
        return json.dumps({"error": str(error)})
"""


def write(folder: Path, score: str, **files: str) -> InferenceConfig:
    folder.mkdir(exist_ok=True)
    (folder / "score.py").write_text(score)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return InferenceConfig(entry_script="score.py", source_directory=str(folder))


def test_a_script_has_its_own_folder_and_its_models(kit: Kit, model: Model, tmp_path: Path) -> None:
    helper = "def words():\n    return open('words.txt').read()\n"
    config = write(tmp_path / "service", SCORE, helper__py=helper, words__txt="hello")
    config.environment = SimpleNamespace(environment_variables={"STAGE": "trial"})
    service = Model.deploy(kit.ws, "script", [model], config)
    with deleted_at_the_end(service):
        # the service works in a copy
        (tmp_path / "service" / "words.txt").write_text("changed")
        service.wait_for_deployment()

        reply = service.run(json.dumps({"data": [kit.sample()]}))

        assert reply["data"][0] in ("yes", "no")
        assert (reply["message"], reply["stage"]) == ("hello", "trial")
        assert "model loaded" in service.get_logs()
        # a text stays a text, as the SDK's services sent it
        assert "error" in json.loads(service.run(json.dumps({"data": 5})))


def test_the_bundles_own_scoring_file_serves_it(kit: Kit, model: Model, tmp_path: Path) -> None:
    model.download(tmp_path)
    script = tmp_path / "outputs" / "scoring_file_v_1_0_0.py"
    service = Model.deploy(kit.ws, "own-script", [model], InferenceConfig(entry_script=script))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        reply = json.loads(service.run(json.dumps({"data": [kit.sample()]})))
        assert reply["result"][0] in ("yes", "no")


def test_a_run_with_several_parameters_gets_them_by_name(kit: Kit, tmp_path: Path) -> None:
    score = "def init():\n    pass\ndef run(data, method='predict'):\n    return [data, method]\n"
    service = Model.deploy(kit.ws, "by-name", [], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        assert service.run({"data": [1], "method": "x"}) == [[1], "x"]
        assert ask(service, [1]).status_code == 422


def test_models_are_found_by_name(kit: Kit, model: Model, tmp_path: Path) -> None:
    score = (
        "from nbautoml import Model\nimport os\n"
        "def init():\n    pass\n"
        "def run(data):\n"
        "    return [os.listdir(Model.get_model_path(n)) for n in ('heart', 'side')]\n"
    )
    side = kit.constant("side", "yes")
    service = Model.deploy(kit.ws, "several", [model, side], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        for names in service.run({}):
            assert "model.pkl" in names


BROKEN = {
    "when it is read": ("import no_such_module\n", "No module named 'no_such_module'"),
    "in init": ("def init():\n    1 / 0\ndef run(data):\n    pass\n", "division by zero"),
    "without run": ("def init():\n    pass\n", "has no function run()"),
    "that leaves": ("import sys\nsys.exit('not today')\n", "not today"),
}


@pytest.mark.parametrize(("score", "said"), BROKEN.values(), ids=BROKEN)
def test_a_script_that_cannot_start_is_told_with_its_traceback(
    kit: Kit, model: Model, tmp_path: Path, score: str, said: str
) -> None:
    service = Model.deploy(kit.ws, "broken", [model], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        with pytest.raises(WebserviceException, match="score|entry script") as caught:
            service.wait_for_deployment()
        assert said in str(caught.value)
        assert service.state == "Failed"
        assert said in service.error
        assert "Traceback" in service.get_logs()


def test_a_failing_request_leaves_its_traceback_in_the_log(
    kit: Kit, tmp_path: Path, until: Callable[[Callable[[], object]], None]
) -> None:
    score = "def init():\n    pass\ndef run(data):\n    return {}['absent']\n"
    service = Model.deploy(kit.ws, "failing", [], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        response = ask(service, {"data": []})
        assert response.status_code == 500
        told = response.json()
        assert "KeyError: 'absent' (score.py, line 4)" in told["detail"]
        assert "Traceback" not in response.text
        until(lambda: f"request {told['id']} failed" in service.get_logs())
        assert "return {}['absent']" in service.get_logs()
        with pytest.raises(WebserviceException, match="KeyError"):
            service.run("{}")
        assert service.state == "Healthy"


def test_replies_of_numpy_and_pandas_are_sent(kit: Kit, tmp_path: Path) -> None:
    score = (
        "import numpy as np, pandas as pd\n"
        "def init():\n    pass\n"
        "def run(data):\n"
        "    return {'a': np.asfortranarray(np.eye(2)), 'b': pd.Timestamp('2026-01-02'),\n"
        "            'c': np.float32(0.5)}\n"
    )
    service = Model.deploy(kit.ws, "arrays", [], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        assert service.run({}) == {"a": [[1, 0], [0, 1]], "b": "2026-01-02T00:00:00", "c": 0.5}


def test_a_worker_loads_no_more_than_it_needs(kit: Kit, tmp_path: Path) -> None:
    score = (
        "import sys\ndef init():\n    pass\n"
        "def run(data):\n    return sorted({name.partition('.')[0] for name in sys.modules})\n"
    )
    service = Model.deploy(kit.ws, "modules", [], write(tmp_path / "s", score))
    with deleted_at_the_end(service):
        service.wait_for_deployment()
        loaded = set(service.run({}))

    heavy = {"sqlalchemy", "alembic", "dask", "distributed", "plotly", "IPython", "lightgbm"}
    assert loaded & heavy == set()
    assert "sklearn" not in loaded
