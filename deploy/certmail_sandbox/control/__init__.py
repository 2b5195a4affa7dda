"""The control API, `/_sandbox`: what a test or a demo may order and ask."""
