"""Does. The only place that touches the world: engines, sockets, files, the process environment."""
