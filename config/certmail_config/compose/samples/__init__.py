"""Letters to look at: each kind, with as little, as much and as bad as it may be given.

Start at `sample_letter`. What is shown to a customer, tested and scored is made of these.
"""

from certmail_config.compose.samples.letters import SampleSize, sample_letter

__all__ = ["SampleSize", "sample_letter"]
