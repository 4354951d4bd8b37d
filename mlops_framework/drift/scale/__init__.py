"""Beyond one function's reach: many functions profile, a tree of them merges, one judges.

``planning`` cuts captured objects into batches, ``grouping`` cuts a window's profiles into groups,
``merging`` turns a group into one part, ``gathering`` reads a window from parts and single
profiles. Between the steps go the names of objects in S3, never profiles. The steps are started by
the state machine of ``stacks/drift_stack.py``; each can be repeated.
"""
