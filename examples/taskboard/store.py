"""Projects, who may see them, and their tasks, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COLUMNS = ("todo", "doing", "done")

SCHEMA = """
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE members (project INTEGER NOT NULL REFERENCES projects, user TEXT NOT NULL, PRIMARY KEY (project, user));
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES projects,
    title TEXT NOT NULL,
    column TEXT NOT NULL,
    rank REAL NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
"""

PROJECTS = {"Website": ("ada", "emmy", "farid"), "Garden": ("ada", "blaise")}

TASKS = [
    ("Website", "todo", "Write the words for the front page"),
    ("Website", "todo", "Ask Farid for photos of the workshop"),
    ("Website", "todo", "Contrast of the links on the dark theme"),
    ("Website", "doing", "Order form without JavaScript"),
    ("Website", "doing", "Move old addresses, nothing may be 404"),
    ("Website", "done", "Choose a typeface"),
    ("Website", "done", "Talk to the printer about the logo"),
    ("Garden", "todo", "Sow the beans"),
    ("Garden", "doing", "Mend the fence by the stream"),
    ("Garden", "done", "Prune the apple trees"),
]


class Store:
    """The database; one connection a call, so that any thread may use it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            with self.transaction() as db:
                db.executescript(SCHEMA)
                self._seed(db)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are kept if nothing goes wrong."""
        db = sqlite3.connect(self.path)
        db.row_factory = sqlite3.Row
        try:
            with db:
                yield db
        finally:
            db.close()

    @staticmethod
    def _seed(db: sqlite3.Connection) -> None:
        ids = {}
        for name, users in PROJECTS.items():
            ids[name] = db.execute("INSERT INTO projects (name) VALUES (?)", (name,)).lastrowid
            db.executemany("INSERT INTO members VALUES (?, ?)", [(ids[name], user) for user in users])
        rows = [(ids[project], title, column, rank) for rank, (project, column, title) in enumerate(TASKS)]
        db.executemany("INSERT INTO tasks (project, title, column, rank) VALUES (?, ?, ?, ?)", rows)

    def users(self) -> list[str]:
        with self.transaction() as db:
            return [row["user"] for row in db.execute("SELECT DISTINCT user FROM members ORDER BY user")]

    def projects(self, user: str) -> list[dict[str, Any]]:
        """The projects that a user may see."""
        query = "SELECT id, name FROM projects JOIN members ON project = id WHERE user = ? ORDER BY id"
        with self.transaction() as db:
            return [dict(row) for row in db.execute(query, (user,))]

    def tasks(self, project: int) -> list[dict[str, Any]]:
        with self.transaction() as db:
            return [dict(row) for row in db.execute("SELECT * FROM tasks WHERE project = ? ORDER BY rank", (project,))]

    def task(self, task: int) -> dict[str, Any] | None:
        with self.transaction() as db:
            row = db.execute("SELECT * FROM tasks WHERE id = ?", (task,)).fetchone()
            return dict(row) if row else None

    def add(self, project: int, title: str) -> dict[str, Any]:
        """A new task at the end of the first column."""
        with self.transaction() as db:
            rank = self._rank(db, project, COLUMNS[0], None)
            query = "INSERT INTO tasks (project, title, column, rank) VALUES (?, ?, ?, ?) RETURNING *"
            return dict(db.execute(query, (project, title, COLUMNS[0], rank)).fetchone())

    def move(self, task: int, project: int, column: str, before: int | None) -> dict[str, Any]:
        """Puts a task into a column, before another task or at the end."""
        with self.transaction() as db:
            rank = self._rank(db, project, column, before, task)
            query = "UPDATE tasks SET column = ?, rank = ?, version = version + 1 WHERE id = ? RETURNING *"
            return dict(db.execute(query, (column, rank, task)).fetchone())

    def rename(self, task: int, title: str) -> dict[str, Any]:
        with self.transaction() as db:
            query = "UPDATE tasks SET title = ?, version = version + 1 WHERE id = ? RETURNING *"
            return dict(db.execute(query, (title, task)).fetchone())

    @staticmethod
    def _rank(db: sqlite3.Connection, project: int, column: str, before: int | None, moved: int = 0) -> float:
        """A rank between the task `before` and the one above it: nothing else has to move."""
        query = "SELECT id, rank FROM tasks WHERE project = ? AND column = ? AND id != ? ORDER BY rank"
        rows = db.execute(query, (project, column, moved)).fetchall()
        at = next((at for at, row in enumerate(rows) if row["id"] == before), len(rows))
        above = rows[at - 1]["rank"] if at > 0 else None
        below = rows[at]["rank"] if at < len(rows) else None
        if above is None or below is None:
            return (above or 0) + 1 if below is None else below - 1
        return (above + below) / 2
