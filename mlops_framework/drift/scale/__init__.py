"""Beyond one function's reach: many functions profile, a tree of them merges, one judges.

``planning`` cuts captured objects into batches, ``merging`` cuts a window's profiles into groups
and turns a group into one part, ``gathering`` reads a window from parts and single profiles,
``joining`` cuts a window's rows and labels into parts that are joined by themselves. Between the
steps go the names of objects in S3, never profiles. The steps are started by the state machine of
``stacks/drift_at_scale.py``; each can be repeated. ``runs`` starts it.
"""
