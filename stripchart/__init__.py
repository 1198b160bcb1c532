"""The live part: a WebSocket server that follows the registry, and the charts that browsers draw from it."""
