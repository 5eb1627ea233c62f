"""What a command waits for before training moves, such as `Measuring CartPole-v1`: told to whoever shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str | None], None]
"""Called with what is waited for, again as more is known of it, and with None once that is over."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def telling(listener: Listener) -> Iterator[None]:
    """Tell the listener of all stages in the context."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def stage(text: str) -> Iterator[Callable[[str], None]]:
    """Tell that this is waited for while the context lasts; call what it gives with details as they come."""
    listener = _listener.get()
    if listener is None:
        yield lambda _: None
        return
    listener(text)
    try:
        yield lambda detail: listener(f"{text}: {detail}")
    finally:
        listener(None)
