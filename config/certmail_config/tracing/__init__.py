"""Traces: what a reminder goes through, as spans for OpenTelemetry; nothing where nobody asks.

`spans` is what the other modules know, and tells nobody. `process` decides once whether `telling`
takes its place, the only part that knows OpenTelemetry.
"""
