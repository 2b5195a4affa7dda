"""The commands that run until they are stopped: `up`, `worker`, `flower`, `sandbox` and `gateway`.

`keeping_up` and `look_around` belong to `up`; `listening` is how each says where it listens, or
that it cannot.
"""
