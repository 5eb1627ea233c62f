"""Work in a thread of its own for as long as a context lasts."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def in_thread(work: Callable[[threading.Event], None], *, name: str) -> Iterator[None]:
    """Run `work(done)` in a thread. At the end of the context `done` is set, and the thread is waited for."""
    done = threading.Event()
    thread = threading.Thread(target=work, args=(done,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
