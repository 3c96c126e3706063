"""A task board: an ordinary web app, which tells the relay what it did.

People change tasks here, over HTTP. When a change is saved, the app publishes it to the project's room, and everybody
who looks at that project sees it. Who may look is the app's decision too: it says so in the tokens that it mints.
"""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, Header, HTTPException, Response
from fastapi.responses import PlainTextResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, StringConstraints
from store import COLUMNS, Store
from switchboard_client import Access, Switchboard, SwitchboardError, mint

HERE = Path(__file__).parent
RELAY = os.environ.get("RELAY", "http://127.0.0.1:8000")
SECRET = os.environ["SECRET"]  # the relay's auth.secret
API_KEY = os.environ["API_KEY"]  # the relay's api.key

app = FastAPI(title="Task board")
store = Store(Path(os.environ.get("DB", HERE / "board.db")))
relay = Switchboard(RELAY, key=API_KEY)

Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NewTask(BaseModel):
    title: Title


class Change(BaseModel):
    """What becomes of a task: another title, or a place in a column, before a task or at the end."""

    title: Title | None = None
    column: str | None = None
    before: int | None = None


# Who is it, and what may they see?


def logged_in(user: Annotated[str | None, Cookie()] = None) -> str:
    """Who is logged in. A real app has passwords; this one believes its cookie."""
    if user not in store.users():
        raise HTTPException(401, "log in first")
    return user


User = Annotated[str, Depends(logged_in)]


def allowed(user: str, project: int) -> None:
    """What somebody may not see is not there for them."""
    if project not in [known["id"] for known in store.projects(user)]:
        raise HTTPException(404, "there is no such project")


@app.post("/login/{user}", status_code=204)
def login(user: str, response: Response) -> None:
    logged_in(user)
    response.set_cookie("user", user, httponly=True, samesite="lax")


@app.post("/logout", status_code=204)
def logout(response: Response) -> None:
    response.delete_cookie("user")


@app.get("/users")
def users() -> list[str]:
    return store.users()


@app.get("/session")
def session(user: User) -> dict[str, Any]:
    """What the page needs to begin."""
    return {"user": user, "relay": RELAY, "projects": store.projects(user)}


@app.get("/token", response_class=PlainTextResponse)
def token(user: User) -> str:
    """A token for the relay: who this is, and the rooms of their projects, to join and not to publish in.

    It lives for five minutes. The browser client asks for a new one before it ends, so that whoever is taken out of a
    project is out of its room soon.
    """
    rooms = [room(project["id"]) for project in store.projects(user)]
    return mint(SECRET, user, rooms=Access(join=rooms), ttl=timedelta(minutes=5))


# The board.


def room(project: int) -> str:
    return f"project:{project}"


def tell(event: str, task: dict[str, Any], by: str, exclude: str | None) -> None:
    """Tells a project's viewers of a change, but for the page that made it.

    The change is saved already. A page that misses this, because the relay is away, loads the board when it is back.
    """
    try:
        relay.publish(room(task["project"]), {"task": task, "by": by}, event=event, exclude=exclude)
    except SwitchboardError as error:
        logging.warning("not published: %s", error)


@app.get("/projects/{project}/tasks")
def tasks(project: int, user: User) -> list[dict[str, Any]]:
    allowed(user, project)
    return store.tasks(project)


@app.post("/projects/{project}/tasks", status_code=201)
def add(
    project: int,
    new: NewTask,
    user: User,
    after: BackgroundTasks,
    x_connection: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    allowed(user, project)
    task = store.add(project, new.title)
    after.add_task(tell, "task.added", task, user, x_connection)
    return task


@app.patch("/tasks/{number}")
def change(
    number: int,
    wish: Change,
    user: User,
    after: BackgroundTasks,
    x_connection: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    task = store.task(number)
    if task is None:
        raise HTTPException(404, "there is no such task")
    allowed(user, task["project"])
    if wish.column is not None and wish.column not in COLUMNS:
        raise HTTPException(422, f"a column is one of {', '.join(COLUMNS)}")
    if wish.title is not None:
        task = store.rename(number, wish.title)
        after.add_task(tell, "task.renamed", task, user, x_connection)
    if wish.column is not None:
        task = store.move(number, task["project"], wish.column, wish.before)
        after.add_task(tell, "task.moved", task, user, x_connection)
    return task


app.mount("/", StaticFiles(directory=HERE / "static", html=True))
