from nbautoml.services.batcher import Batcher


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def drive(events_per_second: int, seconds: float) -> list[int]:
    """Offer numbered values at a steady rate and return those that got through."""
    clock = FakeClock()
    batcher: Batcher[int] = Batcher(clock=clock)
    taken = []
    for number in range(int(events_per_second * seconds)):
        clock.now = 100.0 + number / events_per_second
        batcher.offer(number)
        if (value := batcher.take()) is not None:
            taken.append(value)
    while (wait := batcher.wait_seconds()) is not None:
        clock.now += wait + 1e-6
        if (value := batcher.take()) is not None:
            taken.append(value)
    return taken


def test_first_value_gets_through_at_once():
    batcher: Batcher[int] = Batcher(clock=FakeClock())
    batcher.offer(1)
    assert batcher.wait_seconds() == 0.0
    assert batcher.take() == 1


def test_at_most_five_a_second_whatever_the_rate():
    taken = drive(events_per_second=1000, seconds=10.0)
    assert 45 <= len(taken) <= 51


def test_last_value_is_never_lost():
    assert drive(events_per_second=1000, seconds=1.01)[-1] == 1009


def test_slow_values_all_get_through():
    assert drive(events_per_second=2, seconds=5.0) == list(range(10))


def test_waiting_value_is_replaced_by_a_newer_one():
    clock = FakeClock()
    batcher: Batcher[str] = Batcher(interval_seconds=1.0, clock=clock)
    batcher.offer("first")
    batcher.take()
    batcher.offer("old")
    batcher.offer("new")
    assert batcher.take() is None
    assert batcher.wait_seconds() == 1.0
    clock.now += 1.0
    assert batcher.take() == "new"
    assert batcher.wait_seconds() is None


def test_nothing_offered_nothing_taken():
    assert Batcher(clock=FakeClock()).take() is None
