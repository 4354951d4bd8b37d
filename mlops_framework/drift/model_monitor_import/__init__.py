"""The way over from Model Monitor: an existing schedule read, as a request of ours, both compared.

Pure: what AWS says in, a request and a comparison out. ``aws.monitoring_schedules`` asks AWS.
"""
