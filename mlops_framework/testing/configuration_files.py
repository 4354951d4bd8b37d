"""A configuration bucket in memory."""

from __future__ import annotations


class InMemoryFiles:
    """Objects by bucket and key, and the alerts that were told."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.alerts: list[tuple[str, str]] = []

    def read(self, bucket: str, key: str, *, limit: int) -> bytes:
        """At most ``limit`` bytes of an object."""
        if (bucket, key) not in self.objects:
            raise FileNotFoundError(key)
        return self.objects[bucket, key][:limit]

    def write(self, bucket: str, key: str, text: str) -> None:
        """Write an object."""
        self.objects[bucket, key] = text.encode()

    def alert(self, subject: str, text: str) -> None:
        """Keep what people would hear."""
        self.alerts.append((subject, text))
