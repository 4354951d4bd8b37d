"""AWS's public images: from an algorithm or framework, its version and a region to an image.

``table.json`` holds what the SageMaker SDK's image data says, written by ``tools/image_table.py``
with the SDK's version; nothing imports the SDK at run time. Pure: the table is read once, when the
first image is asked for.
"""

from mlops_framework.images.lookup import ImageUnknown, Scope, image_uri, known, versions

__all__ = ["ImageUnknown", "Scope", "image_uri", "known", "versions"]
