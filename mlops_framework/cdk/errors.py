"""What goes wrong at synthesis, each with the way out in its message.

::

    FrameworkFault
    └── SynthesisRefused            the app cannot be synthesized as it is written
        ├── BundleRefused           a Lambda bundle cannot be built from these sources
        ├── HandlerMissing          a function names a handler that its service does not define
        └── ResourceTypeUnknown     no deploy permissions are known for a resource type
"""

from __future__ import annotations

from mlops_framework.errors import FrameworkFault


class SynthesisRefused(FrameworkFault):
    """The app cannot be synthesized as it is written."""


class BundleRefused(SynthesisRefused):
    """A Lambda bundle cannot be built from these sources."""


class HandlerMissing(SynthesisRefused):
    """A function names a handler that its service does not define."""


class ResourceTypeUnknown(SynthesisRefused):
    """A blueprint holds a resource type for which no deploy permissions are known."""
