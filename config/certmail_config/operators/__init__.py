"""Operators: persons who look after a deployment, what their roles allow, and how they are known.

Start with `permissions`, the table of which role may do what; `operator` says what is known of one.
"""
