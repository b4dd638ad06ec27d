"""Some of many, chosen by chance, when nobody knows beforehand how many there will be."""

import random
from collections.abc import Iterable


class Sample[T]:
    """At most so many of all that it is given, each as likely as any other (Vitter's algorithm R)."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen = 0
        self._kept: list[T] = []

    def add(self, some: Iterable[T]) -> None:
        for each in some:
            self._seen += 1
            place = random.randrange(self._seen)
            if len(self._kept) < self._most:
                self._kept.append(each)
            elif place < self._most:
                self._kept[place] = each

    def take(self) -> list[T]:
        """In any order; none are left."""
        kept, self._kept, self._seen = self._kept, [], 0
        random.shuffle(kept)
        return kept
