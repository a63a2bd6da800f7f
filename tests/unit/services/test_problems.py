import pytest

from nbautoml import errors
from nbautoml.services.problems import problem_of


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (errors.ConfigError("m"), "bad_request", 400),
        (errors.NotAllowedError("m"), "not_allowed", 403),
        (errors.NotFoundError("m"), "not_found", 404),
        (errors.ComputeTargetException("m"), "not_found", 404),
        (errors.ConflictError("m"), "conflict", 409),
        (errors.StoreError("m"), "store", 503),
        (errors.TrainingError("m"), "failed", 500),
    ],
)
def test_errors_on_purpose_are_told(error, code, status):
    problem = problem_of(error)
    assert (problem.code, problem.status.value) == (code, status)
    assert problem.as_json() == {"code": code, "message": "m", "hint": ""}


def test_every_error_of_ours_has_a_row():
    kinds = [k for k in vars(errors).values() if isinstance(k, type)]
    ours = [k for k in kinds if issubclass(k, errors.NbAutoMLError)]
    assert len(ours) > 8
    assert {problem_of(kind("m")).code for kind in ours}.isdisjoint({"internal"})


def test_other_errors_tell_nothing_of_the_inside():
    problem = problem_of(RuntimeError("password=secret"))
    assert problem.status == 500
    assert "secret" not in str(problem)
