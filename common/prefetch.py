"""Working ahead: the stages of a long chain of generators side by side, each in a thread of its own."""

import queue
import threading

# Seconds after which a thread that cannot go on looks whether it is to stop.
PATIENCE = 0.1


def prefetched(items, depth=2):
    """`items`, each taken in a thread before it is asked for, at most `depth` of them waiting.

    An error in the thread is raised here. When this generator is closed the thread ends, and closes `items`, before
    `close` returns.
    """
    waiting, stop = queue.Queue(depth), threading.Event()
    thread = threading.Thread(target=fill, args=(items, waiting, stop), daemon=True)
    thread.start()
    try:
        while True:
            item, error, done = waiting.get()
            if error is not None:
                raise error
            if done:
                return
            yield item
    finally:
        stop.set()
        thread.join()


def fill(items, waiting, stop):
    """Put `(item, error, done)` into the queue `waiting` for each of `items`, until the event `stop` is set."""
    items = iter(items)
    try:
        for item in items:
            if not put(waiting, (item, None, False), stop):
                return
        put(waiting, (None, None, True), stop)
    except BaseException as error:  # whatever it is, it is raised where the items are asked for
        put(waiting, (None, error, True), stop)
    finally:
        if hasattr(items, "close"):
            items.close()


def put(waiting, entry, stop):
    """Put `entry` into the queue; False where `stop` was set before there was room."""
    while not stop.is_set():
        try:
            waiting.put(entry, timeout=PATIENCE)
        except queue.Full:
            continue
        return True
    return False
