"""An app as a process: the command that serves it, and HTTP/1.1 with bounds."""
