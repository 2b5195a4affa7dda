"""Keys, certificates and sealed values: who can read what, and how it is proven who wrote it.

The vault is for what only certmail reads; sealing is for what anybody may write to a tenant.
"""
