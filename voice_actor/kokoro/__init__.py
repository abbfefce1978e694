"""Kokoro-82M behind the `Backbone` protocol: its network, its weights and its voices."""
