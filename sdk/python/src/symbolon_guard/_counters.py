"""Counters that many threads raise."""

import threading
from collections import Counter


class Counters:
    """Numbers that only rise, by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, name: str) -> None:
        """Raise one."""
        with self._lock:
            self._counts[name] += 1

    def all(self) -> dict[str, int]:
        """Give all of them at one moment."""
        with self._lock:
            return dict(self._counts)
