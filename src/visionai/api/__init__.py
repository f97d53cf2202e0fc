"""HTTP and WebSocket in; nothing is decided here. One router per noun."""
