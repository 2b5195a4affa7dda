"""What every request of the API passes before a handler has it, and how it is refused.

Start with `authentication` and `bodies`; `problems` has every refusal.
"""
