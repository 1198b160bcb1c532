"""The other end of an ASGI application."""

import asyncio


class Client:
    """Takes pieces of an answer until it leaves after so many, or, `stuck`, none at all."""

    def __init__(self, *, leaves_after=None, stuck=False):
        self.events = []
        self.leaves_after, self.stuck = leaves_after, stuck
        self.left = asyncio.Event()

    @property
    def pieces(self):
        """What has come of the body."""
        return [event["body"] for event in self._taken()]

    def _taken(self):
        return [event for event in self.events if event["type"] == "http.response.body"]

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, event):
        if event["type"] == "http.response.body" and self.stuck:
            await asyncio.Event().wait()
        self.events.append(event)
        if len(self._taken()) == self.leaves_after:
            self.left.set()
            await asyncio.sleep(0)
