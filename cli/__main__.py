"""`python -m cli`: the coburg command."""

from cli.main import run

run()
