"""Whether what was delivered is what was asked for: the checks after a stage's stack is deployed.

Pure: decisions in :mod:`.model_build`, :mod:`.endpoint` and :mod:`.baseline`, the order of looking
and deciding in :mod:`.service`, the world behind :mod:`.ports`. ``lambdas/delivery`` is its only
caller.
"""
