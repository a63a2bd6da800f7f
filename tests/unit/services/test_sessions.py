import threading

import pytest

from nbautoml.errors import StoreError
from nbautoml.services.sessions import SessionPool
from nbautoml.workspace.config_file import address_for


class FakeSession:
    def __init__(self) -> None:
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opened():
    return []


@pytest.fixture
def pool(clock, opened):
    def open_fake(address):
        opened.append(FakeSession())
        return opened[-1]

    return SessionPool(idle_seconds=60.0, clock=clock, open_session=open_fake)


def test_one_session_a_workspace(tmp_path, pool, opened):
    a, b = address_for("a", tmp_path / "a"), address_for("b", tmp_path / "b")
    with pool.lend(a) as first, pool.lend(a) as again, pool.lend(b) as other:
        assert first is again
        assert first is not other
    with pool.lend(a) as later:
        assert later is first
    assert len(opened) == 2


def test_session_is_closed_when_it_was_idle_long_enough(tmp_path, pool, clock, opened):
    address = address_for("a", tmp_path)
    with pool.lend(address):
        clock.now = 500.0
        assert pool.close_idle() == 0
    clock.now = 559.0
    assert pool.close_idle() == 0
    clock.now = 560.0
    assert pool.close_idle() == 1
    assert opened[0].is_closed
    with pool.lend(address) as fresh:
        assert fresh is opened[1]


def test_session_is_given_back_after_an_error(tmp_path, pool, clock):
    with pytest.raises(ValueError, match="inside"), pool.lend(address_for("a", tmp_path)):
        raise ValueError("inside")
    clock.now = 60.0
    assert pool.close_idle() == 1


def test_close_closes_all(tmp_path, pool, opened):
    with pool.lend(address_for("a", tmp_path)):
        pass
    pool.close()
    assert opened[0].is_closed


def test_threads_share_one_session(tmp_path, pool, opened):
    address = address_for("a", tmp_path)

    def use() -> None:
        for _ in range(50):
            with pool.lend(address):
                pass

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_workspace_that_cannot_be_opened_is_not_kept(tmp_path):
    pool = SessionPool()
    for _ in range(2):
        with pytest.raises(StoreError), pool.lend(address_for("a", tmp_path / "none")):
            pass
    pool.close()
