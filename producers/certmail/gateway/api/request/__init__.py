"""What every request of the API passes before a handler has it, and how it is refused.

Start with `authentication` (who asks, and whether the key's scope allows it) and `bodies`;
`problems` has every refusal.
"""
