"""What everybody has to know before choosing one of the four: who may still have them."""

from typing import Final

ANNOUNCED: Final = (
    "Runs on Amazon SageMaker Model Monitor, which AWS closed to new customers on 30 July 2026; "
    "drift-monitor needs no such thing."
)
