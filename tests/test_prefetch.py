"""Generators that run ahead in a thread: order, errors, and threads that end."""

import itertools
import threading
import time

import pytest

from common.prefetch import prefetched


def test_the_same_items_come_in_the_same_order():
    assert list(prefetched(prefetched(range(100)))) == list(range(100))


def test_an_error_comes_after_the_items_before_it():
    def items():
        yield 1
        raise ValueError("two")

    stage = prefetched(prefetched(items()))
    assert next(stage) == 1
    with pytest.raises(ValueError, match="two"):
        next(stage)


def test_no_more_than_depth_items_are_waiting():
    taken = []
    stage = prefetched((taken.append(index) for index in itertools.count()), depth=3)
    next(stage)
    time.sleep(0.3)
    assert len(taken) <= 1 + 3 + 1  # one was given, three wait, one is in hand
    stage.close()


def test_closing_ends_the_threads_and_closes_the_items():
    closed = threading.Event()

    def items():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    before = threading.active_count()
    stage = prefetched(prefetched(items()))
    next(stage)
    assert threading.active_count() == before + 2
    stage.close()
    assert closed.is_set()
    assert threading.active_count() == before
