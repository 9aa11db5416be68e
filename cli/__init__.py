"""The coburg command: one thin table of commands (main.py), one module per concern."""
