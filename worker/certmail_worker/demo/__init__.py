"""The demo: a real campaign on this machine, with the sandbox as Google.

Start at `scene`, which tells the whole story; each other module is one part of it, from the two
tenants (`cast`) to what goes wrong (`director`) and the summary.
"""
