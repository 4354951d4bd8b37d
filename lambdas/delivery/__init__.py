"""The ``Verify`` action of delivery pipelines."""
