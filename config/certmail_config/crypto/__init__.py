"""Keys, certificates and sealed values: who can read what, and how it is proven who wrote it.

The vault (vault.py, read it first) is for what only certmail reads; sealing is for what anybody may
write to a tenant. certificates.py makes a customer's key pair and its certificate.
"""
