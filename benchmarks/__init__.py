"""Speed and memory as ratios, each measured side by side in one run against the engine's own limit."""
