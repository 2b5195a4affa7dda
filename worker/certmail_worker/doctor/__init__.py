"""What `certmail doctor` examines, and what its repair does.

diagnosis.py, where to start, asks one check after the other; repair.py says what can be put right.
A Redis that is older than its record is restored here, so that nothing that left leaves again.
"""
