"""Objects of one versioned bucket in memory."""

from __future__ import annotations


class InMemoryObjects:
    """The port ``ObjectStore``; ``versions`` keeps everything that was ever put."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.versions: dict[str, list[bytes]] = {}

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """See ``ObjectStore.put``."""
        self.objects[key] = body
        self.versions.setdefault(key, []).append(body)

    def put_once(self, key: str, body: bytes, *, content_type: str) -> bool:
        """See ``ObjectStore.put_once``."""
        if key in self.objects:
            return False
        self.put(key, body, content_type=content_type)
        return True

    def exists(self, key: str) -> bool:
        """See ``ObjectStore.exists``."""
        return key in self.objects

    def delete(self, key: str) -> None:
        """See ``ObjectStore.delete``."""
        self.objects.pop(key, None)
