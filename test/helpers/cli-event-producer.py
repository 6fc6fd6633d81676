"""The producer of Shannon v4 as it was: connects without a session, emits cli_event, knows nothing of acks.

Usage: cli-event-producer.py URL SESSION COUNT
"""

import asyncio
import sys
from datetime import datetime

import socketio


async def main(url, session_id, count):
    sio = socketio.AsyncClient(reconnection=False)
    heard = []

    @sio.on("*")
    async def any_event(name, *_):
        heard.append(name)

    @sio.event
    async def connect():
        pass

    await sio.connect(url)
    events = [
        ("execution:started", {"task": "older producer", "plan_id": "p1"}),
        ("skill:started", {"skill": "build", "parameters": {"fast": True}}),
        ("file:modified", {"file_path": "src/a.py", "changes": "..."}),
        ("decision:point", {"decision_id": "d1", "title": "Go on?", "options": ["yes", "no"]}),
        ("validation:completed", {"check_name": "lint", "success": True}),
        ("skill:completed", {"skill": "build", "duration": 1.5}),
    ]
    events += [("custom:step", {"n": n}) for n in range(count)]
    for event_type, data in events:
        await sio.emit(
            "cli_event",
            {"session_id": session_id, "event_type": event_type, "timestamp": datetime.utcnow().isoformat(), "data": data},
        )
    answered = asyncio.Event()
    await sio.emit("ping", {"at": "the end"}, callback=lambda *_: answered.set())
    await asyncio.wait_for(answered.wait(), 10)
    await sio.disconnect()
    print("echoes:", ",".join(name for name in heard if ":" in name and not name.startswith("session:")))


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
