"""The ``mlops`` command: thin commands over the API, the registry and the local AWS.

Modules import what is heavy (AWS clients, the registry, the emulator) inside the command that needs
it, so that ``mlops --help`` answers at once. Results go to stdout, progress and faults to stderr.
"""
