"""The registry as YAML: read with line numbers, written the same way every time."""
