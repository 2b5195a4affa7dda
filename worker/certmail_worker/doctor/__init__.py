"""What `certmail doctor` examines, and what its repair does.

A Redis that is older than its record is restored here, so that nothing that left leaves again.
"""
