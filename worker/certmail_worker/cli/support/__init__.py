"""What commands share: output, options, how one is found, run and ended.

A command of its own is not here, nor anything that only one command needs. Start at `running`,
which runs a command line, and `output`, which prints.
"""
