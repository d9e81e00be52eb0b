"""The line process: pure core, ports, store, runtime and the composition root."""
