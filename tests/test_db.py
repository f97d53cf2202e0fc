"""The database's own rules, apart from what is kept in it."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from visionai.db import newest_revision


def test_the_names_of_the_migrations_say_which_is_the_newest() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    script = ScriptDirectory.from_config(config)
    assert newest_revision() == script.get_current_head()
    assert all(Path(revision.path).name.startswith(f"{revision.revision}_") for revision in script.walk_revisions())
