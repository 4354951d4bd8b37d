"""Bias: does the model treat a group of people otherwise than the rest, and more so than before?

Everything follows from counts of group x observed label x prediction, which merge by addition:
:mod:`.condition` (who belongs to a group, what is a good outcome), :mod:`.counts`,
:mod:`.intervals`, :mod:`.metrics` (SageMaker Clarify's post-training metrics with confidence
intervals), :mod:`.pretraining` (its metrics of training data), :mod:`.flip_test`,
:mod:`.judging` (when a difference matters).
"""
