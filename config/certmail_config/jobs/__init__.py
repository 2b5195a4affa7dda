"""The job: one reminder to one reviewer, as upstream applications give it, and the states that it passes.

Pure, and kept compatible between versions (contract.py).
"""
