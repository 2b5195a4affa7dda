"""The job: one reminder to one reviewer, and the states that it passes.

Pure, and kept compatible between versions (contract.py).
"""
