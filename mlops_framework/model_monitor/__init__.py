"""What Amazon SageMaker Model Monitor leaves to its user: preparing Clarify, and telling of runs.

Pure: decisions in :mod:`.analysis` and :mod:`.runs`, the order of looking and deciding in
:mod:`.service`, the world behind :mod:`.ports`. ``lambdas/monitors`` is its only caller.
"""
