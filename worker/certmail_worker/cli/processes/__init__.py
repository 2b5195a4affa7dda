"""The commands that run until they are stopped: `up`, `worker`, `flower`, `sandbox` and `gateway`.

Start at `up`, with `supervision` and, for `up --sandbox`, `look_around`; `listening` is how each
says where it listens, or that it cannot.
"""
