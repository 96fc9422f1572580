"""The declarations: the same promises of every service and every helper."""
