"""`python -m certmail_worker …` is `certmail …`: what starts its own children needs no script on the PATH."""

from certmail_worker.cli import main

main()
