"""What goes wrong at synthesis, each with the way out in its message.

::

    FrameworkFault
    └── SynthesisRefused            the app cannot be synthesized as it is written
        ├── BundleRefused           a Lambda bundle cannot be built from these sources
        ├── ExtensionInvalid        a platform extension breaks the rules of its seam
        ├── HandlerMissing          a function names a handler that its service does not define
        └── ResourceTypeUnknown     no deploy permissions are known for a resource type
"""

from __future__ import annotations

from mlops_framework.errors import FrameworkFault


class SynthesisRefused(FrameworkFault):
    """The app cannot be synthesized as it is written."""


class BundleRefused(SynthesisRefused):
    """A Lambda bundle cannot be built from these sources."""


class ExtensionInvalid(SynthesisRefused):
    """A platform extension breaks a rule; the message names it, its source and the way out."""


class HandlerMissing(SynthesisRefused):
    """A function names a handler that its service does not define."""


class ResourceTypeUnknown(SynthesisRefused):
    """A blueprint holds a resource type for which no deploy permissions are known."""
