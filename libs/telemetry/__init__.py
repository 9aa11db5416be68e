"""Traces, logs and metrics of a process, and the spans around events."""
