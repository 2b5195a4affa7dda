"""The demo: a real campaign on this machine, with the sandbox as Google."""
