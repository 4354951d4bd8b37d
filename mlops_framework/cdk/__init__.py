"""The CDK side of the library: what stacks and blueprints are built from.

Used by ``stacks``, by every blueprint's ``stack.py`` and by ``app.py``. Nothing here reads the
clock, the network or a caller's credentials, so that a synthesis is a function of the checkout.
"""
