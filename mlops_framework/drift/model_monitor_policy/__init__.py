"""The policy ``model-monitor``: the checks of Amazon SageMaker Model Monitor, on our counts.

What differs from Model Monitor on purpose, and what it does wrong, is in
``docs/from-model-monitor.md`` and ADR 0035.
"""
