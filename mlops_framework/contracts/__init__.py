"""What travels: requests, per-stage values, template parameters, responses, events. Pure."""
