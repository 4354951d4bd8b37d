"""Governance: the record that people keep of a model. Pure.

:mod:`.cards` holds the use cases of model cards, :mod:`.card_metrics` the translation of metric
files, :mod:`.card_discovery` what a card takes from SageMaker's own records, :mod:`.card_door` the
predecessor's six requests, :mod:`.ports` the world.
"""
