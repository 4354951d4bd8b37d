"""For tests, ours and a plugin's: the ports in memory, and the events that AWS sends.

Shipped with the library, because somebody who adds a blueprint tests it with the same fakes that
we use. They behave: conditional writes conflict, stacks move through their states, a started
pipeline has an execution. One suite (``tests/adapters``) runs on them and on the boto3 adapters
alike.
"""
