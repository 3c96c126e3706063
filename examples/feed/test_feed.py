"""How the feed follows a log."""

from feed import lines


def test_whole_lines_come_once_each_with_a_key_of_its_own(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\nthr")
    following = lines(log)
    (one, first), (two, second) = next(following), next(following)
    with log.open("a") as file:
        file.write("ee\n")
    three, third = next(following)
    assert [one, two, three] == ["one", "two", "three"]
    assert len({first, second, third}) == 3


def test_a_log_that_was_rotated_begins_anew(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("old\n")
    following = lines(log)
    assert next(following)[0] == "old"
    log.rename(tmp_path / "a.log.1")
    log.write_text("new\n")
    assert next(following)[0] == "new"


def test_a_log_that_was_emptied_begins_anew(tmp_path):
    log = tmp_path / "a.log"
    log.write_text("a long line of old\n")
    following = lines(log)
    next(following)
    log.write_text("new\n")
    assert next(following)[0] == "new"
