"""The app without a relay: what it would publish, to whom, and which rooms its tokens open."""

import importlib
import sys
from types import ModuleType

import jwt
import pytest
from fastapi.testclient import TestClient
from switchboard_client import ConnectionFailed

SECRET = "a-secret-of-more-than-thirty-two-bytes"


class Relay:
    """Takes down what is published."""

    def __init__(self) -> None:
        self.said: list[tuple] = []
        self.down = False

    def publish(self, room, data, *, event, exclude):
        if self.down:
            raise ConnectionFailed("connection_failed", "nobody there")
        self.said.append((room, event, data["task"]["title"], data["by"], exclude))


@pytest.fixture
def app(tmp_path, monkeypatch) -> ModuleType:
    monkeypatch.setenv("SECRET", SECRET)
    monkeypatch.setenv("API_KEY", "a key")
    monkeypatch.setenv("DB", str(tmp_path / "board.db"))
    sys.modules.pop("app", None)
    app = importlib.import_module("app")
    monkeypatch.setattr(app, "relay", Relay())
    return app


def browser(app: ModuleType, user: str | None = None) -> TestClient:
    client = TestClient(app.app)
    if user:
        assert client.post(f"/login/{user}").status_code == 204
    return client


def column(client: TestClient, project: int, name: str) -> list[int]:
    return [task["id"] for task in client.get(f"/projects/{project}/tasks").json() if task["column"] == name]


def test_a_change_is_told_to_the_project_and_not_to_the_page_that_made_it(app):
    ada = browser(app, "ada")
    answer = ada.patch("/tasks/1", json={"column": "done"}, headers={"X-Connection": "c1"})
    assert (answer.status_code, answer.json()["column"], answer.json()["version"]) == (200, "done", 2)
    assert app.relay.said == [("project:1", "task.moved", "Write the words for the front page", "ada", "c1")]


def test_what_is_refused_is_not_told(app):
    blaise = browser(app, "blaise")
    assert blaise.patch("/tasks/1", json={"column": "done"}).status_code == 404
    assert blaise.patch("/tasks/99", json={"column": "done"}).status_code == 404
    assert blaise.patch("/tasks/8", json={"column": "nowhere"}).status_code == 422
    assert blaise.patch("/tasks/8", json={"title": "  "}).status_code == 422
    assert blaise.get("/projects/1/tasks").status_code == 404
    assert blaise.post("/projects/1/tasks", json={"title": "mine"}).status_code == 404
    assert browser(app).patch("/tasks/1", json={"column": "done"}).status_code == 401
    assert app.relay.said == []


def test_a_change_is_saved_though_the_relay_is_away(app):
    app.relay.down = True
    ada = browser(app, "ada")
    assert ada.patch("/tasks/1", json={"title": "Fewer words"}).json()["title"] == "Fewer words"
    assert ada.get("/projects/1/tasks").json()[0]["title"] == "Fewer words"


@pytest.mark.parametrize(("user", "rooms"), [("ada", ["project:1", "project:2"]), ("blaise", ["project:2"])])
def test_a_token_opens_the_rooms_of_ones_projects_to_read(app, user, rooms):
    claims = jwt.decode(browser(app, user).get("/token").text, SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["rooms"]) == (user, {"join": rooms, "publish": []})


def test_strangers_get_no_token(app):
    assert browser(app).get("/token").status_code == 401
    assert browser(app).post("/login/mallory").status_code == 401


def test_tasks_are_put_before_others_or_at_the_end(app):
    ada = browser(app, "ada")
    assert column(ada, 1, "todo") == [1, 2, 3]
    ada.patch("/tasks/3", json={"column": "todo", "before": 2})
    assert column(ada, 1, "todo") == [1, 3, 2]
    ada.patch("/tasks/2", json={"column": "todo", "before": 1})
    assert column(ada, 1, "todo") == [2, 1, 3]
    ada.patch("/tasks/2", json={"column": "todo"})
    assert column(ada, 1, "todo") == [1, 3, 2]


def test_new_tasks_come_last(app):
    ada = browser(app, "ada")
    task = ada.post("/projects/1/tasks", json={"title": " Sweep "}).json()
    assert (task["title"], column(ada, 1, "todo")[-1]) == ("Sweep", task["id"])
    assert app.relay.said == [("project:1", "task.added", "Sweep", "ada", None)]
