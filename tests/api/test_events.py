"""Live events over a real WebSocket of the app: who is let in, and how the connection closes."""

from __future__ import annotations

from uuid import uuid4

import msgspec
import pytest
from litestar.exceptions import WebSocketDisconnect


def test_the_events_of_an_ended_job_then_the_end(client, admin, job_id):
    ticket = admin.call("POST", "/api/v1/auth/ticket", json={"job_id": str(job_id)}).json()["token"]
    with client.websocket_connect(f"/ws/training/{job_id}?token={ticket}") as socket:
        assert socket.receive_json()["seq"] == 1
        assert socket.receive_json() == {"type": "end", "data": {"state": "completed"}}
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == 1000


@pytest.mark.parametrize("which", ["no token", "another job"])
def test_a_stranger_is_closed_with_1008(client, admin, job_id, which):
    path = f"/ws/training/{job_id}" if which == "no token" else f"/ws/training/{uuid4()}?token={admin.token}"
    with client.websocket_connect(path) as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_json()
    assert closed.value.code == 1008


def test_one_connection_too_many_is_closed_with_4429(app, client, admin, job_id):
    parts = app.state.parts
    parts.settings = msgspec.structs.replace(parts.settings, websockets_per_user=0)
    with (
        client.websocket_connect(f"/ws/training/{job_id}?token={admin.token}") as socket,
        pytest.raises(WebSocketDisconnect) as closed,
    ):
        socket.receive_json()
    assert closed.value.code == 4429
