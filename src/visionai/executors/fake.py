"""An executor of processes that exist in memory alone, for tests: they do what they are told, when they are told."""

from __future__ import annotations

from pathlib import Path

from visionai.errors import Unavailable
from visionai.executors.base import Exited, Gone, Handle, Launch, Observation, Running


class FakeExecutor:
    """Keeps every promise of the seam. ``exit`` and ``lose`` make a process do what a test wants."""

    host_id = "fake"

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.processes: dict[str, Observation] = {}
        self.launched: dict[str, Launch] = {}
        self.starts = 0
        self.terminated: set[str] = set()
        self._never: set[str] = set()

    @property
    def alive(self) -> list[str]:
        return [launch_id for launch_id, seen in self.processes.items() if isinstance(seen, Running)]

    def exit(self, launch_id: str, code: int) -> None:
        if isinstance(self.processes.get(launch_id), Running):
            self.processes[launch_id] = Exited(code)

    def lose(self, launch_id: str, *, uncounted: bool = False) -> None:
        if isinstance(self.processes.get(launch_id), Running):
            self.processes[launch_id] = Gone("it was lost", uncounted)

    async def start(self, launch: Launch) -> Handle:
        if launch.launch_id not in self.processes:
            if launch.launch_id in self._never:
                raise Unavailable(f"The launch {launch.launch_id} was given up before it was started.")
            self.processes[launch.launch_id] = Running()
            self.launched[launch.launch_id] = launch
            self.starts += 1
        return self._handle(launch.launch_id)

    async def adopt(self, launch_id: str) -> Handle | None:
        if launch_id in self.processes:
            return self._handle(launch_id)
        self._never.add(launch_id)
        return None

    async def poll(self, handle: Handle) -> Observation:
        return self.processes.get(Path(handle.run_dir).name, Gone("its process has disappeared"))

    async def stop(self, handle: Handle, *, kill: bool = False) -> None:
        launch_id = Path(handle.run_dir).name
        if kill:
            self.exit(launch_id, 137)
        else:
            self.terminated.add(launch_id)

    def run_dir(self, launch_id: str) -> Path:
        return self.runs / launch_id

    async def launches(self) -> list[str]:
        return sorted(self.processes)

    async def remove(self, launch_id: str) -> None:
        if not isinstance(self.processes.get(launch_id), Running):
            self.processes.pop(launch_id, None)
            self._never.add(launch_id)

    def _handle(self, launch_id: str) -> Handle:
        return Handle(host_id=self.host_id, boot_id="boot", run_dir=str(self.runs / launch_id), pid=1, start_time=1)
